// Exports in the programs that they are for: Python's transformers and onnxruntime, and transformers.js. Needs PYTHON_WITH_TRANSFORMERS, the
// path of a Python with those packages, and TRANSFORMERS_JS, the folder of an installed @huggingface/transformers; what is missing is
// skipped with a word.
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { type ExportFormat, exportStudent } from "../../kernel-lib/src/stages/export-student/export-student"
import { type LoadedStudent, loadStudent } from "../../kernel-lib/src/students"
import { openOnnxBundle } from "../../kernel-lib/src/students/export/run-onnx"
import { decoderFolder } from "../../kernel-lib/test/students/decoder-golden"
import { encoderFolder } from "../../kernel-lib/test/students/encoder-golden"
import { goldenFolder } from "../../kernel-lib/test/students/golden"
import { askPython } from "./ask-python"

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
      expect(askPython(context, python!, [format, bundle], texts)).toEqual(answers)
    })
  }
})

interface ScriptAnswer {
  readonly tokens: readonly number[]
  readonly numPrompt: number
  readonly output: string
}

function askScript(bundle: string, className: string): ScriptAnswer[] {
  const entry = join(transformersJs!, JSON.parse(readFileSync(join(transformersJs!, "package.json"), "utf8")).exports.node.import.default)
  const script = join(__dirname, "answer-bundle.mjs")
  const stdout = execFileSync(process.execPath, [script, entry, bundle, className, JSON.stringify(texts)], { encoding: "utf8" })
  return JSON.parse(stdout.trim().split("\n").at(-1)!)
}

function expectSame(answers: readonly ScriptAnswer[], ours: readonly { output: string; tokens: readonly number[] }[], className: string) {
  for (const [row, { output, tokens }] of ours.entries()) {
    if (className === "AutoModelForSequenceClassification") expect(answers[row].output).toBe(output)
    else {
      const written = answers[row].tokens.slice(className === "AutoModelForCausalLM" ? answers[row].numPrompt : 1)
      // What follows the answer is its end.
      expect(written.slice(0, tokens.length)).toEqual(tokens)
      expect(written.length - tokens.length).toBeLessThanOrEqual(1)
    }
  }
}

describe.skipIf(!transformersJs)("transformers.js (TRANSFORMERS_JS)", () => {
  it.each(students)("answers as %s", async (name, path, className) => {
    const student = await loadStudent(path, { threads: 1 })
    expectSame(askScript(await exportBeside(student, name, "onnx"), className), await answersOf(student), className)
  })

  it.each(students.filter(([name]) => ["gpt2", "bert-labels"].includes(name)))(
    "finds the weights of 8 bits by itself, and answers with them as the certificate's runtime does: %s",
    async (name, path, className) => {
      const student = await loadStudent(path, { threads: 1 })
      const folder = await exportBeside(student, name, "onnx-int8")
      const bundle = await openOnnxBundle(folder)
      const answers = []
      for (const text of texts) answers.push(await bundle.answer(text))
      await bundle.dispose()
      expectSame(askScript(folder, className), answers, className)
    },
  )
})
