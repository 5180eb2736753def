// The order in which rows are trained: shuffled, with rows of like length in one batch, so that little is padded.
import type { Random } from "../../core/random"

/** Batches whose rows are sorted by length together; more mean less padding and less chance. */
const batchesInPool = 16

/**
 * Row numbers by batch, for one epoch. Each row stands in exactly one batch; all but the last batch of a pool have `batchSize` rows.
 * @param lengths a row's length, in any unit
 */
export function planBatches(lengths: readonly number[], batchSize: number, random: Random): number[][] {
  const order = random.shuffle(lengths.keys())
  const batches: number[][] = []
  for (let start = 0; start < order.length; start += batchSize * batchesInPool) {
    const pool = order.slice(start, start + batchSize * batchesInPool).sort((a, b) => lengths[a] - lengths[b])
    for (let at = 0; at < pool.length; at += batchSize) batches.push(pool.slice(at, at + batchSize))
  }
  return random.shuffle(batches)
}
