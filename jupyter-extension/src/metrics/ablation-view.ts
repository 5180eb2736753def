// The ablation of a run's folder: a row for each cell with its interval and what it is against the reference, and cost against quality.
import { colours } from "../../../kernel-lib/src/display/colours"
import { formatCount, formatScore, formatUsd } from "../../../kernel-lib/src/display/wording"
import { trans } from "../settings/language"
import { createElement } from "../viewer/elements"
import { differencesOf, type Settings, wordsOf } from "./compare-runs"
import { frontierOf, PointsChart } from "./points-chart"
import { arrayOf, isFields, listOf, numberOf, textOf } from "./read-results"
import { createTable, renderTrack } from "./result-parts"
import { labelOf, scaleOf } from "./run-table"

interface ShownScore {
  readonly value: number
  readonly low?: number
  readonly high?: number
  readonly difference?: number
  readonly p?: number
}

export interface ShownCell {
  readonly name: string
  readonly isReference: boolean
  readonly isFailed: boolean
  readonly switches: Settings
  readonly seeds: number
  /** In the order of the metrics. */
  readonly scores: readonly (ShownScore | undefined)[]
  readonly mcNemarP: number | undefined
  readonly trainRows: number
  readonly usd: number
  readonly rowsRead: number
  readonly shared: string
  readonly notes: readonly string[]
}

export interface ShownAblation {
  readonly metrics: readonly string[]
  readonly seeds: number
  readonly testRows: number
  readonly isTeacherSimulated: boolean
  readonly cells: readonly ShownCell[]
}

/** @throws Error in one sentence, where it is no ablation */
export function readAblation(value: unknown): ShownAblation {
  const metrics = isFields(value) ? arrayOf(value.metrics).slice(0, 12).map(textOf).filter(Boolean) : []
  if (!isFields(value) || metrics.length === 0 || !Array.isArray(value.cells)) throw new Error(trans.__("The file holds no ablation."))
  return {
    metrics,
    seeds: arrayOf(value.seeds).length,
    testRows: numberOf(value.testRows) ?? 0,
    isTeacherSimulated: value.isTeacherSimulated === true,
    cells: listOf(value.cells, (cell) => readCell(cell, metrics)),
  }
}

function readCell(cell: Readonly<Record<string, unknown>>, metrics: readonly string[]): ShownCell {
  const fields = (value: unknown) => (isFields(value) ? value : {})
  const [cost, stages, scores, against] = [cell.cost, cell.stages, cell.scores, cell.againstReference].map(fields)
  const switches = Object.entries(fields(cell.switches)).flatMap(([name, value]): [string, string | number | boolean][] =>
    value === undefined ? [] : [[name, typeof value === "number" || typeof value === "boolean" ? value : sayValue(value)]],
  )
  return {
    ...{ name: textOf(cell.name), isReference: cell.isReference === true, isFailed: cell.status === "failed" },
    ...{ switches: Object.fromEntries(switches), seeds: arrayOf(cell.seeds).length },
    scores: metrics.map((metric) => {
      const { value, low, high } = fields(scores[metric])
      const { value: difference, adjustedP } = fields(against[metric])
      const mean = numberOf(value)
      if (mean === undefined) return undefined
      return { value: mean, low: numberOf(low), high: numberOf(high), difference: numberOf(difference), p: numberOf(adjustedP) }
    }),
    mcNemarP: numberOf(fields(cell.mcNemar).p),
    ...{ trainRows: numberOf(cell.trainRows) ?? 0, usd: numberOf(cost.usd) ?? 0, rowsRead: numberOf(cost.rowsRead) ?? 0 },
    shared: stages.all === undefined ? "" : trans.__("%1 of %2", numberOf(stages.shared) ?? 0, numberOf(stages.all) ?? 0),
    notes: arrayOf(cell.notes).slice(0, 8).map(textOf),
  }
}

function sayValue(value: unknown): string {
  return typeof value === "string" ? textOf(value) : JSON.stringify(value).slice(0, 60)
}

export class AblationView {
  readonly node = createElement("div", "p2m-ablation")
  private readonly chart = new PointsChart((key) => this.mark(key))

