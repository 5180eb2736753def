// Brings a student into memory: from a folder that transformers or this library wrote, or from a configuration whose weights are drawn.
import { readFile } from "node:fs/promises"
import { basename, join, resolve } from "node:path"
import { InputError, messageOf } from "../core/errors"
import { Random } from "../core/random"
import type { EngineName } from "../core/run"
import type { NamedParameters } from "../engine"
import type { Architecture } from "./architecture"
import { readArchitecture } from "./families"
import { type GenerationConfiguration, pickGeneration, readGenerationConfiguration } from "./generation-configuration"
import { loadTokenizer } from "./load-tokenizer"
import { NetworkStudent } from "./network-student"
import { detailsFile } from "./save-student"
import type { LoadedStudent, StudentDetails } from "./student"
import { bareTemplate, readTemplate } from "./template"
import type { Tokenizer } from "./tokenizer"
import { WeightFiles } from "./weight-files"

export interface LoadStudentOptions {
  /** Default: `auto`, the best that is here. */
  readonly engine?: EngineName
  /** Threads of the engine. Default: one per core, at most 8. */
  readonly threads?: number
  /** As shown to people. Default: the folder's own, or its last part. */
  readonly name?: string
  /** Decides the weights that are drawn for an untrained configuration. Default 0. */
  readonly seed?: number | string
}

/**
 * Loads a student from `folder`: config.json, tokenizer, and weights as safetensors. A folder without weights whose `prompt2model.json`
 * says `"weights": "untrained"` gets them drawn from the seed, as its family draws them.
 * @throws InputError `student.missing`, `student.config`, `student.architecture`, `tokenizer.*`, `weights.*`
 *
 * @example
 * const base = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
 * await base.save("student")
 * const student = await loadStudent("student")
 * const [{ output }] = await student.predict(["3rd of May 1999"])
 */
export async function loadStudent(folder: string, options: LoadStudentOptions = {}): Promise<LoadedStudent> {
  const json = await readJson(join(folder, "config.json"))
  if (!json)
    throw new InputError(
      "student.missing",
      `${folder} is no student: it has no config.json. Give a folder that transformers or this library saved.`,
    )
  const described = readArchitecture(json, join(folder, "config.json"))
  const own = (await readJson(join(folder, detailsFile))) ?? {}
  const tokenizer = await loadTokenizer(folder)
  const parts = {
    ...readDetails(own),
    name: options.name ?? (typeof own.name === "string" ? own.name : basename(resolve(folder))),
    generation: await readGeneration(folder, json),
    tokenizer,
    engine: options.engine ?? ("auto" as const),
    threads: options.threads,
  }
  const seed = options.seed ?? 0
  if (own.weights === "untrained") {
    return new NetworkStudent({ ...parts, model: described, weights: drawWeights(described, seed), isPretrained: false })
  }
  const random = new Random(seed).fork("weights")
  const { architecture, weights } = await described.readWeights(await WeightFiles.open(folder), (name) => random.fork(name))
  return new NetworkStudent({ ...parts, model: architecture, weights, isPretrained: own.isPretrained !== false })
}

export interface CreateStudentOptions extends LoadStudentOptions, Partial<StudentDetails> {
  /** As in transformers' `config.json`: `model_type` (default `t5`), `d_model`, `num_layers` ... */
  readonly configuration: Readonly<Record<string, unknown>>
  readonly tokenizer: Tokenizer
}

/**
 * A student with weights drawn from a seed, as its family draws them.
 * @throws InputError `student.config`, `student.architecture`
 */
export function createStudent({
  configuration: json,
  tokenizer,
  engine = "auto",
  threads,
  name = "student",
  seed = 0,
  ...details
}: CreateStudentOptions): LoadedStudent {
  const model = readArchitecture({ model_type: "t5", ...json }, "the configuration")
  return new NetworkStudent({
    template: bareTemplate,
    ...details,
    name,
    model,
    generation: readGenerationConfiguration({}),
    tokenizer,
    weights: drawWeights(model, seed),
    isPretrained: false,
    engine,
    threads,
  })
}

async function readGeneration(folder: string, configuration: Readonly<Record<string, unknown>>): Promise<GenerationConfiguration> {
  const path = join(folder, "generation_config.json")
  const json = await readJson(path)
  return json
    ? readGenerationConfiguration(json, path)
    : readGenerationConfiguration(pickGeneration(configuration), join(folder, "config.json"))
}

function drawWeights(model: Architecture, seed: number | string): NamedParameters {
  const random = new Random(seed).fork("weights")
  // A stream for each weight: its values do not depend on which others there are.
  return Object.fromEntries(
    model.weights.map((spec) => [spec.name, { shape: spec.shape, data: model.drawWeight(spec, random.fork(spec.name)) }]),
  )
}

function readDetails(own: Readonly<Record<string, unknown>>): StudentDetails {
  const limit = (value: unknown): number | undefined =>
    Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined
  return {
    template: readTemplate(own.template) ?? bareTemplate,
    maxInputTokens: limit(own.maxInputTokens),
    maxOutputTokens: limit(own.maxOutputTokens),
    history: typeof own.training === "object" && own.training !== null ? (own.training as Record<string, unknown>) : undefined,
  }
}

/** A JSON object from a file; undefined when there is no file. */
async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  let text: string
  try {
    text = await readFile(path, "utf8")
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined
    throw error
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw new InputError("student.config", `${path} is no JSON: ${messageOf(error)}. Fetch or save it anew.`, { cause: error })
  }
  throw new InputError("student.config", `${path} is no JSON object. Fetch or save it anew.`)
}
