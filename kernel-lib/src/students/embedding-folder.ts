// The folder of an embedding model: an encoder with its tokenizer, and what sentence-transformers does with the encoder's states.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { InputError, messageOf } from "../core/errors"
import type { NamedParameters } from "../engine"
import type { BertShape } from "../networks/bert"
import { type PoolingMode, type ProjectionLayer, poolingModes } from "../networks/pooling"
import { readBertConfiguration } from "./bert-configuration"
import { readBareEncoder } from "./bert-weight-files"
import { loadTokenizer } from "./load-tokenizer"
import type { Tokenizer } from "./tokenizer"
import { WeightFiles } from "./weight-files"

/** From the encoder's states to a text's vector. */
export interface EmbeddingPlan {
  readonly pooling: readonly PoolingMode[]
  readonly projections: readonly ProjectionLayer[]
  readonly isNormalized: boolean
  /** Numbers of a vector. */
  readonly dimensions: number
  /** The longest text that the model was made for. */
  readonly maxTokens?: number
  /** What stands before a text, by the name of its use; "" is the name of what stands there by default. */
  readonly prompts: Readonly<Record<string, string>>
}

export interface EmbeddingModel {
  readonly modelType: string
  readonly shape: BertShape
  /** The encoder's under their bare names, and those of the plan's layers. */
  readonly weights: NamedParameters
  readonly tokenizer: Tokenizer
  readonly plan: EmbeddingPlan
}

type Json = Readonly<Record<string, unknown>>

/** @throws InputError `student.missing`, `student.config`, `student.architecture`, `tokenizer.*`, `weights.*` */
export async function readEmbeddingFolder(folder: string): Promise<EmbeddingModel> {
  const modules = await readModules(folder)
  const encoderFolder = join(folder, modules[0].path)
  const path = join(encoderFolder, "config.json")
  const json = await readJson(path)
  if (!json) throw new InputError("student.missing", `${folder} is no model: it has no config.json. Give a folder that was saved whole.`)
  // Whatever head config.json names, a vector needs none.
  const { architectures, id2label, problem_type, num_labels, ...encoder } = json as Record<string, unknown>
  const configuration = readBertConfiguration(encoder, path)
  const shape: BertShape = { ...configuration.shape, prefix: "", head: { kind: "none" } }
  const pooling = await readPooling(folder, modules)
  const dense = modules.filter(({ kind }) => kind === "Dense")
  const layers = await Promise.all(dense.map((module, at) => readDense(join(folder, module.path), `dense.${at}`)))
  return {
    modelType: configuration.modelType,
    shape,
    weights: {
      ...(await readBareEncoder(await WeightFiles.open(encoderFolder), shape)),
      ...Object.assign({}, ...layers.map((one) => one.weights)),
    },
    tokenizer: await loadTokenizer(encoderFolder),
    plan: {
      pooling,
      projections: layers.map(({ layer }) => layer),
      isNormalized: modules.some(({ kind }) => kind === "Normalize"),
      dimensions: layers.at(-1)?.outputs ?? shape.modelSize * pooling.length,
      maxTokens: await readMaxTokens(encoderFolder),
      prompts: await readPrompts(folder),
    },
  }
}

interface Module {
  readonly kind: string
  readonly path: string
}

const knownModules = ["Transformer", "Pooling", "Dense", "Dropout", "Normalize"]

/** modules.json, or for an encoder alone what sentence-transformers makes of it, brought to length 1. */
async function readModules(folder: string): Promise<readonly Module[]> {
  const file = join(folder, "modules.json")
  const listed: unknown = await readAnyJson(file)
  if (listed === undefined)
    return [
      { kind: "Transformer", path: "" },
      { kind: "Pooling", path: "" },
      { kind: "Normalize", path: "" },
    ]
  const modules = (Array.isArray(listed) ? listed : []).map(({ type, path }: Json) => ({
    kind: String(type).split(".").at(-1)!,
    path: typeof path === "string" ? path : "",
  }))
  const stranger = modules.find(({ kind, path }) => !knownModules.includes(kind) || path.split(/[\\/]/).includes(".."))
  if (modules[0]?.kind === "Transformer" && modules[1]?.kind === "Pooling" && !stranger) return modules
  const found = stranger ? `a module ${stranger.kind} at "${stranger.path}"` : "no Transformer followed by a Pooling"
  throw new InputError("student.config", `${file} has ${found}; embeddings are made by these modules: ${knownModules.join(", ")}.`)
}

