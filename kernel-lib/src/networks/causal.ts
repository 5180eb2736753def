// What decoder-only networks (GPT-2, Llama) have in common: who may see whom, attention in which several query heads share keys and
// values, and the places whose next token is wanted. Padding comes after a row, so that no token ever sees it.
//
// In shapes: B rows, N tokens or beams with queries, M keys, H query heads, G key heads, K numbers a head, D model.
import * as tf from "@tensorflow/tfjs-core"
import { unseen } from "./t5"

/**
 * Puts a layer's new keys and values [B,G,N,K] where they belong and answers all that its queries may look at [B,G,M,K]: in training
 * they are the same, in decoding the cache.
 */
export type Remember = (layer: number, key: tf.Tensor, value: tf.Tensor) => readonly [keys: tf.Tensor, values: tf.Tensor]

/** Nothing was there before. */
export const rememberNothing: Remember = (_layer, key, value) => [key, value]

/** [1,1,N,N]: nobody sees what comes after. */
export function causalMask(length: number): tf.Tensor {
  const values = Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? unseen : 0))
  return tf.tensor4d(values, [1, 1, length, length])
}

/**
 * A mask for queries of several heads under each other, as `attendGrouped` has them.
 * @param mask [B or 1,1,N or 1,M]
 * @returns the same for [B,G,(H/G)*N,M]
 */
export function repeatMask(mask: tf.Tensor, times: number): tf.Tensor {
  return mask.shape[2] === 1 ? mask : tf.tile(mask, [1, 1, times, 1])
}

/**
 * Scaled dot-product attention. The H/G query heads that share a key head stand under each other as rows of one product, so that keys and
 * values are never repeated.
 * @param query [B,H,N,K]
 * @param key [B,G,M,K], and value
 * @param mask added to the scores, for [B,G,(H/G)*N,M]
 * @param drop drops out attention's weights
 * @returns [B,H,N,K]
 */
export function attendGrouped(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  mask: tf.Tensor,
  scale: number,
  drop: (x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  const [rows, heads, length, size] = query.shape as [number, number, number, number]
  const keyHeads = key.shape[1]!
  const grouped = tf.reshape(query, [rows, keyHeads, (heads / keyHeads) * length, size])
  const scores = tf.add(tf.mul(tf.matMul(grouped, key, false, true), scale), mask)
  return tf.reshape(tf.matMul(drop(tf.softmax(scores)), value), [rows, heads, length, size])
}

/** The states at `places`, counted through all rows. x [B,N,D], places int32 [P] -> [P,D] */
export function pickPlaces(x: tf.Tensor, places: tf.Tensor): tf.Tensor {
  const width = x.shape[x.rank - 1]!
  return tf.gather(tf.reshape(x, [-1, width]), places)
}
