// Datasets on disk: any table with an input and an output column is one; those that we write carry where each row came from.
import { rm } from "node:fs/promises"
import { basename, dirname, extname, join, resolve } from "node:path"
import { Dataset, type Provenance, type RejectedRow, type RowLike, rowId, setDatasetReader } from "../../core/dataset"
import { InputError } from "../../core/errors"
import { exists } from "../atomic"
import { writeParquetFile } from "./parquet"
import { readTable } from "./read-table"
import type { Table } from "./table"
import { writeCsv, writeRowsJsonl } from "./text-tables"

export interface ReadDatasetOptions {
  /** Default: `input`, or `input_col` as in the paper's artefacts. */
  readonly inputColumn?: string
  /** Default: `output`, or `output_col`. */
  readonly outputColumn?: string
  /** Default: the name that it was written under, or else the file's without its ending. */
  readonly name?: string
  readonly maxRows?: number
  /** Which split of a folder that holds several. */
  readonly split?: string
}

/** The pairs of columns that are taken without asking, in this order. */
const knownPairs = [
  ["input", "output"],
  ["input_col", "output_col"],
] as const

/**
 * Reads a dataset from whatever `readTable` reads. Numbers and booleans become text. A row whose input or output is missing is among
 * `rejected`. A `group` column is kept; ids and provenance are those in the file where `writeDataset` wrote it, and rejected rows come back.
 * @throws InputError `dataset.no-columns` where no input and output column can be told, `dataset.row-not-text`, and what `readTable` throws
 */
export async function readDataset(path: string, options: ReadDatasetOptions = {}): Promise<Dataset> {
  const table = await readTable(path, { maxRows: options.maxRows, split: options.split })
  const card = cardOf(table)
  const name = options.name ?? card.name ?? nameOf(path)
  const { rows, rejected } = takeRows(table, path, name, options)
  const rejectedPath = rejectedPathOf(path)
  if (isOurs(table) && (await exists(rejectedPath))) rejected.push(...(await readRejected(rejectedPath, name)))
  return Dataset.from(rows, { name, note: card.note, rejected, file: path })
}

setDatasetReader((path) => readDataset(path))

function takeRows(table: Table, path: string, name: string, options: ReadDatasetOptions): { rows: RowLike[]; rejected: RejectedRow[] } {
  const [inputColumn, outputColumn] = choosePair(table.columns, path, options)
  const rows: RowLike[] = []
  const rejected: RejectedRow[] = []
  table.rows.forEach((cells, index) => {
    const input = textOf(cells[inputColumn], path, inputColumn, index)
    const output = textOf(cells[outputColumn], path, outputColumn, index)
    const example = { input: input ?? "", output: output ?? "" }
    const kept = provenanceOf(cells.from)
    const from: Provenance = kept ?? { kind: "annotated", source: name, row: index }
    const id = kept && typeof cells.id === "string" && cells.id !== "" ? cells.id : rowId(from, example)
    const group = typeof cells.group === "string" && cells.group !== "" ? cells.group : undefined
    if (input !== undefined && output !== undefined) rows.push({ ...example, id, from, group })
    else
      rejected.push({ ...example, id, from, group, reason: "malformed", detail: `no ${input === undefined ? inputColumn : outputColumn}` })
  })
  return { rows, rejected }
}

function choosePair(
  columns: readonly string[],
  path: string,
  { inputColumn, outputColumn }: ReadDatasetOptions,
): readonly [string, string] {
  const pairs = knownPairs.map(([input, output]) => [inputColumn ?? input, outputColumn ?? output] as const)
  const pair = pairs.find(([input, output]) => columns.includes(input) && columns.includes(output))
  if (pair) return pair
  throw new InputError(
    "dataset.no-columns",
    `${path} needs the columns ${pairs[0].join(" and ")}; it has ${columns.join(", ")}: name two of them, or read them with inputColumn and outputColumn.`,
  )
}

function textOf(cell: unknown, path: string, column: string, row: number): string | undefined {
  if (cell === null || cell === undefined) return undefined
  if (typeof cell === "string") return cell
  if (typeof cell === "number" || typeof cell === "boolean") return String(cell)
  if (cell instanceof Date) return cell.toISOString()
  throw new InputError(
    "dataset.row-not-text",
    `Column ${column} of ${path} holds no text in row ${row}: choose a column of texts or numbers.`,
  )
}

