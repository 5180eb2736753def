// The encoders' logits against transformers', on the engine that trains and on plain tfjs, where every layer is composed of its operations.
import { describe, expect, it } from "vitest"
import { type NamedTensors, selectEngine, type TensorData, type TensorSpec } from "../../src/engine"
import { bertLabelLogits, bertSpanLogits, listPositions } from "../../src/networks/bert"
import { listBertWeights } from "../../src/networks/bert-weights"
import { loadStudent } from "../../src/students"
import type { BertArchitecture } from "../../src/students/bert-architecture"
import { makeEncoderBatch } from "../../src/students/encoder-batch"
import { modelOf } from "../../src/students/network-student"
import { encoderFolder, goldenEncoders, readEncoderGolden, readEncoderTensors } from "../students/encoder-golden"
import { largestDifference } from "../students/golden"

describe.each(goldenEncoders)("%s", (name) => {
  it.each(["onnx", "eager"] as const)("gives transformers' logits on %s, whatever the padding", async (engineName) => {
    const expected = await readEncoderTensors(name)
    const { rows } = readEncoderGolden(name)
    const student = await loadStudent(encoderFolder(name))
    const { shape } = modelOf(student) as BertArchitecture
    const longest = Math.max(...rows.map(({ ids }) => ids.length))
    const padded = longest + 3
    const specs: Record<string, TensorSpec> = {}
    const feeds: Record<string, TensorData> = {}
    for (const [key, { shape: lengths, data }] of Object.entries(makeEncoderBatch(shape, rows, rows.length + 1, padded))) {
      specs[key] = { shape: lengths, dtype: data instanceof Int32Array ? "int32" : "float32" }
      feeds[key] = data
    }
    const forward = (inputs: NamedTensors, parameters: NamedTensors): NamedTensors =>
      shape.head.kind === "labels"
        ? { logits: bertLabelLogits(shape, inputs, parameters) }
        : { ...bertSpanLogits(shape, inputs, parameters) }
    const session = (await selectEngine(engineName)).compileForward({ forward, inputs: specs, parameters: student.weights, threads: 1 })
    const outputs = await session.run(feeds)
    for (const [key, { data }] of Object.entries(outputs)) {
      const width = key === "logits" ? data.length / (rows.length + 1) : padded
      rows.forEach(({ ids }, row) => {
        const count = key === "logits" ? width : ids.length
        const stride = key === "logits" ? width : longest
        const got = (data as Float32Array).subarray(row * width, row * width + count)
        const wanted = expected.get(key)!.data.subarray(row * stride, row * stride + count)
        expect(largestDifference(got, wanted), `${key} of row ${row}`).toBeLessThan(1e-4)
      })
    }
    session.dispose()
  })

  it("has the weights that transformers trains, each once", async () => {
    const { shape } = modelOf(await loadStudent(encoderFolder(name))) as BertArchitecture
    const names = listBertWeights(shape).map((spec) => `gradients/${spec.name}`)
    const tensors = await readEncoderTensors(name)
    expect(names.sort()).toEqual([...tensors.keys()].filter((key) => key.startsWith("gradients/")).sort())
  })
})

describe("listPositions", () => {
  it("counts RoBERTa's from the padding id, which keeps its own", () => {
    const shape = { countsFromPadding: true, padId: 3 } as Parameters<typeof listPositions>[0]
    expect([...listPositions(shape, [0, 9, 3, 9, 3])]).toEqual([4, 5, 3, 6, 3])
  })
})
