// transformers' `config.json` of the Llama family: read, checked, and written back with what it said.
import { InputError } from "../core/errors"
import type { LlamaShape } from "../networks/llama"
import { activations, type ConfigurationJson, ConfigurationMembers, writeIds } from "./configuration-members"
import { readRotary, writeRotary } from "./rotary-configuration"

export const llamaModelTypes = ["llama", "mistral", "qwen2"] as const
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

/** Where transformers' defaults differ from Llama's. */
const defaults: Readonly<Record<LlamaModelType, Defaults>> = {
  llama: { vocabularySize: 32000, feedForwardSize: 11008, maxPositions: 2048, startIds: [1], endIds: [2] },
  mistral: { vocabularySize: 32000, feedForwardSize: 14336, maxPositions: 131072, startIds: [1], endIds: [2], numKeyHeads: 8 },
  qwen2: { vocabularySize: 151936, feedForwardSize: 22016, maxPositions: 32768, startIds: [], endIds: [] },
}

interface Defaults {
  readonly vocabularySize: number
  readonly feedForwardSize: number
  readonly maxPositions: number
  readonly startIds: readonly number[]
  readonly endIds: readonly number[]
  /** Default: as many as heads. */
  readonly numKeyHeads?: number
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
    padId: members.ids("pad_token_id", vocabularySize)[0],
    endIds: members.ids("eos_token_id", vocabularySize, known.endIds),
  }
}

function readShape(json: ConfigurationJson, path: string, modelType: LlamaModelType, vocabularySize: number): LlamaShape {
  const members = new ConfigurationMembers(json, path)
  const known = defaults[modelType]
  const modelSize = members.count("hidden_size", 4096)
  const numHeads = members.count("num_attention_heads", 32)
  const numKeyHeads = members.count("num_key_value_heads", known.numKeyHeads ?? numHeads)
  if (numHeads % numKeyHeads !== 0) members.refuse("num_key_value_heads", `a divisor of num_attention_heads, which is ${numHeads}`)
  const headSize = members.count("head_dim", Math.floor(modelSize / numHeads))
  if (headSize % 2 !== 0) members.refuse("head_dim", "even: numbers of a head turn in pairs")
  const maxPositions = members.count("max_position_embeddings", known.maxPositions)
  const rotary = readRotary(json, path, maxPositions)
  const hasBias = modelType === "llama" && members.flag("attention_bias", false)
  return {
    vocabularySize,
    modelSize,
    headSize,
    numHeads,
    numKeyHeads,
    feedForwardSize: members.count("intermediate_size", known.feedForwardSize),
    numLayers: members.count("num_hidden_layers", 32),
    longestText: shortest(rotary.kind === "dynamic" ? maxPositions : undefined, readWindow(members, json, modelType)),
    normEpsilon: members.number("rms_norm_eps", 1e-6),
    activation: members.choice("hidden_act", "silu", activations),
    rotary,
    hasQueryBias: modelType === "qwen2" || hasBias,
    hasOutputBias: hasBias,
    hasFeedForwardBias: modelType === "llama" && members.flag("mlp_bias", false),
    isHeadTied: members.flag("tie_word_embeddings", false),
  }
}

/** How far back a token sees: as long as a text is no longer, a sliding window changes nothing. */
function readWindow(members: ConfigurationMembers, json: ConfigurationJson, modelType: LlamaModelType): number | undefined {
  const isSliding = modelType === "mistral" ? json.sliding_window !== null : members.flag("use_sliding_window", false)
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
