// GPT-2 and the Llama family: logits against transformers', on the engine that trains and on plain tfjs, and decoding step by step against
// reading the whole text at once.
import { describe, expect, it } from "vitest"
import { type ForwardFunction, type NamedParameters, selectEngine, type TensorData, type TensorSpec } from "../../src/engine"
import { type Gpt2Shape, gpt2DecodeStep, gpt2Logits, gpt2Prefill } from "../../src/networks/gpt2"
import { type LlamaShape, llamaDecodeStep, llamaLogits, llamaPrefill } from "../../src/networks/llama"
import { unseen } from "../../src/networks/t5"
import type { Architecture } from "../../src/students/architecture"
import { type DecoderModel, decoderModels, readDecoderGolden, readDecoderModel, readDecoderTensors } from "../students/decoder-golden"
import { largestDifference } from "../students/golden"

/** The network's functions with its shape filled in. */
function bind({ modelType, shape }: Architecture): Record<"logits" | "prefill" | "step", ForwardFunction> {
  if (modelType === "gpt2") {
    const gpt2 = shape as Gpt2Shape
    return {
      logits: (inputs, weights) => ({ logits: gpt2Logits(gpt2, inputs, weights) }),
      prefill: (inputs, weights) => gpt2Prefill(gpt2, inputs, weights),
      step: (inputs, weights) => gpt2DecodeStep(gpt2, inputs, weights),
    }
  }
  const llama = shape as LlamaShape
  return {
    logits: (inputs, weights) => ({ logits: llamaLogits(llama, inputs, weights) }),
    prefill: (inputs, weights) => llamaPrefill(llama, inputs, weights),
    step: (inputs, weights) => llamaDecodeStep(llama, inputs, weights),
  }
}

type Feeds = Record<string, { readonly shape: readonly number[]; readonly data: TensorData }>

/** What `forward` answers to `feeds`. */
async function run(engineName: "onnx" | "eager", forward: ForwardFunction, parameters: NamedParameters, feeds: Feeds) {
  const inputs: Record<string, TensorSpec> = {}
  for (const [name, { shape, data }] of Object.entries(feeds))
    inputs[name] = { shape, dtype: data instanceof Int32Array ? "int32" : "float32" }
  const session = (await selectEngine(engineName)).compileForward({ forward, inputs, parameters, threads: 1 })
  const outputs = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, { data }]) => [name, data])))
  const copies = Object.entries(outputs).map(([name, { shape, data }]) => [name, { shape, data: data.slice() as Float32Array }] as const)
  session.dispose()
  return Object.fromEntries(copies)
}

const int32 = (values: Iterable<number>, ...shape: number[]) => ({ shape, data: Int32Array.from(values) })
const float32 = (values: Iterable<number>, ...shape: number[]) => ({ shape, data: Float32Array.from(values) })
const flatMapPlaces = (rows: number, length: number, value: (row: number, place: number) => number) =>
  Array.from({ length: rows * length }, (_, i) => value(Math.floor(i / length), i % length))

describe.each(decoderModels)("%s", (name) => {
  it.each(["onnx", "eager"] as const)(
    "gives transformers' logits on %s, at all places and at those of completions alone",
    async (engine) => {
      const { data: expected, shape } = (await readDecoderTensors(name)).get("logits")!
      const [, length, vocabulary] = shape
      const { architecture, weights } = await readDecoderModel(name)
      const { rows } = readDecoderGolden(name)
      const expectedAt = (row: number, place: number) =>
        expected.subarray((row * length + place) * vocabulary, (row * length + place + 1) * vocabulary)

      for (const learnt of [rows.map((row) => architecture.learnInput!(row)), rows]) {
        const { labels: _labels, ...batch } = architecture.makeBatch(learnt, rows.length + 1)
        const { logits } = await run(engine, bind(architecture).logits, weights, batch)
        let count = 0
        learnt.forEach(({ inputIds, labelIds }, row) => {
          labelIds.forEach((_, i) => {
            const got = logits.data.subarray(count * vocabulary, (count + 1) * vocabulary)
            expect(largestDifference(got, expectedAt(row, inputIds.length - 1 + i)), `row ${row}, label ${i}`).toBeLessThan(1e-4)
            count++
          })
        })
      }
    },
  )

  it("names each weight once, as transformers does", async () => {
    const { architecture } = await readDecoderModel(name)
    const names = architecture.weights.map((spec) => spec.name)
    expect(new Set(names).size).toBe(names.length)
    const gradients = [...(await readDecoderTensors(name)).keys()].filter((key) => key !== "logits")
    expect(names.map((key) => `gradients/${key}`).sort()).toEqual(gradients.sort())
  })
})

