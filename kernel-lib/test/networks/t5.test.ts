// T5's logits against transformers', on the engine that trains and on plain tfjs, where every layer is composed of its operations.
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { selectEngine, type TensorData, type TensorSpec } from "../../src/engine"
import { relativeBucket, type T5Shape, t5Logits } from "../../src/networks/t5"
import { listT5Weights } from "../../src/networks/t5-weights"
import { loadStudent } from "../../src/students"
import { modelOf } from "../../src/students/network-student"
import { goldenFolder, goldenModels, largestDifference, readGolden, readGoldenTensors } from "../students/golden"

describe.each(goldenModels)("%s", (name) => {
  it.each(["onnx", "eager"] as const)("gives transformers' logits on %s", async (engineName) => {
    const expected = (await readGoldenTensors(name)).get("logits")!
    const { rows } = readGolden(name)
    const student = await loadStudent(goldenFolder(name))
    const { weights } = student
    const model = modelOf(student)
    const specs: Record<string, TensorSpec> = {}
    const feeds: Record<string, TensorData> = {}
    for (const [key, { shape, data }] of Object.entries(model.makeBatch(rows, rows.length))) {
      specs[key] = { shape, dtype: data instanceof Int32Array ? "int32" : "float32" }
      feeds[key] = data
    }
    const session = (await selectEngine(engineName)).compileForward({
      forward: (inputs, parameters) => ({ logits: t5Logits(model.shape as T5Shape, inputs, parameters) }),
      inputs: specs,
      parameters: weights,
      threads: 1,
    })
    const { logits } = await session.run(feeds)
    const [numRows, places, vocabulary] = expected.shape
    let token = 0
    for (const [row, { labelIds }] of rows.entries()) {
      const got = (logits.data as Float32Array).subarray(token * vocabulary, (token + labelIds.length) * vocabulary)
      const wanted = expected.data.subarray(row * places * vocabulary, (row * places + labelIds.length) * vocabulary)
      expect(largestDifference(got, wanted), `row ${row}`).toBeLessThan(1e-4)
      token += labelIds.length
    }
    expect(rows).toHaveLength(numRows)
    session.dispose()
  })
})

interface GoldenBuckets {
  readonly relativeBuckets: number
  readonly relativeMaxDistance: number
  readonly isBidirectional: boolean
  /** Of the distances from -300 to 300. */
  readonly buckets: number[]
}

describe("relativeBucket", () => {
  const golden: GoldenBuckets[] = JSON.parse(readFileSync(goldenFolder("buckets.json"), "utf8"))

  it.each(golden)("is transformers' for $relativeBuckets buckets up to $relativeMaxDistance, both ways: $isBidirectional", (expected) => {
    const ours = expected.buckets.map((_, i) => relativeBucket(expected as unknown as T5Shape, i - 300, expected.isBidirectional))
    expect(ours).toEqual(expected.buckets)
  })
})

describe("listT5Weights", () => {
  it("names each weight once, as transformers does", async () => {
    const model = modelOf(await loadStudent(goldenFolder("gated-untied")))
    const names = listT5Weights(model.shape as T5Shape).map((spec) => spec.name)
    expect(new Set(names).size).toBe(names.length)
    const tensors = await readGoldenTensors("gated-untied")
    expect(names.map((key) => `gradients/${key}`).sort()).toEqual([...tensors.keys()].filter((key) => key !== "logits").sort())
  })
})
