// Writes a student's folder: what transformers loads, and beside it `prompt2model.json` with what transformers does not know.
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../core/errors"
import { placeAtomically, writeFileAtomically } from "../store/atomic"
import { writeWeights } from "./safetensors"
import type { StudentParts } from "./student"

/** Our own file in a student's folder. */
export const detailsFile = "prompt2model.json"
export const detailsVersion = 1

/** What a student's folder says of it beside the weights. */
export type DescribedStudent = Omit<StudentParts, "weights" | "engine">

/** Writes `student` to `folder`, which appears whole or not at all; what stood there before is replaced. */
export async function saveStudent(student: StudentParts, folder: string): Promise<void> {
  const { model, weights } = student
  if (Object.keys(weights).length === 0)
    throw new InputError("student.disposed", `${student.name} was disposed of and has no weights to save: load it again.`)
  const tensors = model.listFileWeights(weights)
  await placeAtomically(folder, async (temporary) => {
    await mkdir(temporary)
    await writeWeights(temporary, tensors)
    await writeDescription(student, temporary)
  })
}

/** Writes all files of a student's folder but its weights into `folder`, which is there. */
export async function writeDescription(student: DescribedStudent, folder: string): Promise<void> {
  const { model, generation, maxInputTokens, maxOutputTokens } = student
  const written = model.describeGeneration(generation.json)
  const generationJson = written && {
    ...generation.json,
    ...written,
    ...(maxOutputTokens === undefined ? {} : { max_new_tokens: maxOutputTokens, max_length: undefined }),
  }
  const details = {
    version: detailsVersion,
    name: student.name,
    isPretrained: student.isPretrained,
    template: student.template,
    maxInputTokens,
    maxOutputTokens,
    training: student.history,
  }
  await student.tokenizer.save(folder)
  await writeJson(join(folder, "config.json"), model.describe())
  if (generationJson) await writeJson(join(folder, "generation_config.json"), generationJson)
  await writeJson(join(folder, detailsFile), details)
}

/** What transformers refuses as a whole number: JavaScript writes 1.0 as 1. */
const realNumbers = [
  "attention_factor",
  "beta_fast",
  "beta_slow",
  "classifier_dropout",
  "diversity_penalty",
  "dropout_rate",
  "encoder_repetition_penalty",
  "epsilon_cutoff",
  "eta_cutoff",
  "factor",
  "guidance_scale",
  "high_freq_factor",
  "initializer_factor",
  "initializer_range",
  "layer_norm_epsilon",
  "length_penalty",
  "low_freq_factor",
  "min_p",
  "repetition_penalty",
  "rms_norm_eps",
  "rope_theta",
  "temperature",
  "top_p",
  "typical_p",
]
const wholeRealNumber = new RegExp(`^(\\s*"(?:${realNumbers.join("|")})": -?\\d+)(,?)$`, "gm")

/** As Python writes it: numbers with a fraction keep it where they have none. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value, null, 2).replace(wholeRealNumber, "$1.0$2")
  await writeFileAtomically(path, `${text}\n`)
}
