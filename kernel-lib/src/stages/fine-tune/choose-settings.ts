// The settings of a training: what the caller gave, and a default for all else that fits the base model and the data.
export interface TrainingSettings {
  /** Passes over the training rows. */
  readonly epochs: number
  /** Rows a step. */
  readonly batchSize: number
  /** Peak learning rate. */
  readonly learningRate: number
  /** Share of the steps over which the learning rate rises; then it falls in a straight line to zero. */
  readonly warmUp: number
  /** AdamW's decoupled decay of matrices. */
  readonly weightDecay: number
  /** Largest norm of the gradient over all weights. */
  readonly maxGradientNorm: number
  readonly dropout: number
  /** Longest input and output in the student's tokens; longer rows are cut. */
  readonly maxInputTokens: number
  readonly maxOutputTokens: number
  /** Epochs without a better validation loss after which training stops. */
  readonly patience: number
}

/** Longest sequence that a default reaches, so that one long row does not set the size of all. */
const mostTokens = 512

/**
 * `given`, completed. A pretrained base trains as upstream does (10 epochs at 5e-5); a base with random weights needs a larger rate and
 * enough steps, whatever the number of rows.
 * @param lengths tokens of each training row's input and output, EOS included
 */
export function chooseSettings(
  given: Partial<TrainingSettings>,
  base: { readonly isPretrained: boolean },
  lengths: { readonly inputs: readonly number[]; readonly outputs: readonly number[] },
): TrainingSettings {
  const rows = lengths.inputs.length
  const batchSize = given.batchSize ?? (base.isPretrained ? 8 : batchFor(lengths))
  const stepsAnEpoch = Math.max(1, Math.ceil(rows / batchSize))
  const epochs = base.isPretrained ? 10 : Math.min(60, Math.max(5, Math.ceil(stepsFromScratch / stepsAnEpoch)))
  return {
    epochs,
    batchSize,
    learningRate: base.isPretrained ? 5e-5 : 2e-3,
    warmUp: 0.05,
    weightDecay: base.isPretrained ? 0 : 0.1,
    maxGradientNorm: 1,
    dropout: base.isPretrained ? 0.1 : 0.05,
    maxInputTokens: coverLengths(lengths.inputs),
    maxOutputTokens: coverLengths(lengths.outputs),
    patience: base.isPretrained ? 3 : epochs,
    ...withoutUndefined(given),
  }
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

/** A length that covers 99.5% of the rows and at most `mostTokens`. */
function coverLengths(lengths: readonly number[]): number {
  if (lengths.length === 0) return mostTokens
  const sorted = [...lengths].sort((a, b) => a - b)
  return Math.min(mostTokens, sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.995))])
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>
}

/** The learning rate of `step` (from 0) of `steps`: a straight rise over the warm-up, then a straight fall to zero. */
export function learningRateAt(
  step: number,
  steps: number,
  { learningRate, warmUp }: Pick<TrainingSettings, "learningRate" | "warmUp">,
): number {
  const rising = Math.max(1, Math.round(steps * warmUp))
  if (step < rising) return (learningRate * (step + 1)) / rising
  return learningRate * Math.max(0, (steps - step) / Math.max(1, steps - rising))
}
