// Commands of the palette, the menus and the keys.
import type { JupyterFrontEnd } from "@jupyterlab/application"
import type { WidgetTracker } from "@jupyterlab/apputils"
import type { IDefaultFileBrowser } from "@jupyterlab/filebrowser"
import type { TranslationBundle } from "@jupyterlab/translation"
import type { DatasetDocument } from "./viewer/document"

export const factoryName = "Dataset Viewer"

export type CommandId = `prompt2model:${"open" | "search" | "show-all" | "copy-code" | "export-csv" | "export-jsonl"}`

interface Parts {
  readonly tracker: WidgetTracker<DatasetDocument>
  readonly browser: IDefaultFileBrowser | null
  readonly trans: TranslationBundle
}

/** @returns their ids */
export function addCommands({ commands, shell }: JupyterFrontEnd, { tracker, browser, trans }: Parts): CommandId[] {
  const current = () => (tracker.currentWidget && shell.currentWidget === tracker.currentWidget ? tracker.currentWidget.content : undefined)
  const add = (id: CommandId, label: string, act: (viewer: NonNullable<ReturnType<typeof current>>) => unknown) => {
    const execute = () => {
      const viewer = current()
      if (viewer) act(viewer)
    }
    commands.addCommand(id, { label, isEnabled: () => current() !== undefined, execute })
    return id
  }
  commands.addCommand("prompt2model:open", {
    label: trans.__("Open in Dataset Viewer"),
    isVisible: (args) => typeof args.path === "string" || selectedPath(browser) !== undefined,
    execute: (args) => {
      const path = typeof args.path === "string" ? args.path : selectedPath(browser)
      return path === undefined ? undefined : commands.execute("docmanager:open", { path, factory: factoryName })
    },
  })
  return [
    "prompt2model:open",
    add("prompt2model:search", trans.__("Search in All Text"), (viewer) => viewer.focusSearch()),
    add("prompt2model:show-all", trans.__("Show All Rows"), (viewer) => viewer.showAll()),
    add("prompt2model:copy-code", trans.__("Copy the Selection as TypeScript"), (viewer) => viewer.copyCode()),
    add("prompt2model:export-csv", trans.__("Export the Selection as CSV"), (viewer) => viewer.exportAs("csv")),
    add("prompt2model:export-jsonl", trans.__("Export the Selection as JSON Lines"), (viewer) => viewer.exportAs("jsonl")),
  ]
}

function selectedPath(browser: IDefaultFileBrowser | null): string | undefined {
  return browser?.selectedItems().next().value?.path
}
