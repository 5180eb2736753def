// Every operation that the emitter for XLA knows: values and gradients against eager tfjs, on random inputs. Cases share programs, since a
// compilation costs more than they do.
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { LossFunction, NamedTensors } from "../../kernel-lib/src/engine"
import { makeRules as makeOnnxRules } from "../../kernel-lib/src/engine/onnx/emitter"
import type { TensorValue } from "../../kernel-lib/src/engine/session"
import { makeRules } from "../../kernel-lib/src/engine/xla/emitter"
import { differentiate, engines, expectClose, runForward } from "../../kernel-lib/test/engine/compare"
import { draws, type OperationCase, operationCases, splitInputs } from "../../kernel-lib/test/engine/operation-cases"
import { label, pluginFile, xla } from "./xla"

const casesAProgram = 24
const groups = Array.from({ length: Math.ceil(operationCases.length / casesAProgram) }, (_, index) =>
  operationCases.slice(index * casesAProgram, (index + 1) * casesAProgram),
)
const samples = fc.sample(draws, { numRuns: 3, seed: 20 })

/** Inputs of all cases, under names of their own. */
function joinInputs(cases: readonly OperationCase[], sample: number): Record<string, TensorValue> {
  const entries = cases.flatMap((operation) =>
    Object.entries(operation.makeInputs(samples[sample])).map(([name, value]) => [`${operation.name}/${name}`, value] as const),
  )
  return Object.fromEntries(entries)
}

function pickTensors(tensors: NamedTensors, { name }: OperationCase): Record<string, tf.Tensor> {
  const own = Object.keys(tensors).filter((key) => key.startsWith(`${name}/`))
  return Object.fromEntries(own.map((key) => [key.slice(name.length + 1), tensors[key]]))
}

describe.skipIf(!pluginFile)(label, () => {
  describe.each(groups.map((cases) => [`from ${cases[0].name} to ${cases.at(-1)!.name}`, cases] as const))("%s", (_name, cases) => {
    test.each([0, 1, 2])("have the values of eager tfjs, sizes %i", async (sample) => {
      const inputs = joinInputs(cases, sample)
      const forward = (tensors: NamedTensors) => Object.fromEntries(cases.map((one) => [one.name, one.compute(pickTensors(tensors, one))]))
      const [found, expected] = [await runForward(xla, forward, inputs), await runForward(engines.eager, forward, inputs)]
      for (const { name } of cases) {
        expect(found[name].shape, name).toEqual(expected[name].shape)
        expect(found[name].data.constructor, name).toBe(expected[name].data.constructor)
        expectClose(found[name].data, expected[name].data, name)
      }
    })

    test("have the gradients of eager tfjs", async () => {
      const smooth = cases.filter(({ isSmooth }) => isSmooth)
      if (smooth.length === 0) return
      const { floats, others } = splitInputs(joinInputs(smooth, 0))
      const loss: LossFunction = (inputs, parameters) =>
        tf.addN(smooth.map((one) => lossOf(one.compute({ ...pickTensors(inputs, one), ...pickTensors(parameters, one) }))))
      const [found, expected] = [await differentiate(xla, loss, others, floats), await differentiate(engines.eager, loss, others, floats)]
      expectClose([found.loss], [expected.loss], "loss")
      expect(Object.keys(found.gradients).sort()).toEqual(Object.keys(expected.gradients).sort())
      for (const [name, gradient] of Object.entries(expected.gradients)) expectClose(found.gradients[name], gradient, name)
    })
  })
})

test("there is a rule for every operation that the other emitter has one for", () => {
  const rules = Object.keys(makeRules(() => true))
  const others = Object.keys(makeOnnxRules(() => true)).filter((name) => name !== "Input" && name !== "Parameter")
  expect(rules.sort()).toEqual(others.sort())
})

/** A loss in which every element has another derivative. */
function lossOf(y: tf.Tensor): tf.Scalar {
  const flat = tf.reshape(y, [-1])
  return tf.mean(tf.mul(flat, tf.add(flat, tf.range(1, flat.size + 1))))
}
