// Files as documents of JupyterLab: a model that never loads the file, and the widget around the viewer.
import { ABCWidgetFactory, DocumentModel, type DocumentRegistry, DocumentWidget, TextModelFactory } from "@jupyterlab/docregistry"
import type { ServiceManager } from "@jupyterlab/services"
import type { IStateDB } from "@jupyterlab/statedb"
import { spreadsheetIcon } from "@jupyterlab/ui-components"
import type { FileFormat, OpenRequest } from "../protocol"
import { everything, isEverything } from "../protocol"
import type { SettingsValues } from "../settings/settings"
import { DatasetViewer } from "./dataset-viewer"
import type { ViewerState } from "./viewer-options"

export class DatasetDocument extends DocumentWidget<DatasetViewer> {
  /** `#row=91377`, as links in notebooks and texts have it. */
  override setFragment(fragment: string): void {
    const row = rowOfFragment(fragment)
    if (row !== undefined) void this.content.goToRow(row)
  }
}

export function rowOfFragment(fragment: string): number | undefined {
  const digits = /^#?row=(\d{1,10})$/.exec(fragment)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** A model whose content is never asked for: the viewer reads what it shows. */
export class UnloadedModelFactory extends TextModelFactory {
  constructor() {
    // A drive for working together would load the file to share it.
    super(false)
  }
  override get name(): string {
    return "prompt2model-unloaded"
  }
  // JupyterLab loads nothing where the format is null; its type does not say so.
  override get fileFormat() {
    return null as unknown as "text"
  }
  override createNew(options: Parameters<TextModelFactory["createNew"]>[0] = {}): DocumentRegistry.ICodeModel {
    // JupyterLab copies what it opens into a checkpoint, however large, unless somebody else takes care of saving.
    return new DocumentModel({ ...options, collaborationEnabled: true })
  }
}

export interface Surroundings {
  readonly services: ServiceManager.IManager
  readonly state: IStateDB | null
  /** The row that the page's address names, for the file it names; only once. */
  takeRowOfAddress(path: string): number | undefined
  openFile(path: string): void
  readonly settings: () => SettingsValues
}

export class DatasetViewerFactory extends ABCWidgetFactory<DatasetDocument> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<DatasetDocument>,
    private readonly surroundings: Surroundings,
  ) {
    super(options)
  }

  protected createNewWidget(context: DocumentRegistry.Context): DatasetDocument {
    const { services, state, takeRowOfAddress, openFile, settings } = this.surroundings
    const row = takeRowOfAddress(context.path)
    let saving: ReturnType<typeof setTimeout> | undefined
    const content = new DatasetViewer({
      path: context.path,
      locate: () => locateFile(services, context.path),
      findState: async () => (row === undefined ? findState(state, context.path) : { query: everything, row }),
      linkTo: (row) => `${new URL(services.serverSettings.baseUrl, location.href).href}lab/tree/${encodePath(context.path)}#row=${row}`,
      onStateChanged: (viewer) => {
        clearTimeout(saving)
        saving = setTimeout(() => void saveState(state, context.path, viewer), 400)
      },
      findRejected: () => findRejected(services, context.path, openFile),
      findOtherSplits: () => findOtherSplits(services, context.path),
      findsNearestRow: () => settings().findsNearestRow,
    })
    content.disposed.connect(() => clearTimeout(saving))
    const widget = new DatasetDocument({ content, context })
    widget.title.icon = spreadsheetIcon
    widget.toolbar.hide()
    return widget
  }
}

const stateKey = "prompt2model:viewers"

/** What was kept of a file's view before the page was loaded again. */
async function findState(state: IStateDB | null, path: string): Promise<ViewerState | undefined> {
  const all = (await state?.fetch(stateKey).catch(() => undefined)) as Record<string, ViewerState> | undefined
  return all && Object.hasOwn(all, path) ? all[path] : undefined
}

async function saveState(state: IStateDB | null, path: string, viewer: ViewerState): Promise<void> {
  if (!state) return
  const all = { ...((await state.fetch(stateKey)) as Record<string, unknown> | undefined) }
  // What was saved last stands last, and only so many are kept.
  delete all[path]
  if (!isEverything(viewer.query) || viewer.row !== null) all[path] = viewer
  await state.save(stateKey, Object.fromEntries(Object.entries(all).slice(-40)) as never)
}

async function locateFile(services: ServiceManager.IManager, path: string): Promise<OpenRequest> {
  const { baseUrl, token } = services.serverSettings
  const url = new URL(await services.contents.getDownloadUrl(path), location.href).href
  // Another server than ours never gets our token.
  const isOurs = url.startsWith(new URL(baseUrl, location.href).href)
  return { url, headers: isOurs && token !== "" ? { Authorization: `token ${token}` } : {}, format: formatOf(path) }
}

function formatOf(path: string): FileFormat {
  if (/\.(jsonl|ndjson)$/i.test(path)) return "jsonl"
  if (/\.csv$/i.test(path)) return "csv"
  return /\.tsv$/i.test(path) ? "tsv" : "parquet"
}

interface Entry {
  readonly name: string
  readonly path: string
}

/** Looks into the folder, since asking for a file that is not there would be an error in the console. */
async function listFolderOf(services: ServiceManager.IManager, path: string): Promise<{ name: string; entries: readonly Entry[] }> {
  const name = path.split("/").at(-1) ?? path
  const folder = path.slice(0, Math.max(0, path.length - name.length - 1))
  const { content } = await services.contents.get(folder, { content: true, type: "directory" }).catch(() => ({ content: [] }))
  return { name, entries: content as readonly Entry[] }
}

async function findRejected(
  services: ServiceManager.IManager,
  path: string,
  open: (path: string) => void,
): Promise<(() => void) | undefined> {
  const { name, entries } = await listFolderOf(services, path)
  const wanted = name.replace(/(\.[^.]+)$/, ".rejected$1")
  const found = entries.find((entry) => entry.name === wanted)
  return found && (() => open(found.path))
}

/** The test and validation sets beside a file, as runs name them: what a row of it must not repeat. */
async function findOtherSplits(services: ServiceManager.IManager, path: string) {
  const { name, entries } = await listFolderOf(services, path)
  const splits = entries.filter((entry) => entry.name !== name && /^(test|validation)\.(parquet|jsonl|csv|tsv)$/i.test(entry.name))
  return Promise.all(splits.map(async ({ name, path }) => ({ name, request: await locateFile(services, path) })))
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/")
}
