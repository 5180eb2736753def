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
