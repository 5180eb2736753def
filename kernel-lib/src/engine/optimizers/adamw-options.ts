// What AdamW may be told.

/** Names and defaults as PyTorch's `AdamW`. */
export interface AdamWOptions {
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number
  /** Added to the root of the corrected second moment. Default 1e-8. */
  readonly epsilon?: number
  /** Decoupled: a step takes `learningRate * weightDecay` of each decaying parameter away. Default 0.01. */
  readonly weightDecay?: number
  /** Which parameters decay. Default: those of two or more axes, so that biases and norms do not. */
  readonly decays?: (name: string, shape: readonly number[]) => boolean
  /** Gradients are scaled down together so that their norm is at most this. Default: no clipping. */
  readonly maxGradientNorm?: number
}
