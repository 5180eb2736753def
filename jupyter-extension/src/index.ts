// The extension: a renderer for the datasets that Prompt2Model's results put into a notebook's outputs.
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces"
import { Widget } from "@lumino/widgets"
import { mimeTypes } from "../../kernel-lib/src/display/payloads"
import { renderDataset, renderUnreadable } from "./dataset-view"
import { readDatasetPayload } from "./read-payload"

/** One dataset in an output. */
class DatasetRenderer extends Widget implements IRenderMime.IRenderer {
  private readonly mimeType: string

  constructor({ mimeType }: IRenderMime.IRendererOptions) {
    super()
    this.mimeType = mimeType
    this.addClass("jp-Prompt2ModelDataset")
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const payload = readDatasetPayload(model.data[this.mimeType])
    const text = model.data["text/plain"]
    this.node.replaceChildren(payload ? renderDataset(payload) : renderUnreadable(typeof text === "string" ? text : ""))
  }
}

const rendererFactory: IRenderMime.IRendererFactory = {
  // All text goes in as text: nothing of an untrusted notebook can act, so its datasets are shown too.
  safe: true,
  mimeTypes: [mimeTypes.dataset],
  // JupyterLab's HTML has rank 50.
  defaultRank: 40,
  createRenderer: (options) => new DatasetRenderer(options),
}

const extension: IRenderMime.IExtension = {
  id: "jupyterlab-prompt2model:dataset",
  description: "Shows the datasets of Prompt2Model.",
  rendererFactory,
  rank: 40,
  dataType: "json",
}

export default extension
