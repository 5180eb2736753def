// The plug-ins of the metric viewer: results and figures in outputs, and the panel over run folders. What draws is loaded when it is needed.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application"
import { ICommandPalette, MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils"
import { IDefaultFileBrowser } from "@jupyterlab/filebrowser"
import { ILauncher } from "@jupyterlab/launcher"
import { IRenderMimeRegistry } from "@jupyterlab/rendermime"
import { IStateDB } from "@jupyterlab/statedb"
import { ITranslator } from "@jupyterlab/translation"
import { listIcon } from "@jupyterlab/ui-components"
import type { JSONObject } from "@lumino/coreutils"
import type { Widget } from "@lumino/widgets"
import { factoryName } from "../commands"
import type { Filter } from "../protocol"
import { takeTranslator, trans } from "../settings/language"
import type { DatasetDocument } from "../viewer/document"
import { createFigureFactory, figureType } from "./figure-renderer"
import { createResultFactory, type ResultSurroundings } from "./result-renderer"
import type { RunsPanel } from "./runs-panel"

export const metricOutputs: JupyterFrontEndPlugin<void> = {
  id: "jupyterlab-prompt2model:metric-outputs",
  description: "Shows the trainings, reports and tables of Prompt2Model in outputs, and Plotly figures where nothing else does.",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate(app: JupyterFrontEnd, rendermime: IRenderMimeRegistry) {
    const surroundings: ResultSurroundings = {
      services: app.serviceManager,
      openRows: (path, filters) => void openRows(app, path, filters),
      showRun: (run) => void app.commands.execute(command, { path: run.split("/").slice(0, -1).join("/"), run }),
    }
    rendermime.addFactory(createResultFactory(surroundings), 40)
    // Of one type the factory that was added last draws: plotly's own extension does, whether it comes before this or after it.
    if (!rendermime.getFactory(figureType)) rendermime.addFactory(createFigureFactory(), 45)
  },
}

const command = "prompt2model:show-runs"
const stateKey = "prompt2model:runs"
/** Folders whose view is kept. */
const mostKept = 20

type PanelWidget = MainAreaWidget<RunsPanel>

export const runsPanel: JupyterFrontEndPlugin<void> = {
  id: "jupyterlab-prompt2model:runs",
  description: "A panel over run folders: live curves, comparisons, ablations, errors.",
  autoStart: true,
  optional: [ILayoutRestorer, ICommandPalette, ILauncher, IDefaultFileBrowser, IStateDB, ITranslator],
  activate(
    app,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    browser: IDefaultFileBrowser | null,
    state: IStateDB | null,
    translator: ITranslator | null,
  ) {
    takeTranslator(translator)
    const tracker = new WidgetTracker<PanelWidget>({ namespace: "prompt2model-runs" })
    const label = trans.__("Runs of Prompt2Model")
    app.commands.addCommand(command, {
      label: (args) => (args.isOfFolder ? trans.__("Show Runs") : label),
      icon: listIcon,
      caption: trans.__("Shows the runs in a folder: curves, comparisons, ablations, errors"),
      execute: async (args) => {
        const folder = folderOf(args, browser)
        const open = tracker.find((widget) => widget.id === idOf(folder))
        const panel = open ?? (await createPanel(app, folder, state))
        if (!open) await tracker.add(panel)
        if (!panel.isAttached) app.shell.add(panel as Widget, "main")
        app.shell.activateById(panel.id)
        if (typeof args.run === "string") panel.content.showRun(args.run)
        return panel
      },
    })
    if (restorer) void restorer.restore(tracker, { command, args: ({ id }) => ({ path: pathOf(id) }), name: ({ id }) => id })
    palette?.addItem({ command, category: trans.__("Prompt2Model") })
    launcher?.add({ command, category: trans.__("Prompt2Model"), rank: 2 })
    app.contextMenu.addItem({ command, args: { isOfFolder: true }, selector: '.jp-DirListing-item[data-isdir="true"]', rank: 1.6 })
  },
}

const idOf = (folder: string) => `prompt2model-runs:${folder}`
const pathOf = (id: string) => id.slice(idOf("").length)

/** The folder that was named, the one that is chosen in the file browser, or all. */
function folderOf(args: Readonly<Record<string, unknown>>, browser: IDefaultFileBrowser | null): string {
  if (typeof args.path === "string") return args.path.replace(/^\/+|\/+$/g, "")
  const chosen = args.isOfFolder ? browser?.selectedItems().next().value : undefined
  return chosen?.type === "directory" ? chosen.path : (browser?.model.path ?? "")
}

async function createPanel(app: JupyterFrontEnd, folder: string, state: IStateDB | null): Promise<PanelWidget> {
  const [{ RunsPanel }, { RunFiles }, { readState }] = await Promise.all([
    import("./runs-panel"),
    import("./run-files"),
    import("./panel-state"),
  ])
  const kept = (await state?.fetch(stateKey).catch(() => undefined)) as Record<string, unknown> | undefined
  let saving: ReturnType<typeof setTimeout> | undefined
  const content = new RunsPanel({
    folder,
    files: new RunFiles(app.serviceManager),
    state: readState(kept?.[folder]),
    onStateChanged: (panelState) => {
      clearTimeout(saving)
      saving = setTimeout(() => void saveState(state, folder, panelState as never), 400)
    },
    openRows: (path, filters) => void openRows(app, path, filters),
    openFolder: (path) => void app.commands.execute("filebrowser:open-path", { path, dontShowBrowser: false }),
  })
  content.disposed.connect(() => clearTimeout(saving))
  const panel = new MainAreaWidget({ content })
  panel.id = idOf(folder)
  panel.title.label = trans.__("Runs")
  panel.title.caption = folder === "" ? trans.__("All runs") : trans.__("Runs in %1", folder)
  panel.title.closable = true
  panel.toolbar.hide()
  return panel
}

async function saveState(state: IStateDB | null, folder: string, panelState: JSONObject): Promise<void> {
  if (!state) return
  const all = { ...((await state.fetch(stateKey)) as JSONObject | undefined) }
  // What was saved last stands last, and only so many are kept.
  delete all[folder]
  all[folder] = JSON.parse(JSON.stringify(panelState))
  await state.save(stateKey, Object.fromEntries(Object.entries(all).slice(-mostKept)))
}

async function openRows(app: JupyterFrontEnd, path: string, filters: readonly Filter[]): Promise<void> {
  const widget = (await app.commands.execute("docmanager:open", { path, factory: factoryName })) as DatasetDocument | undefined
  widget?.content.showRows(filters)
}
