// The chosen runs' curves, one chart for each figure, under one crosshair.
import { colours, textColours } from "../../../kernel-lib/src/display/colours"
import { formatCount, formatSeconds } from "../../../kernel-lib/src/display/wording"
import { createElement } from "../viewer/elements"
import { Chart } from "./chart"
import type { ChartLine } from "./chart-parts"
import { type CurveGroup, lineOf } from "./compare-runs"
import type { AxisName } from "./run-events"
import { valueAt } from "./smooth"

export interface CurveOptions {
  readonly axis: AxisName
  /** 0 to below 1. */
  readonly smoothing: number
  readonly isLogX: boolean
  readonly isLogY: boolean
}

/** What stands at the crosshair: for each group its figures. */
export interface Readout {
  readonly place: string
  readonly groups: readonly { readonly name: string; readonly textColour: string; readonly values: readonly string[] }[]
}

interface ChartKind {
  readonly figure: string
  readonly of: "steps" | "validation"
  readonly title: string
  readonly short: string
  readonly mayBeLog: boolean
  readonly mayBeSmooth: boolean
}

const kinds: readonly ChartKind[] = [
  { figure: "loss", of: "steps", title: "training loss", short: "train", mayBeLog: true, mayBeSmooth: true },
  { figure: "loss", of: "validation", title: "validation loss", short: "validation", mayBeLog: true, mayBeSmooth: false },
  { figure: "learningRate", of: "steps", title: "learning rate", short: "rate", mayBeLog: false, mayBeSmooth: false },
  { figure: "gradientNorm", of: "steps", title: "gradient norm", short: "gradient", mayBeLog: true, mayBeSmooth: true },
  { figure: "tokensPerSecond", of: "steps", title: "tokens per second", short: "tokens/s", mayBeLog: false, mayBeSmooth: true },
]

const axisNames: Readonly<Record<AxisName, string>> = { step: "step", tokens: "tokens", time: "seconds of training" }

export class CurvesView {
  readonly node = createElement("div", "p2m-charts")
  private readonly charts = new Map<string, Chart>()
  private drawn: { readonly kind: ChartKind; readonly group: CurveGroup; readonly line: ChartLine }[] = []
  private axis: AxisName = "step"
  private place: number | undefined

  constructor(private readonly tell: (readout: Readout | undefined) => void) {}

  show(groups: readonly CurveGroup[], options: CurveOptions): void {
    this.axis = options.axis
    this.drawn = []
    const isAlone = groups.length === 1 && groups[0].curves.length === 1
    const shown = new Set<string>()
    const linesOf = new Map(kinds.map((kind) => [kind, groups.flatMap((group) => this.lineFor(kind, group, options, groups.length === 1))]))
    const [train, validation] = kinds
    // One run has both of its losses in one chart.
    const isJoined = isAlone && linesOf.get(train)!.length > 0
    for (const kind of kinds) {
      const lines = linesOf.get(kind)!
      if (lines.length === 0 || (isJoined && kind === validation)) continue
      const both = isJoined && kind === train ? [...lines, ...linesOf.get(validation)!] : lines
      shown.add(kind.title)
      this.chartFor(kind).show(
        {
          title: titleOf(kind, groups, isAlone, options),
          xName: axisNames[options.axis],
          lines: both,
          isLogX: options.isLogX,
          isLogY: options.isLogY && kind.mayBeLog,
          formatX: (value) => formatPlace(value, options.axis),
        },
        describe(kind, both),
      )
    }
    for (const [title, chart] of this.charts) {
      if (shown.has(title)) continue
      chart.dispose()
      this.charts.delete(title)
    }
    this.node.replaceChildren(...kinds.flatMap(({ title }) => this.charts.get(title)?.node ?? []))
    this.point(this.place)
  }

  /** In the colours that the page has now. */
  draw(): void {
    for (const chart of this.charts.values()) chart.draw()
  }

