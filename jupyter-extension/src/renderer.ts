// The renderer for the datasets that Prompt2Model's results put into a notebook's outputs.
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces"
import { Widget } from "@lumino/widgets"
import { mimeTypes } from "../../kernel-lib/src/display/payloads"
import { renderDataset, renderUnreadable } from "./dataset-view"
import type { FindPlace } from "./find-place"
import { readDatasetPayload } from "./read-payload"

export interface RendererSurroundings {
  readonly findFile: FindPlace
  openFile(path: string): void
}

/** One dataset in an output. */
class DatasetRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private readonly options: IRenderMime.IRendererOptions,
    private readonly surroundings: RendererSurroundings,
  ) {
    super()
    this.addClass("jp-Prompt2Model")
    this.addClass("jp-Prompt2ModelDataset")
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const { mimeType, resolver } = this.options
    const payload = readDatasetPayload(model.data[mimeType])
    const text = model.data["text/plain"]
    if (!payload) {
      this.node.replaceChildren(renderUnreadable(typeof text === "string" ? text : ""))
      return
    }
    const path = payload.file === undefined ? undefined : await this.surroundings.findFile(payload.file, resolver)
    const open = path === undefined ? undefined : () => this.surroundings.openFile(path)
    this.node.replaceChildren(renderDataset(payload, open))
  }
}

export function createRendererFactory(surroundings: RendererSurroundings): IRenderMime.IRendererFactory {
  return {
    // All text goes in as text: nothing of an untrusted notebook can act, so its datasets are shown too.
    safe: true,
    mimeTypes: [mimeTypes.dataset],
    // JupyterLab's HTML has rank 50.
    defaultRank: 40,
    createRenderer: (options) => new DatasetRenderer(options, surroundings),
  }
}
