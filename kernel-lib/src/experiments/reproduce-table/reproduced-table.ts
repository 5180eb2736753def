// The result of reproduceTable: each number that the paper or its artefacts have, published beside recomputed.
import { payloadVersion, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { countOf, formatCount } from "../../display/wording"
import { writeCsv, writeLatexTable } from "../text-table"

/** One number of a table. */
export interface ReproducedCell {
  readonly system: string
  /** What was answered: `real test`, `generated test`. */
  readonly test: string
  readonly metric: string
  /** 1 for shares, 100 for chrF++ and percent. */
  readonly scale: number
  /** As the paper or the authors' files have it. */
  readonly published?: number
  /** From the stored predictions. */
  readonly recomputed?: number
  /** 95% interval of `recomputed`. */
  readonly low?: number
  readonly high?: number
  /** `recomputed` minus `published`. */
  readonly difference?: number
  readonly rows?: number
  /** How it is counted, in a few words: `any gold` is exact match with any gold answer, unnormalised. */
  readonly protocol: string
  /** Why it is not recomputed, or what else is to be known. */
  readonly remark: string
}

const brand = Symbol.for("prompt2model.ReproducedTable")

/** A table of the paper, recomputed. Read-only. */
export class ReproducedTable {
  readonly [brand] = true
  readonly kind = "reproduced-table" as const

  constructor(
    /** As it was asked for: `temporal`. */
    readonly name: string,
    readonly title: string,
    readonly cells: readonly ReproducedCell[],
    /** What is to be known of all of them, a sentence each. */
    readonly notes: readonly string[],
  ) {
    Object.freeze(this)
  }

  toJSON(): { readonly table: string; readonly rows: readonly ReproducedCell[]; readonly notes: readonly string[] } {
    return { table: this.name, rows: this.cells, notes: this.notes }
  }

  /** A table for a paper, with the packages that it needs named in a comment. */
  toLatex(): string {
    return writeLatexTable(this.toPayload())
  }

  /** A line for each number, with all its digits. */
  toCsv(): string {
    const columns = [
      "system",
      "test",
      "metric",
      "protocol",
      "rows",
      "published",
      "recomputed",
      "low",
      "high",
      "difference",
      "remark",
    ] as const
    return writeCsv(
      columns,
      this.cells.map((cell) => columns.map((name) => cell[name])),
    )
  }

  /** What it shows of itself. */
  toPayload(): TablePayload {
    const published = this.cells.filter((cell) => cell.published !== undefined)
    const numBoth = published.filter(({ recomputed }) => recomputed !== undefined).length
    const recomputed = this.cells.filter((cell) => cell.recomputed !== undefined)
    const columns = columnsFor(this.cells)
    return {
      kind: "table",
      version: payloadVersion,
      title: this.title,
      subtitle:
        published.length === 0
          ? `${countOf(recomputed.length, "number")} from stored predictions`
          : `${countOf(published.length, "number")} published, ${numBoth} of them recomputed; ${recomputed.length - numBoth} more from stored predictions`,
      columns: columns.map(({ name, isNumber }) => ({ name, isNumber })),
      rows: this.cells.map((cell) => ({ cells: columns.map(({ show }) => show(cell)) })),
      notes: [describeRows(this.cells), ...gatherRemarks(this.cells), ...this.notes].filter((note) => note !== ""),
    }
  }
}
makeSelfShowing(ReproducedTable.prototype, (table) => table.toPayload())

interface ShownColumn {
  readonly name: string
  readonly isNumber?: boolean
  show(cell: ReproducedCell): string
}

/** Columns that say something. */
function columnsFor(cells: readonly ReproducedCell[]): ShownColumn[] {
  const hasTests = new Set(cells.map(({ test }) => test)).size > 1
  const hasPublished = cells.some(({ published }) => published !== undefined)
  const signed = ({ difference, scale }: ReproducedCell) =>
    difference === undefined ? "" : `${difference >= 0 ? "+" : "-"}${formatDigits(Math.abs(difference), scale)}`
  const interval = ({ low, high, scale }: ReproducedCell) =>
    low === undefined || high === undefined ? "" : `${formatDigits(low, scale)} to ${formatDigits(high, scale)}`
  return [
    { name: "system", show: ({ system }) => system },
    ...(hasTests ? [{ name: "test", show: ({ test }: ReproducedCell) => test }] : []),
    { name: "metric", show: ({ metric }) => metric },
    { name: "protocol", show: ({ protocol }) => protocol },
    ...(hasPublished ? [{ name: "published", isNumber: true, show: ({ published }: ReproducedCell) => published?.toString() ?? "-" }] : []),
    { name: "recomputed", isNumber: true, show: ({ recomputed, scale }) => formatDigits(recomputed, scale) },
    { name: "95% interval", isNumber: true, show: interval },
    ...(hasPublished ? [{ name: "difference", isNumber: true, show: signed }] : []),
  ]
}

/** A digit more than elsewhere, since numbers are compared with printed ones. */
function formatDigits(value: number | undefined, scale: number): string {
  return value === undefined || !Number.isFinite(value) ? "-" : value.toFixed(scale === 1 ? 3 : 2)
}

/** `860 rows of the real test, 1,000 of the generated test.` */
function describeRows(cells: readonly ReproducedCell[]): string {
  const rows = new Map(cells.flatMap(({ test, rows: count }) => (count === undefined || test === "both" ? [] : [[test, count] as const])))
  const parts = [...rows].map(([test, count], at) => `${at === 0 ? countOf(count, "row") : formatCount(count)} of the ${test}`)
  return parts.length === 0 ? "" : `${parts.join(", ")}.`
}

/** Each remark once, behind the systems that it is about. */
function gatherRemarks(cells: readonly ReproducedCell[]): string[] {
  const systems = new Map<string, string[]>()
  for (const { remark, system } of cells) if (remark !== "") systems.set(remark, [...(systems.get(remark) ?? []), system])
  return [...systems].map(([remark, names]) => `${[...new Set(names)].join("; ")}: ${remark}.`)
}
