// Layers against formulas written out in plain loops, and dropout's promises.
import * as tf from "@tensorflow/tfjs-core"
import { describe, expect, test } from "vitest"
import { Random } from "../../src/core/random"
import { dropout, gelu, layerNorm, RandomStream, randomKey, rmsNorm, softmaxCrossEntropy } from "../../src/engine"
import type { NamedValues } from "../../src/engine/session"
import { engines, expectClose, runForward } from "./compare"

const random = new Random("layers")
const normals = (count: number) => Float32Array.from({ length: count }, () => random.normal())

describe.each(Object.entries(engines))("on %s", (_name, engine) => {
  test("rmsNorm and layerNorm normalize rows", async () => {
    const [rows, width] = [3, 8]
    const inputs = {
      x: { shape: [rows, width], data: normals(rows * width) },
      gain: { shape: [width], data: normals(width) },
      bias: { shape: [width], data: normals(width) },
    }
    const forward = ({ x, gain, bias }: Record<string, tf.Tensor>) => ({
      rms: rmsNorm(x, gain, 1e-3),
      layer: layerNorm(x, gain, bias, 1e-3),
    })
    const found = await runForward(engine, forward, inputs)
    const expected = { rms: new Float32Array(rows * width), layer: new Float32Array(rows * width) }
    for (let row = 0; row < rows; row++) {
      const x = inputs.x.data.subarray(row * width, (row + 1) * width)
      const mean = x.reduce((sum, value) => sum + value, 0) / width
      const power = x.reduce((sum, value) => sum + value * value, 0) / width
      for (let column = 0; column < width; column++) {
        const [gain, bias] = [inputs.gain.data[column], inputs.bias.data[column]]
        expected.rms[row * width + column] = (x[column] / Math.sqrt(power + 1e-3)) * gain
        expected.layer[row * width + column] = ((x[column] - mean) / Math.sqrt(power - mean * mean + 1e-3)) * gain + bias
      }
    }
    expectClose(found.rms.data, expected.rms, "rmsNorm")
    expectClose(found.layer.data, expected.layer, "layerNorm")
  })

  test("gelu has transformers' numbers", async () => {
    const inputs = { x: { shape: [4], data: Float32Array.of(-2, -0.5, 0.5, 2) } }
    const found = await runForward(engine, ({ x }) => ({ tanh: gelu(x), erf: gelu(x, "erf") }), inputs)
    // torch.nn.functional.gelu(x, approximate="tanh") and gelu(x)
    expectClose(found.tanh.data, [-0.0454023, -0.1542859, 0.3457141, 1.9545977], "tanh")
    expectClose(found.erf.data, [-0.0455003, -0.1542688, 0.3457312, 1.9544997], "erf")
  })

  test("softmaxCrossEntropy is the mean over the labels that count", async () => {
    const [rows, classes] = [4, 5]
    const logits = normals(rows * classes).map((x) => 3 * x)
    const labels = Int32Array.of(2, -100, 0, -100)
    const inputs: NamedValues = { logits: { shape: [2, 2, classes], data: logits }, labels: { shape: [2, 2], data: labels } }
    const forward = ({ logits, labels }: Record<string, tf.Tensor>) => ({ loss: softmaxCrossEntropy(logits, labels) })
    const lossOfRow = (row: number) => {
      const scores = Array.from(logits.subarray(row * classes, (row + 1) * classes))
      return Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[labels[row]]
    }
    expectClose((await runForward(engine, forward, inputs)).loss.data, [(lossOfRow(0) + lossOfRow(2)) / 2], "loss")
    const allIgnored = { ...inputs, labels: { shape: [2, 2], data: new Int32Array(4).fill(-100) } }
    expect((await runForward(engine, forward, allIgnored)).loss.data[0]).toBe(0)
  })

  test("scores that a mask takes away count for nothing, and a loss of certain answers is 0", async () => {
    const scores = Float32Array.of(1, 2, -1e9, 500, 499, -1e9)
    const found = await runForward(engine, ({ x }) => ({ y: tf.softmax(x) }), { x: { shape: [2, 3], data: scores } })
    const share = 1 / (1 + Math.E)
    expectClose(found.y.data, [share, 1 - share, 0, 1 - share, share, 0], "softmax", 1e-6)
    const inputs = { logits: { shape: [1, 3], data: Float32Array.of(200, 0, -200) }, labels: { shape: [1], data: Int32Array.of(0) } }
    const { loss } = await runForward(engine, ({ logits, labels }) => ({ loss: softmaxCrossEntropy(logits, labels) }), inputs)
    expect(loss.data[0]).toBeCloseTo(0, 6)
  })
})

describe("dropout", () => {
  const shape = [60, 4, 50]
  const drop = async (engine: (typeof engines)["onnx"], seed: number, step: number, rate = 0.3) => {
    const ones = new Float32Array(12_000).fill(1)
    const forward = ({ x, key }: Record<string, tf.Tensor>) => {
      const stream = new RandomStream(key as tf.Tensor1D)
      return { first: dropout(x, rate, stream), second: dropout(x, rate, stream) }
    }
    const found = await runForward(engine, forward, { x: { shape, data: ones }, key: { shape: [2], data: randomKey(seed, step) } })
    return { first: Array.from(found.first.data), second: Array.from(found.second.data) }
  }

  test("drops the same elements on both engines, for the same seed and step", async () => {
    const [onnx, eager] = [await drop(engines.onnx, 7, 3), await drop(engines.eager, 7, 3)]
    expect(onnx).toEqual(eager)
    expect(await drop(engines.onnx, 7, 3)).toEqual(onnx)
  })

  test("drops others for another seed, another step and another call", async () => {
    const { first, second } = await drop(engines.onnx, 7, 3)
    for (const other of [second, (await drop(engines.onnx, 8, 3)).first, (await drop(engines.onnx, 7, 4)).first]) {
      const agreement = first.filter((value, index) => value === other[index]).length / first.length
      expect(agreement).toBeGreaterThan(0.54) // 0.7² + 0.3² = 0.58 when independent
      expect(agreement).toBeLessThan(0.62)
    }
  })

  test.each([0.1, 0.3, 0.5])("drops a share of %f in every row and column, and scales the rest", async (rate) => {
    const { first } = await drop(engines.onnx, 1, 1, rate)
    expect(new Set(first)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]))
    const share = (values: number[]) => values.filter((value) => value === 0).length / values.length
    expect(share(first)).toBeCloseTo(rate, 1)
    const columns = Array.from({ length: 50 }, (_, column) => share(first.filter((_, index) => index % 50 === column)))
    const rows = Array.from({ length: 60 }, (_, row) => share(first.slice(row * 200, (row + 1) * 200)))
    // Five standard deviations of 200 draws or more.
    for (const found of [...columns, ...rows]) expect(Math.abs(found - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / 200))
  })

  test("neighbouring elements are dropped independently", async () => {
    const { first } = await drop(engines.onnx, 11, 5, 0.5)
    for (const distance of [1, 2, 50, 51, 200]) {
      const both = first.filter((value, index) => index + distance < first.length && value === 0 && first[index + distance] === 0).length
      expect(both / (first.length - distance)).toBeCloseTo(0.25, 1)
    }
  })

  test("does nothing without random numbers, as in evaluation", () => {
    const x = {} as tf.Tensor
    expect(dropout(x, 0.5, undefined)).toBe(x)
  })
})
