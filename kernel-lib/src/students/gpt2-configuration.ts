// transformers' `config.json` of a GPT-2: read, checked, and written back with what it said.
import type { Gpt2Shape } from "../networks/gpt2"
import { activations, type ConfigurationJson, ConfigurationMembers, writeIds } from "./configuration-members"

/** A GPT-2 as its `config.json` describes it. */
export interface Gpt2Configuration {
  /** Everything that `config.json` said. */
  readonly json: ConfigurationJson
  readonly modelType: "gpt2"
  readonly shape: Gpt2Shape
  /** `resid_pdrop`, which published models have for embeddings and attention too. */
  readonly dropoutRate: number
  readonly initializerRange: number
  /** Tokens that begin a text, pad it, end it; published models have one token for all of that, or none. */
  readonly startId?: number
  readonly padId?: number
  readonly endIds: readonly number[]
}

/** The token that transformers' GPT-2 begins and ends texts with. */
const defaultToken = 50256

/**
 * Reads a parsed `config.json`; what it leaves out has transformers' default.
 * @throws InputError `student.config` for a member that cannot be
 */
export function readGpt2Configuration(json: ConfigurationJson, path: string): Gpt2Configuration {
  const members = new ConfigurationMembers(json, path)
  const vocabularySize = members.count("vocab_size", 50257)
  const modelSize = members.count("n_embd", 768)
  const numHeads = members.count("n_head", 12)
  if (modelSize % numHeads !== 0) members.refuse("n_head", `a divisor of n_embd, which is ${modelSize}`)
  if (members.flag("add_cross_attention", false)) members.refuse("add_cross_attention", "false: students read no second text")
  return {
    json,
    modelType: "gpt2",
    shape: {
      vocabularySize,
      modelSize,
      numHeads,
      numLayers: members.count("n_layer", 12),
      feedForwardSize: members.count("n_inner", 4 * modelSize),
      maxPositions: members.count("n_positions", 1024),
      normEpsilon: members.number("layer_norm_epsilon", 1e-5),
      activation: members.choice("activation_function", "gelu_new", activations),
      isScoreScaled: members.flag("scale_attn_weights", true),
      isScoreScaledByLayer: members.flag("scale_attn_by_inverse_layer_idx", false),
      isHeadTied: members.flag("tie_word_embeddings", true),
    },
    dropoutRate: members.share("resid_pdrop", 0.1),
    initializerRange: members.number("initializer_range", 0.02),
    startId: members.ids("bos_token_id", vocabularySize, [defaultToken])[0],
    padId: members.ids("pad_token_id", vocabularySize)[0],
    endIds: members.ids("eos_token_id", vocabularySize, [defaultToken]),
  }
}

/** `config.json` for a GPT-2 with this shape, in every version of transformers. */
export function writeGpt2Configuration({ json, shape, startId, padId, endIds }: Gpt2Configuration): Record<string, unknown> {
  return {
    ...json,
    architectures: ["GPT2LMHeadModel"],
    bos_token_id: startId ?? null,
    dtype: "float32",
    eos_token_id: writeIds(endIds),
    model_type: "gpt2",
    n_inner: shape.feedForwardSize,
    pad_token_id: padId ?? null,
    tie_word_embeddings: shape.isHeadTied,
    torch_dtype: "float32",
    vocab_size: shape.vocabularySize,
  }
}
