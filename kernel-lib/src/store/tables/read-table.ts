// Reads a table of any format that is known here, chosen by its name.
import { stat } from "node:fs/promises"
import { extname } from "node:path"
import { InputError } from "../../core/errors"
import { readArrowFile, readSavedDataset } from "./arrow"
import { readParquetFile } from "./parquet"
import { explainTableError, type ReadTableOptions, type Table } from "./table"
import { readCsv, readJsonl } from "./text-tables"

interface TableFormat {
  readonly name: string
  read(path: string, options: ReadTableOptions): Promise<Table>
}

const formats: Readonly<Record<string, TableFormat>> = {
  ".jsonl": { name: "JSON lines", read: readJsonl },
  ".csv": { name: "CSV", read: readCsv },
  ".parquet": { name: "Parquet", read: readParquetFile },
  ".arrow": { name: "Arrow", read: readArrowFile },
}

/**
 * Reads a table: a `.jsonl`, `.csv`, `.parquet` or `.arrow` file, or a folder that Hugging Face's `save_to_disk` wrote.
 * Cells are plain data: texts, numbers, booleans, null, arrays and objects, `Date` for times; `ClassLabel` columns hold their labels' names.
 * @throws InputError `table.missing`, `table.empty`, `table.damaged`, `table.unknown-type`, `table.no-such-column`, `table.which-split`,
 * `table.no-such-split`, `table.not-saved`
 */
export async function readTable(path: string, options: ReadTableOptions = {}): Promise<Table> {
  let format = formats[extname(path).toLowerCase()]
  try {
    const found = await stat(path)
    if (found.isDirectory()) format = { name: "a saved dataset", read: readSavedDataset }
    else if (format && found.size === 0) throw new InputError("table.empty", `${path} is empty: it needs a table with at least a header.`)
  } catch (error) {
    throw explainTableError(error, path, "a table")
  }
  if (!format) {
    throw new InputError(
      "table.unknown-type",
      `${path} is of no known type: give a .jsonl, .csv, .parquet or .arrow file, or a folder that save_to_disk wrote.`,
    )
  }
  try {
    return await format.read(path, options)
  } catch (error) {
    throw explainTableError(error, path, format.name)
  }
}
