// From a text's states to one vector, as sentence-transformers does it: pooled over the tokens, through fully connected layers, to length 1.
//
// In shapes: B rows, S tokens, D model.
import * as tf from "@tensorflow/tfjs-core"
import { linear, type NamedTensors } from "../engine"

/** sentence-transformers' words for them; several are put side by side. */
export const poolingModes = ["cls", "max", "mean", "mean_sqrt_len_tokens"] as const
export type PoolingMode = (typeof poolingModes)[number]

/**
 * @param states [B,S,D]
 * @param mask float32 [B,S], 1 where there is a token
 * @returns [B,D] for each mode, side by side
 */
export function poolStates(states: tf.Tensor, mask: tf.Tensor, modes: readonly PoolingMode[]): tf.Tensor {
  const [rows, length, width] = states.shape as [number, number, number]
  const pool = (mode: PoolingMode): tf.Tensor => {
    if (mode === "cls") return tf.reshape(tf.slice(states, [0, 0, 0], [rows, 1, width]), [rows, width])
    if (mode === "max") return tf.max(tf.add(states, tf.mul(tf.reshape(tf.sub(1, mask), [rows, length, 1]), -1e9)), 1)
    const sums = tf.reshape(tf.matMul(tf.reshape(mask, [rows, 1, length]), states), [rows, width])
    const counts = tf.maximum(tf.sum(mask, 1, true), 1e-9) // [B,1]
    return tf.div(sums, mode === "mean" ? counts : tf.sqrt(counts))
  }
  return modes.length === 1 ? pool(modes[0]) : tf.concat(modes.map(pool), 1)
}

/** A fully connected layer behind the pooling. */
export interface ProjectionLayer {
  /** Its weights are `NAME.weight` [outputs, inputs] and, where there is one, `NAME.bias`. */
  readonly name: string
  readonly activation: "tanh" | "relu" | "none"
}

/** x [B, inputs] -> [B, outputs] */
export function projectVector({ name, activation }: ProjectionLayer, weights: NamedTensors, x: tf.Tensor): tf.Tensor {
  const bias = `${name}.bias` in weights ? weights[`${name}.bias`] : undefined
  const y = linear(x, weights[`${name}.weight`], bias, { transposeWeight: true })
  if (activation === "none") return y
  return activation === "tanh" ? tf.tanh(y) : tf.relu(y)
}

/** x [B,D] -> [B,D], each row of length 1 */
export function normalizeVector(x: tf.Tensor): tf.Tensor {
  return tf.div(x, tf.maximum(tf.sqrt(tf.sum(tf.square(x), 1, true)), 1e-12))
}
