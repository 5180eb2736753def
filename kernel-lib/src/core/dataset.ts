// The dataset: rows of input and output, where each came from, and the rows that were rejected. Columns in memory, immutable.
import type { DatasetPayload } from "../display/payloads"
import { payloadVersion, previewCharacters, previewRows } from "../display/payloads"
import { makeSelfShowing } from "../display/self-showing"
import { type DataFrameLike, makeDataFrame, readDataFrame } from "./data-frame"
import { InputError } from "./errors"
import { fingerprintOf } from "./fingerprint"
import type { Example } from "./prompt-spec"

/** Where a row came from. */
export type Provenance =
  | {
      readonly kind: "retrieved"
      readonly dataset: string
      readonly configuration: string
      readonly split: string
      readonly row: number
      /** The teacher that made input and output out of the source's row; undefined where its columns stand as they are. */
      readonly transformedBy?: string
    }
  | {
      readonly kind: "generated"
      readonly teacher: string
      readonly isSimulated: boolean
      /** The request, and which of its responses. */
      readonly call: number
      readonly response: number
      /** Undefined where nobody wrote it down, as in a recording. */
      readonly temperature?: number
      /** How many of the responses with this input agreed, of how many. */
      readonly votes: number
      readonly voters: number
    }
  | { readonly kind: "annotated"; readonly source: string; readonly row: number }

export interface Row {
  /** Never changes, whatever set the row goes into. */
  readonly id: string
  readonly input: string
  readonly output: string
  readonly from: Provenance
  /** Rows of a named group are scored apart. */
  readonly group?: string
}

export interface RejectedRow extends Row {
  /** Why, in the words of the ledger: `duplicate`, `malformed`, `copies a demonstration` ... */
  readonly reason: string
  readonly detail?: string
}

/** A row as people write it. Any further columns are ignored. */
export interface RowLike {
  readonly input: string
  readonly output: string
  readonly id?: string
  readonly from?: Provenance
  readonly group?: string
}

export interface DatasetOptions {
  readonly name?: string
  readonly rejected?: readonly RejectedRow[]
  /** The file that holds all rows, for whoever shows them. */
  readonly file?: string
  /** A sentence about how it came to be: `gpt-6-luna, 3 min 12 s, $0.42 of $1.00`. */
  readonly note?: string
}

const brand = Symbol.for("prompt2model.Dataset")

/** Reads a dataset file; set by the store, since the core does no I/O. */
let readDatasetFile: ((path: string) => Promise<Dataset>) | undefined

export function setDatasetReader(reader: (path: string) => Promise<Dataset>): void {
  readDatasetFile = reader
}

/**
 * Rows of input and output. Nothing changes a dataset; every method answers a new one.
 *
 * @example
 * const own = Dataset.from([{ input: "3rd of May 1999", output: "1999-05-03" }], { name: "own rows" })
 * own.length // 1
 */
export class Dataset implements Iterable<Row> {
  readonly [brand] = true
  readonly kind = "dataset" as const
  readonly name: string
  readonly note: string
  readonly file?: string
  readonly ids: readonly string[]
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly provenance: readonly Provenance[]
  readonly groups: readonly (string | undefined)[]
  /** Rows that did not get in, each with its reason. */
  readonly rejected: readonly RejectedRow[]
  private knownFingerprint?: string

  protected constructor(rows: readonly Row[], options: DatasetOptions) {
    this.name = options.name ?? "dataset"
    this.note = options.note ?? ""
    this.file = options.file
    this.rejected = options.rejected ?? []
    this.ids = rows.map((row) => row.id)
    this.inputs = rows.map((row) => row.input)
    this.outputs = rows.map((row) => row.output)
    this.provenance = rows.map((row) => row.from)
    this.groups = rows.map((row) => row.group)
  }

  /** A dataset of these rows, or of a file: `.jsonl`, `.csv`, `.parquet`, or a folder that Hugging Face's `save_to_disk` wrote. */
  static from(rows: Iterable<RowLike>, options?: DatasetOptions): Dataset
  static from(file: string): Promise<Dataset>
  static from(source: Iterable<RowLike> | string, options: DatasetOptions = {}): Dataset | Promise<Dataset> {
    if (typeof source === "string") {
      if (!readDatasetFile)
        throw new InputError("dataset.no-reader", "Files are read by the full library: import Dataset from prompt2model.")
      return readDatasetFile(source)
    }
    const name = options.name ?? "own rows"
    return new Dataset(
      Array.from(source, (row, index) => {
        if (typeof row.input !== "string" || typeof row.output !== "string") {
          throw new InputError("dataset.row-not-text", `Row ${index} of ${name} needs two texts, input and output.`)
        }
        const from = row.from ?? { kind: "annotated" as const, source: name, row: index }
        // A half of a surrogate pair has no form on disk, and would change the row when it is read again.
        const [input, output] = [row.input.toWellFormed(), row.output.toWellFormed()]
        return { id: row.id ?? rowId(from, { input, output }), input, output, from, group: row.group }
      }),
      { ...options, name },
    )
  }

  /**
   * The rows of a data frame of danfojs-node that has the columns `input` and `output`. One that `toDataFrame` made, whatever became of its
   * rows, keeps their ids and where they came from.
   * @throws InputError `dataset.no-columns`, `dataset.row-not-text`
   */
  static fromDataFrame(frame: Pick<DataFrameLike, "columns" | "values">, options: DatasetOptions = {}): Dataset {
    return Dataset.from(readDataFrame(frame) as RowLike[], { name: "data frame", ...options })
  }