/** A provenance as we write it, an object or its JSON; anything else is a column of somebody else's. */
function provenanceOf(cell: unknown): Provenance | undefined {
  let value = cell
  if (typeof value === "string" && value.startsWith("{")) {
    try {
      value = JSON.parse(value)
    } catch {
      return undefined
    }
  }
  if (typeof value !== "object" || value === null) return undefined
  const { kind, row, call, dataset, source, teacher } = value as Record<string, unknown>
  const isWhole =
    (kind === "retrieved" && typeof dataset === "string" && typeof row === "number") ||
    (kind === "annotated" && typeof source === "string" && typeof row === "number") ||
    (kind === "generated" && typeof teacher === "string" && typeof call === "number")
  return isWhole ? (value as Provenance) : undefined
}

/** Name and note, as `writeDataset` puts them into a Parquet file's metadata. */
function cardOf({ metadata }: Table): { name?: string; note?: string } {
  try {
    const { name, note } = JSON.parse(metadata?.get("prompt2model") ?? "{}") ?? {}
    return { name: typeof name === "string" ? name : undefined, note: typeof note === "string" ? note : undefined }
  } catch {
    return {}
  }
}

function isOurs({ columns, rows }: Table): boolean {
  return columns.includes("from") && columns.includes("id") && (rows.length === 0 || provenanceOf(rows[0].from) !== undefined)
}

async function readRejected(path: string, name: string): Promise<RejectedRow[]> {
  const table = await readTable(path)
  const { rows, rejected } = takeRows(table, path, name, {})
  if (rejected.length > 0)
    throw new InputError("dataset.row-not-text", `${path} has rows without input or output: delete it, it only keeps what was rejected.`)
  return rows.map((row, index) => {
    const { reason, detail } = table.rows[index]
    const kept = typeof detail === "string" && detail !== "" ? { detail } : {}
    return { ...(row as RejectedRow), reason: typeof reason === "string" ? reason : "unknown", ...kept }
  })
}

const datasetColumns = ["input", "output", "id", "from", "group"] as const

/**
 * Writes `dataset` as Parquet, JSON lines or CSV, by the ending of `path`, each file whole or not there. Columns: `input`, `output`, `id`,
 * `from` (JSON), `group` where a row has one; rejected rows go into `<name>.rejected.<ending>` beside it, with `reason` and `detail`.
 * @throws InputError `table.unknown-type`, `disk.full`, `disk.not-writable`
 */
export async function writeDataset(dataset: Dataset, path: string): Promise<void> {
  const card = { name: dataset.name, note: dataset.note }
  const rejectedPath = rejectedPathOf(path)
  const groups = dataset.groups.some((group) => group !== undefined) ? datasetColumns : datasetColumns.slice(0, 4)
  if (dataset.rejected.length > 0) await writeRows(rejectedPath, [...datasetColumns, "reason", "detail"], dataset.rejected, card)
  await writeRows(path, groups, [...dataset], card)
  if (dataset.rejected.length === 0) await rm(rejectedPath, { force: true })
}

async function writeRows(path: string, columns: readonly string[], rows: readonly object[], card: object): Promise<void> {
  const flat = rows.map((row) => ({ ...row, from: JSON.stringify((row as RowLike).from) }) as Record<string, string | undefined>)
  switch (extname(path).toLowerCase()) {
    case ".parquet":
      return writeParquetFile(
        path,
        columns.map((name) => ({ name, type: "STRING", data: flat.map((row) => row[name] ?? null) })),
        { prompt2model: JSON.stringify(card) },
      )
    case ".jsonl":
      return writeRowsJsonl(
        path,
        rows.map((row) => pick(row as Record<string, unknown>, columns)),
      )
    case ".csv":
      return writeCsv(path, columns, flat)
    default:
      throw new InputError("table.unknown-type", `${path} can be written as .parquet, .jsonl or .csv: give it one of these endings.`)
  }
}

function pick(row: Readonly<Record<string, unknown>>, columns: readonly string[]): object {
  return Object.fromEntries(columns.filter((column) => row[column] !== undefined).map((column) => [column, row[column]]))
}

function nameOf(path: string): string {
  return basename(resolve(path)).replace(/\.(parquet|jsonl|csv|arrow)$/i, "")
}

function rejectedPathOf(path: string): string {
  return join(dirname(path), `${nameOf(path)}.rejected${extname(path)}`)
}
