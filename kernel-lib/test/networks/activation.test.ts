// The functions between the layers of feed-forwards, against their formulas as transformers gives them.
import * as tf from "@tensorflow/tfjs-core"
import { expect, it } from "vitest"
import { selectEngine } from "../../src/engine"
import { type Activation, activate } from "../../src/networks/activation"

const inner = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)
const formulas: Readonly<Record<Exclude<Activation, "gelu">, (x: number) => number>> = {
  relu: (x) => Math.max(0, x),
  gelu_new: (x) => 0.5 * x * (1 + Math.tanh(inner(x))),
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  tanh: Math.tanh,
}

it.each(Object.entries(formulas))("%s is its formula, and so is its slope", async (name, formula) => {
  const values = Float32Array.from({ length: 41 }, (_, i) => i / 5 - 4.03)
  const session = (await selectEngine("onnx")).createTrainingSession({
    parameters: { x: { shape: [values.length], data: values } },
    loss: (inputs, { x }) => tf.sum(tf.mul(activate(name as Activation, x), inputs.weights)),
    threads: 1,
  })
  const weights = Float32Array.from(values, (_, i) => 1 + i / 10)
  const { loss, gradients } = await session.computeGradients({ weights: { shape: [values.length], data: weights } })
  expect(loss).toBeCloseTo(
    values.reduce((sum, x, i) => sum + formula(x) * weights[i], 0),
    2,
  )
  const step = 1e-4
  values.forEach((x, i) => {
    expect(gradients.x[i] / weights[i]).toBeCloseTo((formula(x + step) - formula(x - step)) / (2 * step), 3)
  })
  session.dispose()
})
