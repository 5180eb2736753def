// What this room needs to know of a model: one interface, a file per family behind it. A family reads `config.json`, names the weights,
// gives the loss of a batch of rows, and says how an input is answered; loading, saving, training and the student itself are the same for all.
import type { Decoding, Prediction, PredictOptions } from "../core/student"
import type { Engine, LossFunction, NamedParameters, NamedValues } from "../engine"
import type { GenerationConfiguration } from "./generation-configuration"
import type { NamedTensor } from "./safetensors"
import type { Tokenizer } from "./tokenizer"
import type { WeightFiles } from "./weight-files"
import type { WeightSpec } from "./weight-spec"

export type { WeightSpec }

/** A stream of standard normal numbers. */
export interface NormalStream {
  normal(): number
}

/** A row as the network is trained on it. */
export interface TrainingRow {
  /** Ids of the filled template. */
  readonly inputIds: readonly number[]
  /** What is to be learnt: ids of the output with its end of sequence, or what the family makes of an output. */
  readonly labelIds: readonly number[]
}

/** The longest rows that a training takes; longer ones are cut. */
export interface RowLimits {
  readonly maxInputTokens?: number
  readonly maxOutputTokens?: number
}

/** Weights as they came out of files, and the architecture with what only the files tell (a head of its own, say). */
export interface LoadedWeights {
  readonly architecture: Architecture
  readonly weights: NamedParameters
}

/** What an answer is made with. */
export interface AnsweringParts {
  /** The weights will not change while this answers, so products may read a copy of them in an order of their own. */
  readonly areWeightsFixed: boolean
  readonly engine: Engine
  readonly weights: NamedParameters
  readonly tokenizer: Tokenizer
  readonly generation: GenerationConfiguration
  readonly threads?: number
}

/** An input with its template filled, as text and as ids cut to the student's limit. */
export interface EncodedInput {
  readonly text: string
  readonly ids: readonly number[]
}

export interface AnswerOptions {
  /** Default: what the model's generation configuration says. */
  readonly decoding?: Decoding
  readonly maxNewTokens?: number
  readonly signal?: AbortSignal
  /** Called as answers are finished: rows done of all rows. */
  readonly onProgress?: (done: number, total: number) => void
  readonly onToken?: PredictOptions["onToken"]
}

/** Graphs and memory that answer inputs with the weights as they are. One call at a time. */
export interface Answering {
  /** One prediction per input, in order. */
  answer(inputs: readonly EncodedInput[], options: AnswerOptions): Promise<Prediction[]>
  dispose(): void
}

/** A row as its owner knows it. */
export interface FitRow {
  readonly input: string
  readonly output: string
}

/** What a model is made ready with for rows that it is to learn. */
export interface FitOptions {
  readonly rows: readonly FitRow[]
  readonly weights: NamedParameters
  /** Draws what is new, by the name of the weight. */
  readonly stream: (name: string) => NormalStream
  /** Default: what the model's head says, or the rows. */
  readonly task?: "labels" | "span"
}

/** A model of one family in one shape, as its `config.json` describes it. */
export interface Architecture {
  /** transformers' `model_type`. */
  readonly modelType: string
  /** The network's sizes and switches, in the family's words. */
  readonly shape: object
  readonly vocabularySize: number
  /** The model's own dropout in training. */
  readonly dropoutRate: number
  /** All that decides its answers beside its weights; JSON, for fingerprints. */
  readonly identity: unknown
  /** Every weight once. */
  readonly weights: readonly WeightSpec[]
  /** The first values of a weight that is not trained yet. */
  drawWeight(spec: WeightSpec, stream: NormalStream): Float32Array
  /**
   * Reads the weights of a folder.
   * @param stream draws what a base model lacks (a classifier's head), by the name of the weight
   * @throws InputError `weights.incomplete`, `weights.shape`
   */
  readWeights(files: WeightFiles, stream: (name: string) => NormalStream): Promise<LoadedWeights>
  /** `config.json`, as every version of transformers reads it. */
  describe(): Record<string, unknown>
  /**
   * What `generation_config.json` has to say of it; undefined for a model that writes no text.
   * @param there what the file said when the model was loaded
   */
  describeGeneration(there: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined
  /** The weights as a folder holds them. */
  listFileWeights(weights: NamedParameters): NamedTensor[]

  /**
   * The model with a head for these rows. Without it, the model can learn any rows.
   * @throws InputError `train.no-head`
   */
  fit?(options: FitOptions): LoadedWeights
  /** Why a row cannot be learnt, as the end of a sentence about it; undefined when it can. Without it, any row can. */
  refuseRow?(tokenizer: Tokenizer, text: string, output: string): string | undefined
  /** Ids of a filled template. */
  encodeInput(tokenizer: Tokenizer, text: string): number[]
  /** A filled template and the output that belongs to it, neither cut. */
  encodeRow(tokenizer: Tokenizer, text: string, output: string): TrainingRow
  /** The ids that are left of an input of at most `limit`. */
  cutInput(ids: readonly number[], limit: number | undefined): number[]
  cutRow(row: TrainingRow, limits: RowLimits): TrainingRow
  /** The row with what follows its first token as target. Only models that go on with their input have it. */
  learnInput?(row: TrainingRow): TrainingRow
  /**
   * The feeds of `loss` for up to `batchSize` rows, filled up with rows that count for nothing.
   * @param lengths what each kind of length is padded to, none shorter than its longest row. Default: the next bucket
   * @param roundTokens what numbers of tokens are rounded up to where rows stand behind each other. Default: the next bucket
   */
  makeBatch(
    rows: readonly TrainingRow[],
    batchSize: number,
    lengths?: readonly number[],
    roundTokens?: (count: number) => number,
  ): NamedValues
  /** The lengths of a row that a batch pads each by itself, of a T5 the input's and the output's. Without it, batches have bucket lengths. */
  paddedLengths?(row: TrainingRow): readonly number[]
  /** What a padded place costs in training, as a share of what a token costs. Default 1. */
  readonly paddingShare?: number
  /** Whether the loss is over places of the input, not over tokens or labels. Default false. */
  readonly choosesPlaces?: boolean
  /** The mean loss of a batch's targets. */
  loss(dropout: number): LossFunction
  /** Whether weight decay applies: transformers' Trainer decays neither norms nor biases. */
  decays(name: string, shape: readonly number[]): boolean
  /** Makes ready to answer. */
  openAnswering(parts: AnsweringParts): Answering
}

/** The models that share a network: reads their `config.json`. */
export interface Family {
  /** transformers' `model_type`s. */
  readonly modelTypes: readonly string[]
  /** transformers' classes whose head no student has, by the end of their names. */
  readonly foreignHeads: readonly string[]
  /**
   * Reads a parsed `config.json`; what it leaves out has transformers' default.
   * @param path for messages
   * @throws InputError `student.config` for a member that cannot be
   */
  read(json: Readonly<Record<string, unknown>>, path: string): Architecture
}
