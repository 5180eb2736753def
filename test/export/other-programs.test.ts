// Exports in the programs that they are for: Python's transformers, onnxruntime and llama.cpp, and transformers.js. Needs PYTHON_WITH_TRANSFORMERS, the
// path of a Python with those packages, and TRANSFORMERS_JS, the folder of an installed @huggingface/transformers; what is missing is
// skipped with a word.
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it, type TestContext } from "vitest"
import { type ExportFormat, exportStudent } from "../../kernel-lib/src/stages/export-student/export-student"
import { createByteTokenizer, createStudent, type LoadedStudent, loadStudent, loadTokenizer } from "../../kernel-lib/src/students"
import { decoderFolder } from "../../kernel-lib/test/students/decoder-golden"
import { encoderFolder } from "../../kernel-lib/test/students/encoder-golden"
import { goldenFolder } from "../../kernel-lib/test/students/golden"

const python = process.env.PYTHON_WITH_TRANSFORMERS
const transformersJs = process.env.TRANSFORMERS_JS
const folder = mkdtempSync(join(tmpdir(), "other-programs-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const texts = ["3rd of May 1999", "two words", "é 😀 naïve", "a"]
const students = [
  ["bytes", goldenFolder("bytes"), "AutoModelForSeq2SeqLM"],
  ["gated-untied", goldenFolder("gated-untied"), "AutoModelForSeq2SeqLM"],
  ["gpt2", decoderFolder("gpt2"), "AutoModelForCausalLM"],
  ["llama3", decoderFolder("llama3"), "AutoModelForCausalLM"],
  ["qwen2", decoderFolder("qwen2"), "AutoModelForCausalLM"],
  ["bert-labels", encoderFolder("bert-labels"), "AutoModelForSequenceClassification"],
] as const

async function exportBeside(student: LoadedStudent, name: string, format: ExportFormat): Promise<string> {
  return (await exportStudent(student, format, { folder: join(folder, `${name}-${format}`), overwrite: true })).folder
}

/** What Python answers; the test is skipped where a package is missing. */
function askPython(context: TestContext, kind: string, bundle: string, inputs: unknown): Record<string, unknown>[] {
  const script = join(__dirname, "answer_bundle.py")
  const { status, stdout, stderr } = spawnSync(python!, [script, kind, bundle], { input: JSON.stringify(inputs), encoding: "utf8" })
  if (status === 3) context.skip(stderr.trim().split("\n").at(-1))
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout.trim().split("\n").at(-1)!)
}

async function answersOf(student: LoadedStudent) {
  return (await student.predict(texts, { decoding: { kind: "greedy" } })).map(({ output, tokens }) => ({ output, tokens }))
}

/** Python's transformers gives every Qwen2 a tokenizer of Qwen2's own kind, which the random one has not. */
const studentsForPython = students.filter(([name]) => name !== "qwen2")

describe.skipIf(!python)("Python (PYTHON_WITH_TRANSFORMERS)", () => {
  for (const format of ["huggingface", "onnx"] as const) {
    it.for(studentsForPython)(`answers as %s from ${format}`, async ([name, path], context) => {
      const student = await loadStudent(path, { threads: 1 })
      const bundle = await exportBeside(student, name, format)
      const answers = await answersOf(student)
      expect(askPython(context, format, bundle, texts)).toEqual(answers)
    })
  }

  it.for(["byte", "llama", "qwen2", "gpt2"])(
    "reads the GGUF of a Llama with the tokenizer of %s, and llama.cpp goes on as the student",
    async (name, context) => {
      const tokenizers = join(__dirname, "../../kernel-lib/test/students/golden-tokenizers")
      const tokenizer = name === "byte" ? createByteTokenizer() : await loadTokenizer(join(tokenizers, name))
      const student = createStudent({ configuration: llamaOf(name, tokenizer), tokenizer, maxOutputTokens: 8, seed: 2 })
      const bundle = await exportBeside(student, name, "gguf")
      const [file, ...answers] = askPython(
        context,
        "gguf",
        bundle,
        texts.map((text) => [text, student.encodeInput(text)]),
      )
      expect(file).toEqual({ tensors: expect.any(Number), embedding: [64, tokenizer.vocabularySize] })
      expect(answers.map(({ ids }) => ids)).toEqual(texts.map((text) => student.encodeInput(text)))
      // A random network's likeliest tokens are close to each other, and llama.cpp rounds to halves between layers, so later tokens may differ.
      const same = (await answersOf(student)).map(({ tokens }, row) => countSame(tokens, answers[row].tokens as number[]))
      expect(same.reduce((sum, count) => sum + count) / (8 * texts.length)).toBeGreaterThan(0.6)
    },
  )
})

function llamaOf(name: string, { vocabularySize, specialIds }: LoadedStudent["tokenizer"]) {
  const sizes = {
    hidden_size: 64,
    head_dim: 16,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 96,
    num_hidden_layers: 2,
  }
  const ids = { eos_token_id: specialIds.end ?? 1, bos_token_id: specialIds.begin ?? null }
  return { model_type: name === "qwen2" ? "qwen2" : "llama", vocab_size: vocabularySize, ...sizes, ...ids, initializer_range: 0.5 }
}

/** Tokens that are the same up to the first that is not. */
function countSame(ours: readonly number[], theirs: readonly number[]): number {
  const first = ours.findIndex((token, place) => token !== theirs[place])
  return first < 0 ? 8 : first
}

describe.skipIf(!transformersJs)("transformers.js (TRANSFORMERS_JS)", () => {
  it.each(students)("answers as %s", async (name, path, className) => {
    const student = await loadStudent(path, { threads: 1 })
    const bundle = await exportBeside(student, name, "onnx")
    const entry = join(transformersJs!, JSON.parse(readFileSync(join(transformersJs!, "package.json"), "utf8")).exports.node.import.default)
    const script = join(__dirname, "answer-bundle.mjs")
    const stdout = execFileSync(process.execPath, [script, entry, bundle, className, JSON.stringify(texts)], { encoding: "utf8" })
    const answers: { tokens: number[]; numPrompt: number; output: string }[] = JSON.parse(stdout.trim().split("\n").at(-1)!)
    for (const [row, { output, tokens }] of (await answersOf(student)).entries()) {
      if (className === "AutoModelForSequenceClassification") expect(answers[row].output).toBe(output)
      else {
        const written = answers[row].tokens.slice(className === "AutoModelForCausalLM" ? answers[row].numPrompt : 1)
        // What follows the answer is its end.
        expect(written.slice(0, tokens.length)).toEqual(tokens)
        expect(written.length - tokens.length).toBeLessThanOrEqual(1)
      }
    }
  })
})
