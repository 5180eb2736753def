// The renderers for trainings, reports and tables in outputs.
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces"
import type { ServiceManager } from "@jupyterlab/services"
import { Widget } from "@lumino/widgets"
import { mimeTypes, type ReportPayload, type TrainingPayload } from "../../../kernel-lib/src/display/payloads"
import { findPlace, findTable } from "../find-place"
import type { Filter } from "../protocol"
import { createElement } from "../viewer/elements"
import type { TrainingView } from "./training-view"

export interface ResultSurroundings {
  readonly services: ServiceManager.IManager
  /** Opens the rows of a file that pass these filters. */
  openRows(path: string, filters: readonly Filter[]): void
  /** Opens the panel over runs with this one chosen. */
  showRun(path: string): void
}

class ResultRenderer extends Widget implements IRenderMime.IRenderer {
  private training: TrainingView | undefined

  constructor(
    private readonly options: IRenderMime.IRendererOptions,
    private readonly surroundings: ResultSurroundings,
  ) {
    super()
    this.addClass("jp-Prompt2Model")
    this.addClass("jp-Prompt2ModelResult")
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const { readResultPayload, renderTable } = await import("./result-views")
    if (this.isDisposed) return
    try {
      const payload = readResultPayload(model.data[this.options.mimeType])
      if (payload.kind === "table") this.replaceBy(renderTable(payload))
      else if (payload.kind === "report") await this.showReport(payload)
      else await this.showTraining(payload)
    } catch (error) {
      this.replaceBy(renderRefusal((error as Error).message, model.data["text/plain"]))
    }
  }

  override dispose(): void {
    if (this.isDisposed) return
    this.training?.dispose()
    super.dispose()
  }

  private async showReport(report: ReportPayload): Promise<void> {
    const { renderReport } = await import("./result-views")
    const path = report.file === undefined ? undefined : await findTable(report.file, this.options.resolver)
    this.replaceBy(renderReport(report, path === undefined ? undefined : (filters) => this.surroundings.openRows(path, filters)))
  }

  /** A display that is updated five times a second keeps its chart. */
  private async showTraining(payload: TrainingPayload): Promise<void> {
    const { TrainingView } = await import("./result-views")
    const path = payload.run === undefined ? undefined : await findPlace(payload.run, this.options.resolver)
    if (this.isDisposed) return
    if (!this.training) {
      const view = new TrainingView(this.surroundings)
      this.replaceBy(view.node)
      this.training = view
    }
    this.training.show(payload, path)
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

export function createResultFactory(surroundings: ResultSurroundings): IRenderMime.IRendererFactory {
  return {
    // All text goes in as text: nothing of an untrusted notebook can act, so its results are shown too.
    safe: true,
    mimeTypes: [mimeTypes.training, mimeTypes.report, mimeTypes.table],
    // JupyterLab's HTML has rank 50.
    defaultRank: 40,
    createRenderer: (options) => new ResultRenderer(options, surroundings),
  }
}
