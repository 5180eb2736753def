// Criteria and low-rank adapters against PyTorch (make_golden.py), on both engines.
import { readFileSync } from "node:fs"
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import {
  adaptWeight,
  type Criterion,
  distillationLoss,
  type LossFunction,
  linear,
  type RandomStream,
  softmaxCrossEntropy,
  uniformCrossEntropy,
  withCriterion,
} from "../../src/engine"
import { differentiate, engines, expectClose } from "./compare"

const { criteria: golden, lowRank } = JSON.parse(readFileSync(new URL("golden/training.json", import.meta.url), "utf8"))
const floats = (shape: readonly number[], data: readonly number[]) => ({ shape, data: Float32Array.from(data) })

const batch = {
  teacher: floats([2, 4, 11], golden.teacher),
  labels: { shape: [2, 4], data: Int32Array.from(golden.labels) },
}
const network: LossFunction = ({ labels }, { logits }) => softmaxCrossEntropy(logits, labels)
const mix = (share: number, one: tf.Tensor, other: tf.Tensor) => tf.add(tf.mul(one, share), tf.mul(other, 1 - share))

const criteria: Record<string, (teacher: tf.Tensor) => Criterion | undefined> = {
  usual: () => undefined,
  "distilled, temperature 1": (teacher) => (logits, labels) => distillationLoss(logits, teacher, labels, 1),
  "distilled, temperature 3": (teacher) => (logits, labels) => distillationLoss(logits, teacher, labels, 3),
  "distilled by 0.7 at 2, usual by 0.3": (teacher) => (logits, labels) =>
    mix(0.7, distillationLoss(logits, teacher, labels, 2), softmaxCrossEntropy(logits, labels)),
  "smoothed by 0.1": () => (logits, labels) => mix(0.1, uniformCrossEntropy(logits, labels), softmaxCrossEntropy(logits, labels)),
}

describe.each(Object.entries(engines))("on %s", (_name, engine) => {
  test.each(Object.keys(criteria))("a network's loss and gradient are PyTorch's, with the criterion %s", async (name) => {
    const loss: LossFunction = (inputs, parameters, random) =>
      withCriterion(criteria[name](inputs.teacher), () => network(inputs, parameters, random))
    const { loss: value, gradients } = await differentiate(engine, loss, batch, { logits: floats([2, 4, 11], golden.logits) })
    const expected = golden.found[name]
    expectClose([value], [expected.loss], "loss", 2e-6)
    expectClose(gradients.logits, expected.gradient, "gradient", 2e-6)
  })

  test("logits that a softmax cannot tell from certain keep loss and gradients finite", async () => {
    const certain = Float32Array.from({ length: 88 }, (_, i) => (i % 11 === 3 ? 300 : -300))
    const other = Float32Array.from({ length: 88 }, (_, i) => (i % 11 === 5 ? 300 : -300))
    for (const name of Object.keys(criteria)) {
      const loss: LossFunction = (inputs, parameters, random) =>
        withCriterion(criteria[name](inputs.teacher), () => network(inputs, parameters, random))
      const inputs = { ...batch, teacher: { shape: [2, 4, 11], data: other } }
      const found = await differentiate(engine, loss, inputs, { logits: { shape: [2, 4, 11], data: certain } })
      expect(found.loss, name).toBeGreaterThan(1)
      expect(found.loss, name).toBeLessThan(1e4)
      expect(found.gradients.logits.every(Number.isFinite), name).toBe(true)
    }
  })

  test.each([false, true])("an adapter learns as PyTorch's does, beside weights that stay; inputs first: %s", async (isInputsFirst) => {
    const weight = isInputsFirst
      ? floats(
          [7, 6],
          Array.from({ length: 42 }, (_, at) => lowRank.weight[(at % 6) * 7 + Math.floor(at / 6)]),
        )
      : floats([6, 7], lowRank.weight)
    const parameters = { weight, bias: floats([6], lowRank.bias), down: floats([2, 7], lowRank.down), up: floats([6, 2], lowRank.up) }
    const loss: LossFunction = ({ x, target }, { weight, bias, down, up }, random: RandomStream | undefined) => {
      adaptWeight(weight, { down, up, scale: 8, dropout: 0, random })
      return tf.mean(tf.squaredDifference(linear(x, weight, bias, { transposeWeight: !isInputsFirst }), target))
    }
    const feeds = { x: floats([3, 5, 7], lowRank.x), target: floats([3, 5, 6], lowRank.target) }
    const session = engine.createTrainingSession({
      parameters,
      loss,
      frozen: ["weight", "bias"],
      optimizer: { weightDecay: 0 },
      threads: 1,
    })
    const { gradients } = await session.computeGradients(feeds)
    for (const [name, gradient] of Object.entries(lowRank.gradients)) expectClose(gradients[name], gradient as number[], name, 1e-5)
    const losses: number[] = []
    for (let step = 0; step < lowRank.losses.length; step++) losses.push((await session.step(feeds, { learningRate: 0.05 })).loss)
    expectClose(losses, lowRank.losses, "losses", 1e-5)
    expect(Object.keys(session.exportState().firstMoments)).toEqual(["down", "up"])
    session.dispose()
  })
})
