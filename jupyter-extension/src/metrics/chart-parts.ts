// A chart as data: what is to be drawn, and how that becomes a figure for Plotly with direct labels in place of a legend.
import { makeVisible } from "../../../kernel-lib/src/display/plain-text"
import type { PlainObject } from "./load-plotly"
import type { MeanSeries, Series } from "./smooth"
import type { ChartColours } from "./theme"

export interface ChartLine {
  /** Stands at its end. */
  readonly name: string
  readonly colour: string
  /** For the name, so that it can be read on the page. */
  readonly textColour: string
  readonly dash?: "solid" | "dot" | "dash"
  readonly series: Series
  /** What was measured, behind a smoothed line. */
  readonly raw?: Series
  readonly band?: Pick<MeanSeries, "low" | "high">
  readonly hasMarkers?: boolean
  /** A dot at its end: more of it is to come. */
  readonly isGrowing?: boolean
}

export interface ChartParts {
  readonly title: string
  readonly xName: string
  readonly lines: readonly ChartLine[]
  readonly isLogX: boolean
  readonly isLogY: boolean
  formatX(value: number): string
}

export const chartHeight = 216
export const margins = { left: 46, top: 26, bottom: 30 }
/** Pixels of a letter in a label, about. */
const letterWidth = 6
const mostLetters = 22
const labelHeight = 13

export interface Extent {
  readonly low: number
  readonly high: number
}

/** The extent of what is drawn, in the axis's own terms: logarithms where it has them. */
export function extentsOf({ lines, isLogX, isLogY }: ChartParts): { readonly x: Extent; readonly y: Extent } {
  const x = extentOf(
    lines.map(({ series }) => series.x),
    isLogX,
    0,
  )
  const y = extentOf(
    lines.flatMap(({ series, raw, band }) => [series.y, ...(raw ? [raw.y] : []), ...(band ? [band.low, band.high] : [])]),
    isLogY,
    0.06,
  )
  return { x, y }
}

function extentOf(lists: readonly (readonly number[])[], isLog: boolean, margin: number): Extent {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const list of lists)
    for (const value of list) {
      if (!Number.isFinite(value) || (isLog && value <= 0)) continue
      if (value < low) low = value
      if (value > high) high = value
    }
  if (low > high) return { low: 0, high: 1 }
  if (isLog) [low, high] = [Math.log10(low), Math.log10(high)]
  if (low === high) return { low: low - 0.5, high: high + 0.5 }
  return { low: low - margin * (high - low), high: high + margin * (high - low) }
}

