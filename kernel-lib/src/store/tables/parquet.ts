// Parquet tables, from any source of byte ranges: a file here, or one on a hub.
import { open } from "node:fs/promises"
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema, type SchemaTree } from "hyparquet"
import { compressors } from "hyparquet-compressors"
import { parquetWriteBuffer } from "hyparquet-writer"
import { writeFileAtomically } from "../atomic"
import { chooseColumns, labelNamesOf, plainCell, type ReadTableOptions, type Table } from "./table"

export type { AsyncBuffer }

/** What a Parquet file says of itself, from its last bytes alone. */
export interface ParquetSummary {
  readonly columns: readonly string[]
  readonly numRows: number
  /** Compressed bytes that must be read for the first row. */
  readonly firstRowBytes: number
  readonly footer: FileMetaData
  /** The schema's, one for each column. */
  readonly children: readonly SchemaTree[]
}

/** Reads only the footer. */
export async function readParquetSummary(file: AsyncBuffer): Promise<ParquetSummary> {
  if (file.byteLength < 12) throw new Error(`it has ${file.byteLength} bytes`)
  const footer = await parquetMetadataAsync(checkRanges(file))
  checkFooter(footer)
  const first = footer.row_groups[0]
  const { children } = parquetSchema(footer)
  return {
    columns: children.map((child) => child.element.name),
    children,
    numRows: Number(footer.num_rows),
    firstRowBytes: first ? first.columns.reduce((sum, column) => sum + Number(column.meta_data?.total_compressed_size ?? 0n), 0) : 0,
    footer,
  }
}

/** A damaged footer may point anywhere. */
function checkRanges(file: AsyncBuffer): AsyncBuffer {
  const read = async (start: number, end: number) => {
    if (!(start >= 0 && start <= end && end <= file.byteLength))
      throw new Error(`it points to bytes ${start} to ${end} of ${file.byteLength}`)
    return file.slice(start, end)
  }
  return {
    byteLength: file.byteLength,
    slice(start, end = file.byteLength) {
      const bytes = read(start, end)
      // hyparquet reads ahead without listening, and a rejection that nobody hears ends the process.
      bytes.catch(() => {})
      return bytes
    },
  }
}

/** Row counts must agree, and every row group must have the columns of the schema, in their order; hyparquet takes both for granted. */
function checkFooter(footer: FileMetaData): void {
  const inGroups = footer.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0)
  if (inGroups !== Number(footer.num_rows)) throw new Error(`it promises ${footer.num_rows} rows and has ${inGroups}`)
  const leaves = leafPaths(parquetSchema(footer))
  for (const { columns } of footer.row_groups) {
    const paths = columns.map((column) => column.meta_data?.path_in_schema.join("\n"))
    if (paths.length !== leaves.length || paths.some((path, index) => path !== leaves[index]))
      throw new Error("its columns are not those of its schema")
  }
}

function leafPaths({ children, path }: SchemaTree): string[] {
  return children.length === 0 ? [path.join("\n")] : children.flatMap(leafPaths)
}

/** Reads the rows asked for, and no more byte ranges than they need. `path` is what messages call it. */
export async function readParquet(file: AsyncBuffer, path: string, options: ReadTableOptions = {}): Promise<Table> {
  const { columns: present, footer, numRows } = await readParquetSummary(file)
  const columns = chooseColumns(path, present, options.columns)
  const metadata = new Map((footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""]))
  const labels = labelNamesOf(metadata.get("huggingface"))
  const rowEnd = Math.min(options.maxRows ?? numRows, numRows)
  const raw =
    rowEnd === 0
      ? []
      : await parquetReadObjects({
          file: checkRanges(file),
          metadata: footer,
          columns: [...columns],
          rowEnd,
          compressors,
          useOffsetIndex: true,
        })
  if (raw.length !== rowEnd) throw new Error(`it promises ${rowEnd} rows and has ${raw.length}`)
  const rows = raw.map((row) => Object.fromEntries(columns.map((column) => [column, plainCell(row[column], labels.get(column))])))
  return { columns, rows, metadata }
}

/** Reads a Parquet file of this machine. */
export async function readParquetFile(path: string, options: ReadTableOptions = {}): Promise<Table> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    return await readParquet(
      {
        byteLength: size,
        async slice(start, end = size) {
          const bytes = new Uint8Array(end - start)
          const { bytesRead } = await handle.read(bytes, 0, bytes.length, start)
          if (bytesRead !== bytes.length) throw new Error(`bytes ${start} to ${end} are not there`)
          return bytes.buffer
        },
      },
      path,
      options,
    )
  } finally {
    await handle.close()
  }
}

export interface ParquetColumn {
  readonly name: string
  /** `null` where a row has none. */
  readonly data: readonly (string | number | boolean | null)[]
  readonly type: "STRING" | "DOUBLE" | "INT32" | "BOOLEAN"
}

/** Writes a Parquet file, atomically; `metadata` goes into its key-value metadata. */
export async function writeParquetFile(
  path: string,
  columns: readonly ParquetColumn[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const buffer = parquetWriteBuffer({
    columnData: columns.map(({ name, data, type }) => ({ name, data: [...data], type, nullable: true })),
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  })
  await writeFileAtomically(path, new Uint8Array(buffer))
}
