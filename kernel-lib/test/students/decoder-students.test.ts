// Students that go on with a text: decoding against transformers' generate, token for token, and what saving, training and long inputs
// must keep.
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { selectEngine } from "../../src/engine"
import { loadStudent } from "../../src/students"
import { type DecodeOptions, decodeRows } from "../../src/students/decode"
import { DecodingMemory } from "../../src/students/decoding-memory"
import { gpt2Decoder } from "../../src/students/gpt2-architecture"
import { llamaDecoder } from "../../src/students/llama-architecture"
import {
  type DecoderModel,
  decoderFolder,
  decoderModels,
  readDecoderConfiguration,
  readDecoderGolden,
  readDecoderModel,
} from "./decoder-golden"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "decoders-"))
})
afterAll(() => rm(folder, { recursive: true }))

const plain = {
  decoding: { kind: "greedy" },
  maxNewTokens: 12,
  lengthPenalty: 1,
  stopsEarly: false,
} satisfies Omit<DecodeOptions, "endIds">

async function openMemory(name: DecoderModel, engine: "onnx" | "eager" = "onnx"): Promise<DecodingMemory> {
  const { architecture, weights } = await readDecoderModel(name)
  const decoder = name.startsWith("gpt2") ? gpt2Decoder(architecture.shape as never) : llamaDecoder(architecture.shape as never)
  return new DecodingMemory(await selectEngine(engine), decoder, weights, 1)
}

const endIdsOf = (name: DecoderModel) => [readDecoderConfiguration(name).eos_token_id].flat() as number[]
const tokensOf = (rows: readonly { readonly tokens: readonly number[] }[]) => rows.map((row) => row.tokens)
const load = (name: DecoderModel) => loadStudent(decoderFolder(name), { engine: "onnx", threads: 1 })

describe.each(decoderModels)("%s", (name) => {
  const golden = readDecoderGolden(name)
  const options = { ...plain, endIds: endIdsOf(name) }

  it("answers greedily as transformers does, with the probabilities that its logits give", async () => {
    const memory = await openMemory(name)
    const rows = await decodeRows(memory, golden.questions, options)
    expect(tokensOf(rows)).toEqual(golden.greedy)
    rows.forEach((row, i) => {
      expect(row.confidence).toBeCloseTo(golden.confidences[i], 4)
    })
    expect(tokensOf(await decodeRows(memory, golden.questions.slice(0, 6), { ...options, maxNewTokens: 40 }))).toEqual(golden.greedyLong)
    memory.dispose()
  })

  it("finds transformers' beams, with several ends, lengths and endings", async () => {
    const memory = await openMemory(name)
    const few = golden.questions.slice(0, 6)
    expect(tokensOf(await decodeRows(memory, golden.questions, { ...options, decoding: { kind: "beam", beams: 4 } }))).toEqual(golden.beam4)
    const long = { ...options, maxNewTokens: 40, decoding: { kind: "beam", beams: 3 } } as const
    expect(tokensOf(await decodeRows(memory, few, long))).toEqual(golden.beam3Long)
    const early = { ...options, stopsEarly: true, lengthPenalty: 0.6, decoding: { kind: "beam", beams: 2 } } as const
    expect(tokensOf(await decodeRows(memory, few, early))).toEqual(golden.beam2Early)
    memory.dispose()
  })

  it("answers raw texts as transformers does, also after it was saved and loaded", async () => {
    const student = await load(name)
    const texts = golden.texts.map(({ text }) => text)
    const expected = golden.texts.map(({ output, tokens }) => ({ output, tokens }))
    const answersOf = async (one: typeof student) =>
      (await one.predict(texts, { maxNewTokens: 10 })).map(({ output, tokens }) => ({ output, tokens }))
    expect(golden.texts.map(({ text }) => student.encodeInput(text))).toEqual(golden.texts.map(({ ids }) => ids))
    expect(await answersOf(student)).toEqual(expected)
    await student.save(join(folder, name))
    const again = await loadStudent(join(folder, name), { engine: "onnx", threads: 1 })
    expect(again.fingerprint).toBe(student.fingerprint)
    expect(await answersOf(again)).toEqual(expected)
    const { eos_token_id } = JSON.parse(await readFile(join(folder, name, "generation_config.json"), "utf8"))
    expect([eos_token_id].flat()).toEqual(endIdsOf(name))
    student.dispose()
    again.dispose()
  })
})

describe("on the eager engine", () => {
  it.each(["gpt2-untied", "qwen2"] as const)("greedy and beams of %s are the same", async (name) => {
    const { questions, greedy, beam4 } = readDecoderGolden(name)
    const memory = await openMemory(name, "eager")
    const options = { ...plain, endIds: endIdsOf(name) }
    expect(tokensOf(await decodeRows(memory, questions.slice(0, 3), options))).toEqual(greedy.slice(0, 3))
    const beams = { ...options, decoding: { kind: "beam", beams: 4 } } as const
    expect(tokensOf(await decodeRows(memory, questions.slice(0, 3), beams))).toEqual(beam4.slice(0, 3))
    memory.dispose()
  })
})
