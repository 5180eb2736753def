// Commands of the palette, the launcher, the menus and the keys.
import type { JupyterFrontEnd } from "@jupyterlab/application"
import { InputDialog, type WidgetTracker } from "@jupyterlab/apputils"
import type { IDefaultFileBrowser } from "@jupyterlab/filebrowser"
import { spreadsheetIcon } from "@jupyterlab/ui-components"
import { trans } from "./settings/language"
import type { DatasetDocument } from "./viewer/document"

export const factoryName = "Dataset Viewer"

export type CommandId = `prompt2model:${"open" | "search" | "show-all" | "group-alike" | "copy-code" | "export-csv" | "export-jsonl"}`

interface Parts {
  readonly tracker: WidgetTracker<DatasetDocument>
  readonly browser: IDefaultFileBrowser | null
}

/** @returns their ids */
export function addCommands({ commands, shell }: JupyterFrontEnd, { tracker, browser }: Parts): CommandId[] {
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
    label: (args) => (args.asks ? trans.__("Dataset Viewer") : trans.__("Open in Dataset Viewer")),
    caption: trans.__("Opens a Parquet, JSON lines or CSV file of any size"),
    icon: spreadsheetIcon,
    describedBy: { args: { type: "object", properties: { path: { type: "string" }, asks: { type: "boolean" } } } },
    isVisible: (args) => args.asks === true || typeof args.path === "string" || selectedPath(browser) !== undefined,
    execute: async (args) => {
      const path = typeof args.path === "string" ? args.path : args.asks ? await askForPath(selectedPath(browser)) : selectedPath(browser)
      return path === undefined ? undefined : commands.execute("docmanager:open", { path, factory: factoryName })
    },
  })
  return [
    "prompt2model:open",
    add("prompt2model:search", trans.__("Search in All Text"), (viewer) => viewer.focusSearch()),
    add("prompt2model:show-all", trans.__("Show All Rows"), (viewer) => viewer.showAll()),
    add("prompt2model:group-alike", trans.__("Group Alike Rows"), (viewer) => viewer.commands.groupAlike()),
    add("prompt2model:copy-code", trans.__("Copy the Selection as TypeScript"), (viewer) => viewer.commands.copyCode()),
    add("prompt2model:export-csv", trans.__("Export the Selection as CSV"), (viewer) => viewer.commands.exportAs("csv")),
    add("prompt2model:export-jsonl", trans.__("Export the Selection as JSON Lines"), (viewer) => viewer.commands.exportAs("jsonl")),
  ]
}

/** A file's path, as the file browser shows it. */
async function askForPath(text = ""): Promise<string | undefined> {
  const { value } = await InputDialog.getText({
    title: trans.__("Dataset Viewer"),
    label: trans.__("The path of a .parquet, .jsonl, .csv or .tsv file"),
    text,
    okLabel: trans.__("Open"),
  })
  return value?.trim().replace(/^\//, "") || undefined
}

function selectedPath(browser: IDefaultFileBrowser | null): string | undefined {
  return browser?.selectedItems().next().value?.path
}