const legacyModes: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: "cls",
  pooling_mode_max_tokens: "max",
  pooling_mode_mean_tokens: "mean",
  pooling_mode_mean_sqrt_len_tokens: "mean_sqrt_len_tokens",
  pooling_mode_weightedmean_tokens: "weightedmean",
  pooling_mode_lasttoken: "lasttoken",
}

async function readPooling(folder: string, modules: readonly Module[]): Promise<readonly PoolingMode[]> {
  const module = modules.find(({ kind }) => kind === "Pooling")!
  const file = join(folder, module.path, "config.json")
  const json = module.path === "" ? {} : ((await readJson(file)) ?? {})
  const old = Object.entries(legacyModes).flatMap(([name, mode]) => (json[name] === true ? [mode] : []))
  const modes = json.pooling_mode === undefined ? old : [json.pooling_mode].flat()
  const stranger = modes.find((mode) => !(poolingModes as readonly unknown[]).includes(mode))
  if (stranger !== undefined)
    throw new InputError("student.config", `${file} asks for the pooling ${String(stranger)}; ${poolingModes.join(", ")} are known.`)
  return modes.length === 0 ? ["mean"] : (modes as PoolingMode[])
}

const denseActivations: Readonly<Record<string, ProjectionLayer["activation"]>> = { Tanh: "tanh", ReLU: "relu", Identity: "none" }

async function readDense(
  folder: string,
  name: string,
): Promise<{ readonly layer: ProjectionLayer; readonly outputs: number; readonly weights: NamedParameters }> {
  const file = join(folder, "config.json")
  const json = (await readJson(file)) ?? {}
  const activation =
    denseActivations[
      String(json.activation_function ?? "Tanh")
        .split(".")
        .at(-1)!
    ]
  const sizes = [json.out_features, json.in_features]
  if (!activation || json.use_residual === true || !sizes.every((size) => Number.isSafeInteger(size) && (size as number) > 0)) {
    throw new InputError("student.config", `${file} describes no plain layer: sizes above 0 and Tanh, ReLU or Identity are known.`)
  }
  const [outputs, inputs] = sizes as [number, number]
  const wanted = [
    { name: `${name}.weight`, shape: [outputs, inputs], fileNames: ["linear.weight"] },
    ...(json.bias === false ? [] : [{ name: `${name}.bias`, shape: [outputs], fileNames: ["linear.bias"] }]),
  ]
  return { layer: { name, activation }, outputs, weights: await (await WeightFiles.open(folder)).read(wanted) }
}

async function readMaxTokens(folder: string): Promise<number | undefined> {
  const own = (await readJson(join(folder, "sentence_bert_config.json")))?.max_seq_length
  const tokenizers = (await readJson(join(folder, "tokenizer_config.json")))?.model_max_length
  // transformers writes 1e30 for a tokenizer without a limit.
  return [own, tokenizers].find((value): value is number => Number.isSafeInteger(value) && (value as number) > 2)
}

async function readPrompts(folder: string): Promise<Readonly<Record<string, string>>> {
  const json = await readJson(join(folder, "config_sentence_transformers.json"))
  const prompts = Object.entries((json?.prompts ?? {}) as Json).filter((entry): entry is [string, string] => typeof entry[1] === "string")
  const byName = Object.fromEntries(prompts)
  return { ...byName, "": byName[String(json?.default_prompt_name)] ?? "" }
}

/** A JSON object from a file; undefined when there is no file. */
async function readJson(path: string): Promise<Json | undefined> {
  const value = await readAnyJson(path)
  if (value === undefined || (typeof value === "object" && value !== null && !Array.isArray(value))) return value as Json | undefined
  throw new InputError("student.config", `${path} is no JSON object. Fetch or save it anew.`)
}

async function readAnyJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, "utf8")
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined
    throw error
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError("student.config", `${path} is no JSON: ${messageOf(error)}. Fetch or save it anew.`, { cause: error })
  }
}