describe("decoding step by step", () => {
  it.each([
    ["gpt2", "onnx"],
    ["llama3", "onnx"],
    ["qwen2", "onnx"],
    ["mistral", "onnx"],
    ["llama3", "eager"],
  ] as const satisfies readonly [DecoderModel, "onnx" | "eager"][])("gives the logits of whole texts: %s on %s", async (name, engine) => {
    const { architecture, weights } = await readDecoderModel(name)
    const network = bind(architecture)
    const { numKeyHeads, numHeads } = architecture.shape as LlamaShape
    const heads = numKeyHeads ?? numHeads
    const prompts = [
      [7, 9, 30, 11, 12],
      [8, 40],
    ]
    // Two beams of each row write two tokens each; the second beam of a row goes on from its first.
    const answers = [
      [
        [13, 14],
        [13, 22],
      ],
      [
        [31, 32],
        [31, 34],
      ],
    ]
    const length = 6
    const slots = length + 2 * 2
    const first = await run(engine, network.prefill, weights, {
      inputIds: int32(
        flatMapPlaces(2, length, (row, place) => prompts[row][place] ?? 3),
        2,
        length,
      ),
      positions: int32(
        flatMapPlaces(2, length, (_, place) => place),
        2,
        length,
      ),
      mask: float32(
        flatMapPlaces(length, length, (query, key) => (key > query ? unseen : 0)),
        1,
        1,
        length,
        length,
      ),
      ends: int32(
        prompts.map((prompt, row) => row * length + prompt.length - 1),
        2,
      ),
    })
    const { logits: _first, ...keys } = first
    const size = keys.key0.shape[3]
    // What stands in slots that nobody may see must not matter.
    let caches: Feeds = Object.fromEntries(
      Object.entries(keys).map(([name, { data }]) => {
        const cache = new Float32Array(2 * heads * slots * size).fill(50)
        for (let block = 0; block < 2 * heads; block++)
          cache.set(data.subarray(block * length * size, (block + 1) * length * size), block * slots * size)
        return [name, { shape: [2, heads, slots, size], data: cache }]
      }),
    )
    let last = first
    for (const place of [0, 1]) {
      const mask = flatMapPlaces(4, slots, (beam, slot) => {
        if (slot < length) return slot < prompts[beam >> 1].length ? 0 : unseen
        const [writtenAt, writer] = [(slot - length) >> 1, (slot - length) & 1]
        const isOwn = writtenAt === place && writer === (beam & 1)
        return isOwn || (writtenAt < place && writer === 0) ? 0 : unseen
      })
      last = await run(engine, network.step, weights, {
        tokens: int32(
          answers.flatMap((beams) => beams.map((tokens) => tokens[place])),
          2,
          2,
        ),
        positions: int32(
          prompts.flatMap((prompt) => [prompt.length + place, prompt.length + place]),
          2,
          2,
        ),
        slots: int32(
          [0, 1].flatMap((row) =>
            flatMapPlaces(heads, 2, (head, beam) => head * 2 + beam).flatMap((i) => [row, i >> 1, length + 2 * place + (i & 1)]),
          ),
          2 * heads * 2,
          3,
        ),
        slotMask: float32(mask, 2, 1, 2, slots),
        ...caches,
      })
      caches = Object.fromEntries(
        Object.keys(keys).map((name) => [name, last[name.replace(/^./, (letter) => `next${letter.toUpperCase()}`)]]),
      )
    }

    const texts = prompts.flatMap((prompt, row) => answers[row].map((tokens) => [...prompt, ...tokens]))
    for (const [beam, text] of texts.entries()) {
      // Each token's next one is wanted; which one it is does not matter to the scores.
      const { labels: _labels, ...batch } = architecture.makeBatch([{ inputIds: text.slice(0, 1), labelIds: [...text.slice(1), 0] }], 1)
      const { logits } = await run(engine, network.logits, weights, batch)
      const vocabulary = architecture.vocabularySize
      const got = last.logits.data.subarray(beam * vocabulary, (beam + 1) * vocabulary)
      expect(
        largestDifference(got, logits.data.subarray((text.length - 1) * vocabulary, text.length * vocabulary)),
        `beam ${beam}`,
      ).toBeLessThan(1e-4)
      const end = prompts[beam >> 1].length
      expect(
        largestDifference(
          first.logits.data.subarray((beam >> 1) * vocabulary, ((beam >> 1) + 1) * vocabulary),
          logits.data.subarray((end - 1) * vocabulary, end * vocabulary),
        ),
        `prompt of beam ${beam}`,
      ).toBeLessThan(1e-4)
    }
  })
})
