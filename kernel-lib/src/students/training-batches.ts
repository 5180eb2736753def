// Rows made into batches: how many go together, what they are padded to, and how much each batch counts.
import type { NamedValues } from "../engine"
import type { Architecture, TrainingRow } from "./architecture"
import { bucketLength, bucketTokens } from "./length-buckets"

/** A batch's feeds, and how much it counts among others. */
export interface Batch {
  readonly feeds: NamedValues
  /** Targets of the loss. */
  readonly weight: number
}

export interface BatchOptions {
  /** Rows of a batch at most; a step on more of them takes several batches' gradients together. */
  readonly batchSize: number
  /**
   * Tokens of a batch at most, padding included: more are computed in parts whose gradients count together, which bounds memory and changes
   * no number. Default: no bound.
   */
  readonly maxTokensPerBatch?: number
  /** What batches are padded to: of each kind of length (`measureRow`), the lengths to choose from, ascending. Default: fixed buckets. */
  readonly lengths?: readonly (readonly number[])[]
  /**
   * Whether batches of one shape have about as many tokens as each other, so that few graphs serve them although hardly a token is padded.
   * Default false.
   */
  readonly areTokensEven?: boolean
}

/**
 * Batches of at most `batchSize` rows in the order of `rows`, which are cut, and of fewer where `maxTokensPerBatch` asks for it. All have
 * `batchSize` rows, half of them, a quarter ..., so that graphs are few.
 */
export function makeBatches(model: Architecture, rows: readonly TrainingRow[], options: BatchOptions): Batch[] {
  const { batchSize, maxTokensPerBatch = Number.POSITIVE_INFINITY, areTokensEven } = options
  return split(rows, batchSize).flatMap((group) => {
    const lengths = padLengths(model, group, options)
    const tokensARow = lengths?.reduce((sum, one) => sum + one, 0) ?? Math.max(...group.map((row) => countTokens([row])))
    let most = batchSize
    while (most > 1 && most * tokensARow > maxTokensPerBatch) most = Math.ceil(most / 2)
    return split(group, most).map((part) => {
      let size = most
      while (size > 1 && Math.ceil(size / 2) >= part.length) size = Math.ceil(size / 2)
      const feeds = model.makeBatch(part, size, lengths, areTokensEven ? bucketTokens : bucketLength)
      return { feeds, weight: countTargets(feeds) ?? part.length }
    })
  })
}

/** `rows`, which are cut, from the shortest to the longest as they would be padded. */
export function sortByLength(model: Architecture, rows: readonly TrainingRow[], options: BatchOptions): TrainingRow[] {
  const length = (row: TrainingRow) => padLengths(model, [row], options)?.reduce((sum, one) => sum + one, 0) ?? row.inputIds.length
  return [...rows].sort((a, b) => length(a) - length(b))
}

/** Tokens of input and output together, padding left out. */
export function countTokens(rows: readonly TrainingRow[]): number {
  return rows.reduce((sum, row) => sum + row.inputIds.length + row.labelIds.length, 0)
}

/** The shortest of `lengths` that hold the rows; what is longer than all of them has a bucket's length. */
function padLengths(model: Architecture, rows: readonly TrainingRow[], { lengths }: BatchOptions): number[] | undefined {
  if (!lengths || !model.paddedLengths) return undefined
  const each = rows.map((row) => model.paddedLengths!(row))
  return each[0].map((_, kind) => {
    const longest = Math.max(...each.map((row) => row[kind]))
    return lengths[kind]?.find((length) => length >= longest) ?? bucketLength(longest)
  })
}

/** How many labels of a batch are learnt; undefined where a family calls them something else. */
function countTargets({ labels }: NamedValues): number | undefined {
  return labels && (labels.data as Int32Array).reduce((count, label) => (label === -100 ? count : count + 1), 0)
}

function split<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
