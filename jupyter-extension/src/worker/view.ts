// The rows that match a query, in its order. Found chunk by chunk, so that the first are there at once and a later query ends it.
import { type Filter, isEverything, type Query, type SortKey, type ViewState } from "../protocol"
import { numberOf, textOf } from "./summaries"
import type { Cells, Table } from "./table"

/** Lets messages in between two chunks. */
export function letOthersGo(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

export class View {
  /** Rows of the file, in order; undefined where it is every row. */
  private order: Uint32Array | undefined
  private found = new Uint32Array(1024)
  private matches = 0
  private seen = 0
  private isDone = false
  private isEnded = false
  private version: number

  constructor(
    private readonly table: Table,
    private readonly query: Query,
    private readonly tell: (state: ViewState) => void,
    number: number,
  ) {
    // No two views have a version in common.
    this.version = number * 1000
  }

  get state(): ViewState {
    if (isEverything(this.query)) {
      const { numRows, isIndexed } = this.table
      return { matches: numRows, seen: numRows, isDone: isIndexed, version: this.version }
    }
    const { seen, isDone, version } = this
    return { matches: this.order ? this.order.length : this.matches, seen, isDone, version }
  }

  end(): void {
    this.isEnded = true
  }

  rows(start: number, end: number): number[] {
    const last = Math.min(end, this.state.matches)
    const order = this.order ?? this.found
    const isAll = isEverything(this.query)
    return Array.from({ length: Math.max(0, last - start) }, (_none, index) => (isAll ? start + index : order[start + index]))
  }

  placeOf(row: number): number {
    if (isEverything(this.query)) return row < this.table.numRows ? row : -1
    return (this.order ?? this.found.subarray(0, this.matches)).indexOf(row)
  }

  /** Goes through the file once. @throws what reading throws */
  async run(): Promise<void> {
    if (isEverything(this.query)) return
    const sorters = this.query.sort.map((key) => new Sorter(key, this.table.kindOf(key.column)))
    let told = 0
    let sortAt = 0
    for (let chunk = 0; ; chunk++) {
      while (chunk >= this.table.chunks.length && !this.table.isIndexed) await this.table.advance()
      if (this.isEnded || chunk >= this.table.chunks.length) break
      const { start, numRows } = this.table.chunks[chunk]
      const keep = await matchRows(this.table, chunk, this.query)
      for (const sorter of sorters) sorter.add(start, numRows, await this.table.column(chunk, sorter.key.column))
      if (this.isEnded) return
      this.take(start, numRows, keep)
      this.seen = start + numRows
      if (performance.now() - told > 120) {
        // Each sorting of what is there costs more than the last, so that it is done again when there is half as much again.
        if (sorters.length > 0 && this.seen >= sortAt) {
          this.sort(sorters)
          sortAt = this.seen * 1.5
        }
        this.tell(this.state)
        told = performance.now()
      }
      await letOthersGo()
    }
    if (this.isEnded) return
    if (sorters.length > 0) this.sort(sorters)
    this.isDone = true
    this.tell(this.state)
  }

  private take(start: number, numRows: number, keep: Uint8Array | undefined): void {
    if (this.matches + numRows > this.found.length) {
      const larger = new Uint32Array(Math.max(this.found.length * 2, this.matches + numRows))
      larger.set(this.found.subarray(0, this.matches))
      this.found = larger
    }
    for (let index = 0; index < numRows; index++) if (!keep || keep[index]) this.found[this.matches++] = start + index
  }

  private sort(sorters: readonly Sorter[]): void {
    const order = this.found.slice(0, this.matches)
    // Rows that are equal stay in the file's order.
    order.sort((a, b) => {
      for (const sorter of sorters) {
        const difference = sorter.compare(a, b)
        if (difference !== 0) return difference
      }
      return a - b
    })
    this.order = order
    this.version++
  }
}

/** The keys of all rows seen, by which they are sorted; missing ones stand last either way. */
class Sorter {
  private numbers = new Float64Array(1024)
  private readonly texts: string[] = []
  private readonly sign: 1 | -1
  readonly compare: (a: number, b: number) => number

  constructor(
    readonly key: SortKey,
    kind: string,
  ) {
    this.sign = key.isDescending ? -1 : 1
    this.compare = kind === "text" ? (a, b) => this.compareTexts(a, b) : (a, b) => this.compareNumbers(a, b)
    this.isText = kind === "text"
  }

  private readonly isText: boolean

  add(start: number, numRows: number, values: Cells): void {
    if (this.isText) {
      for (let index = 0; index < numRows; index++) {
        const value = values[index]
        this.texts[start + index] = value === null ? missingText : textOf(value)
      }
      return
    }
    if (start + numRows > this.numbers.length) {
      const larger = new Float64Array(Math.max(this.numbers.length * 2, start + numRows))
      larger.set(this.numbers)
      this.numbers = larger
    }
    for (let index = 0; index < numRows; index++) this.numbers[start + index] = numberOf(values[index])
  }

  private compareNumbers(a: number, b: number): number {
    const [first, second] = [this.numbers[a], this.numbers[b]]
    if (first === second) return 0
    if (Number.isNaN(first)) return Number.isNaN(second) ? 0 : 1
    if (Number.isNaN(second)) return -1
    return first < second ? -this.sign : this.sign
  }

  private compareTexts(a: number, b: number): number {
    const [first, second] = [this.texts[a], this.texts[b]]
    if (first === second) return 0
    if (first === missingText) return 1
    if (second === missingText) return -1
    return first < second ? -this.sign : this.sign
  }
}

const missingText = "\uffff missing"

/** Which rows of a chunk match; undefined where all do. */
async function matchRows(table: Table, chunk: number, { search, filters }: Query): Promise<Uint8Array | undefined> {
  const { numRows } = table.chunks[chunk]
  if (filters.length === 0 && search === "") return undefined
  const keep = new Uint8Array(numRows).fill(1)
  for (const filter of filters) {
    const values = await table.column(chunk, filter.column)
    const matches = matcherOf(filter)
    for (let index = 0; index < numRows; index++) if (keep[index] && !matches(values[index])) keep[index] = 0
  }
  if (search === "") return keep
  const isFound = new Uint8Array(numRows)
  const wanted = new RegExp(search.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu")
  for (const { name } of table.columns) {
    const values = await table.column(chunk, name)
    for (let index = 0; index < numRows; index++) {
      if (keep[index] && !isFound[index] && values[index] !== null && wanted.test(textOf(values[index]))) isFound[index] = 1
    }
  }
  return keep.map((kept, index) => kept & isFound[index])
}

function matcherOf(filter: Filter): (value: Cells[number]) => boolean {
  if (filter.kind === "missing") return (value) => value === null || value === ""
  if (filter.kind === "values") {
    const values = new Set(filter.values)
    return (value) => value !== null && values.has(textOf(value))
  }
  const { low, high, isLast, kind } = filter
  const measure = kind === "range" ? numberOf : (value: Cells[number]) => (value === null ? Number.NaN : textOf(value).length)
  return (value) => {
    const number = measure(value)
    return number >= low && (isLast ? number <= high : number < high)
  }
}
