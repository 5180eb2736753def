// Tables as text: JSON lines and CSV.
import { createReadStream } from "node:fs"
import { parse } from "csv-parse"
import { InputError } from "../../core/errors"
import { writeFileAtomically } from "../atomic"
import { chooseColumns, damaged, emptyTable, type ReadTableOptions, type Table } from "./table"

/** JSON lines: one object a line; columns in order of first appearance. Empty lines are skipped. */
export async function readJsonl(path: string, { columns, maxRows = Number.POSITIVE_INFINITY }: ReadTableOptions): Promise<Table> {
  const rows: Record<string, unknown>[] = []
  const present = new Set<string>()
  let number = 0
  for await (const line of readLines(path)) {
    number++
    if (rows.length >= maxRows) break
    if (line.trim() === "") continue
    const row = parseLine(line, path, number)
    for (const column of Object.keys(row)) present.add(column)
    rows.push(row)
  }
  if (rows.length === 0 && maxRows > 0) throw emptyTable(path)
  const chosen = chooseColumns(path, [...present], columns)
  return {
    columns: chosen,
    rows: columns ? rows.map((row) => Object.fromEntries(chosen.map((column) => [column, row[column] ?? null]))) : rows,
  }
}

/** Lines between line feeds; unlike node:readline, no other character ends one, since JSON text may hold U+2028 as it is. */
async function* readLines(path: string): AsyncGenerator<string, void, undefined> {
  let rest = ""
  let isFirst = true
  for await (const chunk of createReadStream(path, "utf8")) {
    rest += isFirst ? (chunk as string).replace(/^\uFEFF/, "") : chunk
    isFirst = false
    const lines = rest.split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) yield line
  }
  if (rest !== "") yield rest
}

function parseLine(line: string, path: string, number: number): Record<string, unknown> {
  let row: unknown
  try {
    row = JSON.parse(line)
  } catch (error) {
    throw damaged(path, "JSON lines", `line ${number} is no JSON`, error)
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) throw damaged(path, "JSON lines", `line ${number} is no JSON object`)
  return row as Record<string, unknown>
}

/** CSV with a header, comma-separated, quoted as RFC 4180 says; every cell is text. */
export async function readCsv(path: string, { columns, maxRows = Number.POSITIVE_INFINITY }: ReadTableOptions): Promise<Table> {
  const source = createReadStream(path)
  const records = source.pipe(parse({ bom: true, skip_empty_lines: true, to: Number.isFinite(maxRows) ? maxRows + 1 : -1 }))
  source.on("error", (error) => records.destroy(error))
  let header: string[] | undefined
  let chosen: readonly string[] = []
  let positions: number[] = []
  const rows: Record<string, string>[] = []
  try {
    for await (const record of records as AsyncIterable<string[]>) {
      if (!header) {
        header = record
        const repeated = header.find((name, index) => header?.indexOf(name) !== index)
        if (repeated !== undefined)
          throw new InputError("table.repeated-column", `${path} has two columns named "${repeated}": rename one.`)
        chosen = chooseColumns(path, header, columns)
        positions = chosen.map((column) => record.indexOf(column))
        continue
      }
      rows.push(Object.fromEntries(chosen.map((column, index) => [column, record[positions[index]]])))
    }
  } finally {
    source.destroy()
  }
  if (!header) throw emptyTable(path)
  return { columns: chosen, rows }
}

/** Writes one JSON object a line, atomically. */
export async function writeRowsJsonl(path: string, rows: Iterable<object>): Promise<void> {
  await writeFileAtomically(path, Array.from(rows, (row) => `${JSON.stringify(row)}\n`).join(""))
}

/** Writes CSV with a header, quoted as RFC 4180 says, atomically. A cell without a value is empty. */
export async function writeCsv(path: string, columns: readonly string[], rows: Iterable<Readonly<Record<string, unknown>>>): Promise<void> {
  await writeFileAtomically(path, formatCsv(columns, rows))
}

/** The text of `writeCsv`. */
export function formatCsv(columns: readonly string[], rows: Iterable<Readonly<Record<string, unknown>>>): string {
  const lines = [columns, ...Array.from(rows, (row) => columns.map((column) => row[column]))]
  return lines.map((cells) => `${cells.map(csvCell).join(",")}\n`).join("")
}

function csvCell(value: unknown): string {
  const text = value === null || value === undefined ? "" : String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
