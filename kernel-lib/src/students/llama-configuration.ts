// transformers' `config.json` of the Llama family: read, checked, and written back with what it said.
import { InputError } from "../core/errors"
import type { LlamaShape } from "../networks/llama"
import { activations, type ConfigurationJson, ConfigurationMembers, writeIds } from "./configuration-members"
import { readRotary, writeRotary } from "./rotary-configuration"

export const llamaModelTypes = ["llama", "mistral", "qwen2", "qwen3", "smollm3"] as const
export type LlamaModelType = (typeof llamaModelTypes)[number]

/** A model of the Llama family as its `config.json` describes it. */
export interface LlamaConfiguration {
  /** Everything that `config.json` said. */
  readonly json: ConfigurationJson
  readonly modelType: LlamaModelType
  readonly shape: LlamaShape
  readonly dropoutRate: number
  readonly initializerRange: number
  /** Tokens that begin a text, pad it, end it. */
  readonly startId?: number
  readonly padId?: number
  readonly endIds: readonly number[]
}

/** transformers' defaults. */
interface Defaults {
  readonly vocabularySize: number
  readonly modelSize: number
  readonly feedForwardSize: number
  readonly numLayers: number
  readonly numHeads: number
  /** Default: as many as heads. */
  readonly numKeyHeads?: number
  /** Default: the model's size, shared by its heads. */
  readonly headSize?: number
  readonly maxPositions: number
  readonly theta: number
  readonly startIds: readonly number[]
  readonly padIds: readonly number[]
  readonly endIds: readonly number[]
  readonly isHeadTied: boolean
}

const llama: Defaults = {
  vocabularySize: 32000,
  modelSize: 4096,
  feedForwardSize: 11008,
  numLayers: 32,
  numHeads: 32,
  maxPositions: 2048,
  theta: 10_000,
  startIds: [1],
  padIds: [],
  endIds: [2],
  isHeadTied: false,
}
const qwen2: Defaults = { ...llama, vocabularySize: 151936, feedForwardSize: 22016, maxPositions: 32768, startIds: [], endIds: [] }

const defaults: Readonly<Record<LlamaModelType, Defaults>> = {
  llama,
  mistral: { ...llama, feedForwardSize: 14336, maxPositions: 131072, numKeyHeads: 8 },
  qwen2,
  qwen3: { ...qwen2, headSize: 128 },
  smollm3: {
    vocabularySize: 128256,
    modelSize: 2048,
    feedForwardSize: 11008,
    numLayers: 36,
    numHeads: 16,
    numKeyHeads: 4,
    maxPositions: 32768,
    theta: 2_000_000,
    startIds: [128000],
    padIds: [128004],
    endIds: [128001],
    isHeadTied: true,
  },
}

/**
 * Reads a parsed `config.json`; what it leaves out has transformers' default. Rotary positions are read as transformers 4 writes them
 * (`rope_theta`, `rope_scaling`) and as 5 does (`rope_parameters`).
 * @throws InputError `student.config` for a member that cannot be
 */
export function readLlamaConfiguration(json: ConfigurationJson, path: string): LlamaConfiguration {
  const modelType = llamaModelTypes.find((type) => type === json.model_type)
  if (!modelType) throw new InputError("student.architecture", `${path} describes no model of these types: ${llamaModelTypes.join(", ")}.`)
  const members = new ConfigurationMembers(json, path)
  const known = defaults[modelType]
  const vocabularySize = members.count("vocab_size", known.vocabularySize)
  return {
    json,
    modelType,
    shape: readShape(json, path, modelType, vocabularySize),
    dropoutRate: members.share("attention_dropout", 0),
    initializerRange: members.number("initializer_range", 0.02),
    startId: members.ids("bos_token_id", vocabularySize, known.startIds)[0],
    padId: members.ids("pad_token_id", vocabularySize, known.padIds)[0],
    endIds: members.ids("eos_token_id", vocabularySize, known.endIds),
  }
}

