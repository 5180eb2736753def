// What a trace leaves behind, and what it says when a network cannot be traced.
import * as tf from "@tensorflow/tfjs-core"
import "@tensorflow/tfjs-backend-cpu"
import { beforeAll, expect, test } from "vitest"
import { dropout, inScope, linear, relu, softmaxCrossEntropy } from "../../src/engine"
import type { LossFunction } from "../../src/engine/session"
import { gradientOutput, traceForward, traceLoss } from "../../src/engine/tracer"

type Tensors = Record<string, tf.Tensor>

beforeAll(async () => {
  await tf.setBackend("cpu")
})

const specs = { x: { shape: [2, 3], dtype: "float32" }, labels: { shape: [2], dtype: "int32" } } as const
const parameters = { weight: { shape: [3, 4] } }
const loss: LossFunction = ({ x, labels }, { weight }, random) => softmaxCrossEntropy(dropout(relu(linear(x, weight)), 0.1, random), labels)

function traceBody(body: (x: tf.Tensor) => tf.Tensor) {
  return traceForward({ name: "net", inputs: specs, parameters, forward: ({ x }) => ({ y: body(x) }) })
}

test("leaves tfjs as it was: same backend, same tensors, same random numbers", () => {
  const before = { backend: tf.getBackend(), tensors: tf.memory().numTensors, buffers: tf.memory().numDataBuffers, random: Math.random }
  traceLoss({ name: "net", inputs: specs, parameters, loss, differentiate: ["weight"] })
  expect(() =>
    traceLoss({
      name: "net",
      inputs: specs,
      parameters,
      loss: (...all) => tf.div(loss(...all), tf.einsum("ij->j", all[0].x)),
      differentiate: ["weight"],
    }),
  ).toThrow()
  expect({ backend: tf.getBackend(), tensors: tf.memory().numTensors, buffers: tf.memory().numDataBuffers, random: Math.random }).toEqual(
    before,
  )
  expect(tf.engine().backendNames()).toEqual(["cpu"])
  expect(tf.add(1, 2).dataSync()[0]).toBe(3)
})

test("weights are parameters of the recording, never constants in it", () => {
  const recording = traceLoss({ name: "net", inputs: specs, parameters, loss, differentiate: ["weight"] })
  expect(Object.keys(recording.parameters)).toEqual(["weight"])
  expect(recording.nodes.filter(({ operation }) => operation === "Constant")).toEqual([])
  expect(Object.keys(recording.outputs)).toEqual(["loss", gradientOutput("weight")])
})

test("dropout is there in training only", () => {
  const evaluation = traceLoss({ name: "net", inputs: specs, parameters, loss })
  expect(Object.keys(evaluation.inputs)).toEqual(["x", "labels"])
  const training = traceLoss({ name: "net", inputs: specs, parameters, loss, differentiate: ["weight"] })
  expect(Object.keys(training.inputs)).toEqual(["x", "labels", "random/key"])
})

test("a parameter that the loss does not reach has no gradient", () => {
  const both = { ...parameters, other: { shape: [5] } }
  const recording = traceLoss({ name: "net", inputs: specs, parameters: both, loss, differentiate: ["weight", "other"] })
  expect(Object.keys(recording.outputs)).toEqual(["loss", gradientOutput("weight")])
})

test("a small tensor of the caller's becomes a constant and stays with the caller", () => {
  const mask = tf.tensor1d([1, 0, 1])
  const recording = traceBody((x) => tf.mul(x, mask))
  expect(recording.nodes.find(({ operation }) => operation === "Constant")?.attributes).toEqual({ values: Float32Array.of(1, 0, 1) })
  expect(Array.from(mask.dataSync())).toEqual([1, 0, 1])
  mask.dispose()
})

const refusals: [name: string, body: (x: tf.Tensor) => tf.Tensor, code: string, sentence: RegExp][] = [
  [
    "reading a value",
    (x) => inScope("decoder.0", () => tf.mul(x, tf.sum(tf.exp(x)).dataSync()[0])),
    "engine.traced-read",
    /^The value of Sum in decoder\.0 was read/,
  ],
  [
    "an unknown kernel",
    (x) => inScope("decoder", () => inScope("norm", () => tf.erf(tf.asin(x)))),
    "engine.unknown-kernel",
    /^net, in decoder\.norm uses Asin, which/,
  ],
  [
    "shapes that do not fit",
    (x) => inScope("head", () => tf.matMul(x, x)),
    "engine.trace-failed",
    /^net, in head cannot be traced: matMul of \[2,3\] and \[2,3\]/,
  ],
  ["random numbers in JavaScript", (x) => tf.dropout(x, 0.5), "engine.traced-random", /use the engine's dropout/],
  ["an input that is not there", (x) => tf.mul(x, (undefined as unknown as Tensors).y), "engine.trace-failed", /^net cannot be traced/],
  ["complex numbers", (x) => tf.real(tf.complex(x, x)), "engine.unknown-kernel", /uses Complex/],
]
test.each(refusals)("refuses %s", (_name, body, code, sentence) => {
  const refused = expect(() => traceBody(body))
  refused.toThrow(sentence)
  expect(() => traceBody(body)).toThrow(expect.objectContaining({ code }))
})

test("names an input that a network asks for in vain", () => {
  expect(() => traceForward({ name: "net", inputs: specs, parameters, forward: ({ mask }) => ({ y: tf.exp(mask) }) })).toThrow(
    "net asks for the input mask, and there are x, labels only",
  )
})

test("refuses a loss that is not one number", () => {
  expect(() => traceLoss({ name: "net", inputs: specs, parameters, loss: ({ x }) => x, differentiate: [] })).toThrow(
    "The loss of net must be one float32 number, and is float32 [2, 3]: take its mean.",
  )
})

test("refuses weights that are not parameters", async () => {
  const variable = tf.variable(tf.zeros([3]), true, "hidden")
  expect(() => traceBody((x) => tf.mul(x, variable))).toThrow("The network uses the variable hidden that is not among its parameters")
  variable.dispose()
  const large = tf.zeros([1025, 1024])
  expect(() => traceBody((x) => tf.add(tf.sum(large), tf.sum(x)))).toThrow(
    "The network uses a tensor of 1,049,600 values that is not among its parameters",
  )
  large.dispose()
})

test("refuses a trace inside a trace", () => {
  const nested = (x: tf.Tensor) => {
    traceBody((y) => y)
    return x
  }
  expect(() => traceBody(nested)).toThrow("A network was traced inside another trace")
})
