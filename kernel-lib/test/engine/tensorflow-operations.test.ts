// Every operation that the emitter for TensorFlow knows: values and gradients against eager tfjs, on random inputs.
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { makeRules as makeOnnxRules } from "../../src/engine/onnx/emitter"
import { makeRules } from "../../src/engine/tensorflow/emitter"
import { differentiate, engines, expectClose, runForward } from "./compare"
import { draws, type OperationCase, operationCases, splitInputs } from "./operation-cases"
import { isInstalled, label, tensorflow } from "./tensorflow"

describe.skipIf(!isInstalled)(label, () => {
  describe.each(operationCases.map((operation) => [operation.name, operation] as const))("%s", (_name, operation) => {
    test("has the values of eager tfjs", () =>
      fc.assert(
        fc.asyncProperty(draws, async (draw) => {
          const inputs = operation.makeInputs(draw)
          const forward = (tensors: Record<string, tf.Tensor>) => ({ y: operation.compute(tensors) })
          const found = await runForward(tensorflow, forward, inputs)
          const expected = await runForward(engines.eager, forward, inputs)
          expect(found.y.shape).toEqual(expected.y.shape)
          expect(found.y.data.constructor).toBe(expected.y.data.constructor)
          expectClose(found.y.data, expected.y.data, "value")
        }),
        { numRuns: 1 },
      ))

    if (!operation.isSmooth) return
    test("has the gradients of eager tfjs", () =>
      fc.assert(
        fc.asyncProperty(draws, async (draw) => {
          const { floats, others } = splitInputs(operation.makeInputs(draw))
          const found = await differentiate(tensorflow, lossOf(operation), others, floats)
          const expected = await differentiate(engines.eager, lossOf(operation), others, floats)
          expectClose([found.loss], [expected.loss], "loss")
          expect(Object.keys(found.gradients)).toEqual(Object.keys(expected.gradients))
          for (const [name, gradient] of Object.entries(expected.gradients))
            expectClose(found.gradients[name], gradient, `gradient of ${name}`)
        }),
        { numRuns: 1 },
      ))
  })
})

test("there is a rule for every operation that the other emitter has one for", () => {
  const rules = Object.keys(makeRules(() => true))
  const others = Object.keys(makeOnnxRules(() => true)).filter((name) => name !== "Input" && name !== "Parameter")
  expect(rules.sort()).toEqual(others.sort())
})

/** A loss in which every element has another derivative. */
function lossOf(operation: OperationCase) {
  return (inputs: Record<string, tf.Tensor>, parameters: Record<string, tf.Tensor>) => {
    const y = tf.reshape(operation.compute({ ...inputs, ...parameters }), [-1])
    return tf.mean(tf.mul(y, tf.add(y, tf.range(1, y.size + 1))))
  }
}
