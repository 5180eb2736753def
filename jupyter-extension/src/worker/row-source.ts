// A file as rows in pieces: what Parquet, JSON lines and CSV have in common.
import type { ColumnInfo } from "../protocol"

/** A file of more columns is none that anybody reads; what can be told without them is told. */
export const mostColumns = 20_000

/** A run of rows that is read at once: a row group, or some lines. */
export interface Chunk {
  readonly start: number
  readonly numRows: number
}

export interface RowSource {
  /** May grow while `advance` finds more. */
  readonly columns: readonly ColumnInfo[]
  readonly chunks: readonly Chunk[]
  /** Whether all chunks are known. */
  readonly isIndexed: boolean
  /** Finds one more chunk. */
  advance(): Promise<void>
  /** Values of a column, one for each row of the chunk; undefined where there is none. */
  readColumn(chunk: number, column: string): Promise<ArrayLike<unknown>>
  /** The same for a few neighbouring rows, where that is cheaper; rows are counted in the chunk. */
  readPart?(chunk: number, column: string, start: number, end: number): Promise<ArrayLike<unknown>>
}
