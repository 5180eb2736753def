// The base models that are pretrained: their networks, and what they are trained on.

import type { Template } from "../../src/students"
import { recipes as datasetRecipes, makeTables } from "../build-catalogue"
import { readWordnet } from "../catalogue/wordnet"
import { type Exercise, fillSpans, followOrder, lookUp, matchPairs, repairText } from "./exercises"
import { findTimes, readClock, readDate, resolveTime } from "./temporal-exercises"

export interface PretrainingRecipe {
  readonly name: string
  /** Default: the input as it is. */
  readonly template?: Template
  /** transformers' `config.json`. */
  readonly configuration: Readonly<Record<string, unknown>>
  /** The longest input that it was trained on and is advised for, in bytes. */
  readonly inputBytes: number
  readonly steps: number
  /** Rows a step. */
  readonly batchSize: number
  readonly learningRate: number
  /** How often each exercise is drawn. */
  makeExercises(): (readonly [weight: number, exercise: Exercise])[]
}

const shared = { pad_token_id: 0, eos_token_id: 1, vocab_size: 384, tokenizer_class: "ByT5Tokenizer" }

function t5Configuration(modelSize: number, feedForwardSize: number, numHeads: number, numLayers: number) {
  return {
    ...shared,
    architectures: ["T5ForConditionalGeneration"],
    d_ff: feedForwardSize,
    d_kv: modelSize / numHeads,
    d_model: modelSize,
    decoder_start_token_id: 0,
    dropout_rate: 0.1,
    feed_forward_proj: "relu",
    initializer_factor: 1,
    is_encoder_decoder: true,
    layer_norm_epsilon: 1e-6,
    model_type: "t5",
    num_decoder_layers: numLayers,
    num_heads: numHeads,
    num_layers: numLayers,
    relative_attention_max_distance: 128,
    relative_attention_num_buckets: 32,
    tie_word_embeddings: false,
  }
}

const english: PretrainingRecipe["makeExercises"] = () => {
  const { examples, texts, words, definitions } = readEnglish()
  return [
    [1, fillSpans(texts)],
    [0.7, repairText(examples)],
    [3, followOrder(examples)],
    [2, lookUp(words)],
    [4, findTimes(examples)],
    [1, readDate],
    [1.5, resolveTime],
    [0.3, readClock],
    [0.2, matchPairs(definitions)],
  ]
}

function readEnglish() {
  const synsets = readWordnet()
  const isPlain = (text: string) => /^[\x20-\x7e]+$/.test(text)
  const examples = synsets.flatMap((synset) => synset.examples).filter((text) => isPlain(text) && text.split(" ").length >= 3)
  const common = synsets.filter(({ frequency }) => frequency > 0)
  return {
    examples,
    texts: [...examples, ...common.map(({ definition }) => definition).filter((text) => isPlain(text) && text.length > 20)],
    words: [...new Set(common.flatMap(({ words }) => words.slice(0, 2)))].filter((word) => isPlain(word) && word.length < 16),
    definitions: common.filter(({ frequency }) => frequency > 2).map(({ definition, words }) => [definition, words[0]] as const),
  }
}

const multilingual: PretrainingRecipe["makeExercises"] = () => {
  const rows = datasetRecipes
    .filter(({ name }) => /^(country-names|month-and-weekday|numbers-in-languages|language-names)/.test(name))
    .map((recipe) => makeTables(recipe).flatMap(([, table]) => table.map((row) => Object.values(row).map(String))))
  const pairs = rows.map((table) => table.map((cells) => [cells.slice(0, -1).join("\n"), cells.at(-1)!] as const))
  const texts = rows.flat().map((cells) => cells.join(" "))
  const words = [...new Set(rows.flat(2))].filter((word) => word.length < 20)
  return [
    [2, fillSpans(texts)],
    [1, repairText(texts)],
    [1, lookUp(words)],
    [1, readDate],
    ...pairs.map((one) => [1, matchPairs(one)] as const),
  ]
}

export const pretrainingRecipes: readonly PretrainingRecipe[] = [
  {
    name: "byte-t5-english",
    configuration: t5Configuration(128, 384, 8, 2),
    inputBytes: 256,
    steps: 4400,
    batchSize: 32,
    learningRate: 2e-3,
    makeExercises: english,
  },
  {
    name: "byte-t5-multilingual",
    configuration: t5Configuration(96, 256, 6, 2),
    inputBytes: 128,
    steps: 1600,
    batchSize: 32,
    learningRate: 2e-3,
    makeExercises: multilingual,
  },
  {
    name: "byte-llama-english",
    configuration: {
      ...shared,
      architectures: ["LlamaForCausalLM"],
      bos_token_id: 0,
      hidden_act: "silu",
      hidden_size: 128,
      initializer_range: 0.02,
      intermediate_size: 384,
      max_position_embeddings: 1024,
      model_type: "llama",
      num_attention_heads: 8,
      num_hidden_layers: 4,
      num_key_value_heads: 8,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: true,
    },
    // A decoder needs to see where the answer begins.
    template: { kind: "paper", instruction: "" },
    inputBytes: 256,
    steps: 700,
    batchSize: 32,
    learningRate: 2e-3,
    makeExercises: english,
  },
]
