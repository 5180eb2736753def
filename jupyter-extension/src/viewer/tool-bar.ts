// The line above the grid: what file this is, the search, the filters, how many rows match, and what can be done with them.
import { formatCount } from "../../../kernel-lib/src/display/wording"
import type { ColumnInfo, FileState, Query, ViewState } from "../protocol"
import { isEverything } from "../protocol"
import { countColumns, countRows, trans } from "../settings/language"
import { createElement, createLink } from "./elements"
import { describeFilter } from "./selection-as-code"

export interface BarActions {
  search(text: string): void
  removeFilter(index: number): void
  reset(): void
  copyCode(): void
  exportAs(format: "csv" | "jsonl"): void
  openRejected(): void
  groupAlike(): void
  focusGrid(): void
}

export class ToolBar {
  readonly node = createElement("div", "p2m-bar")
  private readonly facts = createElement("span", "p2m-mute")
  private readonly input = createElement("input", "p2m-search")
  private readonly chips = createElement("span", "p2m-chips")
  private readonly matches = createElement("span", "p2m-mute p2m-matches")
  private readonly rejected: HTMLButtonElement
  private isSaid = false
  private typing: ReturnType<typeof setTimeout> | undefined

  constructor(
    name: string,
    private readonly actions: BarActions,
  ) {
    const title = createElement("span", "p2m-title", name)
    this.input.type = "search"
    this.input.placeholder = trans.__("search in all text")
    this.input.setAttribute("aria-label", trans.__("Search in all text"))
    this.input.addEventListener("input", () => {
      clearTimeout(this.typing)
      this.typing = setTimeout(() => actions.search(this.input.value), 180)
    })
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape" && event.key !== "ArrowDown") return
      if (event.key === "Escape") this.input.value = ""
      clearTimeout(this.typing)
      actions.search(this.input.value)
      actions.focusGrid()
      event.preventDefault()
      event.stopPropagation()
    })
    this.matches.setAttribute("role", "status")
    this.rejected = createLink(
      trans.__("Rejected rows"),
      actions.openRejected,
      trans.__("Opens the rows that did not get in, each with its reason"),
    )
    this.rejected.hidden = true
    const links = createElement("span", "p2m-links")
    links.append(
      this.rejected,
      createLink(
        trans.__("Alike rows"),
        actions.groupAlike,
        trans.__("Groups rows that say the same or nearly, and those that repeat a test set beside this file"),
      ),
      createLink(trans.__("Copy as code"), actions.copyCode, trans.__("Copies TypeScript that chooses these rows in a cell")),
      createLink(trans.__("Export CSV"), () => actions.exportAs("csv"), trans.__("Saves these rows as CSV")),
      createLink("JSONL", () => actions.exportAs("jsonl"), trans.__("Saves these rows as JSON lines")),
    )
    this.node.append(title, this.facts, this.input, this.chips, this.matches, links)
  }

  focusSearch(): void {
    this.input.focus()
    this.input.select()
  }

  showRejected(): void {
    this.rejected.hidden = false
  }

  showFile({ numRows, isIndexed, columns, bytes, bytesRead }: FileState): void {
    const rows = isIndexed ? countRows(numRows) : trans.__("%1 rows so far", formatCount(numRows))
    const size = bytesRead >= bytes ? formatBytes(bytes) : trans.__("%1, read %2", formatBytes(bytes), formatBytes(bytesRead))
    const text = `${rows} \u00b7 ${countColumns(columns.length)} \u00b7 ${size}`
    if (this.facts.textContent !== text) this.facts.textContent = text
  }

  showQuery(query: Query, columns: readonly ColumnInfo[]): void {
    if (document.activeElement !== this.input) this.input.value = query.search
    const chips = query.filters.map((filter, index) => {
      const words = describeFilter(filter, columns)
      const chip = createElement("button", "p2m-chip", words)
      chip.type = "button"
      chip.setAttribute("aria-label", trans.__("Remove the filter %1", words))
      chip.append(createElement("span", "p2m-cross", "\u2715"))
      chip.addEventListener("click", () => this.actions.removeFilter(index))
      return chip
    })
    this.chips.replaceChildren(...chips)
    if (query.filters.length > 1) this.chips.append(createLink(trans.__("Show all rows"), this.actions.reset))
  }

  showView({ matches, seen, isDone }: ViewState, query: Query, numRows: number): void {
    if (this.isSaid) return
    if (isEverything(query)) this.matches.textContent = ""
    else if (isDone)
      this.matches.textContent =
        query.search === "" && query.filters.length === 0 ? "" : trans._n("%2 row matches", "%2 rows match", matches, formatCount(matches))
    else
      this.matches.textContent = trans.__(
        "%1 of the first %2 (%3%)",
        formatCount(matches),
        formatCount(seen),
        Math.floor((100 * seen) / Math.max(1, numRows)),
      )
  }

  /** A sentence for a moment, where something was done that is not seen; with `isKept` it stays while rows are looked for. */
  say(sentence: string, isKept = false): void {
    this.matches.textContent = sentence
    this.isSaid = isKept
  }

  dispose(): void {
    clearTimeout(this.typing)
  }
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return trans._n("%2 byte", "%2 bytes", bytes, bytes)
  for (const [unit, size] of [
    ["GB", 1e9],
    ["MB", 1e6],
  ] as const) {
    if (bytes >= size * 0.9995) return `${(bytes / size).toFixed(bytes < size * 9.95 ? 1 : 0)} ${unit}`
  }
  return `${Math.round(bytes / 1e3)} kB`
}
