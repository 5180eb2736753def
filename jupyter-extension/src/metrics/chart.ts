// A chart of the page: drawn by Plotly in JupyterLab's colours, with a crosshair that its neighbours share.
import { createElement } from "../viewer/elements"
import { type ChartParts, chartHeight, figureOf, margins } from "./chart-parts"
import { FigureFrame } from "./figure-frame"
import { readChartColours } from "./theme"

/** What Plotly keeps of an axis: pixels to values and back. */
interface DrawnAxis {
  p2c(pixels: number): number
  c2p(value: number): number
  readonly _length: number
  readonly _offset: number
}

export interface ChartActions {
  /** The reader points at this place of the x axis; undefined where at none. */
  point(x: number | undefined): void
}

export class Chart {
  readonly node: HTMLElement
  private readonly frame: FigureFrame
  private readonly line = createElement("div", "p2m-crosshair")
  private parts: ChartParts | undefined
  private place: number | undefined

  constructor(private readonly actions?: ChartActions) {
    this.frame = new FigureFrame({
      className: "p2m-chart",
      height: chartHeight,
      figure: (width) => this.parts && figureOf(this.parts, readChartColours(this.node), width),
      onDrawn: () => this.setCrosshair(this.place),
    })
    this.node = this.frame.node
    this.node.tabIndex = 0
    // A notebook would take the arrows for itself.
    this.node.dataset.lmSuppressShortcuts = "true"
    this.line.hidden = true
    this.node.append(this.line)
    this.node.addEventListener("pointermove", (event) => this.movePointer(event))
    this.node.addEventListener("pointerleave", () => actions?.point(undefined))
    this.node.addEventListener("keydown", (event) => this.press(event))
  }

  show(parts: ChartParts, description: string): void {
    this.parts = parts
    this.frame.show(parts.title, description)
  }

  draw(): void {
    this.frame.draw()
  }

  setCrosshair(x: number | undefined): void {
    this.place = x
    const axis = this.axis()
    const pixels = x === undefined || !axis ? -1 : axis.c2p(this.parts?.isLogX ? Math.log10(x) : x)
    this.line.hidden = !(pixels >= 0 && axis && pixels <= axis._length)
    if (!this.line.hidden) this.line.style.transform = `translateX(${margins.left + pixels}px)`
  }

  dispose(): void {
    this.frame.dispose()
  }

  private axis(): DrawnAxis | undefined {
    return (this.frame.plot as unknown as { _fullLayout?: { xaxis?: DrawnAxis } })._fullLayout?.xaxis
  }

  private movePointer({ clientX }: PointerEvent): void {
    const axis = this.axis()
    if (!axis || !this.parts) return
    const pixels = clientX - this.frame.plot.getBoundingClientRect().left - axis._offset
    if (pixels < -4 || pixels > axis._length + 4) {
      this.actions?.point(undefined)
      return
    }
    const value = axis.p2c(Math.min(axis._length, Math.max(0, pixels)))
    this.actions?.point(nearestPlace(this.parts, this.parts.isLogX ? 10 ** value : value))
  }

  /** Arrows move the crosshair from point to point. */
  private press(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (event.key === "Escape") this.actions?.point(undefined)
    if (by === undefined || !this.parts || event.ctrlKey || event.metaKey || event.altKey) return
    const places = placesOf(this.parts)
    if (places.length === 0) return
    const at = this.place === undefined ? (by > 0 ? -1 : places.length) : places.indexOf(nearestOf(places, this.place))
    const step = Math.max(1, Math.round(places.length / 120)) * by
    this.actions?.point(places[Math.min(places.length - 1, Math.max(0, at + step))])
    event.preventDefault()
    event.stopPropagation()
  }
}

function placesOf({ lines }: ChartParts): number[] {
  return [...new Set(lines.flatMap(({ series }) => series.x))].sort((a, b) => a - b)
}

function nearestPlace(parts: ChartParts, place: number): number | undefined {
  return nearestOf(placesOf(parts), place)
}

function nearestOf(places: readonly number[], place: number): number {
  return places.reduce((best, other) => (Math.abs(other - place) < Math.abs(best - place) ? other : best), places[0])
}
