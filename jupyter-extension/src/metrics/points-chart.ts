// Cost against quality: a point for each run or cell, with its interval, and a line through what nothing cheaper beats.
import { makeVisible } from "../../../kernel-lib/src/display/plain-text"
import { trans } from "../settings/language"
import { spread } from "./chart-parts"
import { FigureFrame } from "./figure-frame"
import type { PlainObject } from "./load-plotly"
import { type ChartColours, readChartColours } from "./theme"

export interface CostPoint {
  readonly key: string
  readonly name: string
  readonly x: number
  readonly y: number
  readonly low?: number
  readonly high?: number
  readonly colour: string
  /** Names stand at these alone, where there are many. */
  readonly isNamed: boolean
}

export interface CostPicture {
  readonly title: string
  readonly xName: string
  readonly yName: string
  readonly points: readonly CostPoint[]
  readonly isLogX: boolean
  /** Before figures of the x axis: `$`. */
  readonly prefix: string
}

const height = 300
const margins = { l: 54, r: 24, t: 10, b: 42 }

/** Those that no other beats at the same cost or less, cheapest first. */
export function frontierOf(points: readonly CostPoint[]): CostPoint[] {
  const kept: CostPoint[] = []
  for (const point of [...points].sort((a, b) => a.x - b.x || b.y - a.y)) if (kept.every(({ y }) => y < point.y)) kept.push(point)
  return kept
}

export class PointsChart {
  readonly node: HTMLElement
  private readonly frame: FigureFrame
  private picture: CostPicture | undefined

  constructor(private readonly choose: (key: string) => void) {
    this.frame = new FigureFrame({
      className: "p2m-chart p2m-cost",
      height,
      figure: (width) =>
        this.picture && { data: dataOf(this.picture), layout: layoutOf(this.picture, readChartColours(this.frame.node), width) },
      onDrawn: (isFirst) => isFirst && this.listen(),
    })
    this.node = this.frame.node
  }

  show(picture: CostPicture): void {
    this.picture = picture
    const best = frontierOf(picture.points).map(({ name, x, y }) => `${name} ${picture.prefix}${x} ${y.toFixed(3)}`)
    this.frame.show(picture.title, trans.__("%1: best for their cost are %2", picture.title, best.slice(0, 8).join("; ")))
  }

  draw(): void {
    this.frame.draw()
  }

  dispose(): void {
    this.frame.dispose()
  }

  private listen(): void {
    const plot = this.frame.plot as unknown as { on(event: string, act: (data: { points?: { customdata?: unknown }[] }) => void): void }
    plot.on("plotly_click", ({ points = [] }) => {
      const key = points[0]?.customdata
      if (typeof key === "string") this.choose(key)
    })
  }
}

function layoutOf(
  { xName, yName, isLogX, prefix, points }: CostPicture,
  { ink, mute, line, font }: ChartColours,
  width: number,
): PlainObject {
  const axis = { gridcolor: line, zeroline: false, linecolor: line, tickfont: { size: 11, color: mute }, nticks: 6 }
  return {
    ...{ width: Math.min(width, 900), height, autosize: false, showlegend: false, hovermode: "closest", dragmode: "zoom" },
    ...{ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: margins },
    font: { family: font, size: 11, color: mute },
    hoverlabel: { font: { family: font, size: 11 }, align: "left" },
    xaxis: {
      ...axis,
      title: { text: xName, standoff: 6, font: { size: 11 } },
      type: isLogX ? "log" : "linear",
      tickprefix: prefix,
      showgrid: false,
    },
    yaxis: { ...axis, title: { text: yName, standoff: 6, font: { size: 11 } } },
    annotations: namesOf(points, isLogX, ink),
  }
}

function dataOf({ points, yName, prefix }: CostPicture): PlainObject[] {
  const best = frontierOf(points)
  const line = {
    ...{ type: "scatter", mode: "lines", hoverinfo: "skip", x: best.map(({ x }) => x), y: best.map(({ y }) => y) },
    line: { color: "#009e73", width: 1.5, shape: "hv" },
  }
  const dots = {
    ...{ type: "scatter", mode: "markers", x: points.map(({ x }) => x), y: points.map(({ y }) => y) },
    marker: { color: points.map(({ colour }) => colour), size: 9 },
    error_y: {
      ...{ type: "data", symmetric: false, thickness: 1.2, width: 3, color: "rgba(138,147,155,0.7)" },
      array: points.map(({ y, high }) => (high === undefined ? 0 : high - y)),
      arrayminus: points.map(({ y, low }) => (low === undefined ? 0 : y - low)),
    },
    customdata: points.map(({ key }) => key),
    text: points.map(({ name }) => plain(name)),
    hovertemplate: `%{text}<br>${plain(yName)} %{y}<br>${prefix}%{x}<extra></extra>`,
  }
  return [...(best.length > 1 ? [line] : []), dots]
}

/** Names beside their points; of points at one place each has its own line. */
function namesOf(points: readonly CostPoint[], isLogX: boolean, ink: string): PlainObject[] {
  const named = points.filter(({ isNamed, x }) => isNamed && (!isLogX || x > 0)).sort((a, b) => b.y - a.y)
  const [low, high] = [Math.min(...points.map(({ y }) => y)), Math.max(...points.map(({ y }) => y))]
  const inner = height - margins.t - margins.b
  const places = named.map(({ y }) => (high > low ? (inner * (high - y)) / (high - low) : inner / 2))
  const most = Math.max(...points.map(({ x }) => x))
  const shown = spread(places, inner)
  return named.map(({ name, x, y }, at) => {
    // At the right edge the name stands to the left of its point.
    const isRight = x > 0.7 * most
    return {
      ...{ x: isLogX ? Math.log10(x) : x, y, xanchor: isRight ? "right" : "left", yanchor: "middle", showarrow: false },
      ...{ xshift: isRight ? -9 : 9, yshift: places[at] - shown[at] + 9, text: plain(name), font: { size: 11, color: ink } },
    }
  })
}

/** Plotly would obey tags in texts, and its own marks in templates. */
function plain(text: string): string {
  return makeVisible(text.slice(0, 60)).replaceAll("<", "\u2039").replaceAll("%{", "% {")
}
