// Datasets in outputs, and datasets in files. What draws files is loaded when the first one is opened.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application"
import { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils"
import { IDefaultFileBrowser } from "@jupyterlab/filebrowser"
import { ILauncher } from "@jupyterlab/launcher"
import { IRenderMimeRegistry } from "@jupyterlab/rendermime"
import { IStateDB } from "@jupyterlab/statedb"
import { ITranslator } from "@jupyterlab/translation"
import { spreadsheetIcon } from "@jupyterlab/ui-components"
import { addCommands, type CommandId, factoryName } from "../commands"
import { findTable } from "../find-place"
import { createRendererFactory } from "../renderer"
import { takeTranslator, trans } from "../settings/language"
import { defaults, ISettings, type Settings } from "../settings/settings"
import type { DatasetDocument, Surroundings } from "./document"

/** Files that the viewer can open. */
const fileTypes = ["parquet", "jsonl", "csv", "tsv"]

export const outputs: JupyterFrontEndPlugin<void> = {
  id: "jupyterlab-prompt2model:outputs",
  description: "Shows the datasets of Prompt2Model in outputs.",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate(app: JupyterFrontEnd, rendermime: IRenderMimeRegistry) {
    const openFile = (path: string) => void app.commands.execute("docmanager:open", { path, factory: factoryName })
    rendermime.addFactory(createRendererFactory({ findFile: findTable, openFile }), 40)
  },
}

export const documents: JupyterFrontEndPlugin<void> = {
  id: "jupyterlab-prompt2model:documents",
  description: "Opens Parquet, JSON lines and CSV in a viewer of datasets.",
  autoStart: true,
  optional: [ILayoutRestorer, ICommandPalette, IDefaultFileBrowser, IStateDB, ITranslator, ISettings, ILauncher],
  async activate(
    app,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null,
    state: IStateDB | null,
    translator: ITranslator | null,
    settings: Settings | null,
    launcher: ILauncher | null,
  ) {
    takeTranslator(translator)
    const tracker = new WidgetTracker<DatasetDocument>({ namespace: "prompt2model-dataset-viewer" })
    const address = rowOfAddress()
    const surroundings: Surroundings = {
      services: app.serviceManager,
      state,
      takeRowOfAddress: (path) => address(path),
      openFile: (path) => void app.commands.execute("docmanager:open", { path, factory: factoryName }),
      settings: () => settings?.values ?? defaults,
    }
    app.docRegistry.addFileType({
      name: "parquet",
      displayName: trans.__("Parquet File"),
      extensions: [".parquet"],
      mimeTypes: ["application/vnd.apache.parquet"],
      contentType: "file",
      fileFormat: "base64",
      icon: spreadsheetIcon,
    })
    const ready = (settings?.ready ?? Promise.resolve()).then(() => registerFactory(app, surroundings, tracker))
    if (restorer) {
      void restorer.restore(tracker, {
        command: "docmanager:open",
        args: ({ context }) => ({ path: context.path, factory: factoryName }),
        name: ({ context }) => context.path,
        when: ready,
      })
    }
    const ids = addCommands(app, { tracker, browser })
    const category = trans.__("Prompt2Model")
    if (palette) for (const command of ids.filter((id: CommandId) => id !== "prompt2model:open")) palette.addItem({ command, category })
    if (palette) palette.addItem({ command: "prompt2model:open", category, args: { asks: true } })
    launcher?.add({ command: "prompt2model:open", args: { asks: true }, category, rank: 1 })
    for (const type of fileTypes)
      app.contextMenu.addItem({ command: "prompt2model:open", selector: `.jp-DirListing-item[data-file-type="${type}"]`, rank: 1.5 })
    // Notebook 7 opens the file that its address names as soon as all plug-ins are there.
    await ready
  },
}

async function registerFactory(app: JupyterFrontEnd, surroundings: Surroundings, tracker: WidgetTracker<DatasetDocument>): Promise<void> {
  const { DatasetViewerFactory, UnloadedModelFactory } = await import("./document")
  app.docRegistry.addModelFactory(new UnloadedModelFactory())
  const { opensJsonLines, opensCsv } = surroundings.settings()
  const factory = new DatasetViewerFactory(
    {
      name: factoryName,
      label: trans.__("Dataset Viewer"),
      modelName: "prompt2model-unloaded",
      fileTypes,
      defaultFor: ["parquet", ...(opensJsonLines ? ["jsonl"] : []), ...(opensCsv ? ["csv", "tsv"] : [])],
      readOnly: true,
    },
    surroundings,
  )
  factory.widgetCreated.connect((_factory, widget) => {
    void tracker.add(widget)
    widget.context.pathChanged.connect(() => void tracker.save(widget))
  })
  app.docRegistry.addWidgetFactory(factory)
}

/** The row that the page's address named when it was loaded; handed out once, to the file that the address names. */
function rowOfAddress(): (path: string) => number | undefined {
  const digits = /^#row=(\d{1,10})$/.exec(location.hash)?.[1]
  let row = digits === undefined ? undefined : Number(digits)
  const page = decodeURIComponent(location.pathname)
  return (path) => {
    if (row === undefined || !page.endsWith(`/tree/${path}`)) return undefined
    const taken = row
    row = undefined
    return taken
  }
}
