// T5's logits against transformers', on the engine that trains and on plain tfjs, where every layer is composed of its operations.
import { describe, expect, it } from "vitest"
import { selectEngine, type TensorData, type TensorSpec } from "../../src/engine"
import { relativeBucket, type T5Shape, t5Logits } from "../../src/networks/t5"
import { listT5Weights } from "../../src/networks/t5-weights"
import { loadStudent } from "../../src/students"
import { makeBatch } from "../../src/students/training-batch"
import { goldenFolder, goldenModels, largestDifference, readGolden, readGoldenTensors } from "../students/golden"

describe.each(goldenModels)("%s", (name) => {
  it.each(["onnx", "eager"] as const)("gives transformers' logits on %s", async (engineName) => {
    const expected = (await readGoldenTensors(name)).get("logits")!
    const { rows } = readGolden(name)
    const { configuration, weights } = await loadStudent(goldenFolder(name))
    const specs: Record<string, TensorSpec> = {}
    const feeds: Record<string, TensorData> = {}
    for (const [key, { shape, data }] of Object.entries(makeBatch(rows, rows.length, configuration))) {
      specs[key] = { shape, dtype: data instanceof Int32Array ? "int32" : "float32" }
      feeds[key] = data
    }
    const session = (await selectEngine(engineName)).compileForward({
      forward: (inputs, parameters) => ({ logits: t5Logits(configuration.shape, inputs, parameters) }),
      inputs: specs,
      parameters: weights,
      threads: 1,
    })
    const { logits } = await session.run(feeds)
    const [, ours, vocabulary] = logits.shape
    const [numRows, places] = expected.shape
    for (let row = 0; row < numRows; row++) {
      const got = (logits.data as Float32Array).subarray(row * ours * vocabulary, (row * ours + places) * vocabulary)
      const wanted = expected.data.subarray(row * places * vocabulary, (row + 1) * places * vocabulary)
      expect(largestDifference(got, wanted), `row ${row}`).toBeLessThan(1e-4)
    }
    session.dispose()
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
