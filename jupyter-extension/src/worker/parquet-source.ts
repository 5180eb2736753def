// Parquet: the footer says where everything is, so that only the columns and row groups that are looked at are read.
import { type FileMetaData, parquetMetadataAsync, parquetScan, parquetSchema, type SchemaTree } from "hyparquet"
import { compressors } from "hyparquet-compressors"
import type { ColumnInfo, ColumnKind } from "../protocol"
import type { RangeFile } from "./range-file"
import type { Chunk, RowSource } from "./row-source"
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
  const metadata = await parquetMetadataAsync(file)
  checkFooter(metadata)
  const columns = parquetSchema(metadata).children.map((child): ColumnInfo => ({ name: child.element.name, kind: kindOf(child) }))
  const chunks: Chunk[] = []
  let start = 0
  for (const { num_rows } of metadata.row_groups) {
    chunks.push({ start, numRows: Number(num_rows) })
    start += Number(num_rows)
  }
  const scan = await parquetScan({ file, metadata, compressors })
  return {
    columns,
    chunks,
    isIndexed: true,
    advance: async () => {},
    async readColumn(chunk, column) {
      const { start, numRows } = chunks[chunk]
      return checkLength(await scan.readColumn({ column, rowStart: start, rowEnd: start + numRows }), numRows)
    },
    async readPart(chunk, column, from, to) {
      const { start } = chunks[chunk]
      return checkLength(await scan.readColumn({ column, rowStart: start + from, rowEnd: start + to }), to - from)
    },
  }
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
  const leaves = leafPaths(parquetSchema(footer))
  for (const { columns } of footer.row_groups) {
    const paths = columns.map((column) => column.meta_data?.path_in_schema.join("\n"))
    if (paths.length !== leaves.length || paths.some((path, index) => path !== leaves[index]))
      throw new Trouble("Its columns are not those of its schema.")
  }
}

function leafPaths({ children, path }: SchemaTree): string[] {
  return children.length === 0 ? [path.join("\n")] : children.flatMap(leafPaths)
}
