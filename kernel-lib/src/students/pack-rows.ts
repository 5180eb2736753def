// Rows behind each other, as networks/packing.ts reads them: which token stands at which place of a grid, and the other way round.
import type { TensorValue } from "../engine"
import { bucketLength } from "./length-buckets"

/** Of B rows with N places each and P tokens in all. */
export interface PackedRows {
  /** int32 [P]: the place, row * N + n, of each token; -1 for tokens of no row, which fill up. */
  readonly places: TensorValue
  /** int32 [B,N]: the token of each place; -1 where there is none. */
  readonly tokens: TensorValue
}

/**
 * @param rows their token ids
 * @param numRows B, with rows that have no token
 * @param length N, no shorter than the longest row. Default: the next bucket
 * @param roundTokens what P is rounded up to, at most to every place of the grid. Default: the next bucket
 */
export function packRows(
  rows: readonly (readonly number[])[],
  numRows: number,
  length = bucketLength(Math.max(...rows.map((row) => row.length))),
  roundTokens = bucketLength,
): PackedRows {
  const tokensInAll = rows.reduce((sum, row) => sum + row.length, 0)
  const count = Math.min(numRows * length, roundTokens(tokensInAll))
  const places = new Int32Array(count).fill(-1)
  const tokens = new Int32Array(numRows * length).fill(-1)
  let token = 0
  for (const [row, ids] of rows.entries()) {
    for (let at = 0; at < ids.length; at++) {
      places[token] = row * length + at
      tokens[row * length + at] = token++
    }
  }
  return { places: { shape: [count], data: places }, tokens: { shape: [numRows, length], data: tokens } }
}

/** int32 [P]: the rows' ids behind each other, and `filler` for tokens of no row. */
export function fillTokens(rows: readonly (readonly number[])[], { places }: PackedRows, filler: number): TensorValue {
  const data = new Int32Array(places.data.length).fill(filler)
  data.set(rows.flat())
  return { shape: places.shape, data }
}
