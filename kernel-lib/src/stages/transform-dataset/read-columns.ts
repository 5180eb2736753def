// A source's rows as they are: the chosen columns become input and output.
import type { SourceDataset } from "../../core/candidates"
import { type Provenance, type RejectedRow, type Row, rowId } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { Example } from "../../core/prompt-spec"

export interface ColumnPair {
  readonly inputColumns: readonly string[]
  readonly outputColumn: string
}

/**
 * The columns to read: those that were asked for, else the candidate's.
 * @throws InputError `dataset.no-such-column`
 */
export function columnsOf(source: SourceDataset, asked: Partial<ColumnPair>): ColumnPair {
  const pair = { inputColumns: asked.inputColumns ?? source.inputColumns, outputColumn: asked.outputColumn ?? source.outputColumn }
  for (const column of [...pair.inputColumns, pair.outputColumn]) {
    if (!source.columns.includes(column)) {
      throw new InputError("dataset.no-such-column", `${source.id} has no column ${column}; it has ${source.columns.join(", ")}.`)
    }
  }
  return pair
}

/** Input and output of one row. Several input columns are joined as `name: value` lines. */
export function readPair(row: Readonly<Record<string, unknown>>, { inputColumns, outputColumn }: ColumnPair): Example {
  return {
    input:
      inputColumns.length === 1
        ? textOf(row[inputColumns[0]])
        : inputColumns.map((column) => `${column}: ${textOf(row[column])}`).join("\n"),
    output: textOf(row[outputColumn]),
  }
}

export function textOf(value: unknown): string {
  if (typeof value === "string") return value
  if (value === null || value === undefined) return ""
  if (typeof value === "bigint") return String(value)
  return typeof value === "object" ? JSON.stringify(value) : String(value)
}

/** Where row `index` of `source` stands. */
export function placeOf(source: SourceDataset, index: number): Provenance & { kind: "retrieved" } {
  return { kind: "retrieved", dataset: source.id, configuration: source.configuration, split: source.split, row: index }
}

/** Sorts made rows into those that are new and those that are rejected; each input stands once. */
export class RowSorter {
  readonly rows: Row[] = []
  readonly rejected: RejectedRow[] = []
  private readonly inputs = new Set<string>()
  private readonly demonstrated: ReadonlySet<string>

  constructor(demonstrations: readonly Example[] = []) {
    this.demonstrated = new Set(demonstrations.map(({ input }) => input.trim()))
  }

  take(example: Example, from: Provenance): void {
    const row = { id: rowId(from, example), ...example, from }
    const reason =
      example.input.trim() === "" || example.output.trim() === ""
        ? "empty"
        : this.demonstrated.has(example.input.trim())
          ? "copies a demonstration"
          : this.inputs.has(example.input)
            ? "duplicate"
            : undefined
    if (reason) this.rejected.push({ ...row, reason })
    else {
      this.inputs.add(example.input)
      this.rows.push(row)
    }
  }

  /** Takes a row that could not be made, with the source's own words. */
  reject(example: Example, from: Provenance, reason: string, detail: string): void {
    this.rejected.push({ id: rowId(from, example), ...example, from, reason, detail })
  }
}
