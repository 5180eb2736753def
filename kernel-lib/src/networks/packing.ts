// Rows of different lengths behind each other, with no padding between them. What a network does to each token by itself passes over these
// tokens alone; attention needs rows, so its queries, keys and values are laid out in a grid, and its result is picked up again.
//
// In shapes: B rows of N places, P tokens of all rows together, some of which may belong to no row, W numbers a token.
import * as tf from "@tensorflow/tfjs-core"
import { moveRows } from "../engine"

/** Which token stands where. */
export interface Packing {
  /** B and N. */
  readonly grid: readonly [rows: number, length: number]
  /** int32 [P]: the place, row * N + n, of each token, 0 for one of no row. */
  readonly places: tf.Tensor
  /** int32 [B*N]: the token of each place, 0 where there is none. */
  readonly tokens: tf.Tensor
  /** float32 [P,1]: 1 for a token that belongs to a row. */
  readonly isToken: tf.Tensor
  /** float32 [B*N,1]: 1 for a place that has a token. */
  readonly isPlace: tf.Tensor
}

/**
 * @param places int32 [P], the place of each token, -1 for one of no row
 * @param tokens int32 [B,N], the token of each place, -1 where there is none
 */
export function readPacking(places: tf.Tensor, tokens: tf.Tensor): Packing {
  const nothing = tf.scalar(-1, "int32")
  const flat = tf.reshape(tokens, [-1])
  const mark = (numbers: tf.Tensor) => tf.reshape(tf.cast(tf.notEqual(numbers, nothing), "float32"), [-1, 1])
  const known = (numbers: tf.Tensor) => tf.maximum(numbers, tf.scalar(0, "int32"))
  return {
    grid: tokens.shape as [number, number],
    places: known(places),
    tokens: known(flat),
    isToken: mark(places),
    isPlace: mark(flat),
  }
}

/** x [P,W] -> [B,N,W]; places without a token hold another's numbers, which nobody may look at */
export function layOut({ grid, tokens, places, isToken }: Packing, x: tf.Tensor): tf.Tensor {
  return tf.reshape(moveRows(x, tokens, places, isToken), [...grid, x.shape[1]!])
}

/** x [B,N,W] -> [P,W] */
export function pickUp({ tokens, places, isPlace }: Packing, x: tf.Tensor): tf.Tensor {
  return moveRows(tf.reshape(x, [-1, x.shape[2]!]), places, tokens, isPlace)
}
