// The figure of an ablation: each cell's score with its interval, and score against cost with the line of what is best for its cost.
import { colours, textColours } from "../../display/colours"
import { type Figure, makeFigure } from "../../display/figure"
import { drawPicture, element, estimateWidth, guideLine, label, type Picture } from "../../display/svg/picture"
import { formatCount, formatScore, formatUsd } from "../../display/wording"
import { metricNamed } from "../../measures"
import type { AblationCell, AblationData } from "./ablation-data"

type Drawn = Pick<AblationData, "cells" | "metrics"> & { readonly frontier: readonly AblationCell[]; readonly costName: "usd" | "rowsRead" }

/** Cells beyond these are only in the Plotly figure. */
const mostCells = 30

export function plotAblation(ablation: Drawn): Figure {
  const [metric] = ablation.metrics
  const { label: metricLabel, scale } = metricNamed(metric)
  const cells = ablation.cells.filter(({ status }) => status === "done")
  const scores = cells.map((cell) => cell.scores[metric])
  const colour = cells.map(({ isReference }) => (isReference ? colours.blue : colours.grey))
  const costWords = costLabel(ablation.costName)
  const intervals = {
    type: "scatter",
    mode: "markers",
    name: metricLabel,
    x: scores.map(({ value }) => value),
    y: cells.map(({ name }) => name),
    error_x: {
      type: "data",
      symmetric: false,
      array: scores.map(({ value, high }) => high - value),
      arrayminus: scores.map(({ value, low }) => value - low),
    },
    marker: { color: colour, size: 9 },
    xaxis: "x",
    yaxis: "y",
  }
  const costs = {
    type: "scatter",
    mode: "markers",
    name: "cells",
    x: cells.map(({ cost }) => cost[ablation.costName]),
    y: scores.map(({ value }) => value),
    text: cells.map(({ name }) => name),
    marker: { color: colour, size: 9 },
    xaxis: "x2",
    yaxis: "y2",
  }
  const frontier = {
    type: "scatter",
    mode: "lines",
    name: "best for their cost",
    x: ablation.frontier.map(({ cost }) => cost[ablation.costName]),
    y: ablation.frontier.map((cell) => cell.scores[metric].value),
    line: { color: colours.green, shape: "hv" },
    xaxis: "x2",
    yaxis: "y2",
  }
  const layout = {
    showlegend: false,
    xaxis: { title: { text: metricLabel }, range: [0, scale], domain: [0, 0.5] },
    yaxis: { autorange: "reversed", automargin: true },
    xaxis2: { title: { text: costWords }, domain: [0.62, 1], anchor: "y2" },
    yaxis2: { title: { text: metricLabel }, anchor: "x2", automargin: true },
  }
  return makeFigure("Ablation", { data: [intervals, costs, frontier], layout }, drawAblation(ablation))
}

const lineHeight = 20
const plotWidth = 300
const costWidth = 200
const costHeight = 130
/** Longest name beside a point, in characters. */
const mostNameLength = 28

/** Both panels as one picture. */
export function drawAblation(ablation: Drawn): Picture {
  const cells = ablation.cells.filter(({ status }) => status === "done").slice(0, mostCells)
  if (cells.length === 0) return drawPicture(300, 40, "no cell has a score", [label(8, 24, "no cell has a score")])
  const [metric] = ablation.metrics
  const nameWidth = Math.min(300, Math.max(...cells.map(({ name }) => estimateWidth(name))) + 10)
  const left = nameWidth + 8
  const top = 26
  const hasCosts = new Set(cells.map(({ cost }) => cost[ablation.costName])).size > 1
  const height = Math.max(top + cells.length * lineHeight + 26, hasCosts ? costHeight + 72 : 0)
  const width = left + plotWidth + 20 + (hasCosts ? costWidth + 90 : 0)
  return drawPicture(width, height, describe(cells, metric), [
    ...drawIntervals(cells, metric, left, top),
    ...(hasCosts ? drawCosts(ablation, cells, metric, { left: left + plotWidth + 80, top }) : []),
  ])
}

