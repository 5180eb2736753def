// T5 against transformers on any tfjs backend: here the plain one, where every layer is composed of tfjs's own operations.
import "@tensorflow/tfjs-backend-cpu"
import * as tf from "@tensorflow/tfjs-core"
import { beforeAll, describe, expect, it } from "vitest"
import { relativeBucket, type T5Shape, t5Logits, t5Loss } from "../../src/networks/t5"
import { listT5Weights } from "../../src/networks/t5-weights"
import { loadStudent } from "../../src/students"
import { makeBatch } from "../../src/students/training-batch"
import { goldenFolder, goldenModels, largestDifference, readGolden, readGoldenTensors } from "../students/golden"

beforeAll(async () => {
  await tf.setBackend("cpu")
})

describe.each(goldenModels)("%s", (name) => {
  it("gives transformers' logits, loss and gradients", async () => {
    const golden = readGolden(name)
    const expected = await readGoldenTensors(name)
    const { configuration, weights } = await loadStudent(goldenFolder(name))
    const variables = Object.fromEntries(
      Object.entries(weights).map(([key, { shape, data }]) => [key, tf.variable(tf.tensor(data, [...shape]), true, `${name}/${key}`)]),
    )
    const batch = makeBatch(golden.rows, golden.rows.length, configuration)
    const inputs = Object.fromEntries(
      Object.entries(batch).map(([key, { shape, data }]) => [
        key,
        tf.tensor(data, [...shape], data instanceof Int32Array ? "int32" : "float32"),
      ]),
    )
    const [rows, places, vocabulary] = expected.get("logits")!.shape
    const logits = tf.slice(t5Logits(configuration.shape, inputs, variables), [0, 0, 0], [rows, places, vocabulary])
    expect(largestDifference(logits.dataSync(), expected.get("logits")!.data)).toBeLessThan(1e-4)

    const { value, grads } = tf.variableGrads(() => t5Loss(configuration.shape, inputs, variables) as tf.Scalar, Object.values(variables))
    expect(value.dataSync()[0]).toBeCloseTo(golden.loss, 5)
    for (const key of Object.keys(weights)) {
      const difference = largestDifference(grads[`${name}/${key}`].dataSync(), expected.get(`gradients/${key}`)!.data)
      expect(difference, key).toBeLessThan(1e-4)
    }
    tf.disposeVariables()
  })
})

describe("relativeBucket", () => {
  const shape = { relativeBuckets: 32, relativeMaxDistance: 128 } as T5Shape

  it("gives near keys a bucket each and far ones ranges, before and after the query", () => {
    expect([0, -1, -7, -8, -127, -500].map((distance) => relativeBucket(shape, distance, true))).toEqual([0, 1, 7, 8, 15, 15])
    expect([1, 7, 8, 127].map((distance) => relativeBucket(shape, distance, true))).toEqual([17, 23, 24, 31])
  })

  it("uses all buckets for what lies before, when nothing after is seen", () => {
    expect([5, 0, -1, -15, -16, -127, -500].map((distance) => relativeBucket(shape, distance, false))).toEqual([0, 0, 1, 15, 16, 31, 31])
  })
})

describe("listT5Weights", () => {
  it("names each weight once, as transformers does", async () => {
    const { configuration } = await loadStudent(goldenFolder("gated-untied"))
    const names = listT5Weights(configuration.shape).map((spec) => spec.name)
    expect(new Set(names).size).toBe(names.length)
    const tensors = await readGoldenTensors("gated-untied")
    expect(names.map((key) => `gradients/${key}`).sort()).toEqual([...tensors.keys()].filter((key) => key !== "logits").sort())
  })
})
