// Every operation that the emitter knows: values and gradients on ONNX Runtime against eager tfjs, on random inputs.
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { specsOf } from "../../src/engine/feeds"
import { makeRules } from "../../src/engine/onnx/emitter"
import { traceForward, traceLoss } from "../../src/engine/tracer"
import { differentiate, engines, expectClose, runForward } from "./compare"
import { draws, type OperationCase, operationCases, splitInputs } from "./operation-cases"

describe.each(operationCases.map((operation) => [operation.name, operation] as const))("%s", (_name, operation) => {
  test("has the same values on both engines", () =>
    fc.assert(
      fc.asyncProperty(draws, async (draw) => {
        const inputs = operation.makeInputs(draw)
        const forward = (tensors: Record<string, tf.Tensor>) => ({ y: operation.compute(tensors) })
        const found = await runForward(engines.onnx, forward, inputs)
        const expected = await runForward(engines.eager, forward, inputs)
        expect(found.y.shape).toEqual(expected.y.shape)
        expect(found.y.data.constructor).toBe(expected.y.data.constructor)
        expectClose(found.y.data, expected.y.data, "value")
      }),
      { numRuns: 2 },
    ))

  if (!isDifferentiable(operation)) return
  test("has the same gradients on both engines", () =>
    fc.assert(
      fc.asyncProperty(draws, async (draw) => {
        const { floats, others } = splitInputs(operation.makeInputs(draw))
        const found = await differentiate(engines.onnx, lossOf(operation), others, floats)
        const expected = await differentiate(engines.eager, lossOf(operation), others, floats)
        expectClose([found.loss], [expected.loss], "loss")
        expect(Object.keys(found.gradients)).toEqual(Object.keys(expected.gradients))
        for (const [name, gradient] of Object.entries(expected.gradients))
          expectClose(found.gradients[name], gradient, `gradient of ${name}`)
      }),
      { numRuns: 2 },
    ))
})

test("the cases use every operation that the emitter knows", () => {
  const used = new Set<string>()
  const [draw] = fc.sample(draws, 1)
  for (const operation of operationCases) {
    const inputs = operation.makeInputs(draw)
    const { floats, others } = splitInputs(inputs)
    const forward = (tensors: Record<string, tf.Tensor>) => ({ y: operation.compute(tensors) })
    const recordings = [traceForward({ name: operation.name, inputs: specsOf(inputs), parameters: {}, forward })]
    if (isDifferentiable(operation)) {
      const differentiated = { loss: lossOf(operation), differentiate: Object.keys(floats) }
      recordings.push(traceLoss({ name: operation.name, inputs: specsOf(others), parameters: floats, ...differentiated }))
    }
    for (const { nodes } of recordings) for (const node of nodes) used.add(node.operation)
  }
  // Random words and masks have tests of their own.
  const untested = Object.keys(makeRules(() => true)).filter((name) => !used.has(name) && name !== "RandomWords" && name !== "DropoutMask")
  expect(untested).toEqual([])
})

/** Kinks have gradients too; the random inputs do not stand on them. */
function isDifferentiable(operation: OperationCase): boolean {
  return operation.isSmooth || /^(maximum|minimum|max over|min over|clip)/.test(operation.name)
}

/** A loss in which every element has another derivative. */
function lossOf(operation: OperationCase) {
  return (inputs: Record<string, tf.Tensor>, parameters: Record<string, tf.Tensor>) => {
    const y = tf.reshape(operation.compute({ ...inputs, ...parameters }), [-1])
    return tf.mean(tf.mul(y, tf.add(y, tf.range(1, y.size + 1))))
  }
}
