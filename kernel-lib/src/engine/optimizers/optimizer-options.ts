// What an optimizer may be told.

interface SharedOptions {
  /** Which parameters decay. Default: those of two or more axes, so that biases and norms do not. */
  readonly decays?: (name: string, shape: readonly number[]) => boolean
  /** Gradients are scaled down together so that their norm is at most this. Default: no clipping. */
  readonly maxGradientNorm?: number
}

/** Names and defaults as PyTorch's `AdamW`. Memory: two numbers for each that is trained. */
export interface AdamWOptions extends SharedOptions {
  readonly kind?: "adamw"
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number
  /** Added to the root of the corrected second moment. Default 1e-8. */
  readonly epsilon?: number
  /** Decoupled: a step takes `learningRate * weightDecay` of each decaying parameter away. Default 0.01. */
  readonly weightDecay?: number
}

/** Names and defaults as transformers' `Adafactor` with `beta1=None`. Memory: a row and a column of numbers for each matrix. */
export interface AdafactorOptions extends SharedOptions {
  readonly kind: "adafactor"
  /** Added to squared gradients. Default 1e-30 (`eps[0]`). */
  readonly gradientEpsilon?: number
  /** The least root mean square that a parameter counts with when `scaleParameter` is on. Default 1e-3 (`eps[1]`). */
  readonly parameterEpsilon?: number
  /** The largest root mean square of a parameter's update, before the learning rate. Default 1. */
  readonly clipThreshold?: number
  /** The second moment of step t keeps `1 - t ** decayRate` of the one before. Default -0.8. */
  readonly decayRate?: number
  /** Each decaying parameter loses this share of it times its learning rate at each step. Default 0. */
  readonly weightDecay?: number
  /** Whether a parameter's learning rate is multiplied by the root mean square of its values. Default true. */
  readonly scaleParameter?: boolean
  /** Whether the learning rate of step t is `min(0.01, 1 / sqrt(t))`; the one given to a step then counts for nothing. Default true. */
  readonly relativeStep?: boolean
  /** With `relativeStep`: begin with a rate of `1e-6 * t` in place of 0.01. Default false. */
  readonly warmupInit?: boolean
}

export type OptimizerOptions = AdamWOptions | AdafactorOptions
