// Rows of different lengths behind each other, with no padding between them. What a network does to each token by itself passes over these
// tokens alone; attention needs rows, so its queries, keys and values are laid out in a grid of each head, and its result is picked up again.
//
// In shapes: B rows of N places, P tokens of all rows together, some of which may belong to no row, H heads of K numbers.
import * as tf from "@tensorflow/tfjs-core"
import { moveRows } from "../engine"

/** Which token stands where. */
export interface Packing {
  /** B and N. */
  readonly grid: readonly [rows: number, length: number]
  /** float32 [B*N,1]: 1 for a place that has a token. */
  readonly isPlace: tf.Tensor
  /** Where the parts of tokens go that as many heads see. */
  readonly heads: ReadonlyMap<number, HeadPlaces>
}

/** One grid a head: tokens are divided into H parts, [P*H,K], and grids are behind each other, [B*H*N,K]. */
interface HeadPlaces {
  /** int32 [P*H]: the place of each part, any for a token of no row. */
  readonly places: tf.Tensor
  /** int32 [B*H*N]: the part at each place, any where there is none. */
  readonly parts: tf.Tensor
  /** float32 [P*H,1]: 1 for a part of a token that belongs to a row. */
  readonly isPart: tf.Tensor
  /** float32 [B*H*N,1]: 1 for a place that has a part. */
  readonly isPlace: tf.Tensor
}

/**
 * @param places int32 [P], the place row * N + n of each token, -1 for one of no row
 * @param tokens int32 [B,N], the token of each place, -1 where there is none
 * @param heads into how many parts tokens will be divided
 */
export function readPacking(places: tf.Tensor, tokens: tf.Tensor, heads: readonly number[]): Packing {
  const grid = tokens.shape as [number, number]
  const [isToken, isPlace] = [places, tokens].map((numbers) => tf.cast(tf.notEqual(numbers, tf.scalar(-1, "int32")), "float32"))
  const [knownPlaces, knownTokens] = [places, tokens].map((numbers) => tf.maximum(numbers, tf.scalar(0, "int32")))
  const divide = (count: number): HeadPlaces => {
    const [rows, length] = grid
    const head = tf.range(0, count, 1, "int32")
    const first = Int32Array.from({ length: rows * length }, (_, place) => Math.floor(place / length) * count * length + (place % length))
    const firstPlaces = tf.reshape(tf.gather(tf.tensor1d(first, "int32"), knownPlaces), [-1, 1])
    const firstParts = tf.reshape(tf.mul(knownTokens, tf.scalar(count, "int32")), [rows, 1, length])
    return {
      places: tf.reshape(tf.add(firstPlaces, tf.mul(tf.reshape(head, [1, count]), tf.scalar(length, "int32"))), [-1]),
      parts: tf.reshape(tf.add(firstParts, tf.reshape(head, [1, count, 1])), [-1]),
      isPart: tf.reshape(tf.tile(tf.reshape(isToken, [-1, 1]), [1, count]), [-1, 1]),
      isPlace: tf.reshape(tf.tile(tf.reshape(isPlace, [rows, 1, length]), [1, count, 1]), [-1, 1]),
    }
  }
  return { grid, isPlace: tf.reshape(isPlace, [-1, 1]), heads: new Map([...new Set(heads)].map((count) => [count, divide(count)])) }
}

/** x [B,N,H*K] or, with a packing, [P,H*K] -> [B,H,N,K]; places without a token hold another's numbers, which nobody may look at */
export function splitHeads(x: tf.Tensor, heads: number, packing?: Packing): tf.Tensor {
  const size = x.shape[x.rank - 1]! / heads
  if (!packing) return tf.transpose(tf.reshape(x, [x.shape[0], x.shape[1]!, heads, size]), [0, 2, 1, 3])
  const [rows, length] = packing.grid
  const { places, parts, isPart } = packing.heads.get(heads)!
  return tf.reshape(moveRows(tf.reshape(x, [-1, size]), parts, places, isPart), [rows, heads, length, size])
}

/** x [B,H,N,K] -> [B,N,H*K] or, with a packing, [P,H*K] */
export function joinHeads(x: tf.Tensor, packing?: Packing): tf.Tensor {
  const [rows, heads, length, size] = x.shape as [number, number, number, number]
  if (!packing) return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [rows, length, heads * size])
  const { places, parts, isPlace } = packing.heads.get(heads)!
  return tf.reshape(moveRows(tf.reshape(x, [-1, size]), places, parts, isPlace), [-1, heads * size])
}
