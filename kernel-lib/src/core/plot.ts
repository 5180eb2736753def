// plot: a result in, its figure out: the losses of a training, or what rising temperature did to generated rows.
import { colourOfReason, colours } from "../display/colours"
import { type Figure, makeFigure } from "../display/figure"
import { mimeTypes, type TrainingPayload } from "../display/payloads"
import { drawLineChart, type LineChart } from "../display/svg/line-chart"
import { drawLossCurve } from "../display/svg/loss-curve"
import { drawPicture } from "../display/svg/picture"
import { bundleOfValue } from "../display/tslab-hook"
import type { Dataset, Row } from "./dataset"
import { InputError } from "./errors"
import { plotVotes } from "./plot-votes"

export interface PlotOptions {
  /** `votes`, of generated rows: where inputs had several answers, and where some of them were outvoted. Default: losses, or temperatures. */
  readonly of?: "votes"
}

/**
 * A figure of a result: Plotly's JSON (`data`, `layout`), which shows itself as a static picture where a front end does not draw Plotly.
 * Of what `fineTune` gives: the losses. Of what `generateDataset` gives: the temperature of each request, and what share of the rows was
 * rejected at which temperature, by reason.
 *
 * @throws InputError `plot.nothing-to-draw`
 */
export function plot(result: object, { of }: PlotOptions = {}): Figure {
  if (of === "votes" && (result as Dataset).kind === "dataset") return plotVotes(result as Dataset)
  const training = bundleOfValue(result)?.[mimeTypes.training] as TrainingPayload | undefined
  if (training) return plotTraining(training)
  const rows = (result as Dataset).kind === "dataset" ? generatedRows(result as Dataset) : []
  if (rows.length > 0) return plotGeneration(rows)
  throw new InputError(
    "plot.nothing-to-draw",
    "There is nothing to draw: give what fineTune or generateDataset answered, whose rows have temperatures. An ablation and a search have figures of their own.",
  )
}

function plotTraining({ train, validation, totalSteps }: TrainingPayload): Figure {
  const line = (name: string, colour: string, points: TrainingPayload["train"]) => ({
    type: "scatter",
    mode: name === "validation" ? "lines+markers" : "lines",
    name,
    x: points.map(([step]) => step),
    y: points.map(([, loss]) => loss),
    line: { color: colour },
  })
  const layout = { xaxis: { title: { text: "step" } }, yaxis: { title: { text: "loss" }, type: "log" } }
  const data = [line("train", colours.blue, train), line("validation", colours.orange, validation)]
  return makeFigure("Training", { data, layout }, drawLossCurve(train, validation, totalSteps))
}

interface AskedRow {
  readonly call: number
  readonly temperature: number
  /** Undefined of a row that got in. */
  readonly reason?: string
}

function generatedRows(dataset: Dataset): AskedRow[] {
  return [...dataset, ...dataset.rejected].flatMap(({ from, reason }: Row & { readonly reason?: string }) =>
    from.kind === "generated" && from.temperature !== undefined ? [{ call: from.call, temperature: from.temperature, reason }] : [],
  )
}

/** Parts of the range of temperatures. */
const bins = 6
/** Reasons with a line of their own, the most frequent first. */
const mostReasons = 4

function plotGeneration(rows: readonly AskedRow[]): Figure {
  const byCall = [...new Map(rows.map(({ call, temperature }) => [call, temperature]))].sort(([a], [b]) => a - b)
  const temperatures = rows.map(({ temperature }) => temperature)
  const [low, high] = [Math.min(...temperatures), Math.max(...temperatures)]
  const groups = Array.from({ length: bins }, (_, bin) => rows.filter((row) => binOf(row.temperature, low, high) === bin))
  const middles = groups.map((_, bin) => low + ((high - low) * (bin + 0.5)) / bins)
  const counts = new Map<string, number>()
  for (const { reason } of rows) if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  const reasons = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, mostReasons)
    .map(([reason]) => reason)
  const shares = reasons.map((reason) => ({
    name: reason,
    colour: colourOfReason(reason),
    points: groups.flatMap((group, bin) =>
      group.length === 0 ? [] : [[middles[bin], group.filter((row) => row.reason === reason).length / group.length] as const],
    ),
  }))
  return makeFigure("Temperature and rejected rows", describeGeneration(byCall, shares), drawGeneration(byCall, shares, [low, high]))
}

function binOf(temperature: number, low: number, high: number): number {
  return high > low ? Math.min(bins - 1, Math.floor(((temperature - low) / (high - low)) * bins)) : 0
}

type Pairs = readonly (readonly [number, number])[]

function describeGeneration(byCall: Pairs, shares: LineChart["lines"]): Figure {
  const annealing = {
    ...{ type: "scatter", mode: "lines", name: "temperature", xaxis: "x", yaxis: "y", line: { color: colours.blue } },
    x: byCall.map(([call]) => call),
    y: byCall.map(([, temperature]) => temperature),
  }
  const lines = shares.map(({ name, colour, points }) => ({
    ...{ type: "scatter", mode: "lines+markers", name, xaxis: "x2", yaxis: "y2", line: { color: colours[colour] } },
    x: points.map(([temperature]) => temperature),
    y: points.map(([, share]) => share),
  }))
  const layout = {
    xaxis: { title: { text: "request" }, domain: [0, 0.44] },
    yaxis: { title: { text: "temperature" } },
    xaxis2: { title: { text: "temperature" }, domain: [0.56, 1], anchor: "y2" },
    yaxis2: { title: { text: "share of rows" }, anchor: "x2", tickformat: ".0%" },
  }
  return { data: [annealing, ...lines], layout }
}

function drawGeneration(byCall: Pairs, shares: LineChart["lines"], [low, high]: readonly [number, number]) {
  const last = byCall.at(-1)![0]
  const highest = Math.max(0.02, ...shares.flatMap(({ points }) => points.map(([, share]) => share)))
  const annealing: LineChart = {
    title: "temperature of each request",
    x: { low: 0, high: last, name: "request", format: (value) => String(Math.round(value)) },
    y: { low: 0, high: Math.max(0.5, high), format: (value) => value.toFixed(1) },
    lines: [{ name: "", colour: "blue", points: byCall }],
  }
  const rejected: LineChart = {
    title: "share of the rows rejected, by reason",
    x: { low, high: high > low ? high : low + 1, name: "temperature", format: (value) => value.toFixed(1) },
    y: { low: 0, high: highest, format: (value) => `${(100 * value).toFixed(0)}%` },
    lines: shares,
  }
  const named = shares.map(({ name, points }) => `${name} ${points.map(([, share]) => `${Math.round(100 * share)}%`).join(" ")}`)
  const words = `temperature from ${low.toFixed(2)} to ${high.toFixed(2)} over ${last + 1} requests; share of rows rejected by rising temperature: ${named.join("; ")}`
  return drawPicture(720, 190, words, [
    ...drawLineChart(annealing, { left: 36, top: 30, width: 230, height: 125 }),
    ...drawLineChart(rejected, { left: 320, top: 30, width: 290, height: 125 }),
  ])
}
