// Training sessions on ONNX Runtime and on eager tfjs.
import { describe, test } from "vitest"
import { engines } from "./compare"
import { casesOf } from "./engine-cases"
import { trainingCases } from "./training-cases"
import { trainingFaultCases } from "./training-fault-cases"

describe.each(Object.entries(engines))("on %s", (_name, engine) => {
  for (const { name, check } of casesOf(engine.name, [...trainingCases, ...trainingFaultCases])) test(name, () => check(engine))
})
