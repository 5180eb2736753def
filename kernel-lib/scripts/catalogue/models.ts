// The base models of the bundled catalogue: configurations of a byte-level T5, whose weights are drawn when one is loaded.

export interface ModelRecipe {
  /** Behind `bundled/`. */
  readonly name: string
  readonly modelSize: number
  readonly feedForwardSize: number
  readonly numHeads: number
  /** Of the encoder, and as many of the decoder. */
  readonly numLayers: number
  /** The longest input that it is made for; `retrieveModels` takes the smallest model that covers the demonstrations. */
  readonly inputBytes: number
}

/**
 * The heads of the tiny one are many and narrow: trained from scratch, each soon looks at a place of its own, and letters are read by their
 * places. For longer texts as many would take too much memory.
 */
export const modelRecipes: readonly ModelRecipe[] = [
  { name: "byte-t5-tiny", modelSize: 128, feedForwardSize: 256, numHeads: 16, numLayers: 2, inputBytes: 64 },
  { name: "byte-t5-mini", modelSize: 192, feedForwardSize: 512, numHeads: 8, numLayers: 3, inputBytes: 256 },
  { name: "byte-t5-small", modelSize: 256, feedForwardSize: 1024, numHeads: 8, numLayers: 4, inputBytes: 1024 },
]

/** transformers' `config.json`; ids as in ByT5: padding 0, end 1, three more than the byte for the rest. */
export function modelConfiguration({ modelSize, feedForwardSize, numHeads, numLayers }: ModelRecipe) {
  return {
    architectures: ["T5ForConditionalGeneration"],
    d_ff: feedForwardSize,
    d_kv: modelSize / numHeads,
    d_model: modelSize,
    decoder_start_token_id: 0,
    dropout_rate: 0.1,
    eos_token_id: 1,
    feed_forward_proj: "relu",
    initializer_factor: 1,
    is_encoder_decoder: true,
    layer_norm_epsilon: 1e-6,
    model_type: "t5",
    num_decoder_layers: numLayers,
    num_heads: numHeads,
    num_layers: numLayers,
    pad_token_id: 0,
    relative_attention_max_distance: 128,
    relative_attention_num_buckets: 32,
    tie_word_embeddings: false,
    tokenizer_class: "ByT5Tokenizer",
    vocab_size: 384,
  }
}

export function describeModel({ modelSize, numLayers }: ModelRecipe): string {
  return `A byte-level T5 that was not trained yet: ByT5's tokenizer, ${numLayers} encoder and ${numLayers} decoder layers of width ${modelSize}. Its weights are drawn at random from the run's seed when it is loaded. It reads and writes bytes, so it takes text in any language and script; it knows nothing before fine-tuning and suits short texts that are read letter by letter, such as dates, names, numbers and codes, where thousands of rows can be had.`
}
