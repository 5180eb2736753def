// The student: a small model that answers.

export type Decoding =
  | { readonly kind: "greedy" }
  | { readonly kind: "beam"; readonly beams: number }
  /** With `p`, of the k best those that make up this share of their probability. */
  | { readonly kind: "top-k"; readonly k: number; readonly p?: number; readonly temperature?: number; readonly seed?: Seed }
  | { readonly kind: "top-p"; readonly p: number; readonly temperature?: number; readonly seed?: Seed }

/** One number for all inputs, which each draws its own stream from by its place; or one for each, and then an input's answer is the same beside any others. */
export type Seed = number | readonly number[]

/** A token as an answer is written. */
export interface WrittenToken {
  readonly id: number
  /** Natural logarithm of its probability among all tokens; 0 where a rule of the model's generation configuration forced it. */
  readonly logProbability: number
  /** It ends the answer, and is no part of it. */
  readonly isEnd: boolean
  /** The answer up to it; a character that still lacks bytes stands at its end as U+FFFD. */
  readonly output: string
}

export interface PredictOptions {
  readonly decoding?: Decoding
  /** Most new tokens an answer may have. Default: transformers' `generation_config.json`, or 20 where it says nothing; a student trained here keeps its own. */
  readonly maxNewTokens?: number
  readonly signal?: AbortSignal
  /** Called as answers are finished: rows done of all rows. */
  readonly onProgress?: (done: number, total: number) => void
  /** Called for each token of the answer to `inputs[index]` as it is written. Beams and classifiers, which do not write answers in order, never call it. */
  readonly onToken?: (index: number, token: WrittenToken) => void
}

export interface Prediction {
  readonly output: string
  /** New ids without end-of-sequence and padding. */
  readonly tokens: readonly number[]
  /** Geometric mean of the probabilities of the chosen tokens, in (0, 1]. */
  readonly confidence: number
}

/** A model on this machine, trained or not. */
export interface Student {
  readonly kind: "student"
  /** As shown to people, e.g. `byte-t5-tiny`. */
  readonly name: string
  /** transformers' `model_type`. */
  readonly architecture: string
  /** Number of weights. */
  readonly parameters: number
  /** Size of the weights, in bytes. */
  readonly bytes: number
  readonly isPretrained: boolean
  readonly fingerprint: string
  /** One prediction per input, in order. Inputs are raw: the student puts them into its own template. */
  predict(inputs: readonly string[], options?: PredictOptions): Promise<Prediction[]>
  /** Writes a folder that transformers loads too (config.json, model.safetensors, tokenizer); atomic. */
  save(folder: string): Promise<void>
  /** Frees the engine's memory; the student can be loaded again from its folder. */
  dispose(): void
}
