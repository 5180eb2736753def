// The settings of a training: what the caller gave, and a default for all else that fits the base model and the data.
import { InputError } from "../../core/errors"
import type { LowRankOptions } from "../../students"

export interface TrainingSettings {
  /** Passes over the training rows. Default 10 for a pretrained base; from scratch, and for a small one (`isSmallModel`), as many as make some 700 steps, from 5 to 60. */
  readonly epochs: number
  /** Rows of a batch. Default 8 for a pretrained base; from scratch, and for a small one, what has about 2,560 tokens. */
  readonly batchSize: number
  /** Batches whose gradients make one step together, each by its target tokens: a step has `batchSize * accumulation` rows. Default 1. */
  readonly accumulation: number
  /**
   * Tokens of input and output, padding included, that are computed at once. A batch with more is computed in parts that count together:
   * this bounds memory and changes no number. Default 8,192, and fewer where rows are long, since attention takes their length's square.
   */
  readonly maxTokensPerBatch: number
  /** Default `adamw`. `adafactor` takes hardly any memory beside weights and gradients; both take `learningRate` and `weightDecay`. */
  readonly optimizer: "adamw" | "adafactor"
  /** Peak learning rate. Default 5e-5 for a pretrained base, 3e-4 for its adapters (`lowRank`), 2e-3 from scratch and for a small one. */
  readonly learningRate: number
  /** How the learning rate goes on after the warm-up: in a straight line or in half a cosine to zero, or not at all. Default `linear`. */
  readonly schedule: "linear" | "cosine" | "constant"
  /** Share of the steps over which the learning rate rises from zero, in [0, 1]. Default 0.05. */
  readonly warmUp: number
  /** Decoupled decay: share of a matrix, times the learning rate, that a step takes away; biases and norms keep theirs. Default 0 for a pretrained base, 0.1 from scratch and for a small one. */
  readonly weightDecay: number
  /** Largest norm of the gradient over all weights; a longer one is shortened to it. Default 1. */
  readonly maxGradientNorm: number
  /** Share of the activations that a step drops, in [0, 1). Default: a pretrained base's own (its `config.json`), 0.05 from scratch and for a small one. */
  readonly dropout: number
  /** Share of each target's weight that is spread over all tokens, in [0, 1). Default 0. */
  readonly labelSmoothing: number
  /**
   * Which tokens a student that goes on with its input (GPT-2, Llama) learns: those of the completion, or `all`, the prompt's too, as upstream
   * does. The validation loss is of the completion either way. Default `completion`.
   */
  readonly lossOn?: "completion" | "all"
  /** Longest input in the student's tokens, end of sequence included; longer ones are cut. Default: what holds 99.5% of the rows, at most 512. */
  readonly maxInputTokens: number
  /** As `maxInputTokens`, of outputs. */
  readonly maxOutputTokens: number
  /** Epochs without a better validation loss after which training stops. Default 3 for a pretrained base, all of them from scratch and for a small one. */
  readonly patience: number
  /** Trains thin matrices beside those of the attention (LoRA) and merges them in at the end: little memory, small checkpoints. Default: all weights are trained. */
  readonly lowRank?: LowRankOptions
  /** Of the matrix products: `bf16` on the engines tensorflow and xla, `tf32` on xla where the device has it. Default `fp32`. */
  readonly precision?: "fp32" | "bf16" | "tf32"
  /** With `distillFrom`: share of the loss that compares with that student's answers, in [0, 1]. Default 0.5. */
  readonly distillWeight?: number
  /** With `distillFrom`: what both students' logits are divided by before they are compared, above 0. Default 2. */
  readonly distillTemperature?: number
}

/** The names of all settings. */
export const settingNames: readonly (keyof TrainingSettings)[] = [
  "epochs",
  "batchSize",
  "accumulation",
  "maxTokensPerBatch",
  "optimizer",
  "learningRate",
  "schedule",
  "warmUp",
  "weightDecay",
  "maxGradientNorm",
  "dropout",
  "labelSmoothing",
  "lossOn",
  "maxInputTokens",
  "maxOutputTokens",
  "patience",
  "lowRank",
  "precision",
  "distillWeight",
  "distillTemperature",
]

/** Longest sequence that a default reaches, so that one long row does not set the size of all. */
const mostTokens = 512

/**
 * `given`, completed. A pretrained base trains as upstream does (10 epochs at 5e-5); a base with random weights needs a larger rate and
 * enough steps, whatever the number of rows, and so does a small pretrained one.
 * @param lengths tokens of each training row's input and output, EOS included
 * @throws InputError `train.settings` for a setting that makes no sense
 */
export function chooseSettings(
  given: Partial<TrainingSettings>,
  base: { readonly isPretrained: boolean; readonly dropoutRate: number; readonly parameters?: number },
  lengths: { readonly inputs: readonly number[]; readonly outputs: readonly number[] },
): TrainingSettings {
  checkSettings(given)
  const isLarge = base.isPretrained && !isSmallModel(base)
  const rows = lengths.inputs.length
  const batchSize = given.batchSize ?? (isLarge ? 8 : batchFor(lengths))
  const stepsAnEpoch = Math.max(1, Math.ceil(rows / (batchSize * (given.accumulation ?? 1))))
  const epochs = isLarge ? 10 : Math.min(60, Math.max(5, Math.ceil(stepsFromScratch / stepsAnEpoch)))
  const maxInputTokens = given.maxInputTokens ?? coverLengths(lengths.inputs)
  const maxOutputTokens = given.maxOutputTokens ?? coverLengths(lengths.outputs)
  return {
    epochs,
    batchSize,
    accumulation: 1,
    maxTokensPerBatch: boundTokens(maxInputTokens, maxOutputTokens),
    optimizer: "adamw",
    learningRate: isLarge ? (given.lowRank ? 3e-4 : 5e-5) : 2e-3,
    schedule: "linear",
    warmUp: 0.05,
    weightDecay: isLarge ? 0 : 0.1,
    maxGradientNorm: 1,
    dropout: isLarge ? base.dropoutRate : 0.05,
    labelSmoothing: 0,
    maxInputTokens,
    maxOutputTokens,
    patience: isLarge ? 3 : (given.epochs ?? epochs),
    ...withoutUndefined(given),
  }
}

