// The figure of votes in a generated dataset: how often several answers to one input disagreed, and at which temperatures there were several.
import { colours } from "../display/colours"
import { type Figure, makeFigure } from "../display/figure"
import { drawLineChart, type LineChart } from "../display/svg/line-chart"
import { drawPicture } from "../display/svg/picture"
import { formatCount } from "../display/wording"
import type { Dataset } from "./dataset"
import { InputError } from "./errors"

interface VotedRow {
  readonly temperature: number
  /** Answers to the row's input. */
  readonly voters: number
  readonly isDisputed: boolean
}

type Points = readonly (readonly [number, number])[]

/** Parts of the range of temperatures. */
const bins = 6
/** Rows with as many voters or more stand together. */
const mostVoters = 6

/** @throws InputError `plot.nothing-to-draw` where no row was generated */
export function plotVotes(dataset: Dataset): Figure {
  const rows = [...dataset].flatMap(({ from }): VotedRow[] =>
    from.kind === "generated" && from.temperature !== undefined
      ? [{ temperature: from.temperature, voters: from.voters, isDisputed: from.votes < from.voters }]
      : [],
  )
  if (rows.length === 0)
    throw new InputError(
      "plot.nothing-to-draw",
      "There are no votes to draw: give what generateDataset answered, whose rows were voted on.",
    )
  const repeated = rows.filter(({ voters }) => voters > 1)
  const counts = Array.from({ length: mostVoters - 1 }, (_, index) => index + 2)
  const countRows = (isDisputed: boolean): Points =>
    counts.map((count) => [
      count,
      repeated.filter((row) => Math.min(row.voters, mostVoters) === count && row.isDisputed === isDisputed).length,
    ])
  const byCount: LineChart["lines"] = [
    { name: "all agreed", colour: "green", points: countRows(false) },
    { name: "some outvoted", colour: "grey", points: countRows(true) },
  ]
  const byTemperature: LineChart["lines"] = [
    { name: "several answers", colour: "orange", points: shareByTemperature(rows, ({ voters }) => voters > 1) },
    { name: "some outvoted", colour: "grey", points: shareByTemperature(rows, ({ isDisputed }) => isDisputed) },
  ]
  return makeFigure("Votes", describe(byCount, byTemperature), draw(byCount, byTemperature, rows))
}

function shareByTemperature(rows: readonly VotedRow[], has: (row: VotedRow) => boolean): Points {
  const [low, high] = rangeOf(rows)
  const width = (high - low) / bins
  const groups = Array.from({ length: bins }, (_, bin) =>
    rows.filter(({ temperature }) => Math.min(bins - 1, width > 0 ? Math.floor((temperature - low) / width) : 0) === bin),
  )
  return groups.flatMap((group, bin) =>
    group.length === 0 ? [] : [[low + width * (bin + 0.5), group.filter(has).length / group.length] as const],
  )
}

function rangeOf(rows: readonly VotedRow[]): readonly [number, number] {
  const temperatures = rows.map(({ temperature }) => temperature)
  return [Math.min(...temperatures), Math.max(...temperatures)]
}

function describe(byCount: LineChart["lines"], byTemperature: LineChart["lines"]): Figure {
  const columns = ({ points }: LineChart["lines"][number]) => ({ x: points.map(([x]) => x), y: points.map(([, y]) => y) })
  const bars = byCount.map((line) => ({
    ...{ type: "bar", name: line.name, xaxis: "x", yaxis: "y", marker: { color: colours[line.colour] } },
    ...columns(line),
  }))
  const lines = byTemperature.map((line) => ({
    ...{ type: "scatter", mode: "lines+markers", name: line.name, xaxis: "x2", yaxis: "y2", line: { color: colours[line.colour] } },
    ...columns(line),
  }))
  const layout = {
    barmode: "stack",
    xaxis: { title: { text: "answers to one input" }, domain: [0, 0.44] },
    yaxis: { title: { text: "rows" } },
    xaxis2: { title: { text: "temperature" }, domain: [0.56, 1], anchor: "y2" },
    yaxis2: { title: { text: "share of rows" }, anchor: "x2", tickformat: ".0%" },
  }
  return { data: [...bars, ...lines], layout }
}

function draw(byCount: LineChart["lines"], byTemperature: LineChart["lines"], rows: readonly VotedRow[]) {
  const [low, high] = rangeOf(rows)
  const highestOf = (lines: LineChart["lines"]) => Math.max(...lines.flatMap(({ points }) => points.map(([, value]) => value)))
  const counts: LineChart = {
    title: "rows with several answers to their input",
    x: { low: 2, high: mostVoters, name: "answers", format: (value) => (value === mostVoters ? `${value} or more` : String(value)) },
    // A multiple of four, so that every line of the scale is a whole number of rows.
    y: { low: 0, high: Math.max(4, 4 * Math.ceil(highestOf(byCount) / 4)), format: (value) => String(Math.round(value)) },
    lines: byCount,
  }
  const shares: LineChart = {
    title: "share of the rows, by temperature",
    x: { low, high: high > low ? high : low + 1, name: "temperature", format: (value) => value.toFixed(1) },
    y: { low: 0, high: Math.max(0.02, highestOf(byTemperature)), format: (value) => `${(100 * value).toFixed(0)}%` },
    lines: byTemperature,
  }
  const repeated = rows.filter(({ voters }) => voters > 1)
  const disputed = repeated.filter(({ isDisputed }) => isDisputed)
  const words = `${repeated.length} of ${formatCount(rows.length)} rows had several answers to their input, and in ${disputed.length} of them some were outvoted; share of rows with several answers by rising temperature: ${byTemperature[0].points.map(([, share]) => `${Math.round(100 * share)}%`).join(" ")}`
  return drawPicture(760, 190, words, [
    ...drawLineChart(counts, { left: 36, top: 30, width: 220, height: 125 }),
    ...drawLineChart(shares, { left: 400, top: 30, width: 230, height: 125 }),
  ])
}
