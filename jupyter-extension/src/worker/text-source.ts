// JSON lines and CSV: the file is cut into pieces at line ends as it is read, and a piece that is looked at again is read again.
import type { ColumnInfo } from "../protocol"
import { parseCsv } from "./parse-csv"
import type { RangeFile } from "./range-file"
import type { Chunk, RowSource } from "./row-source"
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

type Columns = ReadonlyMap<string, readonly unknown[]>

/** What a piece of text holds: how many rows, and their values by column. */
type ReadText = (text: string) => { readonly numRows: number; readonly columns: Columns }

export async function openJsonLines(file: RangeFile): Promise<RowSource> {
  return openText(file, readJsonLines, { hasQuotes: false, from: 0 })
}

/** CSV with a header in its first line. */
export async function openCsv(file: RangeFile, separator: string): Promise<RowSource> {
  const { text, to } = await readPiece(file, 0, { hasQuotes: true, isFirst: true, isHeader: true })
  const names = nameColumns(parseCsv(text, separator)[0] ?? [])
  const read: ReadText = (piece) => {
    const records = parseCsv(piece, separator)
    const columns = new Map(names.map((name, column) => [name, records.map((record) => record[column] ?? null)]))
    return { numRows: records.length, columns }
  }
  return openText(file, read, { hasQuotes: true, from: to, names })
}

/** Empty and repeated names get a number, so that each column has one of its own. */
function nameColumns(header: readonly string[]): string[] {
  const names: string[] = []
  const taken = new Set<string>()
  header.forEach((text, index) => {
    let name = text.trim() || `column ${index + 1}`
    for (let number = 2; taken.has(name); number++) name = `${text.trim() || "column"} ${number}`
    taken.add(name)
    names.push(name)
  })
  return names
}

async function openText(
  file: RangeFile,
  read: ReadText,
  { hasQuotes, from, names = [] }: { hasQuotes: boolean; from: number; names?: readonly string[] },
): Promise<RowSource> {
  const columns: ColumnInfo[] = names.map((name) => ({ name, kind: "text" }))
  const known = new Set(names)
  const chunks: Piece[] = []
  let end = from
  let last: { chunk: number; columns: Columns } | undefined

  function addColumns(found: Columns): void {
    for (const [name, values] of found) {
      if (!known.has(name)) columns.push({ name, kind: kindOf(values) })
      else if (chunks.length === 0) columns[names.indexOf(name)] = { name, kind: kindOf(values) }
      known.add(name)
    }
  }
  async function advance(): Promise<void> {
    if (end >= file.byteLength) return
    const { text, to } = await readPiece(file, end, { hasQuotes, isFirst: chunks.length === 0 })
    const { numRows, columns: found } = read(text)
    addColumns(found)
    const previous = chunks.at(-1)
    if (numRows > 0) {
      chunks.push({ start: previous ? previous.start + previous.numRows : 0, numRows, from: end, to })
      last = { chunk: chunks.length - 1, columns: found }
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
      const { from, to, numRows } = chunks[chunk]
      if (last?.chunk !== chunk) last = { chunk, columns: read(decode(await file.slice(from, to), from)).columns }
      return last.columns.get(column) ?? new Array(numRows).fill(null)
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

function readJsonLines(text: string): ReturnType<ReadText> {
  const rows: Record<string, unknown>[] = []
  for (const line of text.split("\n")) if (line.trim() !== "") rows.push(readLine(line))
  const names = new Set(rows.flatMap((row) => Object.keys(row)))
  const columns = new Map([...names].map((name) => [name, rows.map((row) => (Object.hasOwn(row, name) ? row[name] : null))]))
  return { numRows: rows.length, columns }
}

function readLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {}
  return { [notRead]: line }
}

/** Numbers, or texts that all are numbers. */
function kindOf(values: readonly unknown[]): ColumnInfo["kind"] {
  let numbers = 0
  for (const value of values) {
    if (value === null || value === "") continue
    const isNumber = typeof value === "number" || (typeof value === "string" && /^\s*-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value))
    if (!isNumber) return "text"
    numbers++
  }
  return numbers > 0 ? "number" : "text"
}
