// Rows as the feeds of a training step: padded to a length that a graph was made for, and filled up with rows that count for nothing.
import type { NamedValues } from "../engine"
import { bucketLength } from "./length-buckets"
import type { TrainingRow } from "./student"
import type { T5Configuration } from "./t5-configuration"
import { cutTokens } from "./t5-student"

/** A label that the loss leaves out. */
const ignored = -100

export interface RowLimits {
  readonly maxInputTokens?: number
  readonly maxOutputTokens?: number
}

/** `row`, cut to `limits`. */
export function cutRow(row: TrainingRow, { maxInputTokens, maxOutputTokens }: RowLimits): TrainingRow {
  return { inputIds: cutTokens(row.inputIds, maxInputTokens), labelIds: cutTokens(row.labelIds, maxOutputTokens) }
}

/**
 * The feeds of `t5Loss` for up to `batchSize` rows: inputIds and decoderIds int32, inputMask float32, labels int32.
 * The decoder reads the labels one place later, after the start token.
 */
export function makeBatch(rows: readonly TrainingRow[], batchSize: number, { padId, decoderStartId }: T5Configuration): NamedValues {
  const source = bucketLength(Math.max(...rows.map((row) => row.inputIds.length)))
  const target = bucketLength(Math.max(...rows.map((row) => row.labelIds.length)))
  const inputIds = new Int32Array(batchSize * source).fill(padId)
  const inputMask = new Float32Array(batchSize * source)
  const decoderIds = new Int32Array(batchSize * target).fill(padId)
  const labels = new Int32Array(batchSize * target).fill(ignored)
  rows.forEach((row, at) => {
    inputIds.set(row.inputIds, at * source)
    inputMask.fill(1, at * source, at * source + row.inputIds.length)
    labels.set(row.labelIds, at * target)
    decoderIds[at * target] = decoderStartId
    decoderIds.set(row.labelIds.slice(0, target - 1), at * target + 1)
  })
  return {
    inputIds: { shape: [batchSize, source], data: inputIds },
    inputMask: { shape: [batchSize, source], data: inputMask },
    decoderIds: { shape: [batchSize, target], data: decoderIds },
    labels: { shape: [batchSize, target], data: labels },
  }
}

/** Tokens of input and output together, padding left out. */
export function countTokens(rows: readonly TrainingRow[]): number {
  return rows.reduce((sum, row) => sum + row.inputIds.length + row.labelIds.length, 0)
}
