// What the viewer and its worker say to each other: plain data that can be cloned.

export type ColumnKind = "number" | "date" | "text"

export interface ColumnInfo {
  readonly name: string
  readonly kind: ColumnKind
  /** Set where it was taken out of a column of JSON: `temperature` out of `from`. */
  readonly path?: string
}

/** What stands in a cell: text as it is, numbers as numbers, times as milliseconds. */
export type Cell = string | number | boolean | null

export type Filter =
  /** From `low` to below `high`; `high` itself belongs to it where `isLast`. Of numbers and times, or of the lengths of texts. */
  | {
      readonly kind: "range" | "length"
      readonly column: string
      readonly low: number
      readonly high: number
      readonly isLast: boolean
    }
  | { readonly kind: "values"; readonly column: string; readonly values: readonly string[] }
  | { readonly kind: "missing"; readonly column: string }
  | { readonly kind: "present"; readonly column: string }

export interface SortKey {
  readonly column: string
  readonly isDescending: boolean
}

export interface Query {
  /** In any column, whatever its case. */
  readonly search: string
  readonly filters: readonly Filter[]
  readonly sort: readonly SortKey[]
}

export const everything: Query = { search: "", filters: [], sort: [] }

export function isEverything({ search, filters, sort }: Query): boolean {
  return search === "" && filters.length === 0 && sort.length === 0
}

/** What is known of a column after `seen` rows. Bins are of equal width from `low` to `high`. */
export type ColumnSummary = {
  readonly column: string
  readonly seen: number
  readonly missing: number
} & (
  | {
      readonly kind: "number" | "date" | "length"
      readonly low: number
      readonly high: number
      readonly bins: readonly number[]
      /** Bins begin at whole numbers, and the last one ends with `high`. */
      readonly isWhole: boolean
    }
  | { readonly kind: "values"; readonly values: readonly { readonly value: string; readonly rows: number }[] }
  | { readonly kind: "nothing" }
)

export type FileFormat = "parquet" | "jsonl" | "csv" | "tsv"

export interface OpenRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly format: FileFormat
}

export interface FileState {
  readonly columns: readonly ColumnInfo[]
  /** Rows found so far; all of them where `isIndexed`. */
  readonly numRows: number
  readonly isIndexed: boolean
  readonly bytes: number
  readonly bytesRead: number
}

export interface ViewState {
  /** Rows that match, so far. */
  readonly matches: number
  readonly seen: number
  readonly isDone: boolean
  /** Changes where rows that were there have moved. */
  readonly version: number
}

export interface Block {
  /** Each row's place in the file. */
  readonly rows: readonly number[]
  /** By column asked for, then by row; long texts are cut. */
  readonly cells: readonly (readonly Cell[])[]
}

export interface FullRow {
  readonly row: number
  readonly cells: readonly { readonly name: string; readonly value: Cell; readonly isCut: boolean }[]
  readonly numColumns: number
  /** Where the row came from, as the library wrote it; undefined in other files. */
  readonly from?: Readonly<Record<string, unknown>>
}

/** The column that says which rows are alike, once they were compared. */
export const alikeColumn = "alike"

/** What comparing the rows has found. */
export interface Alike {
  /** Rows that are like another one, or repeat another split. */
  readonly rows: number
  readonly groups: number
  /** Rows that repeat another split. */
  readonly leaks: number
  readonly compared: number
  readonly all: number
}

/** What is new of a file; without its columns where they are the same. */
export type FileNews = Omit<FileState, "columns"> & { readonly columns?: readonly ColumnInfo[] }

export interface Requests {
  open: (request: OpenRequest) => FileState
  /** The rows at these places of the view. */
  block: (request: { readonly start: number; readonly end: number; readonly columns: readonly string[] }) => Block
  row: (request: { readonly row: number }) => FullRow
  /** Where a row of the file stands in the view, -1 where it does not. */
  place: (request: { readonly row: number }) => number
  query: (request: Query) => null
  /** These columns are looked at; their summaries come as events. */
  watch: (request: { readonly columns: readonly string[] }) => null
  /** The rows of the view, as a file of this format. */
  export: (request: { readonly format: "csv" | "jsonl" }) => Blob
  /** The row whose text in `column` is most like that of `row`, of those seen. */
  nearest: (request: { readonly row: number; readonly column: string }) => { readonly row: number; readonly likeness: number } | null
  /** Which rows say the same or nearly in `column`, and which repeat a row of `others`; the file has a column of it then. */
  alike: (request: {
    readonly column: string
    readonly others: readonly { readonly name: string; readonly request: OpenRequest }[]
  }) => Alike
  /** Whether the worker is still listening. */
  ping: (request: null) => null
}

export type RequestName = keyof Requests

export type ToWorker = {
  [Name in RequestName]: { readonly id: number; readonly name: Name; readonly request: Parameters<Requests[Name]>[0] }
}[RequestName]

/** To be translated where it is shown: `%1` in `message` is the first of `values`. */
export interface Sentence {
  readonly message: string
  readonly values: readonly (string | number)[]
}

export type FromWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: Sentence }
  | { readonly event: "file"; readonly state: FileNews }
  | { readonly event: "view"; readonly state: ViewState }
  | { readonly event: "summary"; readonly summary: ColumnSummary }
  | { readonly event: "comparing"; readonly seen: number; readonly all: number }
  | ({ readonly event: "trouble" } & Sentence)