function drawIntervals(cells: readonly AblationCell[], metric: string, left: number, top: number): string[] {
  const { label: metricLabel, scale } = metricNamed(metric)
  const place = (value: number) => left + (plotWidth * Math.min(scale, Math.max(0, value))) / scale
  const bottom = top + cells.length * lineHeight
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    guideLine(place(share * scale), top - 4, place(share * scale), bottom),
    label(place(share * scale), bottom + 14, String(share * scale), { "text-anchor": "middle" }),
  ])
  const rows = cells.flatMap((cell, index) => {
    const y = top + index * lineHeight + lineHeight / 2
    const { value, low, high } = cell.scores[metric]
    const colour = cell.isReference ? colours.blue : colours.grey
    const most = Math.floor(300 / 6.1)
    const name = cell.name.length > most ? `${cell.name.slice(0, most - 1)}…` : cell.name
    return [
      label(left - 10, y + 4, name, { "text-anchor": "end", ...(cell.isReference ? { fill: textColours.blue } : {}) }),
      element("line", { x1: place(low), x2: place(high), y1: y, y2: y, stroke: colour, "stroke-width": 4, "stroke-opacity": 0.5 }),
      element("circle", { cx: place(value), cy: y, r: 4, fill: colour }),
    ]
  })
  return [label(left, 12, `${metricLabel}, 95% intervals`), ...ticks, ...rows]
}

function drawCosts(
  ablation: Drawn,
  cells: readonly AblationCell[],
  metric: string,
  { left, top }: { left: number; top: number },
): string[] {
  const { costName, frontier } = ablation
  const { label: metricLabel, scale } = metricNamed(metric)
  const costs = cells.map(({ cost }) => cost[costName])
  const values = cells.map((cell) => cell.scores[metric].value)
  const [lowest, highest] = [Math.min(...values), Math.max(...values)]
  const spread = highest - lowest || scale / 10
  const dearest = Math.max(...costs)
  const x = (cost: number) => left + (costWidth * cost) / dearest
  const y = (value: number) => top + costHeight - (costHeight - 16) * ((value - lowest) / spread)
  const corners = frontier.flatMap((cell, index) => {
    const at = `${x(cell.cost[costName]).toFixed(1)},`
    const own = `${at}${y(cell.scores[metric].value).toFixed(1)}`
    return index === 0 ? [own] : [`${at}${y(frontier[index - 1].scores[metric].value).toFixed(1)}`, own]
  })
  const bottom = top + costHeight + 8
  return [
    label(left, 12, `${metricLabel}, line: best for its cost`),
    guideLine(left, bottom, left + costWidth, bottom),
    guideLine(left, top, left, bottom),
    label(left - 6, y(highest) + 4, formatScore(highest, scale), { "text-anchor": "end" }),
    label(left - 6, y(lowest) + 4, formatScore(lowest, scale), { "text-anchor": "end" }),
    label(left, bottom + 14, "0"),
    label(left + costWidth, bottom + 14, costName === "usd" ? formatUsd(dearest) : formatCount(dearest), { "text-anchor": "end" }),
    label(left + costWidth / 2, bottom + 28, costLabel(costName), { "text-anchor": "middle" }),
    element("polyline", { points: corners.join(" "), fill: "none", stroke: colours.green, "stroke-width": 1.5 }),
    ...frontier.map(({ name, cost, scores }) => {
      const isRight = cost[costName] > 0.5 * dearest
      const [at, anchor] = isRight ? [x(cost[costName]) - 8, "end"] : [x(cost[costName]) + 8, "start"]
      const words = name.length > mostNameLength ? `${name.slice(0, mostNameLength - 1)}…` : name
      return label(at, y(scores[metric].value) - 6, words, { "text-anchor": anchor })
    }),
    // The reference last, so that it stands above a cell at its place.
    ...[...cells]
      .sort((a, b) => Number(a.isReference) - Number(b.isReference))
      .map(({ isReference, cost, scores }) =>
        element("circle", { cx: x(cost[costName]), cy: y(scores[metric].value), r: 4, fill: isReference ? colours.blue : colours.grey }),
      ),
  ]
}

function costLabel(costName: "usd" | "rowsRead"): string {
  return costName === "usd" ? "US dollars" : "rows read in training"
}

function describe(cells: readonly AblationCell[], metric: string): string {
  const { label: metricLabel, scale } = metricNamed(metric)
  return `${metricLabel}: ${cells.map((cell) => `${cell.name} ${formatScore(cell.scores[metric].value, scale)}`).join("; ")}`
}
