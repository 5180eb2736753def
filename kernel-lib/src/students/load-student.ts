// Brings a student into memory: from a folder that transformers or this library wrote, or from a configuration whose weights are drawn.
import { readFile } from "node:fs/promises"
import { basename, join, resolve } from "node:path"
import { InputError, messageOf } from "../core/errors"
import { Random } from "../core/random"
import type { EngineName } from "../core/run"
import type { NamedParameters } from "../engine"
import { drawT5Weight, listT5Weights, type WeightSpec } from "../networks/t5-weights"
import { readGenerationConfiguration } from "./generation-configuration"
import { loadTokenizer } from "./load-tokenizer"
import { countNumbers, listWeights, type TensorEntry, WeightReader } from "./safetensors"
import { detailsFile } from "./save-student"
import type { LoadedStudent, StudentDetails } from "./student"
import { readT5Configuration, type T5Configuration } from "./t5-configuration"
import { T5Student } from "./t5-student"
import { bareTemplate, readTemplate } from "./template"
import type { Tokenizer } from "./tokenizer"

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
 * says `"weights": "untrained"` gets them drawn from the seed, as T5 draws them.
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
  const described = readT5Configuration(json, join(folder, "config.json"))
  const own = (await readJson(join(folder, detailsFile))) ?? {}
  const tokenizer = await loadTokenizer(folder)
  const parts = {
    ...readDetails(own),
    name: options.name ?? (typeof own.name === "string" ? own.name : basename(resolve(folder))),
    generation: readGenerationConfiguration((await readJson(join(folder, "generation_config.json"))) ?? {}),
    tokenizer,
    engine: options.engine ?? ("auto" as const),
    threads: options.threads,
  }
  if (own.weights === "untrained") {
    const seed = options.seed ?? 0
    return new T5Student({
      ...parts,
      configuration: described,
      weights: drawWeights(described, seed),
      isPretrained: false,
    })
  }
  const { configuration, weights } = await readWeights(folder, described)
  return new T5Student({ ...parts, configuration, weights, isPretrained: own.isPretrained !== false })
}

export interface CreateStudentOptions extends LoadStudentOptions, Partial<StudentDetails> {
  /** As in transformers' `config.json`: `d_model`, `num_layers` ... */
  readonly configuration: Readonly<Record<string, unknown>>
  readonly tokenizer: Tokenizer
}

/**
 * A student with weights drawn from a seed, as T5 draws them.
 * @throws InputError `student.config`
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
  const configuration = readT5Configuration({ model_type: "t5", ...json }, "the configuration")
  return new T5Student({
    template: bareTemplate,
    ...details,
    name,
    configuration,
    generation: readGenerationConfiguration({}),
    tokenizer,
    weights: drawWeights(configuration, seed),
    isPretrained: false,
    engine,
    threads,
  })
}

function drawWeights({ shape, initializerFactor }: T5Configuration, seed: number | string): NamedParameters {
  const random = new Random(seed).fork("weights")
  // A stream for each weight: its values do not depend on which others there are.
  return Object.fromEntries(
    listT5Weights(shape).map((spec) => [
      spec.name,
      { shape: spec.shape, data: drawT5Weight(spec, random.fork(spec.name), initializerFactor) },
    ]),
  )
}

/** The weights of a folder, and the configuration with what only the weights tell: whether there is a head of its own. */
async function readWeights(
  folder: string,
  described: T5Configuration,
): Promise<{ configuration: T5Configuration; weights: NamedParameters }> {
  const entries = await listWeights(folder)
  const reader = new WeightReader()
  try {
    const hasHead = entries.has("lm_head.weight")
    const weights = await readAll(reader, entries, listT5Weights({ ...described.shape, isHeadTied: !hasHead }), folder)
    // As transformers 5 does: a head in the file that equals the embedding is the embedding.
    const isHeadTied = !hasHead || (described.shape.isHeadTied && areEqual(weights["lm_head.weight"].data, weights["shared.weight"].data))
    if (isHeadTied) delete weights["lm_head.weight"]
    return { configuration: { ...described, shape: { ...described.shape, isHeadTied } }, weights }
  } finally {
    await reader.close()
  }
}

/** Old checkpoints name the embedding as one of its users does. */
const embeddingNames = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"]

async function readAll(
  reader: WeightReader,
  entries: ReadonlyMap<string, TensorEntry>,
  specs: readonly WeightSpec[],
  folder: string,
): Promise<Record<string, { shape: readonly number[]; data: Float32Array }>> {
  const wanted = specs.map((spec) => {
    const name = spec.name === "shared.weight" ? embeddingNames.find((one) => entries.has(one)) : spec.name
    const entry = entries.get(name ?? "")
    if (!entry)
      throw new InputError(
        "weights.incomplete",
        `The weights in ${folder} have no ${spec.name}, which config.json asks for: the folder's files do not belong together.`,
      )
    if (entry.shape.join() !== spec.shape.join()) {
      throw new InputError(
        "weights.shape",
        `${spec.name} in ${folder} is [${entry.shape.join(", ")}], but config.json asks for [${spec.shape.join(", ")}]: the folder's files do not belong together.`,
      )
    }
    return { spec, entry }
  })
  const weights: Record<string, { shape: readonly number[]; data: Float32Array }> = {}
  for (const { spec } of wanted) weights[spec.name] = { shape: spec.shape, data: new Float32Array(0) }
  for (const { spec, entry } of wanted.sort((a, b) => a.entry.offset - b.entry.offset)) {
    const data = new Float32Array(countNumbers(spec.shape))
    await reader.readInto(entry, data)
    weights[spec.name] = { shape: spec.shape, data }
  }
  return weights
}

function areEqual(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))
}

function readDetails(own: Readonly<Record<string, unknown>>): StudentDetails {
  const limit = (value: unknown): number | undefined =>
    Number.isSafeInteger(value) && (value as number) > 1 ? (value as number) : undefined
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
