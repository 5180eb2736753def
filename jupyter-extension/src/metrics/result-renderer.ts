// The renderers for trainings, reports and tables in outputs.
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces"
import { Widget } from "@lumino/widgets"
import { mimeTypes } from "../../../kernel-lib/src/display/payloads"
import { createElement } from "../viewer/elements"
import type { TrainingView } from "./training-view"

class ResultRenderer extends Widget implements IRenderMime.IRenderer {
  private training: TrainingView | undefined

  constructor(private readonly options: IRenderMime.IRendererOptions) {
    super()
    this.addClass("jp-Prompt2ModelResult")
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const { readResultPayload, renderReport, renderTable, TrainingView } = await import("./result-views")
    if (this.isDisposed) return
    try {
      const payload = readResultPayload(model.data[this.options.mimeType])
      if (payload.kind !== "training") return this.replaceBy(payload.kind === "report" ? renderReport(payload) : renderTable(payload))
      // A display that is updated five times a second keeps its chart.
      if (!this.training) {
        const view = new TrainingView()
        this.replaceBy(view.node)
        this.training = view
      }
      this.training.show(payload)
    } catch (error) {
      this.replaceBy(renderRefusal((error as Error).message, model.data["text/plain"]))
    }
  }

  override dispose(): void {
    if (this.isDisposed) return
    this.training?.dispose()
    super.dispose()
  }

  private replaceBy(view: HTMLElement): void {
    this.training?.dispose()
    this.training = undefined
    this.node.replaceChildren(view)
  }
}

function renderRefusal(sentence: string, text: unknown): HTMLElement {
  const view = createElement("div")
  view.append(createElement("p", "p2m-mute", sentence))
  if (typeof text === "string" && text !== "") view.append(createElement("pre", "", text.slice(0, 20_000)))
  return view
}

export function createResultFactory(): IRenderMime.IRendererFactory {
  return {
    // All text goes in as text: nothing of an untrusted notebook can act, so its results are shown too.
    safe: true,
    mimeTypes: [mimeTypes.training, mimeTypes.report, mimeTypes.table],
    // JupyterLab's HTML has rank 50.
    defaultRank: 40,
    createRenderer: (options) => new ResultRenderer(options),
  }
}
