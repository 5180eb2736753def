// Parquet files that lie: about their rows, their columns, where these are, and how much their pages hold.
import { type FileMetaData, type PageHeader, parquetMetadata } from "hyparquet"
import { ByteWriter, parquetWriteBuffer } from "hyparquet-writer"
import { writePageHeader } from "hyparquet-writer/src/datapage.js"
import { writeMetadata } from "hyparquet-writer/src/metadata.js"

const numRows = 300

/** Rows of each kind of value, in three groups. @param codec how its pages are compressed */
export function makeParquet(codec: "SNAPPY" | "UNCOMPRESSED"): Uint8Array<ArrayBuffer> {
  const rows = Array.from({ length: numRows }, (_none, row) => row)
  const buffer = parquetWriteBuffer({
    codec,
    rowGroupSize: 100,
    columnData: [
      {
        name: "input",
        data: rows.map((row) => (row % 7 === 0 ? null : `text number ${row % 40} of many`)),
        type: "STRING",
        nullable: true,
      },
      { name: "number", data: rows, type: "INT32" },
      { name: "float", data: rows.map((row) => row / 3), type: "DOUBLE" },
      { name: "yes", data: rows.map((row) => row % 3 === 0), type: "BOOLEAN" },
      { name: "from", data: rows.map((call) => JSON.stringify({ kind: "generated", call })), type: "STRING" },
    ],
  })
  return new Uint8Array(buffer)
}

type Writable<T> = T extends object ? { -readonly [Name in keyof T]: Writable<T[Name]> } : T

/** The same pages under a footer that says something else. */
export function changeFooter(bytes: Uint8Array<ArrayBuffer>, change: (footer: Writable<FileMetaData>) => unknown): Uint8Array<ArrayBuffer> {
  const footer = parquetMetadata(bytes.buffer) as Writable<FileMetaData>
  // Of a column that is not in the schema, none can be written.
  for (const { columns } of footer.row_groups) for (const { meta_data } of columns) delete meta_data?.statistics
  change(footer)
  const pages = bytes.subarray(0, bytes.length - 8 - new DataView(bytes.buffer).getUint32(bytes.length - 8, true))
  return join(pages, writeFooter(footer as FileMetaData))
}

/** One column of one page, whose header says what it likes. */
export function makePage(
  header: Partial<PageHeader>,
  page: Uint8Array,
  { rows, isNullable = false, hasDictionary = false }: OfPage,
): Uint8Array<ArrayBuffer> {
  const pages = new ByteWriter()
  pages.appendUint32(0x31524150)
  const dictionaryAt = pages.offset
  if (hasDictionary) {
    const text = new Uint8Array([1, 0, 0, 0, 120])
    const sizes = { uncompressed_page_size: text.length, compressed_page_size: text.length }
    writePageHeader(pages, { type: "DICTIONARY_PAGE", ...sizes, dictionary_page_header: { num_values: 1, encoding: "PLAIN" } })
    pages.appendBytes(text)
  }
  const at = pages.offset
  writePageHeader(pages, { type: "DATA_PAGE", uncompressed_page_size: page.length, compressed_page_size: page.length, ...header })
  pages.appendBytes(page)
  const size = BigInt(pages.offset - 4)
  const column = {
    ...{ type: "BYTE_ARRAY", encodings: ["PLAIN", "RLE", "RLE_DICTIONARY"], path_in_schema: ["text"], codec: "UNCOMPRESSED" },
    ...{ num_values: rows, total_uncompressed_size: size, total_compressed_size: size, data_page_offset: BigInt(at) },
    ...(hasDictionary && { dictionary_page_offset: BigInt(dictionaryAt) }),
  }
  const footer = {
    ...{ version: 1, num_rows: rows, metadata_length: 0 },
    schema: [
      { name: "root", num_children: 1 },
      { name: "text", type: "BYTE_ARRAY", repetition_type: isNullable ? "OPTIONAL" : "REQUIRED" },
    ],
    row_groups: [{ columns: [{ file_offset: 4n, meta_data: column }], total_byte_size: size, num_rows: rows }],
  }
  return join(new Uint8Array(pages.getBuffer()), writeFooter(footer as unknown as FileMetaData))
}

interface OfPage {
  readonly rows: bigint
  readonly isNullable?: boolean
  readonly hasDictionary?: boolean
}

/** A run of `count` equal numbers, as levels and entries of dictionaries are written. */
export function makeRun(count: number, value: number): Uint8Array {
  const bytes: number[] = []
  let rest = count * 2
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return new Uint8Array([...bytes, rest, value])
}

export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts))
}

function writeFooter(footer: FileMetaData): Uint8Array {
  const writer = new ByteWriter()
  writeMetadata(writer, footer)
  writer.appendUint32(0x31524150)
  return new Uint8Array(writer.getBuffer())
}
