// The open file: its columns with what can be taken out of them, and the values that were read lately, in bounded memory.
import type { Cell, ColumnInfo, FileState, OpenRequest } from "../protocol"
import { openParquet } from "./parquet-source"
import { openRangeFile, type RangeFile } from "./range-file"
import type { RowSource } from "./row-source"
import { openCsv, openJsonLines } from "./text-source"

/** About as many bytes of values are kept. */
const mostKept = 400e6
/** Rows this near to each other are read without the rest of their chunk. */
const partRows = 2048

/** What a row's `from` tells, in the order in which its columns stand; `origin` is the teacher, dataset or file. */
const provenanceFields = ["temperature", "votes", "kind", "origin", "call"] as const
type ProvenanceField = (typeof provenanceFields)[number]

export type Cells = readonly Cell[]

export class Table {
  private readonly kept = new Map<string, { values: Cells; size: number }>()
  private readonly reading = new Map<string, Promise<Cells>>()
  private size = 0
  private advancing: Promise<void> | undefined
  private readonly derived: readonly ColumnInfo[]
  /** Columns that were found out about this file, whole in memory. */
  private readonly added = new Map<string, Cells>()

  private constructor(
    private readonly file: RangeFile,
    private readonly source: RowSource,
    isOurs: boolean,
  ) {
    this.derived = isOurs
      ? provenanceFields.map((path) => ({
          name: `from.${path}`,
          kind: path === "temperature" || path === "call" ? "number" : "text",
          path,
        }))
      : []
  }

  /** @throws Error in one sentence */
  static async open({ url, headers, format }: OpenRequest): Promise<Table> {
    const file = await openRangeFile(url, headers)
    const source = await (format === "parquet"
      ? openParquet(file)
      : format === "jsonl"
        ? openJsonLines(file)
        : openCsv(file, format === "tsv" ? "\t" : ","))
    return new Table(file, source, await hasProvenance(source))
  }

  /** Those of our provenance stand where `from` stood, and ids, which nobody reads, stand last. */
  get columns(): readonly ColumnInfo[] {
    if (this.added.size === 0) return this.ownColumns
    return [...this.ownColumns, ...[...this.added.keys()].map((name): ColumnInfo => ({ name, kind: "text" }))]
  }

  private get ownColumns(): readonly ColumnInfo[] {
    if (this.derived.length === 0) return this.source.columns
    const isLast = ({ name }: ColumnInfo) => name === "id"
    const others = this.source.columns.filter((column) => column.name !== "from" && !isLast(column))
    const at = this.source.columns.findIndex(({ name }) => name === "from")
    const before = this.source.columns.slice(0, at).filter((column) => !isLast(column)).length
    return [...others.slice(0, before), ...this.derived, ...others.slice(before), ...this.source.columns.filter(isLast)]
  }

  get chunks() {
    return this.source.chunks
  }

  get numRows(): number {
    const last = this.source.chunks.at(-1)
    return last ? last.start + last.numRows : 0
  }

  get isIndexed(): boolean {
    return this.source.isIndexed
  }

  /** Adds a column, or writes it anew: a value for each row. A column of the file with that name goes first. */
  addColumn(name: string, values: Cells): void {
    if (!this.ownColumns.some((column) => column.name === name)) this.added.set(name, values)
    for (const [key, { size }] of this.kept) {
      if (!key.endsWith(` ${name}`)) continue
      this.kept.delete(key)
      this.size -= size
    }
  }

  /** Where a row came from, as the library wrote it; undefined where it wrote nothing. */
  async provenance(row: number): Promise<Provenance | undefined> {
    if (this.derived.length === 0) return undefined
    const chunk = this.chunkOf(row)
    const at = row - this.source.chunks[chunk].start
    const values = this.source.readPart
      ? await this.source.readPart(chunk, "from", at, at + 1)
      : Array.prototype.slice.call(await this.source.readColumn(chunk, "from"), at, at + 1)
    return parseProvenance(values)[0]
  }

  /** Finds one more chunk. Who asks while somebody else waits for it waits for the same one, or it would be there twice. */
  advance(): Promise<void> {
    this.advancing ??= this.source.advance().finally(() => {
      this.advancing = undefined
    })
    return this.advancing
  }

  get state(): FileState {
    const { columns, numRows, isIndexed, file } = this
    return { columns, numRows, isIndexed, bytes: file.byteLength, bytesRead: file.bytesRead() }
  }

  kindOf(column: string): ColumnInfo["kind"] {
    return this.columns.find(({ name }) => name === column)?.kind ?? "text"
  }

