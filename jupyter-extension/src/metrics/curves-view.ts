// The chosen runs' curves, one chart for each figure, under one crosshair.
import { colours, textColours } from "../../../kernel-lib/src/display/colours"
import { formatCount, formatSeconds } from "../../../kernel-lib/src/display/wording"
import { trans } from "../settings/language"
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

/** In the reader's language, which is known when the first chart is drawn. */
function describeKinds(): readonly ChartKind[] {
  const [loss, validation] = [trans.__("training loss"), trans.__("validation loss")]
  const [rate, norm, speed] = [trans.__("learning rate"), trans.__("gradient norm"), trans.__("tokens per second")]
  return [
    { figure: "loss", of: "steps", title: loss, short: trans.__("train"), mayBeLog: true, mayBeSmooth: true },
    { figure: "loss", of: "validation", title: validation, short: trans.__("validation"), mayBeLog: true, mayBeSmooth: false },
    { figure: "learningRate", of: "steps", title: rate, short: trans.__("rate"), mayBeLog: false, mayBeSmooth: false },
    { figure: "gradientNorm", of: "steps", title: norm, short: trans.__("gradient"), mayBeLog: true, mayBeSmooth: true },
    { figure: "tokensPerSecond", of: "steps", title: speed, short: trans.__("tokens/s"), mayBeLog: false, mayBeSmooth: true },
  ]
}

function nameOfAxis(axis: AxisName): string {
  return { step: trans.__("step"), tokens: trans.__("tokens"), time: trans.__("seconds of training") }[axis]
}

export class CurvesView {
  readonly node = createElement("div", "p2m-charts")
  private readonly kinds = describeKinds()
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
    const linesOf = new Map(
      this.kinds.map((kind) => [kind, groups.flatMap((group) => this.lineFor(kind, group, options, groups.length === 1))]),
    )
    const [train, validation] = this.kinds
    // One run has both of its losses in one chart.
    const isJoined = isAlone && linesOf.get(train)!.length > 0
    for (const kind of this.kinds) {
      const lines = linesOf.get(kind)!
      if (lines.length === 0 || (isJoined && kind === validation)) continue
      const both = isJoined && kind === train ? [...lines, ...linesOf.get(validation)!] : lines
      shown.add(kind.title)
      this.chartFor(kind).show(
        {
          title: titleOf(kind, groups, isAlone, options),
          xName: nameOfAxis(options.axis),
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
    this.node.replaceChildren(...this.kinds.flatMap(({ title }) => this.charts.get(title)?.node ?? []))
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
      return { name: group.name, textColour: group.textColour, values: values.length > 0 ? values : [trans.__("nothing here")] }
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
    isAlone && figure === "loss" ? trans.__("loss") : title,
    ...(isLogY && mayBeLog ? [trans.__("log scale")] : []),
    ...(most > 1 ? [trans.__("mean and 95% interval over %1 runs", least < most ? trans.__("%1 to %2", least, most) : most)] : []),
    ...(mayBeSmooth && smoothing > 0 ? [trans.__("smoothed")] : []),
  ].join(", ")
}

function describe({ title }: ChartKind, lines: readonly ChartLine[]): string {
  const ends = lines
    .slice(0, 8)
    .map(({ name, series }) => trans.__("%1 ends at %2", name || title, formatFigure(series.y.at(-1) ?? Number.NaN)))
  return trans.__("%1: %2. Arrow keys read it point by point.", title, ends.join(", "))
}

export function formatPlace(value: number, axis: AxisName): string {
  if (axis === "time") return formatSeconds(value)
  const count = formatCount(Math.round(value))
  return axis === "step" ? trans.__("step %1", count) : trans.__("%1 tokens", count)
}

export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return "-"
  const size = Math.abs(value)
  if (size >= 1000) return formatCount(Math.round(value))
  if (size !== 0 && size < 0.001) return size < 1e-6 ? value.toExponential(1) : String(Number(value.toPrecision(2)))
  return value.toFixed(size < 0.1 ? 4 : size < 10 ? 3 : 1)
}
