// Sorting of rows by several columns: each column's values become ranks, and ranks are counted, so that time grows with the rows alone.
import type { ColumnKind, SortKey } from "../protocol"
import { numberOf, textOf } from "./summaries"
import type { Cells } from "./table"

/** The keys of all rows seen; missing ones stand last either way. */
export class Sorter {
  private numbers = new Float64Array(1024)
  private readonly texts: (string | null)[] = []
  private numRows = 0

  constructor(
    readonly key: SortKey,
    private readonly kind: ColumnKind,
  ) {}

  /** Takes in the next rows. */
  add(values: Cells): void {
    const start = this.numRows
    this.numRows += values.length
    if (this.kind === "text") {
      for (let index = 0; index < values.length; index++) this.texts.push(values[index] === null ? null : textOf(values[index]))
      return
    }
    if (this.numRows > this.numbers.length) {
      const larger = new Float64Array(Math.max(this.numbers.length * 2, this.numRows))
      larger.set(this.numbers)
      this.numbers = larger
    }
    for (let index = 0; index < values.length; index++) this.numbers[start + index] = numberOf(values[index])
  }

  /** For each of these rows how many different values stand before its own. */
  rank(rows: Uint32Array): { ranks: Uint32Array; count: number } {
    const { ranks, count } = this.kind === "text" ? rankTexts(rows, this.texts) : rankNumbers(rows, this.numbers)
    if (this.key.isDescending)
      for (let index = 0; index < ranks.length; index++) if (ranks[index] < count) ranks[index] = count - 1 - ranks[index]
    return { ranks, count: count + 1 }
  }
}

function rankTexts(rows: Uint32Array, texts: readonly (string | null)[]): { ranks: Uint32Array; count: number } {
  const known = new Map<string, number>()
  for (const row of rows) {
    const text = texts[row]
    if (text !== null) known.set(text, 0)
  }
  const sorted = [...known.keys()].sort()
  for (let rank = 0; rank < sorted.length; rank++) known.set(sorted[rank], rank)
  const ranks = new Uint32Array(rows.length)
  for (let index = 0; index < rows.length; index++) {
    const text = texts[rows[index]]
    ranks[index] = text === null ? sorted.length : known.get(text)!
  }
  return { ranks, count: sorted.length }
}

function rankNumbers(rows: Uint32Array, numbers: Float64Array): { ranks: Uint32Array; count: number } {
  const sorted = new Float64Array(rows.length)
  for (let index = 0; index < rows.length; index++) sorted[index] = numbers[rows[index]]
  sorted.sort()
  let count = 0
  for (let index = 0; index < sorted.length && !Number.isNaN(sorted[index]); index++) {
    if (count === 0 || sorted[index] !== sorted[count - 1]) sorted[count++] = sorted[index]
  }
  const ranks = new Uint32Array(rows.length)
  for (let index = 0; index < rows.length; index++) {
    const number = numbers[rows[index]]
    ranks[index] = Number.isNaN(number) ? count : placeOf(number, sorted, count)
  }
  return { ranks, count }
}

function placeOf(number: number, sorted: Float64Array, count: number): number {
  let [low, high] = [0, count - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] < number) low = middle + 1
    else high = middle
  }
  return low
}

/** `rows` in the order of the first key, where that is equal of the second, and so on, and else in their own. */
export function sortRows(rows: Uint32Array, sorters: readonly Sorter[]): Uint32Array {
  let order = Uint32Array.from(rows, (_row, index) => index)
  for (const sorter of [...sorters].reverse()) {
    const { ranks, count } = sorter.rank(rows)
    const starts = new Uint32Array(count + 1)
    for (const rank of ranks) starts[rank + 1]++
    for (let rank = 0; rank < count; rank++) starts[rank + 1] += starts[rank]
    const next = new Uint32Array(order.length)
    for (const index of order) next[starts[ranks[index]]++] = index
    order = next
  }
  return order.map((index) => rows[index])
}
