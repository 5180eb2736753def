// The rows that match a query, in its order. Found chunk by chunk, so that the first are there at once and a later query ends it.
import { type Filter, isEverything, type Query, type ViewState } from "../protocol"
import { Sorter, sortRows } from "./sort-rows"
import { numberOf, textOf } from "./summaries"
import type { Cells, Table } from "./table"
import { Trouble } from "./trouble"

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
  private running: Promise<void> = Promise.resolve()

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
  run(): Promise<void> {
    if (!isEverything(this.query)) this.running = this.goThrough()
    return this.running
  }

  /** When all of its rows are known. @throws what reading throws, and Trouble where another view has ended it */
  async whenDone(): Promise<void> {
    while (!this.table.isIndexed) await this.table.advance()
    await this.running
    if (this.isEnded) throw new Trouble("Other rows were asked for meanwhile: export again.")
  }

  private async goThrough(): Promise<void> {
    const sorters = this.query.sort.map((key) => new Sorter(key, this.table.kindOf(key.column)))
    let told = 0
    let sortAt = 0
    for (let chunk = 0; ; chunk++) {
      while (chunk >= this.table.chunks.length && !this.table.isIndexed) await this.table.advance()
      if (this.isEnded || chunk >= this.table.chunks.length) break
      const { start, numRows } = this.table.chunks[chunk]
      const keep = await this.matchRows(chunk)
      for (const sorter of sorters) sorter.add(await this.table.column(chunk, sorter.key.column))
      if (this.isEnded) return
      this.take(start, numRows, keep)
      this.seen = start + numRows
      if (performance.now() - told > 120) {
        // Most of the time goes into reading on, and not into sorting again what is there.
        if (sorters.length > 0 && performance.now() > sortAt) {
          const began = performance.now()
          this.sort(sorters)
          sortAt = performance.now() + 6 * (performance.now() - began)
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

  /** Which rows of a chunk match; undefined where all do. */
  private async matchRows(chunk: number): Promise<Uint8Array | undefined> {
    const { table } = this
    const { search, filters } = this.query
    if (filters.length === 0 && search === "") return undefined
    const keep = new Uint8Array(table.chunks[chunk].numRows).fill(1)
    for (const filter of filters) {
      const values = await table.column(chunk, filter.column)
      const matches = matcherOf(filter)
      for (let index = 0; index < keep.length; index++) if (keep[index] && !matches(values[index])) keep[index] = 0
    }
    if (search === "") return keep
    const isFound = new Uint8Array(keep.length)
    const isWanted = searcherOf(search)
    let began = performance.now()
    for (const { name, kind } of table.columns) {
      if (kind !== "text") continue
      const values = await table.column(chunk, name)
      for (let index = 0; index < keep.length; index++) {
        if (keep[index] && !isFound[index] && values[index] !== null && isWanted(textOf(values[index]))) isFound[index] = 1
      }
      // Of thousands of columns, a chunk takes long.
      if (performance.now() - began > 50) {
        await letOthersGo()
        if (this.isEnded) return keep
        began = performance.now()
      }
    }
    return keep.map((kept, index) => kept & isFound[index])
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
    this.order = sortRows(this.found.subarray(0, this.matches), sorters)
    this.version++
  }
}

/** Whatever its case; what has no case is looked for as it is, which is faster. */
function searcherOf(search: string): (text: string) => boolean {
  if (search.toLowerCase() === search.toUpperCase()) return (text) => text.includes(search)
  const wanted = new RegExp(search.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i")
  return (text) => wanted.test(text)
}

function matcherOf(filter: Filter): (value: Cells[number]) => boolean {
  if (filter.kind === "present") return (value) => value !== null && value !== ""
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