  /**
   * The rows as a `DataFrame` of danfojs-node, an optional package: input, output, kind and source, group where there is one, call, temperature
   * and votes where rows were generated, id and provenance (JSON).
   * @throws InputError `dataset.no-danfo`, which says how to install it
   */
  toDataFrame(): DataFrameLike {
    return makeDataFrame([...this].map((row) => ({ ...row, source: sourceName(row.from) })))
  }

  get length(): number {
    return this.ids.length
  }

  /** Equal for equal rows in equal order. */
  get fingerprint(): string {
    this.knownFingerprint ??= fingerprintOf([this.ids, this.inputs, this.outputs, this.groups])
    return this.knownFingerprint
  }

  row(index: number): Row {
    if (!(index >= 0 && index < this.length))
      throw new InputError("dataset.no-such-row", `There is no row ${index}; ${this.name} has ${this.length} rows, from 0.`)
    return {
      id: this.ids[index],
      input: this.inputs[index],
      output: this.outputs[index],
      from: this.provenance[index],
      group: this.groups[index],
    }
  }

  *[Symbol.iterator](): Generator<Row, void, unknown> {
    for (let index = 0; index < this.length; index++) yield this.row(index)
  }

  /** The rows one by one, as a stream. */
  async *stream(): AsyncGenerator<Row> {
    yield* this
  }

  /** The same rows under another name, note, file or list of rejected rows. */
  with(options: DatasetOptions): Dataset {
    return new Dataset([...this], { name: this.name, note: this.note, file: this.file, rejected: this.rejected, ...options })
  }

  /** The rows at these positions, in this order. */
  select(indices: readonly number[], options: DatasetOptions = {}): Dataset {
    return new Dataset(
      indices.map((index) => this.row(index)),
      { name: this.name, note: this.note, ...options },
    )
  }

  /** The first `count` rows. */
  take(count: number): Dataset {
    return this.select(Array.from({ length: Math.min(count, this.length) }, (_, index) => index))
  }

  filter(keep: (row: Row, index: number) => boolean): Dataset {
    return new Dataset([...this].filter(keep), { name: this.name, note: this.note })
  }

  /** These rows, then those of `others`. */
  concat(...others: readonly Dataset[]): Dataset {
    const all = [this, ...others]
    return new Dataset(
      all.flatMap((set) => [...set]),
      {
        name: all.map((set) => set.name).join(" + "),
        rejected: all.flatMap((set) => set.rejected),
      },
    )
  }

  /** Rejected rows by reason, most first. */
  get rejectedByReason(): { readonly reason: string; readonly rows: number }[] {
    return countBy(this.rejected.map((row) => row.reason)).map(({ name, rows }) => ({ reason: name, rows }))
  }

  /** Rows by where they came from, most first. */
  get sources(): { readonly name: string; readonly rows: number }[] {
    return countBy(this.provenance.map(sourceName))
  }

  /** What it shows of itself: a bounded preview. */
  toPayload(): DatasetPayload {
    const lengths = this.inputs.map((input) => input.length).sort((a, b) => a - b)
    return {
      kind: "dataset",
      version: payloadVersion,
      title: this.name,
      subtitle: [`${this.length.toLocaleString("en")} rows`, this.note].filter(Boolean).join(", "),
      numRows: this.length,
      sources: this.sources,
      rejected: this.rejectedByReason,
      preview: [...this.take(previewRows)].map((row, index) => ({
        row: index,
        input: row.input.slice(0, previewCharacters),
        output: row.output.slice(0, previewCharacters),
        from: describeProvenance(row.from),
        votes: row.from.kind === "generated" ? `${row.from.votes} of ${row.from.voters}` : undefined,
      })),
      lengths: lengths.length === 0 ? undefined : lengthHistogram(lengths),
      file: this.file,
      isSimulated: this.provenance.some((from) => from.kind === "generated" && from.isSimulated),
    }
  }
}
makeSelfShowing(Dataset.prototype, (dataset) => dataset.toPayload())

/** A row's id from where it stands and what it says. */
export function rowId(from: Provenance, { input, output }: Example): string {
  return fingerprintOf([from, input, output]).slice(0, 16)
}

/** Where a row came from, in a few words. */
export function describeProvenance(from: Provenance): string {
  if (from.kind === "generated") return `call ${from.call}${from.temperature === undefined ? "" : `, T ${from.temperature.toFixed(2)}`}`
  if (from.kind === "retrieved") return `${from.dataset} row ${from.row}${from.transformedBy ? `, by ${from.transformedBy}` : ""}`
  return `${from.source} row ${from.row}`
}

/** A row's source, by which rows are counted. */
export function sourceName(from: Provenance): string {
  if (from.kind === "generated")
    return from.teacher === "simulated"
      ? "generated by the simulated teacher"
      : `generated by ${from.teacher}${from.isSimulated ? " (simulated)" : ""}`
  if (from.kind === "annotated") return from.source
  return `retrieved from ${from.dataset}${from.transformedBy ? `, transformed by ${from.transformedBy}` : ""}`
}

function countBy(names: readonly string[]): { name: string; rows: number }[] {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, rows]) => ({ name, rows })).sort((a, b) => b.rows - a.rows)
}

/** Nine bins of equal width over sorted `lengths`, in characters. */
function lengthHistogram(lengths: readonly number[]): NonNullable<DatasetPayload["lengths"]> {
  const max = lengths[lengths.length - 1]
  const bins = new Array<number>(9).fill(0)
  for (const length of lengths) bins[Math.min(8, Math.floor((length / (max + 1)) * 9))]++
  return { unit: "characters", bins, median: lengths[lengths.length >> 1], max }
}