/**
 * Whether a model is so small that, pretrained or not, it learns as one from scratch does: with a large rate, in many steps, and from the input
 * alone, since an instruction tells it nothing.
 */
export function isSmallModel({ parameters }: { readonly parameters?: number }): boolean {
  return parameters !== undefined && parameters < 5e6
}

/** Steps that a small model with random weights needs before it answers well on a narrow task. */
const stepsFromScratch = 700

/** Tokens a step from scratch. */
const tokensAStep = 2560
/** Rows times the square of the longest input: attention's memory, some gigabytes at this bound. */
const attentionAStep = 1.5e6

/** Rows that have about `tokensAStep` tokens together and stay within `attentionAStep`: a power of two from 2 to 64. */
function batchFor({ inputs, outputs }: { readonly inputs: readonly number[]; readonly outputs: readonly number[] }): number {
  const sum = (lengths: readonly number[]) => lengths.reduce((total, length) => total + length, 0)
  const mean = Math.max(1, (sum(inputs) + sum(outputs)) / Math.max(1, inputs.length))
  const longest = Math.max(1, coverLengths(inputs))
  const byTokens = 2 ** Math.round(Math.log2(tokensAStep / mean))
  const byAttention = 2 ** Math.floor(Math.log2(attentionAStep / longest ** 2))
  return Math.min(64, Math.max(2, Math.min(byTokens, byAttention)))
}

/** Tokens that are computed at once: `mostTokensAtOnce`, or the rows of the greatest length whose attention stays within `attentionAStep`. */
function boundTokens(longestInput: number, longestOutput: number): number {
  const rows = Math.max(1, Math.floor(attentionAStep / longestInput ** 2))
  return Math.min(mostTokensAtOnce, rows * (longestInput + longestOutput))
}

/** Some gigabytes with a vocabulary of 32,000 tokens. */
const mostTokensAtOnce = 8192

/** A length that covers 99.5% of the rows and at most `mostTokens`. */
function coverLengths(lengths: readonly number[]): number {
  if (lengths.length === 0) return mostTokens
  const sorted = [...lengths].sort((a, b) => a - b)
  return Math.min(mostTokens, sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.995))])
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>
}

/** The learning rate of `step` (from 0) of `steps`: a straight rise over the warm-up, then what the schedule says. */
export function learningRateAt(
  step: number,
  steps: number,
  { learningRate, warmUp, schedule }: Pick<TrainingSettings, "learningRate" | "warmUp" | "schedule">,
): number {
  const rising = Math.max(1, Math.round(steps * warmUp))
  if (step < rising) return (learningRate * (step + 1)) / rising
  const left = Math.max(0, (steps - step) / Math.max(1, steps - rising))
  if (schedule === "constant") return learningRate
  return learningRate * (schedule === "cosine" ? (1 - Math.cos(Math.PI * left)) / 2 : left)
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1
const isShare = (value: number) => value >= 0 && value < 1
const rules: { readonly [Name in keyof TrainingSettings]?: readonly [(value: never) => boolean, string] } = {
  epochs: [isCount, "a whole number above 0"],
  batchSize: [isCount, "a whole number above 0"],
  accumulation: [isCount, "a whole number above 0"],
  maxTokensPerBatch: [isCount, "a whole number above 0"],
  optimizer: [(value: string) => ["adamw", "adafactor"].includes(value), "adamw or adafactor"],
  learningRate: [(value: number) => value > 0 && Number.isFinite(value), "a number above 0"],
  schedule: [(value: string) => ["linear", "cosine", "constant"].includes(value), "linear, cosine or constant"],
  warmUp: [(value: number) => value >= 0 && value <= 1, "a number from 0 to 1"],
  weightDecay: [(value: number) => value >= 0 && Number.isFinite(value), "0 or more"],
  maxGradientNorm: [(value: number) => value > 0, "a number above 0"],
  dropout: [isShare, "0 or more, and below 1"],
  labelSmoothing: [isShare, "0 or more, and below 1"],
  lossOn: [(value: string) => ["completion", "all"].includes(value), "completion or all"],
  maxInputTokens: [isCount, "a whole number above 0"],
  maxOutputTokens: [isCount, "a whole number above 0"],
  precision: [(value: string) => ["fp32", "bf16", "tf32"].includes(value), "fp32, bf16 or tf32"],
  patience: [(value: number) => value >= 1, "1 or more"],
  distillWeight: [(value: number) => value >= 0 && value <= 1, "a number from 0 to 1"],
  distillTemperature: [(value: number) => value > 0 && Number.isFinite(value), "a number above 0"],
}

function checkSettings(given: Partial<TrainingSettings>): void {
  for (const [name, [isRight, wanted]] of Object.entries(rules) as [keyof TrainingSettings, [(value: unknown) => boolean, string]][]) {
    const value = given[name]
    if (value === undefined || isRight(value)) continue
    throw new InputError("train.settings", `The setting ${name} is ${String(value)}: it must be ${wanted}.`)
  }
}
