// JSON lines and CSV: the file is cut into pieces at line ends as it is read, and a piece that is looked at again is read again.
import type { ColumnInfo } from "../protocol"
import { parseCsv } from "./parse-csv"
import type { RangeFile } from "./range-file"
import { type Chunk, mostColumns, type RowSource } from "./row-source"
import { Trouble } from "./trouble"

/** The first piece is small, so that the first rows are soon there. */
const firstPiece = 256 * 1024
const laterPiece = 4 * 1024 * 1024
/** A line may be longer than a piece, up to this many bytes. */
const mostBytes = 256 * 1024 * 1024
const [lineFeed, quote] = [10, 34]

interface Piece extends Chunk {
  readonly from: number
  readonly to: number
}

/** What a piece of text holds. Columns are made when they are asked for: a piece may have few rows of many, or many rows of few of them. */
interface Content {
  readonly numRows: number
  /** Goes through the values that are there. */
  eachCell(visit: (column: string, value: unknown) => void): void
  /** A value for each row, null where there is none. */
  column(name: string): unknown[]
  /** What stands in none of these columns, for each row; null where that is nothing. */
  further(columns: ReadonlySet<string>): unknown[]
}

/** What stands beyond the columns that are shown. */
const furtherColumns = "(further columns)"

export async function openJsonLines(file: RangeFile): Promise<RowSource> {
  return openText(file, readJsonLines, { hasQuotes: false, from: 0 })
}

/** CSV with a header in its first line. */
export async function openCsv(file: RangeFile, separator: string): Promise<RowSource> {
  const { text, to } = await readPiece(file, 0, { hasQuotes: true, isFirst: true, isHeader: true })
  const names = nameColumns((parseCsv(text, separator)[0] ?? []).slice(0, mostColumns))
  const places = new Map(names.map((name, place) => [name, place]))
  const read = (piece: string): Content => {
    const records = parseCsv(piece, separator)
    return {
      numRows: records.length,
      eachCell(visit) {
        for (const record of records)
          for (let place = 0; place < Math.min(record.length, names.length); place++) visit(names[place], record[place])
      },
      column(name) {
        const place = places.get(name) ?? -1
        return records.map((record) => record[place] ?? null)
      },
      further: () => records.map((record) => (record.length > mostColumns ? record.slice(mostColumns) : null)),
    }
  }
  return openText(file, read, { hasQuotes: true, from: to, names })
}

/** Empty and repeated names get a number, so that each column has one of its own. */
function nameColumns(header: readonly string[]): string[] {
  const taken = new Set<string>()
  const numbers = new Map<string, number>()
  return header.map((text, index) => {
    const base = text.trim() || "column"
    let name = text.trim() || `column ${index + 1}`
    for (let number = numbers.get(base) ?? 2; taken.has(name); number++) {
      name = `${base} ${number}`
      numbers.set(base, number + 1)
    }
    taken.add(name)
    return name
  })
}

