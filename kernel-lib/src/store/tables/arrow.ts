// Arrow tables: `.arrow` files, and the folders that Hugging Face `datasets` writes with save_to_disk.
import { open, readdir, readFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { DataType, type RecordBatch, RecordBatchReader, type Schema } from "apache-arrow"
import { InputError } from "../../core/errors"
import { exists } from "../atomic"
import { readArrowMessages } from "./arrow-messages"
import { chooseColumns, damaged, explainTableError, labelNamesOf, plainCell, type ReadTableOptions, type Table } from "./table"

/** Reads an Arrow IPC stream, the format of `datasets`. */
export async function readArrowFile(path: string, { columns, maxRows = Number.POSITIVE_INFINITY }: ReadTableOptions = {}): Promise<Table> {
  const handle = await open(path)
  try {
    const reader = await RecordBatchReader.from(readArrowMessages(handle))
    await reader.open()
    const { names, labels } = readSchema(reader.schema)
    const chosen = chooseColumns(path, names, columns)
    const rows: Record<string, unknown>[] = []
    for await (const batch of reader) {
      if (rows.length >= maxRows) break
      appendRows(rows, batch, chosen, labels, maxRows)
    }
    return { columns: chosen, rows }
  } finally {
    await handle.close()
  }
}

function readSchema(schema: Schema) {
  return { names: schema.fields.map((field) => field.name), labels: labelNamesOf(schema.metadata.get("huggingface")) }
}

function appendRows(
  rows: Record<string, unknown>[],
  batch: RecordBatch,
  columns: readonly string[],
  labels: ReadonlyMap<string, readonly string[]>,
  maxRows: number,
): void {
  const count = Math.min(batch.numRows, maxRows - rows.length)
  const first = rows.length
  for (let row = 0; row < count; row++) rows.push({})
  for (const column of columns) {
    const vector = batch.getChild(column)
    if (vector?.length !== batch.numRows) throw new Error(`column ${column} has not the length of its batch`)
    for (const data of vector.data) checkOffsets(data, column)
    for (let row = 0; row < count; row++) {
      const value: unknown = vector.get(row)
      const isTime = value !== null && (DataType.isTimestamp(vector.type) || DataType.isDate(vector.type))
      rows[first + row][column] = isTime ? new Date(Number(value)) : plainCell(value, labels.get(column))
    }
  }
}

type ColumnData = RecordBatch["data"]["children"][number]

/** Texts and lists are cut out of one buffer by offsets, which a damaged file may set anywhere. */
function checkOffsets(data: ColumnData, column: string): void {
  const { type, length, children } = data
  for (const child of children) checkOffsets(child, column)
  for (const part of data.dictionary?.data ?? []) checkOffsets(part, column)
  if (DataType.isUnion(type) || length === 0) return
  const { valueOffsets, values } = data as unknown as { valueOffsets?: ArrayLike<number | bigint>; values?: Uint8Array }
  if (!valueOffsets) return
  if (valueOffsets.length <= length) throw new Error(`column ${column} lacks offsets`)
  for (let row = 0; row < length; row++) {
    if (!(valueOffsets[row] >= 0 && valueOffsets[row] <= valueOffsets[row + 1]))
      throw new Error(`column ${column} has wrong offsets at row ${row}`)
  }
  if (valueOffsets[length] > (children[0]?.length ?? values?.length ?? 0)) throw new Error(`column ${column} points behind its end`)
}

/**
 * Reads what `Dataset.save_to_disk` wrote, shard after shard; of what `DatasetDict.save_to_disk` wrote, the split asked for.
 * @throws InputError `table.which-split`, `table.no-such-split`, `table.not-saved`, `table.missing`, `table.damaged`
 */
export async function readSavedDataset(folder: string, options: ReadTableOptions = {}): Promise<Table> {
  if (await exists(join(folder, "dataset_dict.json"))) return readSavedDataset(await chooseSplit(folder, options.split), options)
  const statePath = join(folder, "state.json")
  if (!(await exists(statePath))) throw await notSaved(folder)
  const shards = await readShardNames(statePath)
  let { maxRows = Number.POSITIVE_INFINITY } = options
  const tables: Table[] = []
  for (const shard of shards) {
    if (maxRows <= 0) break
    const path = join(folder, shard)
    try {
      const table = await readArrowFile(path, { ...options, maxRows })
      maxRows -= table.rows.length
      tables.push(table)
    } catch (error) {
      throw explainTableError(error, path, "Arrow")
    }
  }
  const columns = tables[0]?.columns ?? chooseColumns(folder, await readFeatureNames(folder), options.columns)
  return { columns, rows: tables.length === 1 ? tables[0].rows : tables.flatMap((table) => table.rows) }
}

async function chooseSplit(folder: string, wanted: string | undefined): Promise<string> {
  const path = join(folder, "dataset_dict.json")
  const { splits } = (await readJson(path)) as { splits?: unknown }
  if (
    !Array.isArray(splits) ||
    splits.length === 0 ||
    splits.some((split) => typeof split !== "string" || basename(split) !== split || split === "..")
  ) {
    throw damaged(path, "a list of splits", "it names none")
  }
  const chosen = wanted ?? (splits.length === 1 ? splits[0] : undefined)
  if (chosen === undefined) {
    throw new InputError(
      "table.which-split",
      `${folder} holds the splits ${splits.join(", ")}: name one, such as ${join(folder, splits[0])}.`,
    )
  }
  if (!splits.includes(chosen))
    throw new InputError("table.no-such-split", `${folder} has no split ${chosen}; it has ${splits.join(", ")}.`)
  return join(folder, chosen)
}

async function readShardNames(statePath: string): Promise<string[]> {
  const state = (await readJson(statePath)) as { _data_files?: { filename?: unknown }[]; _indices_data_files?: unknown[] | null }
  const names = Array.isArray(state._data_files) ? state._data_files.map((file) => file?.filename) : []
  const isPlain = (name: unknown): name is string => typeof name === "string" && name !== "" && basename(name) === name && name !== ".."
  if (!Array.isArray(state._data_files) || !names.every(isPlain))
    throw damaged(statePath, "a list of Arrow files", "it names none in its own folder")
  if (state._indices_data_files?.length) {
    throw new InputError(
      "table.has-indices",
      `${statePath} uses an index file of an old datasets release: load it there and call flatten_indices().save_to_disk().`,
    )
  }
  return names
}

/** A dataset without rows may have no Arrow file, but still names its columns. */
async function readFeatureNames(folder: string): Promise<string[]> {
  const { features } = (await readJson(join(folder, "dataset_info.json"))) as { features?: object | null }
  return Object.keys(features ?? {})
}

async function readJson(path: string): Promise<unknown> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"))
    return typeof value === "object" && value !== null ? value : {}
  } catch (error) {
    throw explainTableError(error, path, "JSON")
  }
}

async function notSaved(folder: string): Promise<InputError> {
  const inside = await readdir(folder)
  const tables = inside.filter((name) => /\.(parquet|jsonl|csv|arrow)$/.test(name))
  const remedy =
    tables.length > 0
      ? `give one of its files, such as ${join(folder, tables[0])}`
      : "give a folder that save_to_disk wrote, or a .parquet, .jsonl or .csv file"
  return new InputError("table.not-saved", `${folder} is no saved dataset, for it has no state.json: ${remedy}.`)
}
