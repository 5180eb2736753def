// The demo of a student: in the output of `serve`, in a panel beside the notebook, and for a student that is served elsewhere on Jupyter's machine.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application"
import { ICommandPalette, InputDialog, MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils"
import { ILauncher } from "@jupyterlab/launcher"
import { IRenderMimeRegistry } from "@jupyterlab/rendermime"
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces"
import { ITranslator } from "@jupyterlab/translation"
import { consoleIcon } from "@jupyterlab/ui-components"
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils"
import { Panel } from "@lumino/widgets"
import { mimeTypes, payloadVersion } from "../../../kernel-lib/src/display/payloads"
import { renderUnreadable } from "../dataset-view"
import { takeTranslator, trans } from "../settings/language"
import { defaults, ISettings, type Settings } from "../settings/settings"
import { Asker } from "./ask"
import { DemoView } from "./demo-view"
import { type DemoSource, readDemo } from "./read-demo"

const command = "prompt2model:open-demo"

/** What a panel is made of again after a reload: the payload, and the notebook that it stood in. */
interface PanelArgs {
  readonly payload: ReadonlyPartialJSONObject
  readonly path?: string
}

type DemoPanel = MainAreaWidget<DemoView> & { readonly args: PanelArgs }

export const demo: JupyterFrontEndPlugin<void> = {
  id: "jupyterlab-prompt2model:demo",
  description: "Asks the students of Prompt2Model.",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ISettings, ITranslator, ILayoutRestorer, ICommandPalette, ILauncher],
  activate(
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    settings: Settings | null,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
  ) {
    takeTranslator(translator)
    const makeView = (source: DemoSource, path: string | undefined, openPanel?: () => void) =>
      makeDemoView(app, settings, source, path, openPanel)
    rendermime.addFactory(
      {
        // All text goes in as text, and nothing is asked before somebody types and sends it.
        safe: true,
        mimeTypes: [mimeTypes.demo],
        defaultRank: 40,
        createRenderer: (options) => new DemoRenderer(options, app, makeView),
      },
      40,
    )
    const tracker = new WidgetTracker<DemoPanel>({ namespace: "prompt2model-demo" })
    addCommand(app, tracker, makeView)
    if (restorer)
      void restorer.restore(tracker, { command, args: ({ args }) => ({ ...args }), name: ({ args }) => `${args.path} ${args.payload.url}` })
    palette?.addItem({ command, category: trans.__("Prompt2Model") })
    launcher?.add({ command, category: trans.__("Prompt2Model"), rank: 3 })
  },
}

type MakeView = (source: DemoSource, path: string | undefined, openPanel?: () => void) => DemoView

function makeDemoView(
  { serviceManager }: JupyterFrontEnd,
  settings: Settings | null,
  source: DemoSource,
  path: string | undefined,
  openPanel?: () => void,
): DemoView {
  const asker = new Asker(serviceManager, source, path === undefined ? undefined : serviceManager.contents.localPath(path))
  const ask = (input: string) => {
    const { nearestRows, asksThrough } = settings?.values ?? defaults
    return asker.ask({ input, numNearest: nearestRows }, asksThrough)
  }
  const view = new DemoView({ source, ask, openPanel })
  view.disposed.connect(() => asker.dispose())
  return view
}

/** A demo in an output. */
class DemoRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(
    private readonly options: IRenderMime.IRendererOptions,
    private readonly app: JupyterFrontEnd,
    private readonly makeView: MakeView,
  ) {
    super()
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const payload = model.data[this.options.mimeType]
    const text = model.data["text/plain"]
    const source = readDemo(payload)
    for (const widget of [...this.widgets]) widget.dispose()
    this.node.replaceChildren()
    if (!source) {
      this.node.append(renderUnreadable(typeof text === "string" ? text : ""))
      return
    }
    // The notebook's own resolver knows where it stands.
    const path = (this.options.resolver as { readonly path?: string } | null)?.path
    const openPanel = () => void this.app.commands.execute(command, { payload: payload as ReadonlyPartialJSONObject, path })
    this.addWidget(this.makeView(source, path, openPanel))
  }
}

function addCommand(app: JupyterFrontEnd, tracker: WidgetTracker<DemoPanel>, makeView: MakeView): void {
  app.commands.addCommand(command, {
    label: trans.__("Student Demo"),
    caption: trans.__("Asks a student that is served on Jupyter's machine"),
    icon: consoleIcon,
    describedBy: { args: { type: "object", properties: { payload: { type: "object" }, path: { type: "string" } } } },
    execute: async (args) => {
      const payload = (args.payload as ReadonlyPartialJSONObject | undefined) ?? (await askForPort())
      const source = readDemo(payload)
      if (!payload || !source) return undefined
      const path = typeof args.path === "string" ? args.path : undefined
      const known = tracker.find(({ args }) => args.path === path && args.payload.url === payload.url && args.payload.id === payload.id)
      if (known) {
        app.shell.activateById(known.id)
        return known
      }
      const content = makeView(source, path)
      const widget: DemoPanel = Object.assign(new MainAreaWidget({ content }), {
        args: { payload, ...(path === undefined ? {} : { path }) },
      })
      widget.id = `prompt2model-demo-${source.id ?? source.port}-${path ?? ""}`
      widget.title.label = source.student || trans.__("Student Demo")
      widget.title.icon = consoleIcon
      widget.title.closable = true
      widget.toolbar.hide()
      await tracker.add(widget)
      app.shell.add(widget, "main", { mode: path === undefined ? "tab-after" : "split-right" })
      // Notebook 7 has room for one document, and for panels beside it.
      if (widget.parent === null) app.shell.add(widget, "right")
      app.shell.activateById(widget.id)
      return widget
    },
  })
}

/** The payload of a student that the command line serves. */
async function askForPort(): Promise<ReadonlyPartialJSONObject | undefined> {
  const { value } = await InputDialog.getNumber({
    title: trans.__("Student Demo"),
    label: trans.__("The port on which prompt2model serve has opened it"),
    value: 8642,
    okLabel: trans.__("Open"),
  })
  if (value === null) return undefined
  const subtitle = trans.__("served on port %1", value)
  return { kind: "demo", version: payloadVersion, title: trans.__("Student"), subtitle, url: `http://127.0.0.1:${value}/`, examples: [] }
}