  show(ablation: ShownAblation, run: string): void {
    const { metrics, cells, seeds, testRows, isTeacherSimulated } = ablation
    const heading = createElement("h5", "", trans.__("%1: ablation", run))
    const words = [
      trans._n("%2 cell", "%2 cells", cells.length, formatCount(cells.length)),
      trans._n("%2 seed", "%2 seeds", seeds, formatCount(seeds)),
      trans._n("%2 test row", "%2 test rows", testRows, formatCount(testRows)),
      ...(isTeacherSimulated ? [trans.__("simulated teacher")] : []),
    ]
    heading.append(createElement("span", "p2m-mute", ` ${words.join(", ")}`))
    const rows = createElement("div", "p2m-rows")
    rows.append(renderGrid(ablation))
    const over =
      seeds > 1 ? trans.__("Intervals: 95% over the %1 seeds (Student's t).", seeds) : trans.__("Intervals: 95% over rows (bootstrap).")
    const tests = trans.__(
      "p: paired bootstrap over rows against the reference, which is in bold, corrected by Holm for %1 comparisons.",
      Math.max(0, cells.length - 1),
    )
    const isInDollars = new Set(cells.map(({ usd }) => usd)).size > 1
    const points = cells.flatMap((cell) => {
      const [score] = cell.scores
      const colour = cell.isReference ? colours.blue : colours.grey
      const { name } = cell
      return score
        ? [
            {
              key: name,
              name,
              x: isInDollars ? cell.usd : cell.rowsRead,
              y: score.value,
              low: score.low,
              high: score.high,
              colour,
              isNamed: true,
            },
          ]
        : []
    })
    this.chart.show({
      ...{
        title: trans.__("%1 against cost; green: best for their cost", labelOf(metrics[0])),
        points,
        isLogX: false,
        prefix: isInDollars ? "$" : "",
      },
      ...{ xName: isInDollars ? trans.__("dollars") : trans.__("rows read in training"), yName: labelOf(metrics[0]) },
    })
    const best = frontierOf(points).map(({ name }) => name)
    this.node.replaceChildren(
      ...[heading, rows, createElement("p", "p2m-mute p2m-note", `${over} ${tests}`)],
      ...cells.flatMap(({ name, notes }) => notes.map((sentence) => createElement("p", "p2m-mute p2m-note", `${name}: ${sentence}`))),
      ...(points.length > 1
        ? [this.chart.node, createElement("p", "p2m-mute p2m-note", trans.__("Best for their cost: %1.", best.join("; ")))]
        : []),
    )
  }

  draw(): void {
    this.chart.draw()
  }

  dispose(): void {
    this.chart.dispose()
  }

  private mark(key: string): void {
    for (const row of this.node.querySelectorAll("tr")) row.classList.toggle("p2m-focus", row.dataset.cell === key)
  }
}

function renderGrid({ metrics, cells }: ShownAblation): HTMLTableElement {
  const switches = differencesOf(cells.map((cell) => cell.switches)).map(({ name }) => name)
  const [first, ...others] = metrics
  const hasMcNemar = cells.some(({ mcNemarP }) => mcNemarP !== undefined)
  const hasCost = cells.some(({ usd }) => usd > 0)
  const table = createTable(trans.__("Cells of the ablation"), [
    ...[{ name: trans.__("cell") }, ...switches.map((name) => ({ name: wordsOf(name) }))],
    ...[
      { name: labelOf(first), isNumber: true },
      { name: "", label: trans.__("95% interval") },
      { name: "95%", isNumber: true },
    ],
    ...[
      { name: trans.__("against reference"), isNumber: true },
      { name: "p", isNumber: true },
    ],
    ...(hasMcNemar ? [{ name: "McNemar p", isNumber: true }] : []),
    ...others.map((metric) => ({ name: labelOf(metric), isNumber: true })),
    ...[
      { name: trans.__("rows"), isNumber: true },
      ...(hasCost ? [{ name: trans.__("cost"), isNumber: true }] : []),
      { name: trans.__("shared"), isNumber: true },
    ],
  ])
  for (const cell of cells) {
    const line = table.tBodies[0].insertRow()
    line.dataset.cell = cell.name
    if (cell.isReference) line.className = "p2m-strong"
    const add = (text: string, isNumber = false) => line.append(createElement("td", isNumber ? "p2m-number" : "", text))
    add(cell.name)
    for (const name of switches) add(sayShort(cell.switches[name]))
    addScore(line, cell, scaleOf(first, cell.scores[0]?.value ?? 0))
    if (hasMcNemar) add(sayP(cell.mcNemarP), true)
    others.forEach((metric, at) => {
      const score = cell.scores[at + 1]
      add(score ? formatScore(score.value, scaleOf(metric, score.value)) : "", true)
    })
    add(formatCount(Math.round(cell.trainRows)), true)
    if (hasCost) add(formatUsd(cell.usd), true)
    add(cell.shared, true)
  }
  return table
}

function addScore(line: HTMLTableRowElement, cell: ShownCell, scale: number): void {
  const [score] = cell.scores
  const add = (text: string) => line.append(createElement("td", "p2m-number", text))
  const track = createElement("td", "p2m-track-cell")
  if (score) track.append(renderTrack(score, scale, cell.isReference ? colours.blue : colours.grey))
  line.append(
    createElement("td", cell.isFailed ? "p2m-number p2m-bad" : "p2m-number", score ? formatScore(score.value, scale) : trans.__("failed")),
    track,
  )
  const { low, high, difference, p } = score ?? {}
  add(low === undefined || high === undefined ? "" : trans.__("%1 to %2", formatScore(low, scale), formatScore(high, scale)))
  const sign = difference !== undefined && difference < 0 ? "-" : "+"
  add(cell.isReference ? trans.__("reference") : difference === undefined ? "" : `${sign}${formatScore(Math.abs(difference), scale)}`)
  add(sayP(p))
}

function sayP(p: number | undefined): string {
  return p === undefined ? "" : p < 0.001 ? "<0.001" : p.toFixed(3)
}

function sayShort(value: string | number | boolean | undefined): string {
  return value === undefined ? "" : typeof value === "boolean" ? (value ? trans.__("yes") : trans.__("no")) : String(value)
}
