// Low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685): a matrix W that stays as it is, and beside it the product of two thin ones that
// is learnt. `linear` computes W x + scale B (A x): two thin products instead of one with W + scale B A, whose gradient would be a whole matrix.
import * as tf from "@tensorflow/tfjs-core"
import type { RandomStream } from "./random-stream"

export interface LowRankAdapter {
  /** A: [rank, inputs] */
  readonly down: tf.Tensor
  /** B: [outputs, rank] */
  readonly up: tf.Tensor
  readonly scale: number
  /** Share of the adapter's inputs that is dropped in training. */
  readonly dropout: number
  readonly random: RandomStream | undefined
}

const adapters = new WeakMap<tf.Tensor, LowRankAdapter>()

/** Every `linear` with the tensor `weight` takes `adapter` along. */
export function adaptWeight(weight: tf.Tensor, adapter: LowRankAdapter): void {
  adapters.set(weight, adapter)
}

/**
 * What the adapter of `weight` adds to its product.
 * @param x [rows, inputs]
 * @param drop the engine's dropout
 * @returns [rows, outputs]; undefined where `weight` has none
 */
export function applyAdapter(
  x: tf.Tensor2D,
  weight: tf.Tensor,
  drop: (x: tf.Tensor, rate: number, random: RandomStream | undefined) => tf.Tensor,
): tf.Tensor | undefined {
  const adapter = adapters.get(weight)
  if (!adapter) return undefined
  const { down, up, scale, dropout, random } = adapter
  const inner = tf.matMul(drop(x, dropout, random) as tf.Tensor2D, down as tf.Tensor2D, false, true) // [rows, rank]
  return tf.matMul(tf.mul(inner, scale), up as tf.Tensor2D, false, true)
}
