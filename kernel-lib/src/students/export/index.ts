// Students as files for other programs: what formats there are, how each is written, and how one that this machine can run is tried.
import { mkdir } from "node:fs/promises"
import { InputError } from "../../core/errors"
import type { Prediction, Student } from "../../core/student"
import { loadStudent } from "../load-student"
import { modelOf, type NetworkStudent } from "../network-student"
import type { LoadedStudent } from "../student"
import { explainOtherDecoding } from "./onnx-recipe"
import { openOnnxBundle } from "./run-onnx"
import { readGgufBundle, writeGgufBundle } from "./write-gguf"
import { completeTokenizer, writeOnnxBundle } from "./write-onnx"

export { browserFolder } from "./run-onnx"

/** What a student can be exported as. */
export const exportFormats = ["huggingface", "onnx", "onnx-int8", "gguf", "gguf-q8_0"] as const
export type ExportFormat = (typeof exportFormats)[number]

/** A bundle that is tried. */
export interface TriedBundle {
  /** What runs it: `onnxruntime-node 1.30.0`. */
  readonly runtime: string
  /** Whether it takes the likeliest token at each step, whatever the student's generation configuration says. */
  readonly isGreedy: boolean
  answer(input: string): Promise<Prediction>
  dispose(): Promise<void>
}

/** @throws InputError `export.format` */
export function checkFormat(format: string): ExportFormat {
  const known = exportFormats.find((one) => one === format)
  if (known) return known
  throw new InputError("export.format", `There is no format ${format}: choose ${exportFormats.join(", ")}.`)
}

/**
 * Writes the files of a bundle to `folder`, which is not there yet.
 * @returns what a reader should know of it
 * @throws InputError `student.foreign`, `student.disposed`, `export.family`, `export.span`, `export.tokenizer`,
 *   `export.too-large`
 */
export async function writeBundle(student: Student, format: ExportFormat, folder: string): Promise<readonly string[]> {
  const network = networkOf(student)
  if (format === "huggingface") {
    await network.save(folder)
    await completeTokenizer(folder)
    return []
  }
  await mkdir(folder)
  if (format === "gguf" || format === "gguf-q8_0") {
    await writeGgufBundle(network, format === "gguf" ? "f16" : "q8_0", folder)
    return [explainRounding(format)]
  }
  await writeOnnxBundle(network, format === "onnx" ? "float32" : "int8", folder)
  const note = explainOtherDecoding(network)
  return note === undefined ? [] : [note]
}

/** Its answers are tried with the file's weights and this library's own arithmetic. */
function explainRounding(format: "gguf" | "gguf-q8_0"): string {
  const unit = format === "gguf" ? "halves" : "8 bits"
  return `llama.cpp rounds what flows between layers to ${unit}, too, so where two tokens are about equally likely it may take the other one.`
}

/** Opens the bundle of `student` to answer with it. */
export async function openBundle(student: Student, format: ExportFormat, folder: string): Promise<TriedBundle> {
  if (format === "huggingface") return tryStudent(await loadStudent(folder), "this library, from the folder")
  if (format === "gguf" || format === "gguf-q8_0") {
    return tryStudent(await readGgufBundle(networkOf(student), folder), "this library, with the weights that the GGUF file holds")
  }
  const opened = await openOnnxBundle(folder)
  return {
    runtime: `onnxruntime-node ${opened.version}`,
    isGreedy: true,
    answer: (input) => opened.answer(input),
    dispose: () => opened.dispose(),
  }
}

function tryStudent(student: LoadedStudent, runtime: string): TriedBundle {
  return {
    runtime,
    isGreedy: false,
    answer: async (input) => (await student.predict([input]))[0],
    dispose: async () => student.dispose(),
  }
}

/** @throws InputError `student.foreign`, `student.disposed` */
function networkOf(student: Student): NetworkStudent {
  modelOf(student as LoadedStudent)
  const network = student as NetworkStudent
  if (Object.keys(network.weights).length > 0) return network
  throw new InputError("student.disposed", `${student.name} was disposed of and has no weights to export: load it again.`)
}
