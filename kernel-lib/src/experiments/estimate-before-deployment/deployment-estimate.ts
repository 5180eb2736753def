// The result of estimateBeforeDeployment: what speaks for a generated test set and what against it, and a verdict.
import { colours } from "../../display/colours"
import { type Figure, makeFigure } from "../../display/figure"
import { payloadVersion, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { drawPicture, element, guideLine, label, type Picture } from "../../display/svg/picture"
import { formatCount, formatScore } from "../../display/wording"
import { type Diversity, describeDiversity, metricNamed, type RankCorrelation } from "../../measures"
import { writeLatexTable } from "../text-table"

/**
 * `trusted`: it ranks models as the real rows do, and as high. `trusted for ranking only`: scores on it are higher or lower than on real rows, or
 * may be.
 * `no real rows to tell by`: nothing shows whether it stands for the task, though nothing may speak against it either.
 */
export type Verdict =
  | "trusted"
  | "trusted for ranking only"
  | "not trusted"
  | "too few models to tell"
  | "too few rows to tell"
  | "no real rows to tell by"

/** A model's scores. */
export interface EstimatedModel {
  readonly name: string
  readonly generated: number
  /** Undefined where there are no real rows. */
  readonly real?: number
}

export interface DeploymentEstimateData {
  readonly verdict: Verdict
  /** Why, a sentence each. */
  readonly reasons: readonly string[]
  readonly metric: string
  readonly models: readonly EstimatedModel[]
  readonly generatedRows: number
  readonly realRows: number
  /** Kendall's tau-b between the two tests. */
  readonly ranking?: RankCorrelation
  /** Score on the generated test minus score on the real one, mean over models; the 95% interval is for other models (Student's t) and other rows (bootstrap) of their kind. */
  readonly gap?: { readonly value: number; readonly low?: number; readonly high?: number }
  /** Generated test rows that repeat others; undefined where there was nothing to compare with. */
  readonly leaks: { readonly train?: number; readonly demonstrations?: number; readonly removed?: number }
  /** At equal numbers of rows. */
  readonly diversity: { readonly generated: Diversity; readonly real?: Diversity }
}

const brand = Symbol.for("prompt2model.DeploymentEstimate")

/** Whether a generated test set is to be trusted for a task. Read-only. */
export class DeploymentEstimate implements DeploymentEstimateData {
  readonly [brand] = true
  readonly kind = "deploymentEstimate" as const
  readonly verdict: Verdict
  readonly reasons: readonly string[]
  readonly metric: string
  readonly models: readonly EstimatedModel[]
  readonly generatedRows: number
  readonly realRows: number
  readonly ranking?: RankCorrelation
  readonly gap?: DeploymentEstimateData["gap"]
  readonly leaks: DeploymentEstimateData["leaks"]
  readonly diversity: DeploymentEstimateData["diversity"]

  constructor(data: DeploymentEstimateData) {
    this.verdict = data.verdict
    this.reasons = data.reasons
    this.metric = data.metric
    this.models = data.models
    this.generatedRows = data.generatedRows
    this.realRows = data.realRows
    this.ranking = data.ranking
    this.gap = data.gap
    this.leaks = data.leaks
    this.diversity = data.diversity
    Object.freeze(this)
  }

  toJSON(): DeploymentEstimateData {
    const { verdict, reasons, metric, models, generatedRows, realRows, ranking, gap, leaks, diversity } = this
    return { verdict, reasons, metric, models, generatedRows, realRows, ranking, gap, leaks, diversity }
  }

  toLatex(): string {
    return writeLatexTable(this.toPayload())
  }

  /** Each model's score on the real rows against that on the generated ones. */
  figure(): Figure {
    const { label: name, scale } = metricNamed(this.metric)
    const models = this.models.filter(({ real }) => real !== undefined)
    const points = {
      ...{ type: "scatter", mode: "markers+text", textposition: "top center" },
      x: models.map(({ real }) => real),
      y: models.map(({ generated }) => generated),
      text: models.map((model) => model.name),
    }
    const equal = { type: "scatter", mode: "lines", x: [0, scale], y: [0, scale], line: { dash: "dot", color: colours.grey } }
    const layout = {
      showlegend: false,
      xaxis: { title: { text: `${name}, real rows` } },
      yaxis: { title: { text: `${name}, generated rows` } },
    }
    return makeFigure("Generated against real test", { data: [points, equal], layout }, this.draw())
  }

  /** What it shows of itself. */
  toPayload(): TablePayload {
    const { scale, label: metricLabel } = metricNamed(this.metric)
    return {
      kind: "table",
      version: payloadVersion,
      title: `Generated test set: ${this.verdict}`,
      subtitle: `${formatCount(this.generatedRows)} generated rows, ${formatCount(this.realRows)} real ones, ${formatCount(this.models.length)} models, ${metricLabel}`,
      columns: [{ name: "question" }, { name: "answer" }],
      rows: [
        ["Does it rank models as real rows do?", describeRanking(this.ranking)],
        ["Is it as hard as real rows?", describeGap(this.gap, scale, metricLabel)],
        ["Does it repeat what students have seen?", describeLeaks(this.leaks, this.generatedRows)],
        ["Are its inputs different from each other?", describeSets(this.diversity)],
        ...this.models.map(({ name, generated, real }) => [
          name,
          `${formatScore(generated, scale)} generated${real === undefined ? "" : `, ${formatScore(real, scale)} real`}`,
        ]),
      ].map((cells) => ({ cells })),
      notes: this.reasons,
    }
  }

  private draw(): Picture {
    const { label: name, scale } = metricNamed(this.metric)
    const [left, top, size] = [60, 20, 200]
    const models = this.models.filter(({ real }) => real !== undefined)
    const x = (value: number) => left + (size * value) / scale
    const y = (value: number) => top + size * (1 - value / scale)
    return drawPicture(left + size + 160, top + size + 40, `${name} on generated rows against real rows, for ${models.length} models`, [
      guideLine(left, top + size, left + size, top + size),
      guideLine(left, top, left, top + size),
      guideLine(x(0), y(0), x(scale), y(scale)),
      label(left, 12, `${name} on generated rows`),
      label(left + size, top + size + 28, "on real rows", { "text-anchor": "end" }),
      ...[0, scale].flatMap((value) => [
        label(x(value), top + size + 14, String(value), { "text-anchor": "middle" }),
        label(left - 6, y(value) + 4, String(value), { "text-anchor": "end" }),
      ]),
      ...models.flatMap((model) => [
        element("circle", { cx: x(model.real!), cy: y(model.generated), r: 4, fill: colours.blue }),
        label(x(model.real!) + 7, y(model.generated) + 4, model.name.slice(0, 24)),
      ]),
    ])
  }
}
makeSelfShowing(DeploymentEstimate.prototype, (estimate: DeploymentEstimate) => estimate.toPayload())

function describeRanking(ranking: RankCorrelation | undefined): string {
  if (!ranking) return "not known"
  if (Number.isNaN(ranking.value)) return "all models score alike on one of the two"
  return `Kendall's tau ${ranking.value.toFixed(2)} (${ranking.low.toFixed(2)} to ${ranking.high.toFixed(2)}), p = ${ranking.p.toFixed(3)}`
}

function describeGap(gap: DeploymentEstimateData["gap"], scale: number, metricLabel: string): string {
  if (!gap) return "not known"
  const signed = (value: number) => `${value < 0 ? "-" : "+"}${formatScore(Math.abs(value), scale)}`
  const interval = gap.low === undefined || gap.high === undefined ? "" : ` (${signed(gap.low)} to ${signed(gap.high)})`
  return `${signed(gap.value)} ${metricLabel}${interval}, generated minus real`
}

function describeLeaks({ train, demonstrations, removed }: DeploymentEstimateData["leaks"], rows: number): string {
  const share = (count: number, what: string) => `${formatCount(count)} of ${formatCount(rows)} repeat ${what}`
  const parts = [
    train === undefined ? "train rows not given" : share(train, "train rows"),
    demonstrations === undefined ? undefined : share(demonstrations, "demonstrations"),
    removed === undefined ? undefined : `${formatCount(removed)} rows were kept out of train for it`,
  ]
  return parts.filter(Boolean).join(", ")
}

function describeSets({ generated, real }: DeploymentEstimateData["diversity"]): string {
  return real ? `${describeDiversity(generated)}; real rows: ${describeDiversity(real)}` : describeDiversity(generated)
}
