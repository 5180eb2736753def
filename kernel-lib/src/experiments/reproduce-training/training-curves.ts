// The learning curves of a reproduction: what more rows and more epochs give, beside the teacher and what needs no model.
import { type ColourName, colours } from "../../display/colours"
import { type Figure, makeFigure } from "../../display/figure"
import { drawLineChart } from "../../display/svg/line-chart"
import { drawPicture, type Picture } from "../../display/svg/picture"
import { formatCount, formatScore } from "../../display/wording"
import { metricNamed } from "../../measures"
import type { ReproducedSystem } from "./compare-with-paper"

interface Drawn {
  readonly title: string
  readonly metrics: readonly string[]
  readonly student: ReproducedSystem
  readonly others: readonly ReproducedSystem[]
  readonly byRows: readonly ReproducedSystem[]
  readonly byEpochs: readonly ReproducedSystem[]
}

interface Level {
  readonly name: string
  readonly value: number
  readonly colour: ColourName
}

const axes = [
  { over: "rows", words: "training rows" },
  { over: "epochs", words: "epochs" },
] as const

export function plotCurves(drawn: Drawn): Figure {
  const [name] = drawn.metrics
  const { label } = metricNamed(name)
  const data = axes.flatMap(({ over }, at) => {
    const points = over === "rows" ? drawn.byRows : drawn.byEpochs
    const place = at === 0 ? { xaxis: "x", yaxis: "y" } : { xaxis: "x2", yaxis: "y2" }
    const x = points.map((point) => point[over])
    const scores = points.map(({ scores: known }) => known[name])
    const line = {
      ...{ type: "scatter", mode: "lines+markers", name: "student", showlegend: at === 0, ...place, x },
      y: scores.map(({ value }) => value),
      error_y: {
        ...{ type: "data", symmetric: false, array: scores.map(({ value, high }) => high - value) },
        arrayminus: scores.map(({ value, low }) => value - low),
      },
      line: { color: colours.blue },
    }
    const levels = levelsOf(drawn).map(({ name: level, value, colour }) => ({
      ...{ type: "scatter", mode: "lines", name: level, showlegend: at === 0, ...place },
      x: [0, Math.max(...x.map(Number))],
      y: [value, value],
      line: { color: colours[colour], dash: "dot" },
    }))
    return [line, ...levels]
  })
  const layout = {
    xaxis: { title: { text: "training rows" }, domain: [0, 0.44], rangemode: "tozero" },
    yaxis: { title: { text: label }, rangemode: "tozero" },
    xaxis2: { title: { text: "epochs" }, domain: [0.56, 1], anchor: "y2", rangemode: "tozero" },
    yaxis2: { anchor: "x2", rangemode: "tozero", matches: "y" },
  }
  return makeFigure(drawn.title, { data, layout }, drawCurves(drawn))
}

const panel = { top: 36, width: 220, height: 150 }
const nameWidth = 145

/** Both panels as one picture. */
export function drawCurves(drawn: Drawn): Picture {
  const [name] = drawn.metrics
  const { label, scale } = metricNamed(name)
  const levels = levelsOf(drawn)
  const highest = Math.max(
    ...[...drawn.byRows, ...drawn.byEpochs].map(({ scores }) => scores[name].high),
    ...levels.map(({ value }) => value),
  )
  // Of a multiple of four, so that the scale's four parts end at whole numbers.
  const step = scale / 25
  const high = Math.min(scale, step * Math.ceil(highest / step))
  const panels = axes.flatMap(({ over, words }, at) => {
    const points = over === "rows" ? drawn.byRows : drawn.byEpochs
    const most = Math.max(...points.map((point) => point[over] ?? 0))
    const chart = {
      title: `${label} by ${words}`,
      x: { low: 0, high: most, name: words, format: formatCount },
      y: { low: 0, high, format: (value: number) => formatScore(value, scale) },
      lines: [
        { name: "student", colour: "blue" as const, points: points.map((point) => [point[over] ?? 0, point.scores[name].value] as const) },
        ...levels.map(({ name: level, value, colour }) => ({
          ...{ name: level, colour },
          points: [[0, value] as const, [most, value] as const],
        })),
      ],
    }
    return drawLineChart(chart, { left: 42 + at * (panel.width + nameWidth + 50), ...panel })
  })
  return drawPicture(2 * (panel.width + nameWidth + 50), panel.top + panel.height + 34, describe(drawn), panels)
}

/** What the curves are seen against. */
function levelsOf({ metrics, others }: Drawn): Level[] {
  const colourOf = { teacher: "orange", stored: "green", base: "pink", baseline: "grey" } as const
  return others.flatMap(({ kind, system, scores }) => {
    const score = scores[metrics[0]]
    return score && kind !== "paper" && kind !== "student" ? [{ name: shorten(system), value: score.value, colour: colourOf[kind] }] : []
  })
}

function shorten(system: string): string {
  const [words] = system.replace(/^the authors' /, "").split(" (")
  return words.length > 22 ? `${words.slice(0, 21)}…` : words
}

function describe({ metrics, byRows, byEpochs }: Drawn): string {
  const { label, scale } = metricNamed(metrics[0])
  const list = (points: readonly ReproducedSystem[], over: "rows" | "epochs") =>
    points.map((point) => `${formatCount(point[over] ?? 0)}: ${formatScore(point.scores[metrics[0]].value, scale)}`).join(", ")
  return `${label} by training rows (${list(byRows, "rows")}) and by epochs (${list(byEpochs, "epochs")})`
}
