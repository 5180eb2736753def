// What a key does in the grid. Those that are not named here move the choice, as in any grid.
import { everything } from "../protocol"
import type { ChosenRow } from "./chosen-row"
import type { GridPane } from "./grid-pane"
import type { OpenedFile } from "./opened-file"
import { filterOfCell, sortBy, toggleFilter } from "./query-changes"
import type { RowCommands } from "./row-commands"
import type { ToolBar } from "./tool-bar"

export interface KeyTargets {
  readonly file: OpenedFile
  readonly bar: ToolBar
  readonly pane: GridPane
  readonly chosen: ChosenRow
  readonly commands: RowCommands
}

/** @returns whether the key meant something */
export function pressKey(key: string, targets: KeyTargets): boolean {
  const { file, bar, pane, chosen, commands } = targets
  const cell = pane.chosenCell
  if (key === "/") bar.focusSearch()
  else if (key === "Home" || key === "g") pane.choosePlace(0)
  else if (key === "End" || key === "G") pane.choosePlace(file.view.matches - 1)
  else if (key === "c") commands.copyCode()
  else if (key === "Escape" && file.state && !cell) file.setQuery(everything)
  else if (!cell) return false
  else if (key === "Enter") chosen.node.focus()
  else if (key === "f") filterByCell(targets, cell.place, cell.column)
  else if (key === "s" || key === "S") file.setQuery(sortBy(file.query, pane.columns[cell.column].name, key === "S"))
  else if (key === "l") chosen.copyLink()
  else if (key === "m") void chosen.mark()
  else return false
  return true
}

function filterByCell({ file, pane }: KeyTargets, place: number, column: number): void {
  const value = pane.valueAt(place, column)
  if (value !== undefined) file.setQuery(toggleFilter(file.query, filterOfCell(pane.columns[column], value)))
}
