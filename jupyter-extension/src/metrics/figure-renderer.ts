// Plotly figures in outputs, where nothing else draws them.
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces"
import { Widget } from "@lumino/widgets"
import { trans } from "../settings/language"
import { createElement } from "../viewer/elements"
import { loadPlotly, type PlainObject, type Plotly, plotlyConfig } from "./load-plotly"
import { readFigure, type SafeFigure } from "./safe-figure"
import { readChartColours, watchTheme } from "./theme"

export const figureType = "application/vnd.plotly.v1+json"
const usualHeight = 380

class FigureRenderer extends Widget implements IRenderMime.IRenderer {
  private readonly plot = createElement("div")
  private readonly sizes = new ResizeObserver(() => this.later())
  private readonly forgetTheme = watchTheme(() => this.draw())
  private figure: SafeFigure | undefined
  private plotly: Plotly | undefined
  private frame = 0
  private width = 0

  constructor(private readonly options: IRenderMime.IRendererOptions) {
    super()
    this.addClass("jp-Prompt2Model")
    this.addClass("jp-Prompt2ModelFigure")
    this.sizes.observe(this.node)
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    try {
      this.figure = readFigure(model.data[this.options.mimeType])
      const text = model.data["text/plain"]
      this.plot.setAttribute("role", "img")
      this.plot.setAttribute("aria-label", typeof text === "string" ? text.slice(0, 1000) : trans.__("figure"))
      this.node.replaceChildren(this.plot)
      this.draw()
    } catch (error) {
      this.figure = undefined
      this.node.replaceChildren(createElement("p", "p2m-mute", (error as Error).message))
    }
  }

  override dispose(): void {
    if (this.isDisposed) return
    cancelAnimationFrame(this.frame)
    this.sizes.disconnect()
    this.forgetTheme()
    this.plotly?.purge(this.plot)
    super.dispose()
  }

  private draw(): void {
    this.width = 0
    this.later()
  }

  private later(): void {
    if (this.frame !== 0 || this.isDisposed) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      const width = Math.floor(this.node.clientWidth)
      if (!this.figure || width === 0 || width === this.width) return
      this.width = width
      void this.paint(this.figure, width)
    })
  }

  private async paint(figure: SafeFigure, width: number): Promise<void> {
    try {
      this.plotly ??= await loadPlotly()
      if (this.isDisposed) return
      await this.plotly.react(this.plot, figure.data, this.themed(figure, width), plotlyConfig)
      this.node.dataset.state = "drawn"
    } catch (error) {
      this.node.replaceChildren(createElement("p", "p2m-mute", trans.__("The figure could not be drawn: %1", (error as Error).message)))
    }
  }

  /** The page's colours, where the figure names none of its own. */
  private themed({ data, layout }: SafeFigure, width: number): PlainObject {
    const { ink, line, font } = readChartColours(this.node)
    const height = typeof layout.height === "number" ? Math.min(2000, Math.max(60, layout.height)) : usualHeight
    const plain = { gridcolor: line, zerolinecolor: line, linecolor: line }
    const named = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))
    // Parallel coordinates have none.
    const axes = data.every(({ type }) => type === "parcoords") ? named : new Set(["xaxis", "yaxis", ...named])
    return {
      ...{ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 56, r: 24, t: 44, b: 44 } },
      ...layout,
      font: { family: font, size: 12, color: ink, ...(layout.font as object | undefined) },
      ...Object.fromEntries([...axes].map((name) => [name, { ...plain, ...(layout[name] as object | undefined) }])),
      ...{ width: Math.min(width, 1100), height, autosize: false },
    }
  }
}

export function createFigureFactory(): IRenderMime.IRendererFactory {
  // What could load, link or act is taken out before Plotly sees it.
  return { safe: true, mimeTypes: [figureType], defaultRank: 45, createRenderer: (options) => new FigureRenderer(options) }
}
