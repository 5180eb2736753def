// What charts have in common: a title over a plot that Plotly draws as wide as there is room, at most once a frame and only where it is seen.
import { trans } from "../settings/language"
import { createElement } from "../viewer/elements"
import { loadPlotly, type PlainObject, type Plotly, plotlyConfig } from "./load-plotly"

export interface FigureFrameOptions {
  readonly className: string
  /** Pixels. */
  readonly height: number
  /** What is to be drawn at this width; undefined while there is nothing. */
  figure(width: number): { readonly data: readonly PlainObject[]; readonly layout: PlainObject } | undefined
  /** Called each time that it was drawn. */
  onDrawn?(isFirst: boolean): void
}

export class FigureFrame {
  readonly node: HTMLElement
  readonly plot = createElement("div", "p2m-plot")
  private readonly title = createElement("figcaption", "p2m-chart-title")
  private readonly trouble = createElement("div", "p2m-mute")
  private readonly sizes = new ResizeObserver(() => this.later())
  private plotly: Plotly | undefined
  private frame = 0
  private width = 0
  private isGone = false

  constructor(private readonly options: FigureFrameOptions) {
    this.node = createElement("figure", options.className)
    this.node.setAttribute("role", "img")
    this.plot.style.height = `${options.height}px`
    this.node.append(this.title, this.plot, this.trouble)
    this.sizes.observe(this.node)
  }

  /** @param description for those who cannot see it */
  show(title: string, description: string): void {
    this.title.textContent = title
    this.node.setAttribute("aria-label", description)
    this.draw()
  }

  /** Draws again, in the colours that the page has now. */
  draw(): void {
    this.width = 0
    this.later()
  }

  dispose(): void {
    this.isGone = true
    cancelAnimationFrame(this.frame)
    this.sizes.disconnect()
    this.plotly?.purge(this.plot)
    this.node.remove()
  }

  private later(): void {
    if (this.frame !== 0 || this.isGone) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      const width = Math.floor(this.node.clientWidth)
      if (width === 0 || width === this.width) return
      this.width = width
      void this.paint()
    })
  }

  private async paint(): Promise<void> {
    try {
      const isFirst = this.plotly === undefined
      this.plotly ??= await loadPlotly()
      const figure = this.isGone ? undefined : this.options.figure(this.width)
      if (!figure) return
      await this.plotly.react(this.plot, [...figure.data], figure.layout, plotlyConfig)
      this.trouble.textContent = ""
      this.node.dataset.state = "drawn"
      this.options.onDrawn?.(isFirst)
    } catch (error) {
      this.trouble.textContent = trans.__("The chart could not be drawn: %1", (error as Error).message)
    }
  }
}
