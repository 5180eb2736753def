// Sessions on TensorFlow: what they promise on the other engines, with state that lives in TensorFlow's variables.
import { describe, test } from "vitest"
import { engines } from "./compare"
import { casesOf } from "./engine-cases"
import { forwardCases } from "./forward-cases"
import { isInstalled, label, makeWith, tensorflow } from "./tensorflow"
import { trainingCases } from "./training-cases"
import { trainingFaultCases } from "./training-fault-cases"

describe.skipIf(!isInstalled)(label, () => {
  for (const { name, check } of casesOf("tensorflow", [...trainingCases, ...trainingFaultCases])) test(name, () => check(tensorflow))

  describe.each([
    ["a forward session", () => tensorflow],
    ["a forward session of another engine", () => makeWith(engines.onnx)],
  ])("%s", (_name, makeEngine) => {
    for (const { name, check } of casesOf("tensorflow", forwardCases)) test(name, () => check(makeEngine()))
  })
})