/** Data and layout for Plotly, for a chart of this width. */
export function figureOf(parts: ChartParts, colours: ChartColours, width: number): { data: PlainObject[]; layout: PlainObject } {
  const { x, y } = extentsOf(parts)
  const data = parts.lines.flatMap((line) => [...bandOf(line), ...rawOf(line), mainOf(line)])
  const axis = {
    ...{ gridcolor: colours.line, zeroline: false, linecolor: colours.line, tickfont: { size: 11, color: colours.mute } },
    ...{ fixedrange: false, automargin: false, nticks: 5 },
  }
  const layout = {
    ...{ width, height: chartHeight, showlegend: false, hovermode: false, dragmode: "zoom", autosize: false },
    margin: { l: margins.left, r: roomForLabels(parts), t: margins.top, b: margins.bottom, pad: 0 },
    ...{ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" },
    font: { family: colours.font, size: 11, color: colours.mute },
    xaxis: {
      ...axis,
      ...(parts.isLogX ? logAxis(x) : linearAxis(x)),
      range: [x.low, x.high],
      showgrid: false,
      title: { text: parts.xName, standoff: 4, font: { size: 11 } },
    },
    yaxis: { ...axis, ...(parts.isLogY ? logAxis(y) : linearAxis(y)), range: [y.low, y.high] },
    annotations: labelsOf(parts, y),
    // Zooming stays where it was as long as it is the same chart.
    uirevision: `${parts.xName} ${parts.isLogX} ${parts.isLogY}`,
  }
  return { data, layout }
}

/** Ticks that say whole numbers, where Plotly would leave out the powers of ten. */
function logAxis({ low, high }: Extent): PlainObject {
  const span = high - low
  const leads = span > 3 ? [1] : span > 1.4 ? [1, 3] : [1, 1.5, 2, 3, 5, 7]
  const ticks: number[] = []
  for (let power = Math.floor(low) - 1; power <= Math.ceil(high); power++)
    for (const lead of leads) if (Math.log10(lead) + power >= low && Math.log10(lead) + power <= high) ticks.push(lead * 10 ** power)
  const every = Math.ceil(ticks.length / 6)
  const shown = ticks.filter((_tick, at) => at % every === 0)
  return { type: "log", tickmode: "array", tickvals: shown, ticktext: shown.map((tick) => String(Number(tick.toPrecision(2)))) }
}

function linearAxis({ high }: Extent): PlainObject {
  return { type: "linear", tickformat: high >= 10_000 ? ".4~s" : ".4~r" }
}

function roomForLabels({ lines }: ChartParts): number {
  return 14 + letterWidth * Math.max(0, ...lines.map(({ name }) => shorten(name).length))
}

function shorten(name: string): string {
  return name.length > mostLetters ? `${name.slice(0, mostLetters - 1)}\u2026` : name
}

function bandOf({ band, series, colour }: ChartLine): PlainObject[] {
  if (!band || band.low.every((value, at) => value === band.high[at])) return []
  const fill = {
    ...{ type: "scatter", mode: "lines", fill: "toself", hoverinfo: "skip", line: { width: 0 } },
    fillcolor: `${colour}2b`,
  }
  return [{ ...fill, x: [...series.x, ...[...series.x].reverse()], y: [...band.high, ...[...band.low].reverse()] }]
}

function rawOf({ raw, colour }: ChartLine): PlainObject[] {
  return raw ? [{ type: "scatter", mode: "lines", x: raw.x, y: raw.y, opacity: 0.3, line: { color: colour, width: 1 } }] : []
}

function mainOf({ series, colour, dash = "solid", hasMarkers, isGrowing }: ChartLine): PlainObject {
  const last = series.x.length - 1
  const isDrawn = hasMarkers || isGrowing || last === 0
  return {
    ...{ type: "scatter", mode: isDrawn ? "lines+markers" : "lines", x: series.x, y: series.y, connectgaps: true },
    line: { color: colour, width: 2, dash },
    ...(isDrawn && { marker: { color: colour, size: hasMarkers || last === 0 ? 6 : series.x.map((_x, at) => (at === last ? 8 : 0)) } }),
  }
}

/** Names at the ends of lines, moved apart where they would stand on each other. */
function labelsOf({ lines, isLogX, isLogY }: ChartParts, y: Extent): PlainObject[] {
  const height = chartHeight - margins.top - margins.bottom
  const ends = lines.flatMap(({ name, textColour, series }) => {
    const at = lastFinite(series.y)
    if (at < 0 || name === "" || (isLogY && series.y[at] <= 0)) return []
    const value = isLogY ? Math.log10(series.y[at]) : series.y[at]
    const x = isLogX ? Math.log10(series.x[at]) : series.x[at]
    return [{ name, textColour, value, x, place: (height * (y.high - value)) / (y.high - y.low) }]
  })
  const sorted = [...ends].sort((a, b) => a.place - b.place)
  const shown = spread(
    sorted.map(({ place }) => place),
    height,
  )
  return sorted.map(({ name, textColour, value, x, place }, at) => ({
    ...{ x, y: value, xref: "x", yref: "y", xanchor: "left", yanchor: "middle", showarrow: false, xshift: 7, yshift: place - shown[at] },
    // Plotly would obey tags in it.
    text: makeVisible(shorten(name)).replaceAll("<", "\u2039"),
    font: { size: 11, color: textColour },
  }))
}

/** Places in rising order, at least a label's height from each other, within the chart where that is possible. */
export function spread(places: readonly number[], height: number): number[] {
  const spreadOut: number[] = []
  for (const place of places) spreadOut.push(Math.max(place, (spreadOut.at(-1) ?? -labelHeight) + labelHeight))
  let most = height
  for (let at = spreadOut.length - 1; at >= 0; at--) {
    spreadOut[at] = Math.min(spreadOut[at], most)
    most = spreadOut[at] - labelHeight
  }
  return spreadOut
}

function lastFinite(values: readonly number[]): number {
  for (let at = values.length - 1; at >= 0; at--) if (Number.isFinite(values[at])) return at
  return -1
}
