// The result of compareReports: scores before and after with a paired test, and the rows that were fixed or broke.
import { payloadVersion, previewCharacters, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { countOf, formatCount, formatScore } from "../../display/wording"
import { metricNamed } from "../../measures"
import { writeCsv, writeLatexTable } from "../text-table"

/** A metric before and after. */
export interface ScoreChange {
  readonly metric: string
  readonly before: number
  readonly after: number
  /** After minus before, with its 95% interval and p by paired bootstrap over rows. */
  readonly difference: number
  readonly low: number
  readonly high: number
  readonly p: number
}

/** A test row with both answers. */
export interface ChangedRow {
  /** Position in the test set. */
  readonly row: number
  readonly id: string
  readonly input: string
  readonly expected: string
  readonly before: string
  readonly after: string
  /** `fixed`: wrong before, right after; `broken`: the other way round; or as it was. */
  readonly change: "fixed" | "broken" | "right" | "wrong"
}

interface ReportComparisonData {
  readonly names: readonly [string, string]
  readonly scores: readonly ScoreChange[]
  readonly rows: readonly ChangedRow[]
  /** McNemar's exact test of fixed against broken rows. */
  readonly p: number
}

const brand = Symbol.for("prompt2model.ReportComparison")
/** Fixed rows that are shown, and as many broken ones. */
const mostShown = 10

/** Two reports on the same test rows side by side. Read-only. */
export class ReportComparison implements ReportComparisonData {
  readonly [brand] = true
  readonly kind = "reportComparison" as const
  readonly names: readonly [string, string]
  /** In the order of the first report's metrics. */
  readonly scores: readonly ScoreChange[]
  /** Every test row. */
  readonly rows: readonly ChangedRow[]
  readonly p: number

  constructor(data: ReportComparisonData) {
    this.names = data.names
    this.scores = data.scores
    this.rows = data.rows
    this.p = data.p
    Object.freeze(this)
  }

  get fixed(): readonly ChangedRow[] {
    return this.rows.filter(({ change }) => change === "fixed")
  }

  get broken(): readonly ChangedRow[] {
    return this.rows.filter(({ change }) => change === "broken")
  }

  /** `exact match 0.620 -> 0.910, 31 rows fixed, 2 broken`. */
  get summary(): string {
    const [{ metric, before, after }] = this.scores
    const { label, scale } = metricNamed(metric)
    const [fixed, broken] = [this.fixed.length, this.broken.length]
    return `${label} ${formatScore(before, scale)} -> ${formatScore(after, scale)}, ${countOf(fixed, "row")} fixed, ${formatCount(broken)} broken`
  }

  /** The scores as a table for a paper. */
  toLatex(): string {
    const payload = this.toPayload()
    return writeLatexTable({ ...payload, rows: payload.rows.slice(0, this.scores.length + 1) })
  }

  /** A line for each test row. */
  toCsv(): string {
    const columns = ["row", "input", "expected", "before", "after", "change"] as const
    return writeCsv(
      columns,
      this.rows.map((row) => columns.map((name) => row[name])),
    )
  }

  toJSON(): ReportComparisonData {
    const { names, scores, rows, p } = this
    return { names, scores, rows, p }
  }

  /** What it shows of itself: scores, then the rows whose answer became right or wrong. */
  toPayload(): TablePayload {
    const { rows, fixed, broken, names } = this
    const shown = [...fixed.slice(0, mostShown), ...broken.slice(0, mostShown)]
    const numRight = (...changes: ChangedRow["change"][]) =>
      `${formatCount(rows.filter(({ change }) => changes.includes(change)).length)} of ${formatCount(rows.length)}`
    const left = fixed.length + broken.length - shown.length
    return {
      kind: "table",
      version: payloadVersion,
      title: `${names[0]} and ${names[1]}`.replace(/^./u, (letter) => letter.toUpperCase()),
      subtitle: `${this.summary} of ${formatCount(rows.length)}`,
      columns: [{ name: "" }, { name: names[0], isText: true }, { name: names[1], isText: true }, { name: "change" }],
      rows: [
        ...this.scores.map((score) => ({ cells: describeScore(score) })),
        {
          cells: [
            "rows right",
            numRight("right", "broken"),
            numRight("right", "fixed"),
            `${formatCount(fixed.length)} fixed, ${formatCount(broken.length)} broken, p ${formatP(this.p)}`,
          ],
        },
        ...shown.map(({ row, input, expected, before, after, change }) => ({
          cells: [`row ${row}: ${cut(input)}`, cut(before), cut(after), change === "fixed" ? "fixed" : `broken, expected ${cut(expected)}`],
        })),
      ],
      notes: [
        `Differences: 95% intervals and p by paired bootstrap over the same rows; rows right: McNemar's exact test.${left > 0 ? ` ${countOf(left, "more changed row")} in comparison.fixed and comparison.broken.` : ""} Chance in training is not in them: for that, train from several seeds (ablate).`,
      ],
      nextStep: "comparison.broken",
    }
  }
}
makeSelfShowing(ReportComparison.prototype, (comparison: ReportComparison) => comparison.toPayload())

function describeScore({ metric, before, after, difference, low, high, p }: ScoreChange): string[] {
  const { label, scale } = metricNamed(metric)
  const signed = (value: number) => `${value < 0 ? "-" : "+"}${formatScore(Math.abs(value), scale)}`
  return [
    label,
    formatScore(before, scale),
    formatScore(after, scale),
    `${signed(difference)} (${signed(low)} to ${signed(high)}), p ${formatP(p)}`,
  ]
}

function formatP(p: number): string {
  return p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`
}

function cut(text: string): string {
  return text.slice(0, previewCharacters)
}
