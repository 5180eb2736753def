// Random numbers that are drawn where the network runs, from a key: equal seed, step and order of calls give equal numbers on every engine.
//
// Word k of a key is murmur3's finalizer over k and the key, twice. A dropout mask over `rows` x `columns` takes rows + columns words and
// compares their products (modulo 2^32) with a threshold: multiply-shift hashing, pairwise independent, at one multiplication an element.
import type * as tf from "@tensorflow/tfjs-core"

/** Hands out disjoint parts of a key's words, in order of the calls: one for each forward pass. */
export class RandomStream {
  private taken = 0

  /** @param key int32 [2], from `randomKey(seed, step)`; a graph takes it as an input. */
  constructor(readonly key: tf.Tensor1D) {}

  /** The position of `count` words that nobody else gets. */
  take(count: number): number {
    const position = this.taken
    this.taken += count
    return position
  }
}

/** The key of a step: int32 [2]. */
export function randomKey(seed: number, step: number): Int32Array {
  const mixedSeed = mixBits(Math.imul(seed | 0, goldenRatio) + 1)
  return Int32Array.of(mixBits(mixedSeed ^ step), mixBits(mixBits(step + mixedSeed) ^ goldenRatio))
}

/** Words `offset` to `offset + count` of `key`. */
export function drawWords(key: Int32Array, offset: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => mixBits(mixBits(Math.imul(offset + index, goldenRatio) + key[0]) + key[1]))
}

/** 2^32 divided by the golden ratio, odd: spreads consecutive counters over all bits. */
export const goldenRatio = 0x9e3779b9 | 0

/** The multipliers and shifts of murmur3's finalizer, in order: shift, multiply, shift, multiply, shift. */
export const mixing = { shifts: [16, 13, 16], multipliers: [0x85ebca6b | 0, 0xc2b2ae35 | 0] } as const

/** murmur3's 32-bit finalizer: every input bit changes every output bit with a chance near one half. */
export function mixBits(word: number): number {
  let mixed = word | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), mixing.multipliers[0])
  mixed = Math.imul(mixed ^ (mixed >>> 13), mixing.multipliers[1])
  return mixed ^ (mixed >>> 16)
}

/** How a mask of `shape` is laid out as rows x columns: the cut between axes that needs the fewest words. */
export function maskLayout(shape: readonly number[]): { readonly rows: number; readonly columns: number } {
  const size = shape.reduce((product, length) => product * length, 1)
  let best = { rows: size, columns: 1 }
  let columns = 1
  for (const length of [...shape].reverse()) {
    columns *= length
    if (size / columns + columns < best.rows + best.columns) best = { rows: size / columns, columns }
  }
  return best
}

/** The signed word below which an element is dropped: `rate` of all words are. A multiple of 256, so that it is exact in float32. */
export function dropThreshold(rate: number): number {
  return Math.round((rate * 2 ** 32 - 2 ** 31) / 256) * 256
}

/** The largest word that is dropped: words are compared as float32, which rounds the ones next to the threshold to it. */
export function largestDropped(rate: number): number {
  const threshold = dropThreshold(rate)
  let word = threshold
  while (Math.fround(word + 1) <= threshold) word++
  return word
}
