// Students that go on with a text: decoding against transformers' generate, token for token, and what saving, training and long inputs
// must keep.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { selectEngine } from "../../src/engine"
import { createByteTokenizer, createStudent, loadStudent, openTraining } from "../../src/students"
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

  it("counts the prompt in max_length, as transformers does, unless the caller says how many new tokens", async () => {
    const limited = join(folder, `${name}-limited`)
    await cp(decoderFolder(name), limited, { recursive: true })
    const texts = golden.texts.map(({ text }) => text)
    const student = await load(name)
    const lengths = texts.map((text) => student.encodeInput(text).length)
    const maxLength = Math.max(...lengths) + 2
    await writeFile(join(limited, "generation_config.json"), JSON.stringify({ max_length: maxLength, eos_token_id: endIdsOf(name) }))
    const ruled = await loadStudent(limited, { engine: "onnx", threads: 1 })
    const long = await student.predict(texts, { maxNewTokens: maxLength })
    expect(tokensOf(await ruled.predict(texts))).toEqual(long.map(({ tokens }, row) => tokens.slice(0, maxLength - lengths[row])))
    expect(tokensOf(await ruled.predict(texts, { maxNewTokens: 3 }))).toEqual(long.map(({ tokens }) => tokens.slice(0, 3)))
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
  it.each(["qwen2"] as const)("greedy and beams of %s are the same", async (name) => {
    const { questions, greedy, beam4 } = readDecoderGolden(name)
    const memory = await openMemory(name, "eager")
    const options = { ...plain, endIds: endIdsOf(name) }
    expect(tokensOf(await decodeRows(memory, questions.slice(0, 3), options))).toEqual(greedy.slice(0, 3))
    const beams = { ...options, decoding: { kind: "beam", beams: 4 } } as const
    expect(tokensOf(await decodeRows(memory, questions.slice(0, 3), beams))).toEqual(beam4.slice(0, 3))
    memory.dispose()
  })
})

describe("training a student that goes on with a text", () => {
  it("starts from transformers' loss, learns answers with their ends, and keeps them when it is saved", async () => {
    const student = await load("llama3")
    const training = await openTraining(student, { batchSize: 4, engine: "onnx", threads: 1 })
    const golden = readDecoderGolden("llama3")
    expect((await training.loss(golden.rows)).loss).toBeCloseTo(golden.loss, 4)
    const pairs = [
      ["the date", "1999"],
      ["a twst", "date 21"],
      ["", "St"],
    ]
    const rows = pairs.map(([input, output]) => student.encodeRow(input, output))
    expect(rows[0].inputIds).toEqual(student.encodeInput("the date"))
    // The tokenizer begins texts with <s>: a prompt begins so, an answer does not.
    expect(rows[0].inputIds[0]).toBe(1)
    expect(rows[0].labelIds).not.toContain(1)
    expect(rows[0].labelIds.at(-1)).toBe(2)
    for (let step = 0; step < 60; step++) await training.step(rows, { learningRate: 0.02 })
    await training.finish({ maxOutputTokens: 8 })
    const answers = await student.predict(pairs.map(([input]) => input))
    expect(answers.map(({ output }) => output)).toEqual(pairs.map(([, output]) => output))
    await student.save(join(folder, "trained"))
    const again = await loadStudent(join(folder, "trained"), { engine: "onnx", threads: 1 })
    expect(await again.predict(pairs.map(([input]) => input))).toEqual(answers)
    student.dispose()
    again.dispose()
  })

  it("takes a tokenizer that ends texts: prompts go on, answers end once", () => {
    const configuration = { model_type: "gpt2", vocab_size: 384, n_embd: 16, n_head: 2, n_layer: 1, bos_token_id: null, eos_token_id: 1 }
    const student = createStudent({ configuration, tokenizer: createByteTokenizer({ extraIds: 125 }) })
    const { inputIds, labelIds } = student.encodeRow("ab", "c")
    expect(inputIds).toEqual([100, 101])
    expect(labelIds).toEqual([102, 1])
    expect(student.encodeInput("")).toEqual([1])
  })

  it("asks for an end where config.json names none", () => {
    const configuration = {
      model_type: "qwen2",
      vocab_size: 384,
      hidden_size: 16,
      intermediate_size: 8,
      num_hidden_layers: 1,
      num_attention_heads: 2,
    }
    const student = createStudent({
      configuration: { ...configuration, num_key_value_heads: 1 },
      tokenizer: createByteTokenizer({ extraIds: 125 }),
    })
    expect(() => student.encodeRow("a", "b")).toThrow(
      expect.objectContaining({ code: "student.config", message: expect.stringContaining("eos_token_id") }),
    )
  })
})

describe("texts longer than a model's positions", () => {
  const long = "3rd of May 1999 ".repeat(20)

  it("lose tokens behind their first, so that the answer fits", async () => {
    const student = await load("gpt2")
    const ids = student.encodeInput(long)
    expect(ids.length).toBeGreaterThan(72)
    const [answer] = await student.predict([long], { maxNewTokens: 10 })
    const cut = await student.copy({ maxInputTokens: 63 })
    expect(cut.encodeInput(long)).toEqual([ids[0], ...ids.slice(-62)])
    expect((await cut.predict([long], { maxNewTokens: 10 }))[0]).toEqual(answer)
    expect((await student.predict(["x"], { maxNewTokens: 500 }))[0].tokens.length).toBeLessThanOrEqual(72)
    student.dispose()
  })

  it("are trained on what is nearest to the answer", async () => {
    const student = await load("gpt2")
    const training = await openTraining(student, { batchSize: 2, engine: "onnx", threads: 1 })
    const row = student.encodeRow(long, "the 21st")
    const kept = 72 + 1 - row.labelIds.length
    const shorter = { ...row, inputIds: [row.inputIds[0], ...row.inputIds.slice(1 - kept)] }
    expect(training.countTokens([row])).toBe(73)
    expect((await training.loss([row])).loss).toBe((await training.loss([shorter])).loss)
    const endless = student.encodeRow("x", long)
    expect(training.countTokens([endless])).toBe(73)
    expect(Number.isFinite((await training.step([endless], { learningRate: 1e-3 })).loss)).toBe(true)
    training.dispose()
  })
})
