// Students of the Llama family in llama.cpp: it reads the GGUF, cuts texts into the same tokens, and goes on with the same ones. Needs a Python with
// gguf and llama-cpp-python (or xllamacpp): PYTHON_WITH_LLAMA_CPP, or .cache/python-llama-cpp in the checkout; skipped without it.
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { type ExportFormat, exportStudent } from "../../kernel-lib/src/stages/export-student/export-student"
import { createByteTokenizer, createStudent, loadTokenizer } from "../../kernel-lib/src/students"
import { readGgufBundle } from "../../kernel-lib/src/students/export/write-gguf"
import type { NetworkStudent } from "../../kernel-lib/src/students/network-student"
import { askPython } from "./ask-python"

const root = join(__dirname, "../..")
const ownPython = join(root, ".cache/python-llama-cpp/bin/python")
const python = process.env.PYTHON_WITH_LLAMA_CPP ?? (existsSync(ownPython) ? ownPython : process.env.PYTHON_WITH_TRANSFORMERS)
const folder = mkdtempSync(join(tmpdir(), "llama-cpp-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const texts = ["3rd of May 1999", "two words", "é 😀 naïve", "a", "Hello  World 12345", "don't I'll   \n\n x"]
const newTokens = 8

interface Case {
  readonly name: string
  readonly tokenizer: "byte" | "llama" | "qwen2" | "gpt2"
  readonly configuration: Readonly<Record<string, unknown>>
  /** Rows of the embedding that no token has. */
  readonly spareRows?: number
}

const long = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 16 }
const cases: readonly Case[] = [
  {
    name: "a Llama that reads bytes",
    tokenizer: "byte",
    configuration: { model_type: "llama", num_key_value_heads: 4, intermediate_size: 75 },
  },
  { name: "a Llama with SentencePiece", tokenizer: "llama", configuration: { model_type: "llama" }, spareRows: 37 },
  {
    name: "a Llama with biases and a tied head",
    tokenizer: "llama",
    configuration: { model_type: "llama", attention_bias: true, mlp_bias: true, tie_word_embeddings: true },
  },
  {
    name: "one like SmolLM2",
    tokenizer: "gpt2",
    configuration: { model_type: "llama", tie_word_embeddings: true, rope_theta: 1e5, num_attention_heads: 3, num_key_value_heads: 1 },
  },
  { name: "one like Llama 3", tokenizer: "gpt2", configuration: { model_type: "llama", rope_scaling: long, max_position_embeddings: 128 } },
  { name: "a Mistral", tokenizer: "llama", configuration: { model_type: "mistral", sliding_window: null } },
  {
    name: "one like Qwen2",
    tokenizer: "qwen2",
    configuration: { model_type: "qwen2", tie_word_embeddings: true, rope_theta: 1e6 },
    spareRows: 21,
  },
  { name: "one like Qwen3", tokenizer: "qwen2", configuration: { model_type: "qwen3", rope_theta: 1e6 } },
]

async function makeStudent({ tokenizer: kind, configuration, spareRows = 0 }: Case): Promise<NetworkStudent> {
  const tokenizers = join(root, "kernel-lib/test/students/golden-tokenizers")
  const tokenizer = kind === "byte" ? createByteTokenizer() : await loadTokenizer(join(tokenizers, kind))
  const { vocabularySize, specialIds } = tokenizer
  const sizes = {
    hidden_size: 64,
    head_dim: 16,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 96,
    num_hidden_layers: 2,
  }
  const ids = { eos_token_id: specialIds.end ?? 1, bos_token_id: specialIds.begin ?? null }
  const whole = { ...sizes, ...ids, vocab_size: vocabularySize + spareRows, initializer_range: 0.5, ...configuration }
  const student = createStudent({ configuration: whole, tokenizer, maxOutputTokens: newTokens, seed: 2 }) as NetworkStudent
  // New biases are zeros and new norms ones: what is lost of them would not be missed.
  for (const [name, { data }] of Object.entries(student.weights)) {
    if (/bias|norm/.test(name))
      data.forEach((value, i) => {
        data[i] = value + Math.sin(7.3 * i + name.length)
      })
  }
  return student
}

describe.skipIf(!python)("llama.cpp (PYTHON_WITH_LLAMA_CPP)", () => {
  const ask = async (context: Parameters<typeof askPython>[0], one: Case, format: ExportFormat) => {
    const student = await makeStudent(one)
    const bundle = await exportStudent(student, format, { folder: join(folder, `${cases.indexOf(one)}-${format}`) })
    const inputs = texts.map((text) => [text, student.encodeInput(text)])
    const [file, ...answers] = askPython(context, python!, ["gguf", bundle.folder], inputs)
    const rounded = await (await readGgufBundle(student, bundle.folder)).predict(texts, { decoding: { kind: "greedy" } })
    const same = rounded.map(({ tokens }, row) => countSame(tokens, answers[row].tokens as number[]))
    const share = same.reduce((sum, count) => sum + count) / rounded.reduce((sum, { tokens }) => sum + tokens.length, 0)
    return { student, file, answers, share }
  }

  it.for(cases)("cuts texts as $name does, and goes on with the same tokens", async (one, context) => {
    const { student, file, answers, share } = await ask(context, one, "gguf")
    const rows = student.tokenizer.vocabularySize + (one.spareRows ?? 0)
    expect(file).toEqual({ tensors: expect.any(Number), embedding: [64, rows] })
    expect(answers.map(({ ids }) => ids)).toEqual(texts.map((text) => student.encodeInput(text)))
    // A random network's two likeliest tokens may be as close as the last digits in which processors differ.
    expect(share).toBeGreaterThan(0.9)
  })

  it("agrees on most tokens with weights of 8 bits: it rounds what flows between layers to 8 bits, too", async (context) => {
    const { share } = await ask(context, cases[0], "gguf-q8_0")
    expect(share).toBeGreaterThan(0.5)
  })
})

/** Tokens that are the same up to the first that is not. */
function countSame(ours: readonly number[], theirs: readonly number[]): number {
  const first = ours.findIndex((token, place) => token !== theirs[place])
  return first < 0 ? ours.length : first
}