async function openText(
  file: RangeFile,
  read: (text: string) => Content,
  { hasQuotes, from, names = [] }: { hasQuotes: boolean; from: number; names?: readonly string[] },
): Promise<RowSource> {
  const columns: ColumnInfo[] = names.map((name) => ({ name, kind: "text" }))
  const places = new Map(names.map((name, place) => [name, place]))
  const known = new Set(names)
  const chunks: Piece[] = []
  let end = from
  let last: { chunk: number; content: Content } | undefined

  function addColumns(content: Content): void {
    const kinds = new Map<string, KindCount>()
    // A header says nothing of kinds: the first rows do.
    const isFirst = chunks.length === 0
    content.eachCell((name, value) => {
      if (!isFirst && known.has(name)) return
      const count = kinds.get(name)
      if (count) countKind(count, value)
      else if (kinds.size < mostColumns) kinds.set(name, countKind({ numbers: 0, isText: false }, value))
    })
    for (const [name, { numbers, isText }] of kinds) {
      const column: ColumnInfo = { name, kind: numbers > 0 && !isText ? "number" : "text" }
      const place = places.get(name)
      if (place !== undefined) columns[place] = column
      else if (known.size < mostColumns) {
        columns.push(column)
        known.add(name)
      }
    }
    const isCut = known.size >= mostColumns && columns.at(-1)?.name !== furtherColumns
    if (isCut && content.further(known).some((value) => value !== null)) columns.push({ name: furtherColumns, kind: "text" })
  }
  async function advance(): Promise<void> {
    if (end >= file.byteLength) return
    const { text, to } = await readPiece(file, end, { hasQuotes, isFirst: chunks.length === 0 })
    const content = read(text)
    addColumns(content)
    const previous = chunks.at(-1)
    if (content.numRows > 0) {
      chunks.push({ start: previous ? previous.start + previous.numRows : 0, numRows: content.numRows, from: end, to })
      last = { chunk: chunks.length - 1, content }
    }
    end = to
  }
  await advance()
  return {
    columns,
    chunks,
    get isIndexed() {
      return end >= file.byteLength
    },
    advance,
    async readColumn(chunk, column) {
      const { from, to } = chunks[chunk]
      if (last?.chunk !== chunk) last = { chunk, content: read(decode(await file.slice(from, to), from)) }
      return column === furtherColumns && !known.has(column) ? last.content.further(known) : last.content.column(column)
    },
  }
}

interface PieceOptions {
  readonly hasQuotes: boolean
  readonly isFirst: boolean
  readonly isHeader?: boolean
}

/** Whole lines from `from` on. A line feed between quotes ends no line. */
async function readPiece(file: RangeFile, from: number, { hasQuotes, isFirst, isHeader = false }: PieceOptions) {
  for (let size = isFirst ? firstPiece : laterPiece; ; size *= 2) {
    const to = Math.min(from + size, file.byteLength)
    const bytes = await file.slice(from, to)
    const end = endOfLines(new Uint8Array(bytes), hasQuotes, isHeader)
    if (end > 0) return { text: decode(bytes.slice(0, end), from), to: from + end }
    if (to === file.byteLength) return { text: decode(bytes, from), to }
    if (size >= mostBytes) throw new Trouble("It has a line of more than 256 MB: this is no table.")
  }
}

/** Behind the last line feed that ends a line, or the first where only a header is wanted; 0 where there is none. */
function endOfLines(bytes: Uint8Array, hasQuotes: boolean, isHeader: boolean): number {
  if (!hasQuotes) return bytes.lastIndexOf(lineFeed) + 1
  let end = 0
  let isQuoted = false
  for (let index = 0; index < bytes.length; index++) {
    if (bytes[index] === quote) isQuoted = !isQuoted
    else if (bytes[index] === lineFeed && !isQuoted) {
      end = index + 1
      if (isHeader) return end
    }
  }
  return end
}

function decode(bytes: ArrayBuffer, from: number): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)
  return from === 0 ? text.replace(/^\uFEFF/, "") : text
}

/** A line that is no JSON object stands in a column of its own, where it can be seen. */
const notRead = "(line that is no JSON object)"

function readJsonLines(text: string): Content {
  const rows: Record<string, unknown>[] = []
  for (const line of text.split("\n")) if (line.trim() !== "") rows.push(readLine(line))
  return {
    numRows: rows.length,
    eachCell(visit) {
      for (const row of rows) for (const name of Object.keys(row)) visit(name, row[name])
    },
    column: (name) => rows.map((row) => (Object.hasOwn(row, name) ? row[name] : null)),
    further: (columns) =>
      rows.map((row) => {
        const rest = Object.entries(row).filter(([name]) => !columns.has(name))
        return rest.length > 0 ? Object.fromEntries(rest) : null
      }),
  }
}

function readLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {}
  return { [notRead]: line }
}

interface KindCount {
  numbers: number
  isText: boolean
}

/** Numbers, or texts that all are numbers. */
function countKind(count: KindCount, value: unknown): KindCount {
  if (value === null || value === "" || count.isText) return count
  if (typeof value === "number" || (typeof value === "string" && isNumeral(value))) count.numbers++
  else count.isText = true
  return count
}

function isNumeral(text: string): boolean {
  return text.length < 64 && /^\s*-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text)
}