  chunkOf(row: number): number {
    const { chunks } = this.source
    let [low, high] = [0, chunks.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (chunks[middle].start <= row) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The values of a column in a chunk, one for each row. */
  column(chunk: number, name: string): Promise<Cells> {
    const key = `${chunk} ${name}`
    const known = this.kept.get(key)
    if (known) {
      this.kept.delete(key)
      this.kept.set(key, known)
      return Promise.resolve(known.values)
    }
    const running = this.reading.get(key)
    if (running) return running
    const started = this.readColumn(chunk, name).then((values) => {
      this.keep(key, values)
      return values
    })
    const forget = () => this.reading.delete(key)
    started.then(forget, forget)
    this.reading.set(key, started)
    return started
  }

  /** The values of a column in these rows of the file, in their order. */
  async cells(name: string, rows: ArrayLike<number>): Promise<Cell[]> {
    const cells = new Array<Cell>(rows.length)
    const byChunk = new Map<number, number[]>()
    for (let index = 0; index < rows.length; index++) {
      const chunk = this.chunkOf(rows[index])
      const list = byChunk.get(chunk)
      if (list) list.push(index)
      else byChunk.set(chunk, [index])
    }
    for (const [chunk, indices] of byChunk) {
      const { start, numRows } = this.source.chunks[chunk]
      const places = indices.map((index) => rows[index] - start)
      const first = Math.min(...places)
      const last = Math.max(...places)
      const isPart = this.source.readPart && last - first < partRows && numRows > partRows && !this.isKept(chunk, name)
      const values = isPart ? await this.readPart(chunk, name, first, last + 1) : await this.column(chunk, name)
      indices.forEach((index, order) => {
        cells[index] = values[places[order] - (isPart ? first : 0)]
      })
    }
    return cells
  }

  private isKept(chunk: number, name: string): boolean {
    const key = `${chunk} ${name}`
    return this.kept.has(key) || this.reading.has(key)
  }

  private async readColumn(chunk: number, name: string): Promise<Cells> {
    const added = this.added.get(name)
    const { start, numRows } = this.source.chunks[chunk]
    if (added) return added.slice(start, start + numRows)
    const field = this.fieldOf(name)
    if (!field) return toCells(await this.source.readColumn(chunk, name))
    // Whoever wants one of them soon wants the others, and parsing is what costs.
    const parsed = parseProvenance(await this.source.readColumn(chunk, "from"))
    for (const other of provenanceFields) {
      if (other !== field && !this.isKept(chunk, `from.${other}`)) this.keep(`${chunk} from.${other}`, pickField(parsed, other))
    }
    return pickField(parsed, field)
  }

  private async readPart(chunk: number, name: string, start: number, end: number): Promise<Cells> {
    const added = this.added.get(name)
    const first = this.source.chunks[chunk].start
    if (added) return added.slice(first + start, first + end)
    const field = this.fieldOf(name)
    const values = await this.source.readPart!(chunk, field ? "from" : name, start, end)
    return field ? pickField(parseProvenance(values), field) : toCells(values)
  }

  private fieldOf(name: string): ProvenanceField | undefined {
    return this.derived.find((column) => column.name === name)?.path as ProvenanceField | undefined
  }

  private keep(key: string, values: Cells): void {
    let size = 64 + values.length * 8
    for (const value of values) if (typeof value === "string") size += value.length + 16
    this.kept.set(key, { values, size })
    this.size += size
    for (const [oldest, { size }] of this.kept) {
      if (this.size <= mostKept || oldest === key) break
      this.kept.delete(oldest)
      this.size -= size
    }
  }
}

async function hasProvenance(source: RowSource): Promise<boolean> {
  if (!source.columns.some(({ name }) => name === "from") || source.chunks.length === 0) return false
  const values = await (source.readPart && source.chunks[0].numRows > 0 ? source.readPart(0, "from", 0, 1) : source.readColumn(0, "from"))
  return parseProvenance(Array.prototype.slice.call(values, 0, 1))[0] !== undefined
}

type Provenance = Readonly<Record<string, unknown>>

/** Provenance as the library writes it: an object, or its JSON. */
function parseProvenance(values: ArrayLike<unknown>): (Provenance | undefined)[] {
  return Array.from(values, (value) => {
    let parsed = value
    if (typeof value === "string" && value.startsWith("{")) {
      try {
        parsed = JSON.parse(value)
      } catch {
        return undefined
      }
    }
    return typeof parsed === "object" && parsed !== null && "kind" in parsed && typeof parsed.kind === "string"
      ? (parsed as Provenance)
      : undefined
  })
}

function pickField(rows: readonly (Provenance | undefined)[], field: ProvenanceField): Cell[] {
  return rows.map((from) => {
    if (!from) return null
    if (field === "origin") return toCell(from.teacher ?? from.dataset ?? from.source)
    if (field === "votes") return typeof from.votes === "number" ? `${from.votes} of ${from.voters}` : null
    return toCell(from[field])
  })
}

function toCells(values: ArrayLike<unknown>): Cell[] {
  const cells = new Array<Cell>(values.length)
  for (let index = 0; index < values.length; index++) cells[index] = toCell(values[index])
  return cells
}

function toCell(value: unknown): Cell {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value
  if (value === null || value === undefined) return null
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (value instanceof Date) return value.getTime()
  if (value instanceof Uint8Array) return `(${value.length} bytes)`
  try {
    return JSON.stringify(value, (_key, part) => (typeof part === "bigint" ? part.toString() : part)) ?? null
  } catch {
    return "(nested too deeply to be shown)"
  }
}
