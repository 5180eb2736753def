// Parquet: the footer says where everything is, so that only the columns and row groups that are looked at are read.
import { type FileMetaData, parquetMetadataAsync, parquetScan, parquetSchema, type SchemaTree } from "hyparquet"
import { compressors } from "hyparquet-compressors"
import type { ColumnInfo, ColumnKind } from "../protocol"
import { allowPages, mostValues } from "./checked-pages"
import type { RangeFile } from "./range-file"
import { type Chunk, mostColumns, type RowSource } from "./row-source"
import { Trouble } from "./trouble"

/** @throws Error in one sentence */
export async function openParquet(source: RangeFile): Promise<RowSource> {
  if (source.byteLength < 12) throw new Trouble("This is no Parquet file: it has %1 bytes.", source.byteLength)
  const file = {
    byteLength: source.byteLength,
    slice(start: number, end?: number) {
      const bytes = source.slice(start, end) as Promise<ArrayBuffer>
      // hyparquet reads ahead without listening, and a rejection that nobody hears is an error of the page.
      bytes.catch(() => {})
      return bytes
    },
  }
  const metadata = await inWords(parquetMetadataAsync(file))
  const columns = await inWords(readColumns(metadata))
  const chunks: Chunk[] = []
  let start = 0
  for (const { num_rows } of metadata.row_groups) {
    chunks.push({ start, numRows: Number(num_rows) })
    start += Number(num_rows)
  }
  const scan = await inWords(parquetScan({ file, metadata, compressors }))
  const read = async (column: string, rowStart: number, rowEnd: number) => {
    allowPages()
    return checkLength(await inWords(scan.readColumn({ column, rowStart, rowEnd })), rowEnd - rowStart)
  }
  return {
    columns,
    chunks,
    isIndexed: true,
    advance: async () => {},
    readColumn: (chunk, column) => read(column, chunks[chunk].start, chunks[chunk].start + chunks[chunk].numRows),
    readPart: (chunk, column, from, to) => read(column, chunks[chunk].start + from, chunks[chunk].start + to),
  }
}

/** What hyparquet says where it stumbles is about its own work: whoever opens the file wants to know what is wrong with it. */
async function inWords<T>(reading: Promise<T> | T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof Trouble) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new Trouble("It is damaged, or no Parquet file (%1).", message.slice(0, 200).replace(/[.\s]+$/, ""))
  }
}

async function readColumns(metadata: FileMetaData): Promise<ColumnInfo[]> {
  checkFooter(metadata)
  return parquetSchema(metadata).children.map((child) => ({ name: child.element.name, kind: kindOf(child) }))
}

function checkLength(values: ArrayLike<unknown>, wanted: number): ArrayLike<unknown> {
  if (values.length !== wanted) throw new Trouble("It promises %1 rows and has %2.", wanted, values.length)
  return values
}

function kindOf({ children, element }: SchemaTree): ColumnKind {
  if (children.length > 0) return "text"
  const { logical_type: logical, converted_type: converted, type } = element
  if (logical?.type === "TIMESTAMP" || logical?.type === "DATE" || /^(DATE|TIMESTAMP)/.test(converted ?? "")) return "date"
  return type === "INT32" || type === "INT64" || type === "FLOAT" || type === "DOUBLE" || converted === "DECIMAL" ? "number" : "text"
}

/** hyparquet takes for granted that row counts agree and that each group has the schema's columns in their order. */
function checkFooter(footer: FileMetaData): void {
  const inGroups = footer.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0)
  if (inGroups !== Number(footer.num_rows) || !(inGroups <= 2 ** 32 - 2) || footer.row_groups.some(({ num_rows }) => num_rows < 0n))
    throw new Trouble("It promises %1 rows and has %2.", String(footer.num_rows), inGroups)
  const largest = footer.row_groups.reduce((most, { num_rows }) => Math.max(most, Number(num_rows)), 0)
  if (largest > mostValues) throw new Trouble("It has %1 rows in one group: more than can be read at once.", largest)
  const tree = parquetSchema(footer)
  if (tree.children.length > mostColumns)
    throw new Trouble("It has %1 columns: no more than %2 can be shown.", tree.children.length, mostColumns)
  if (new Set(tree.children.map(({ element }) => element.name)).size < tree.children.length)
    throw new Trouble("Two of its columns have the same name.")
  const leaves = leafPaths(tree)
  for (const { columns, num_rows } of footer.row_groups) {
    const paths = columns.map((column) => column.meta_data?.path_in_schema.join("\n"))
    if (paths.length !== leaves.length || paths.some((path, index) => path !== leaves[index]))
      throw new Trouble("Its columns are not those of its schema.")
    // Of a column without lists, each row has one value.
    const isShort = columns.some((column) => Number(column.meta_data?.num_values ?? 0n) < Number(num_rows))
    if (isShort) throw new Trouble("Its columns have fewer values than it promises rows.")
  }
}

function leafPaths({ children, path }: SchemaTree): string[] {
  return children.length === 0 ? [path.join("\n")] : children.flatMap(leafPaths)
}
