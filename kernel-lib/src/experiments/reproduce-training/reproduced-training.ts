// The result of reproduceTraining: ours beside the paper's, with the learning curves and what the errors have in common.
import type { Figure } from "../../display/figure"
import { payloadVersion, type TablePayload } from "../../display/payloads"
import { bundleOf } from "../../display/self-showing"
import { toImage } from "../../display/svg/picture"
import { renderText } from "../../display/text"
import { countOf, formatCount } from "../../display/wording"
import { metricNamed } from "../../measures"
import type { Report } from "../../stages/evaluate/evaluate"
import type { TrainingSettings } from "../../stages/fine-tune/choose-settings"
import { writeCsv, writeLatexTable } from "../text-table"
import type { CurveStep, ReproducedComparison, ReproducedSystem } from "./compare-with-paper"
import { describeTraining } from "./describe-training"
import type { ErrorDiagnosis } from "./explain-errors"
import type { ReproducedTrainingData } from "./reproduced-training-data"
import type { BaseFacts } from "./train-points"
import { drawCurves, plotCurves } from "./training-curves"
import type { TrainingName } from "./training-tasks"

const brand = Symbol.for("prompt2model.ReproducedTraining")

/** The paper's recipe on the paper's rows. Read-only. */
export class ReproducedTraining implements ReproducedTrainingData {
  readonly [brand] = true
  readonly kind = "reproduced-training" as const
  readonly name: TrainingName
  readonly title: string
  readonly metrics: readonly string[]
  readonly base: BaseFacts
  readonly rows: ReproducedTrainingData["rows"]
  readonly seeds: readonly number[]
  readonly settings: TrainingSettings
  /** With most rows and most epochs. */
  readonly student: ReproducedSystem
  readonly others: readonly ReproducedSystem[]
  readonly byRows: readonly ReproducedSystem[]
  readonly byEpochs: readonly ReproducedSystem[]
  /** The student against each system whose answers are there, by each metric. */
  readonly comparisons: readonly ReproducedComparison[]
  readonly lastSteps: readonly CurveStep[]
  readonly diagnosis: ErrorDiagnosis
  readonly studentFolder?: string
  readonly notes: readonly string[]
  /** Of the main student, with every row; undefined where this was made of its data alone. */
  declare readonly report?: Report

  constructor(data: ReproducedTrainingData, report?: Report) {
    this.name = data.name
    this.title = data.title
    this.metrics = data.metrics
    this.base = data.base
    this.rows = data.rows
    this.seeds = data.seeds
    this.settings = data.settings
    this.student = data.student
    this.others = data.others
    this.byRows = data.byRows
    this.byEpochs = data.byEpochs
    this.comparisons = data.comparisons
    this.lastSteps = data.lastSteps
    this.diagnosis = data.diagnosis
    this.studentFolder = data.studentFolder
    this.notes = data.notes
    // Not part of its data.
    Object.defineProperty(this, "report", { value: report, enumerable: false })
    Object.freeze(this)
  }

  /** The student against this system by the task's metric, or another one: `comparison("copy the input")`. */
  comparison(system: string, metric: string = this.metrics[0]): ReproducedComparison | undefined {
    return this.comparisons.find((one) => one.system === system && one.metric === metric)
  }

  /** The learning curves over rows and over epochs: for Plotly, with a static picture beside it. */
  figure(): Figure {
    return plotCurves(this)
  }

  /** A table for a paper, with the packages that it needs named in a comment. */
  toLatex(): string {
    return writeLatexTable(this.toPayload())
  }

  /** A line for each system and metric. */
  toCsv(): string {
    const rows = this.listSystems().flatMap((system) =>
      this.metrics.map((metric, at) => {
        const { value, low, high } = system.scores[metric] ?? {}
        return [system.system, system.rows, system.epochs, metric, at === 0 ? system.published : undefined, value, low, high]
      }),
    )
    return writeCsv(["system", "rows", "epochs", "metric", "published", "value", "low", "high"], rows)
  }

  /** Plain data, from which `new ReproducedTraining` makes it again. */
  toJSON(): ReproducedTrainingData {
    const { [brand]: _brand, kind: _kind, ...data } = this
    return data
  }

  /** What it shows of itself. */
  toPayload(): TablePayload {
    const { base, student, rows, seeds } = this
    const columns = columnsFor(this.metrics)
    const systems = this.listSystems()
    const [first] = this.metrics
    const metric = metricNamed(first)
    return {
      kind: "table",
      version: payloadVersion,
      title: this.title,
      subtitle: `${base.name}, ${base.description}, ${(base.parameters / 1e6).toFixed(1)} M weights; ${countOf(seeds.length, "seed")}; ${formatCount(rows.test)} real test rows`,
      columns: columns.map(({ name, isNumber }) => ({ name, isNumber })),
      rows: systems.map((system) => ({ cells: columns.map(({ show }) => show(system)), isOurs: system === student })),
      notes: describeTraining(this),
      intervals: { name: metric.label, scale: metric.scale, rows: systems.map(({ scores }) => scores[first]) },
      nextStep: "reproduced.figure()",
    }
  }

  /** The student first, then what it is compared with, then the curves' other points. */
  private listSystems(): readonly ReproducedSystem[] {
    return [this.student, ...this.others, ...this.byRows.slice(0, -1), ...this.byEpochs.slice(0, -1)]
  }
}

// Its HTML has the curves below the table; everything else is as every table shows itself.
Object.defineProperty(ReproducedTraining.prototype, Symbol.for("Jupyter.display"), {
  configurable: true,
  value(this: ReproducedTraining) {
    const bundle = bundleOf(this.toPayload())
    const html = String(bundle["text/html"])
    const end = html.lastIndexOf("</div>")
    return { ...bundle, "text/html": `${html.slice(0, end)}<p>${toImage(drawCurves(this))}</p>\n${html.slice(end)}` }
  },
})
Object.defineProperty(ReproducedTraining.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  configurable: true,
  value(this: ReproducedTraining) {
    return renderText(this.toPayload())
  },
})

interface ShownColumn {
  readonly name: string
  readonly isNumber?: boolean
  show(system: ReproducedSystem): string
}

function columnsFor(metrics: readonly string[]): ShownColumn[] {
  const [first] = metrics
  return [
    { name: "system", show: ({ system }) => system },
    { name: "rows", isNumber: true, show: ({ rows }) => (rows === undefined ? "" : formatCount(rows)) },
    { name: "epochs", isNumber: true, show: ({ epochs }) => (epochs === undefined ? "" : formatCount(epochs)) },
    ...metrics.flatMap((name): ShownColumn[] => {
      const { label, scale } = metricNamed(name)
      const published: ShownColumn = {
        name: "published",
        isNumber: true,
        show: ({ published: said, kind }) => said?.toString() ?? (kind === "paper" ? "N/A" : ""),
      }
      return [
        ...(name === first ? [published] : []),
        { name: label, isNumber: true, show: ({ scores }) => (scores[name] ? digits(scores[name].value, scale) : "") },
        { name: "95% interval", isNumber: true, show: ({ scores }) => describeInterval(scores[name], scale) },
      ]
    }),
  ]
}

function describeInterval(score: { readonly low: number; readonly high: number } | undefined, scale: number): string {
  return score ? `${digits(score.low, scale)} to ${digits(score.high, scale)}` : ""
}

/** A digit more than elsewhere, since numbers are compared with printed ones. */
function digits(value: number, scale: number): string {
  return value.toFixed(scale === 1 ? 3 : 2)
}