  dispose(): void {
    for (const chart of this.charts.values()) chart.dispose()
    this.charts.clear()
  }

  private chartFor({ title }: ChartKind): Chart {
    const known = this.charts.get(title)
    if (known) return known
    const chart = new Chart({ point: (x) => this.point(x) })
    this.charts.set(title, chart)
    return chart
  }

  private lineFor(kind: ChartKind, group: CurveGroup, options: CurveOptions, isSingle: boolean): ChartLine[] {
    const { mean, raw } = lineOf(group, kind.figure, {
      axis: options.axis,
      smoothing: kind.mayBeSmooth ? options.smoothing : 0,
      of: kind.of,
    })
    if (mean.x.length === 0) return []
    // Alone, a run's colours say what they always say.
    const own = isSingle
      ? kind.of === "validation"
        ? { colour: colours.orange, textColour: textColours.orange }
        : { colour: colours.blue, textColour: textColours.blue }
      : group
    const isLosses = isSingle && kind.figure === "loss"
    const line: ChartLine = {
      ...{ name: isLosses ? kind.short : isSingle ? "" : group.label, colour: own.colour, textColour: own.textColour, dash: group.dash },
      ...{ series: { x: mean.x, y: mean.y }, raw, hasMarkers: kind.of === "validation" && mean.x.length < 60 },
      ...(group.curves.length > 1 && { band: { low: mean.low, high: mean.high } }),
      isGrowing: kind.of === "steps" && group.curves.some(({ isGrowing }) => isGrowing),
    }
    this.drawn.push({ kind, group, line })
    return [line]
  }

  private point(x: number | undefined): void {
    this.place = x
    for (const chart of this.charts.values()) chart.setCrosshair(x)
    if (x === undefined) {
      this.tell(undefined)
      return
    }
    const groups = [...new Set(this.drawn.map(({ group }) => group))].map((group) => {
      const values = this.drawn
        .filter((drawn) => drawn.group === group)
        .flatMap(({ kind, line }) => {
          const value = valueAt(line.series, x)
          return value === undefined || !Number.isFinite(value) ? [] : [`${kind.short} ${formatFigure(value)}`]
        })
      return { name: group.name, textColour: group.textColour, values: values.length > 0 ? values : ["nothing here"] }
    })
    this.tell({ place: formatPlace(x, this.axis), groups })
  }
}

function titleOf(
  { title, figure, mayBeLog, mayBeSmooth }: ChartKind,
  groups: readonly CurveGroup[],
  isAlone: boolean,
  { isLogY, smoothing }: CurveOptions,
): string {
  const counts = groups.map(({ curves }) => curves.length)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return [
    isAlone && figure === "loss" ? "loss" : title,
    ...(isLogY && mayBeLog ? ["log scale"] : []),
    ...(most > 1 ? [`mean and 95% interval over ${least < most ? `${least} to ${most}` : most} runs`] : []),
    ...(mayBeSmooth && smoothing > 0 ? ["smoothed"] : []),
  ].join(", ")
}

function describe({ title }: ChartKind, lines: readonly ChartLine[]): string {
  const ends = lines.slice(0, 8).map(({ name, series }) => `${name || title} ends at ${formatFigure(series.y.at(-1) ?? Number.NaN)}`)
  return `${title}: ${ends.join(", ")}. Arrow keys read it point by point.`
}

export function formatPlace(value: number, axis: AxisName): string {
  if (axis === "time") return formatSeconds(value)
  return `${axis === "step" ? "step " : ""}${formatCount(Math.round(value))}${axis === "tokens" ? " tokens" : ""}`
}

export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return "-"
  const size = Math.abs(value)
  if (size >= 1000) return formatCount(Math.round(value))
  if (size !== 0 && size < 0.001) return size < 1e-6 ? value.toExponential(1) : String(Number(value.toPrecision(2)))
  return value.toFixed(size < 0.1 ? 4 : size < 10 ? 3 : 1)
}