function readShape(json: ConfigurationJson, path: string, modelType: LlamaModelType, vocabularySize: number): LlamaShape {
  const members = new ConfigurationMembers(json, path)
  const known = defaults[modelType]
  const modelSize = members.count("hidden_size", known.modelSize)
  const numHeads = members.count("num_attention_heads", known.numHeads)
  const numKeyHeads = members.count("num_key_value_heads", known.numKeyHeads ?? numHeads)
  if (numHeads % numKeyHeads !== 0) members.refuse("num_key_value_heads", `a divisor of num_attention_heads, which is ${numHeads}`)
  const headSize = members.count("head_dim", known.headSize ?? Math.floor(modelSize / numHeads))
  if (headSize % 2 !== 0) members.refuse("head_dim", "even: numbers of a head turn in pairs")
  const maxPositions = members.count("max_position_embeddings", known.maxPositions)
  const rotary = readRotary(json, path, maxPositions, known.theta)
  const numLayers = members.count("num_hidden_layers", known.numLayers)
  const hasBias = biased.attention.includes(modelType) && members.flag("attention_bias", false)
  return {
    vocabularySize,
    modelSize,
    headSize,
    numHeads,
    numKeyHeads,
    feedForwardSize: members.count("intermediate_size", known.feedForwardSize),
    numLayers,
    longestText: shortest(rotary.kind === "dynamic" ? maxPositions : undefined, readWindow(members, json, modelType)),
    normEpsilon: members.number("rms_norm_eps", 1e-6),
    activation: members.choice("hidden_act", "silu", activations),
    rotary,
    hasQueryBias: modelType === "qwen2" || hasBias,
    hasOutputBias: hasBias,
    hasFeedForwardBias: biased.feedForward.includes(modelType) && members.flag("mlp_bias", false),
    ...(modelType === "qwen3" ? { hasHeadNorms: true } : {}),
    ...(modelType === "smollm3" ? { unturnedLayers: readUnturnedLayers(members, json, numLayers) } : {}),
    isHeadTied: members.flag("tie_word_embeddings", known.isHeadTied),
  }
}

/** Whose `attention_bias` and `mlp_bias` mean something; Qwen2 has biases on queries, keys and values whatever it says. */
const biased: Readonly<Record<"attention" | "feedForward", readonly LlamaModelType[]>> = {
  attention: ["llama", "qwen3", "smollm3"],
  feedForward: ["llama", "smollm3"],
}

/** `no_rope_layers` has a 1 for each layer whose heads turn; without it, each fourth layer's do not. */
function readUnturnedLayers(members: ConfigurationMembers, json: ConfigurationJson, numLayers: number): number[] {
  const interval = members.count("no_rope_layer_interval", 4)
  const { no_rope_layers: listed } = json
  if (listed === undefined || listed === null) return listLayers(numLayers, (layer) => (layer + 1) % interval === 0)
  if (!Array.isArray(listed) || listed.length < numLayers)
    members.refuse("no_rope_layers", `a list of 0 and 1 for each of ${numLayers} layers`)
  return listLayers(numLayers, (layer) => listed[layer] === 0)
}

function listLayers(numLayers: number, isWanted: (layer: number) => boolean): number[] {
  return Array.from({ length: numLayers }, (_, layer) => layer).filter(isWanted)
}

/** How far back a token sees: as long as a text is no longer, a sliding window changes nothing. */
function readWindow(members: ConfigurationMembers, json: ConfigurationJson, modelType: LlamaModelType): number | undefined {
  const isSliding =
    modelType === "mistral" ? json.sliding_window !== null : modelType !== "llama" && members.flag("use_sliding_window", false)
  return isSliding ? members.count("sliding_window", 4096) : undefined
}

function shortest(...limits: readonly (number | undefined)[]): number | undefined {
  const known = limits.filter((limit) => limit !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}

const classes: Readonly<Record<LlamaModelType, string>> = {
  llama: "LlamaForCausalLM",
  mistral: "MistralForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  qwen3: "Qwen3ForCausalLM",
  smollm3: "SmolLM3ForCausalLM",
}

/** `config.json` for a model with this shape, in every version of transformers. */
export function writeLlamaConfiguration({ json, modelType, shape, startId, padId, endIds }: LlamaConfiguration): Record<string, unknown> {
  return {
    ...json,
    architectures: [classes[modelType]],
    bos_token_id: startId ?? null,
    dtype: "float32",
    eos_token_id: writeIds(endIds),
    head_dim: shape.headSize,
    model_type: modelType,
    num_key_value_heads: shape.numKeyHeads,
    pad_token_id: padId ?? null,
    tie_word_embeddings: shape.isHeadTied,
    torch_dtype: "float32",
    vocab_size: shape.vocabularySize,
    ...writeRotary(shape.rotary),
  }
}
