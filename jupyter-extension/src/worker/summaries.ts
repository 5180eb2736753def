// What a header shows of its column: a histogram of numbers, times or lengths of text, or how often each of a few values stands there.
import type { Cell, ColumnKind, ColumnSummary } from "../protocol"
import type { Cells } from "./table"

const numBins = 24
/** A column of more different values than this is text. */
const mostValues = 24
const longestValue = 60

/** Takes in a column chunk by chunk. */
export class SummaryBuilder {
  private seen = 0
  private missing = 0
  private counts: Map<string, number> | undefined = new Map()
  /** Numbers, or lengths of text; one array a chunk. */
  private readonly numbers: Float64Array[] = []

  constructor(
    private readonly column: string,
    private readonly kind: ColumnKind,
  ) {}

  add(values: Cells): void {
    const numbers = new Float64Array(values.length)
    for (let index = 0; index < values.length; index++) {
      const value = values[index]
      const number = this.kind === "text" ? (value === null ? Number.NaN : textOf(value).length) : numberOf(value)
      numbers[index] = number
      if (Number.isNaN(number)) this.missing++
      if (this.counts && value !== null && this.kind === "text") this.count(textOf(value))
    }
    this.numbers.push(numbers)
    this.seen += values.length
  }

  private count(text: string): void {
    const counts = this.counts!
    counts.set(text, (counts.get(text) ?? 0) + 1)
    if (counts.size > mostValues || text.length > longestValue) this.counts = undefined
  }

  summarise(): ColumnSummary {
    const { column, seen, missing, counts } = this
    const known = { column, seen, missing }
    if (seen === missing) return { ...known, kind: "nothing" }
    if (this.kind === "text" && counts && (counts.size * 2 <= seen || counts.size <= 2)) {
      const values = [...counts].map(([value, rows]) => ({ value, rows })).sort((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1))
      return { ...known, kind: "values", values }
    }
    return { ...known, kind: this.kind === "text" ? "length" : this.kind, ...binNumbers(this.numbers, this.kind !== "date") }
  }
}

function binNumbers(arrays: readonly Float64Array[], mayBeWhole: boolean) {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let isWhole = mayBeWhole
  for (const numbers of arrays) {
    for (let index = 0; index < numbers.length; index++) {
      const number = numbers[index]
      if (number < low) low = number
      if (number > high) high = number
      if (isWhole && number % 1 !== 0 && !Number.isNaN(number)) isWhole = false
    }
  }
  // Whole numbers take as much room as there are of them, or the last bin would hold more than the others.
  const width = isWhole ? high - low + 1 : high - low
  const count = isWhole ? Math.min(numBins, width) : width === 0 ? 1 : numBins
  const bins = new Array<number>(count).fill(0)
  const scale = width > 0 ? count / width : 0
  for (const numbers of arrays) {
    for (let index = 0; index < numbers.length; index++) {
      const number = numbers[index]
      if (number >= low) bins[Math.min(count - 1, Math.floor((number - low) * scale))]++
    }
  }
  return { low, high, bins, isWhole }
}

/** As a number where it is one; NaN where it is missing or is none. Infinities are none: nothing can be drawn of them. */
export function numberOf(value: Cell): number {
  if (value === null || value === "" || value === undefined) return Number.NaN
  const number = Number(value)
  return Number.isFinite(number) ? number : Number.NaN
}

export function textOf(value: Cell): string {
  return typeof value === "string" ? value : value === null ? "" : String(value)
}
