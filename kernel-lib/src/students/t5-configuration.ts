// transformers' `config.json` of a T5: read, checked, and written back with what it said.
import { InputError } from "../core/errors"
import type { T5Shape } from "../networks/t5"
import { activations, type ConfigurationJson, ConfigurationMembers, writeIds } from "./configuration-members"

export const t5ModelTypes = ["t5", "mt5", "umt5"] as const
export type T5ModelType = (typeof t5ModelTypes)[number]

/** A T5 as its `config.json` describes it. */
export interface T5Configuration {
  /** Everything that `config.json` said. */
  readonly json: ConfigurationJson
  readonly modelType: T5ModelType
  readonly shape: T5Shape
  readonly dropoutRate: number
  readonly initializerFactor: number
  readonly padId: number
  readonly endIds: readonly number[]
  readonly decoderStartId: number
}

/** transformers' defaults where they differ, and what it calls the class. */
const kinds = {
  t5: { className: "T5", vocabularySize: 32128, feedForwardSize: 2048, numLayers: 6, numHeads: 8, projection: "relu" },
  mt5: { className: "MT5", vocabularySize: 250112, feedForwardSize: 1024, numLayers: 8, numHeads: 6, projection: "gated-gelu" },
  umt5: { className: "UMT5", vocabularySize: 250112, feedForwardSize: 1024, numLayers: 8, numHeads: 6, projection: "gated-gelu" },
} as const

/**
 * Reads a parsed `config.json`; what it leaves out has transformers' default.
 * @throws InputError `student.architecture` for another model, `student.config` for a member that cannot be
 */
export function readT5Configuration(json: ConfigurationJson, path: string): T5Configuration {
  const modelType = t5ModelTypes.find((one) => one === json.model_type)
  if (!modelType) throw new InputError("student.architecture", `${path} describes no model of these types: ${t5ModelTypes.join(", ")}.`)
  const members = new ConfigurationMembers(json, path)
  const known = kinds[modelType]
  const vocabularySize = members.count("vocab_size", known.vocabularySize)
  const id = (name: string, fallback: number): number =>
    members.ids(name, vocabularySize, [fallback])[0] ?? members.refuse(name, "an id of the vocabulary")
  const numEncoderLayers = members.count("num_layers", known.numLayers)
  const relativeBuckets = members.count("relative_attention_num_buckets", 32)
  const padId = id("pad_token_id", 0)
  const isTied = json.tie_word_embeddings !== false
  return {
    json,
    modelType,
    shape: {
      vocabularySize,
      modelSize: members.count("d_model", 512),
      headSize: members.count("d_kv", 64),
      feedForwardSize: members.count("d_ff", known.feedForwardSize),
      numHeads: members.count("num_heads", known.numHeads),
      numEncoderLayers,
      numDecoderLayers: members.count("num_decoder_layers", numEncoderLayers),
      relativeBuckets: relativeBuckets >= 4 ? relativeBuckets : members.refuse("relative_attention_num_buckets", "at least 4"),
      relativeMaxDistance: members.count("relative_attention_max_distance", 128),
      ...(modelType === "umt5" ? { hasBiasPerLayer: true } : {}),
      normEpsilon: members.number("layer_norm_epsilon", 1e-6),
      ...readProjection(members, known.projection),
      isHeadTied: isTied,
      // transformers 5 says it apart for T5, since there a tied head need not be scaled; mT5's never is there.
      isOutputScaled: typeof json.scale_decoder_outputs === "boolean" ? json.scale_decoder_outputs : modelType !== "mt5" && isTied,
    },
    dropoutRate: members.number("dropout_rate", 0.1),
    initializerFactor: members.number("initializer_factor", 1),
    padId,
    endIds: Array.isArray(json.eos_token_id) ? members.ids("eos_token_id", vocabularySize) : [id("eos_token_id", 1)],
    decoderStartId: id("decoder_start_token_id", padId),
  }
}

/** `feed_forward_proj`: transformers reads T5's own "gated-gelu" as the tanh form, and any other name as it stands. */
function readProjection(members: ConfigurationMembers, fallback: string): Pick<T5Shape, "activation" | "isGated"> {
  const forms = Object.entries(activations).flatMap(([name, activation]) => [
    [name, { activation, isGated: false }] as const,
    [`gated-${name}`, { activation: name === "gelu" ? "gelu_new" : activation, isGated: true }] as const,
  ])
  return members.choice("feed_forward_proj", fallback, Object.fromEntries(forms))
}

/**
 * `config.json` for a T5 with this shape, in every version of transformers: before 5, `tie_word_embeddings` alone said whether the
 * decoder's result is scaled; since 5, a head in the weights is used whatever it says.
 */
export function writeT5Configuration({ json, modelType, shape, padId, endIds, decoderStartId }: T5Configuration): Record<string, unknown> {
  return {
    ...json,
    architectures: [`${kinds[modelType].className}ForConditionalGeneration`],
    decoder_start_token_id: decoderStartId,
    dtype: "float32",
    eos_token_id: writeIds(endIds),
    is_encoder_decoder: true,
    model_type: modelType,
    num_decoder_layers: shape.numDecoderLayers,
    pad_token_id: padId,
    scale_decoder_outputs: shape.isOutputScaled,
    tie_word_embeddings: shape.isOutputScaled,
    vocab_size: shape.vocabularySize,
  }
}
