// The result of ablate: a table of cells with means, intervals and significance, what is best for its cost, and a figure.

import type { Figure } from "../../display/figure"
import { payloadVersion, type TablePayload } from "../../display/payloads"
import { bundleOf } from "../../display/self-showing"
import { toImage } from "../../display/svg/picture"
import { renderText } from "../../display/text"
import { formatCount, formatScore, formatUsd } from "../../display/wording"
import { metricNamed } from "../../measures"
import { writeCsv, writeLatexTable } from "../text-table"
import type { AblationCell, AblationData, AblationReuse } from "./ablation-data"
import { drawAblation, plotAblation } from "./ablation-figure"
import { nameCell, varyingSwitches } from "./cells"
import { describeValue } from "./switches"

const brand = Symbol.for("prompt2model.Ablation")

/** What each switch does. Read-only. */
export class Ablation implements AblationData {
  readonly [brand] = true
  readonly kind = "ablation" as const
  readonly metrics: readonly string[]
  readonly seeds: readonly number[]
  readonly reference: string
  readonly testRows: number
  readonly cells: readonly AblationCell[]
  readonly reuse: AblationReuse
  readonly isTeacherSimulated: boolean

  constructor(data: AblationData) {
    this.metrics = data.metrics
    this.seeds = data.seeds
    this.reference = data.reference
    this.testRows = data.testRows
    this.cells = data.cells
    this.reuse = data.reuse
    this.isTeacherSimulated = data.isTeacherSimulated
    Object.freeze(this)
  }

  /** The cell of that name. */
  cell(name: string): AblationCell | undefined {
    return this.cells.find((cell) => cell.name === name)
  }

  /** What `frontier` counts as cost: dollars where cells differ in them, else the rows that training reads. */
  get costName(): "usd" | "rowsRead" {
    return new Set(this.scored.map(({ cost }) => cost.usd)).size > 1 ? "usd" : "rowsRead"
  }

  /** Cells that no other beats by the first metric at the same cost or less, cheapest first. */
  get frontier(): readonly AblationCell[] {
    const { costName } = this
    const [metric] = this.metrics
    const sorted = [...this.scored].sort((a, b) => a.cost[costName] - b.cost[costName] || b.scores[metric].value - a.scores[metric].value)
    const kept: AblationCell[] = []
    for (const cell of sorted) if (kept.every(({ scores }) => scores[metric].value < cell.scores[metric].value)) kept.push(cell)
    return kept
  }

  /** Scores with their intervals, and cost against score: for Plotly, with a static picture beside it. */
  figure(): Figure {
    return plotAblation(this)
  }

  /** A table for a paper, with the packages that it needs named in a comment. */
  toLatex(): string {
    return writeLatexTable(this.toPayload())
  }

  /** A line for each cell and metric. */
  toCsv(): string {
    const switches = varyingSwitches(this.cells.map((cell) => cell.switches))
    const columns = ["cell", ...switches, "metric", "mean", "low", "high", "seeds", "difference", "differenceLow", "differenceHigh"]
    const rows = this.scored.flatMap((cell) =>
      this.metrics.map((metric) => {
        const { value, low, high } = cell.scores[metric]
        const against = cell.againstReference?.[metric]
        const mcNemarP = metric === this.metrics[0] ? cell.mcNemar?.p : undefined
        const chosen = switches.map((name) => describeValue(cell.switches[name]))
        const compared = [against?.value, against?.low, against?.high, against?.p, against?.adjustedP, mcNemarP]
        return [
          cell.name,
          ...chosen,
          metric,
          value,
          low,
          high,
          cell.seeds.length,
          ...compared,
          cell.trainRows,
          cell.cost.usd,
          cell.cost.rowsRead,
        ]
      }),
    )
    return writeCsv([...columns, "p", "adjustedP", "mcNemarP", "trainRows", "usd", "rowsRead"], rows)
  }

  /** Plain data, from which `new Ablation` makes it again. */
  toJSON(): AblationData {
    const { metrics, seeds, reference, testRows, cells, reuse, isTeacherSimulated } = this
    return { metrics, seeds, reference, testRows, cells, reuse, isTeacherSimulated }
  }

  /** What it shows of itself. */
  toPayload(): TablePayload {
    const columns = this.columns()
    const runs = `${formatCount(this.cells.length)} cells, ${formatCount(this.seeds.length)} seed${this.seeds.length === 1 ? "" : "s"}, ${formatCount(this.testRows)} test rows`
    return {
      kind: "table",
      version: payloadVersion,
      title: "Ablation",
      subtitle: `${runs}${this.isTeacherSimulated ? ", simulated teacher" : ""}`,
      columns: columns.map(({ name, isNumber }) => ({ name, isNumber })),
      rows: this.cells.map((cell) => ({ cells: columns.map(({ show }) => show(cell)), isOurs: cell.isReference })),
      notes: this.describe(),
      intervals: {
        ...{ name: metricNamed(this.metrics[0]).label, scale: metricNamed(this.metrics[0]).scale },
        rows: this.cells.map(({ scores }) => scores[this.metrics[0]] && boundsOf(scores[this.metrics[0]])),
      },
      nextStep: "ablation.figure()",
    }
  }

