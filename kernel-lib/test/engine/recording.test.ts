// Recordings are data: printed, written as JSON and read back.
import * as tf from "@tensorflow/tfjs-core"
import { expect, test } from "vitest"
import { inScope, linear, relu } from "../../src/engine"
import { Recording } from "../../src/engine/recording"
import { traceForward } from "../../src/engine/tracer"

function traceLayer(): Recording {
  const parameters = { weight: { shape: [3, 2] }, bias: { shape: [2] }, unused: { shape: [9] } }
  const inputs = { x: { shape: [4, 3], dtype: "float32" }, ids: { shape: [4], dtype: "int32" } } as const
  const forward = ({ x, ids }: Record<string, tf.Tensor>, { weight, bias }: Record<string, tf.Tensor>) => {
    const y = inScope("encoder", () => inScope("feed", () => relu(linear(x, weight, bias))))
    tf.exp(y)
    return {
      y,
      picked: tf.gather(
        tf.tensor2d([
          [1, -2],
          [3, 0.5],
        ]),
        tf.mod(ids, tf.scalar(2, "int32")),
      ),
    }
  }
  return traceForward({ name: "layer", inputs, parameters, forward })
}

test("reads like the layer", () => {
  expect(traceLayer().toString()).toMatchInlineSnapshot(`
    "recording layer
      x float32 [4, 3] = Input(name: "x")
      ids int32 [4] = Input(name: "ids")
      weight float32 [3, 2] = Parameter(name: "weight")
      bias float32 [2] = Parameter(name: "bias")
    encoder.feed:
      %4 float32 [4, 2] = MatMul(x, weight, transposeA: false, transposeB: false, alpha: 1)
      %5 float32 [4, 2] = Add(%4, bias)
      %6 float32 [4, 2] = Relu(%5)
    (top):
      %7 float32 [2, 2] = Constant(values: [1, -2, 3, 0.5])
      %8 int32 [] = Fill(value: 2)
      %9 int32 [4] = Mod(ids, %8)
      %10 float32 [4, 2] = Gather(%7, %9, axis: 0)
    output y = %6 float32 [4, 2]
    output picked = %10 float32 [4, 2]"
  `)
})

test("keeps only what outputs need", () => {
  const recording = traceLayer()
  expect(recording.nodes.map(({ operation }) => operation)).not.toContain("Exp")
  expect(Object.keys(recording.parameters)).toEqual(["weight", "bias"])
  expect(Object.keys(recording.inputs)).toEqual(["x", "ids"])
})

test("goes through JSON unchanged", () => {
  const recording = traceLayer()
  const read = Recording.fromJSON(JSON.parse(JSON.stringify(recording)))
  expect(read.toString()).toBe(recording.toString())
  expect(JSON.stringify(read)).toBe(JSON.stringify(recording))
})

test("refuses JSON that uses a value before it is made", () => {
  const json = JSON.parse(JSON.stringify(traceLayer()))
  json.nodes[4].inputs[0] = 999
  expect(() => Recording.fromJSON(json)).toThrow("The recording layer uses value 999 before it is made: write it anew.")
})
