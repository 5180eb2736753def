// ONNX bundles of every family answer as the student, by the loop that runs in their page: tokens, texts and confidences.
import { mkdtemp, readdir, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createByteTokenizer, createStudent, type LoadedStudent, loadStudent } from "../../src/students"
import { openOnnxBundle } from "../../src/students/export/run-onnx"
import { writeOnnxBundle } from "../../src/students/export/write-onnx"
import type { NetworkStudent } from "../../src/students/network-student"
import { decoderFolder } from "../students/decoder-golden"
import { encoderFolder } from "../students/encoder-golden"
import { goldenFolder } from "../students/golden"

const texts = ["3rd of May 1999", "a longer text that is cut ".repeat(8), "é 😀 </s> x", "", "a"]

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "onnx-bundles-"))
})
afterAll(() => rm(folder, { recursive: true }))

async function answerBoth(student: LoadedStudent, storage: "float32" | "int8" = "float32") {
  const bundle = await mkdtemp(join(folder, "bundle-"))
  await writeOnnxBundle(student as NetworkStudent, storage, bundle)
  const opened = await openOnnxBundle(bundle)
  const theirs = []
  for (const text of texts) theirs.push(await opened.answer(text))
  const ids = texts.map((text) => opened.encode(text))
  await opened.dispose()
  const ours = await student.predict(texts, { decoding: { kind: "greedy" } })
  return { ours, theirs, ids, bundle }
}

const folders = [
  ...["bytes", "gated-untied", "relu-tied"].map((name) => [name, goldenFolder(name)] as const),
  ...["gpt2", "gpt2-untied", "llama3", "qwen2", "mistral"].map((name) => [name, decoderFolder(name)] as const),
  ...["bert-labels", "roberta-labels", "distilbert-labels", "mpnet-labels"].map((name) => [name, encoderFolder(name)] as const),
]

describe("an ONNX bundle", () => {
  it.each(folders)("answers as %s", async (_name, path) => {
    const student = await loadStudent(path, { threads: 1 })
    const { ours, theirs, ids } = await answerBoth(student)
    // A model that goes on with its prompt cuts it once more, to have room for its answer.
    const read = texts.map((text) => student.encodeInput(text))
    expect(ids.map((one, row) => (one.length < read[row].length ? read[row] : one))).toEqual(read)
    for (const [row, { output, tokens, confidence }] of ours.entries()) {
      expect(theirs[row]).toMatchObject({ output, tokens })
      expect(theirs[row].confidence).toBeCloseTo(confidence, 5)
    }
    student.dispose()
  })

  it("cuts inputs and answers where the student does, and fills in its template", async () => {
    const base = await loadStudent(decoderFolder("gpt2"), { threads: 1 })
    const student = await base.copy({ template: { kind: "paper", instruction: "Say" }, maxInputTokens: 24, maxOutputTokens: 5 })
    const { ours, theirs, ids } = await answerBoth(student)
    expect(ids.map((one) => one.length)).toEqual(texts.map((text) => student.encodeInput(text).length))
    expect(Math.max(...ids.map((one) => one.length))).toBe(24)
    expect(theirs.map(({ tokens }) => tokens)).toEqual(ours.map(({ tokens }) => tokens))
  })

  it.each([
    ["a T5", { d_model: 64, d_kv: 16, d_ff: 128, num_heads: 4, num_layers: 1, vocab_size: 384, eos_token_id: 1, pad_token_id: 0 }],
    [
      "a GPT-2",
      { model_type: "gpt2", n_embd: 64, n_head: 4, n_layer: 2, n_positions: 300, vocab_size: 384, eos_token_id: 1, bos_token_id: 1 },
    ],
  ])(
    "of %s in 8 bits takes little more than a quarter of the bytes, and is nearly as sure as the student",
    async (_name, configuration) => {
      const student = createStudent({ configuration, tokenizer: createByteTokenizer(), maxOutputTokens: 1, seed: 3 })
      const { ours, theirs, bundle } = await answerBoth(student, "int8")
      for (const [row, { confidence }] of ours.entries()) expect(theirs[row].confidence / confidence).toBeCloseTo(1, 1)
      const files = await readdir(join(bundle, "onnx"))
      expect(files.every((name) => name.endsWith("_quantized.onnx"))).toBe(true)
      const sizes = await Promise.all(files.map(async (name) => (await stat(join(bundle, "onnx", name))).size))
      // A T5's embedding stands in both of its files, and the graphs themselves take some bytes.
      expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(student.bytes * 0.25 + files.length * 40_000)
    },
  )

  it("is refused for students that answer with spans", async () => {
    const student = (await loadStudent(encoderFolder("bert-span"))) as NetworkStudent
    await expect(writeOnnxBundle(student, "float32", folder)).rejects.toMatchObject({ code: "export.span" })
  })
})