  /** Cells that have scores. */
  private get scored(): readonly AblationCell[] {
    return this.cells.filter(({ status }) => status === "done")
  }

  private columns(): ShownColumn[] {
    const [first] = this.metrics
    const switches = varyingSwitches(this.cells.map((cell) => cell.switches))
    const isNamed = switches.length === 0 || this.cells.some((cell) => cell.name !== nameCell(switches, cell.switches))
    return [
      ...(isNamed ? [{ name: "cell", show: (cell: AblationCell) => cell.name }] : []),
      // One switch that names of one's own tell apart takes room and says nothing.
      ...(isNamed && switches.length === 1 ? [] : switches).map((key) => ({
        name: wordsOf(key),
        show: (cell: AblationCell) => describeValue(cell.switches[key]),
      })),
      ...this.metrics.flatMap((metric) => scoreColumns(metric, metric === first)),
      ...(this.scored.some(({ mcNemar }) => mcNemar)
        ? [{ name: "McNemar p", isNumber: true, show: ({ mcNemar }: AblationCell) => (mcNemar ? formatP(mcNemar.p) : "") }]
        : []),
      { name: "rows", isNumber: true, show: ({ trainRows }) => formatCount(Math.round(trainRows)) },
      ...(this.scored.some(({ cost }) => cost.usd > 0)
        ? [{ name: "cost", isNumber: true, show: ({ cost }: AblationCell) => formatUsd(cost.usd) }]
        : []),
      { name: "shared", isNumber: true, show: ({ stages }) => `${stages.shared} of ${stages.all}` },
    ]
  }

  private describe(): string[] {
    const { reuse, seeds, frontier, costName } = this
    const [first] = this.metrics
    const over = seeds.length > 1 ? `over the ${seeds.length} seeds (Student's t)` : "over rows (bootstrap)"
    const rowsTogether = seeds.length > 1 ? ", the answers of all seeds to a row drawn together" : ""
    const majority = seeds.length > 1 ? "; a row is right where most seeds are" : ""
    return [
      `The reference is in bold. Intervals: 95% ${over}. p: paired bootstrap over rows${rowsTogether}, corrected by Holm for ${this.cells.length - 1} comparisons${this.scored.some(({ mcNemar }) => mcNemar) ? `; McNemar over rows, not corrected${majority}` : ""}.`,
      ...(frontier.length > 0
        ? [
            `Best for their cost (${costName === "usd" ? "dollars" : "rows read in training"}, ${metricNamed(first).label}): ${frontier.map(({ name }) => name).join("; ")}.`,
          ]
        : []),
      `${formatCount(reuse.stages)} stages, ${formatCount(reuse.different)} of them different: ${formatCount(reuse.stages - reuse.different)} were shared between cells (column shared).`,
      ...this.cells.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}.`)),
    ]
  }
}

// Its HTML has the picture below the table; everything else is as every table shows itself.
Object.defineProperty(Ablation.prototype, Symbol.for("Jupyter.display"), {
  configurable: true,
  value(this: Ablation) {
    const bundle = bundleOf(this.toPayload())
    return { ...bundle, "text/html": addPicture(String(bundle["text/html"]), toImage(drawAblation(this))) }
  },
})
Object.defineProperty(Ablation.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  configurable: true,
  value(this: Ablation) {
    return renderText(this.toPayload())
  },
})

/** Inside the frame, so that it has the frame's colours. */
function addPicture(html: string, image: string): string {
  const end = html.lastIndexOf("</div>")
  return `${html.slice(0, end)}<p>${image}</p>\n${html.slice(end)}`
}

interface ShownColumn {
  readonly name: string
  readonly isNumber?: boolean
  show(cell: AblationCell): string
}

function boundsOf({ value, low, high }: AblationCell["scores"][string]) {
  return { value, low, high }
}

function scoreColumns(metric: string, isFirst: boolean): ShownColumn[] {
  const { label, scale } = metricNamed(metric)
  const score: ShownColumn = {
    name: label,
    isNumber: true,
    show: ({ scores, status }) => (status === "failed" ? "failed" : formatScore(scores[metric].value, scale)),
  }
  const difference: ShownColumn = {
    name: isFirst ? "difference" : `${label} difference`,
    isNumber: true,
    show: ({ againstReference }) => formatDifference(againstReference?.[metric]?.value, scale),
  }
  const p: ShownColumn = {
    name: "p",
    isNumber: true,
    show: ({ againstReference }) => (againstReference?.[metric] ? formatP(againstReference[metric].adjustedP) : ""),
  }
  if (!isFirst) return [score]
  const interval: ShownColumn = {
    name: "95% interval",
    isNumber: true,
    show: ({ scores }) => (scores[metric] ? `${formatScore(scores[metric].low, scale)} to ${formatScore(scores[metric].high, scale)}` : ""),
  }
  return [score, interval, difference, p]
}

function formatDifference(value: number | undefined, scale: number): string {
  return value === undefined ? "" : `${value < 0 ? "-" : "+"}${formatScore(Math.abs(value), scale)}`
}

function formatP(p: number): string {
  return p < 0.001 ? "<0.001" : p.toFixed(3)
}

/** `numExamples` as `num examples`. */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
