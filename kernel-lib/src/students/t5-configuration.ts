// transformers' `config.json` of a T5: read, checked, and written back with what it said.
import { InputError } from "../core/errors"
import type { T5Shape } from "../networks/t5"

/** A T5 as its `config.json` describes it. */
export interface T5Configuration {
  /** Everything that `config.json` said. */
  readonly json: Readonly<Record<string, unknown>>
  /** transformers' `model_type`: `t5` or `mt5`. */
  readonly modelType: string
  readonly shape: T5Shape
  readonly dropoutRate: number
  readonly initializerFactor: number
  readonly padId: number
  readonly endIds: readonly number[]
  readonly decoderStartId: number
}

const activations: Readonly<Record<string, T5Shape["activation"]>> = {
  relu: "relu",
  gelu: "gelu",
  gelu_new: "gelu_new",
  silu: "silu",
  swish: "silu",
}

/**
 * Reads a parsed `config.json`; what it leaves out has transformers' default.
 * @throws InputError `student.architecture` for another model, `student.config` for a member that cannot be
 */
export function readT5Configuration(json: Readonly<Record<string, unknown>>, path: string): T5Configuration {
  const modelType = String(json.model_type)
  if (modelType !== "t5" && modelType !== "mt5") {
    throw new InputError("student.architecture", `${path} describes a model of type ${modelType}; students are T5 models (t5, mt5) so far.`)
  }
  const refuse = (name: string, wanted: string): never => {
    throw new InputError("student.config", `${name} in ${path} is ${JSON.stringify(json[name])}; it should be ${wanted}.`)
  }
  const count = (name: string, fallback: number): number => {
    const value = json[name] ?? fallback
    return Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 2 ** 31
      ? (value as number)
      : refuse(name, "a whole number above 0")
  }
  const number = (name: string, fallback: number): number => {
    const value = json[name] ?? fallback
    return typeof value === "number" && value >= 0 && Number.isFinite(value) ? value : refuse(name, "a number from 0")
  }
  const vocabularySize = count("vocab_size", modelType === "mt5" ? 250112 : 32128)
  const id = (name: string, fallback: number): number => {
    const value = json[name] ?? fallback
    return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < vocabularySize
      ? (value as number)
      : refuse(name, "an id of the vocabulary")
  }
  const numEncoderLayers = count("num_layers", modelType === "mt5" ? 8 : 6)
  const projection = String(json.feed_forward_proj ?? (modelType === "mt5" ? "gated-gelu" : "relu"))
  const isGated = projection.startsWith("gated-")
  // transformers reads T5's own "gated-gelu" as the tanh form, and any other name as it stands.
  const activation = projection === "gated-gelu" ? "gelu_new" : activations[projection.replace(/^gated-/, "")]
  const relativeBuckets = count("relative_attention_num_buckets", 32)
  const padId = id("pad_token_id", 0)
  const isTied = json.tie_word_embeddings !== false
  return {
    json,
    modelType,
    shape: {
      vocabularySize,
      modelSize: count("d_model", 512),
      headSize: count("d_kv", 64),
      feedForwardSize: count("d_ff", modelType === "mt5" ? 1024 : 2048),
      numHeads: count("num_heads", modelType === "mt5" ? 6 : 8),
      numEncoderLayers,
      numDecoderLayers: count("num_decoder_layers", numEncoderLayers),
      relativeBuckets: relativeBuckets >= 4 ? relativeBuckets : refuse("relative_attention_num_buckets", "at least 4"),
      relativeMaxDistance: count("relative_attention_max_distance", 128),
      normEpsilon: number("layer_norm_epsilon", 1e-6),
      activation: activation ?? refuse("feed_forward_proj", `one of ${Object.keys(activations).join(", ")}, or gated- and one of them`),
      isGated,
      isHeadTied: isTied,
      // transformers 5 says it apart, since there a tied head need not be scaled.
      isOutputScaled: typeof json.scale_decoder_outputs === "boolean" ? json.scale_decoder_outputs : isTied,
    },
    dropoutRate: number("dropout_rate", 0.1),
    initializerFactor: number("initializer_factor", 1),
    padId,
    endIds: Array.isArray(json.eos_token_id) ? json.eos_token_id.filter((one) => Number.isSafeInteger(one)) : [id("eos_token_id", 1)],
    decoderStartId: id("decoder_start_token_id", padId),
  }
}

/**
 * `config.json` for a T5 with this shape, in every version of transformers: before 5, `tie_word_embeddings` alone said whether the
 * decoder's result is scaled; since 5, a head in the weights is used whatever it says.
 */
export function writeT5Configuration({ json, modelType, shape, padId, endIds, decoderStartId }: T5Configuration): Record<string, unknown> {
  return {
    ...json,
    architectures: [modelType === "mt5" ? "MT5ForConditionalGeneration" : "T5ForConditionalGeneration"],
    decoder_start_token_id: decoderStartId,
    dtype: "float32",
    eos_token_id: endIds.length === 1 ? endIds[0] : endIds,
    is_encoder_decoder: true,
    model_type: modelType,
    num_decoder_layers: shape.numDecoderLayers,
    pad_token_id: padId,
    scale_decoder_outputs: shape.isOutputScaled,
    tie_word_embeddings: shape.isOutputScaled,
    vocab_size: shape.vocabularySize,
  }
}
