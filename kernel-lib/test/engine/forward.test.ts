// Forward sessions on ONNX Runtime and on eager tfjs.
import { describe, test } from "vitest"
import { engines } from "./compare"
import { casesOf } from "./engine-cases"
import { forwardCases } from "./forward-cases"

describe.each(Object.entries(engines))("on %s", (_name, engine) => {
  for (const { name, check } of casesOf(engine.name, forwardCases)) test(name, () => check(engine))
})
