// The viewer of one file: the bar, the grid, and the chosen row beside it.
import { Clipboard } from "@jupyterlab/apputils"
import { BasicSelectionModel, type DataGrid, RendererMap } from "@lumino/datagrid"
import { type Message, MessageLoop } from "@lumino/messaging"
import { Panel, SplitPanel, Widget } from "@lumino/widgets"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import {
  type Alike,
  alikeColumn,
  type ColumnSummary,
  everything,
  type FileNews,
  type FileState,
  type Filter,
  type FromWorker,
  type FullRow,
  isEverything,
  type OpenRequest,
  type Query,
  type ViewState,
} from "../protocol"
import { countColumns, countRows, trans } from "../settings/language"
import { type GridColours, gridStyle, readColours } from "./colours"
import { type OtherRow, renderDetail } from "./detail-panel"
import { createElement, createLink } from "./elements"
import { type GridActions, GridKeys, GridMouse } from "./grid-handlers"
import { type HeaderPart, headerHeight, partsOf } from "./header-parts"
import { BodyRenderer, HeaderRenderer, showCell } from "./renderers"
import { RowsGrid } from "./rows-grid"
import { RowsModel } from "./rows-model"
import { selectionAsCode } from "./selection-as-code"
import { ToolBar } from "./tool-bar"
import { translate, WorkerClient } from "./worker-client"

/** What is the same again after a reload. */
export interface ViewerState {
  readonly query: Query
  readonly row: number | null
}

export interface DatasetViewerOptions {
  /** The path as the file browser shows it. */
  readonly path: string
  /** Where the file is, and what lets it be read; asked again when the file is opened again. */
  locate(): Promise<OpenRequest>
  /** What is to be shown at first; undefined for all rows. */
  findState(): Promise<ViewerState | undefined>
  /** An address that opens the file at this row. */
  linkTo(row: number): string
  onStateChanged(state: ViewerState): void
  /** Opens the rows that did not get in; undefined where there are none. */
  findRejected(): Promise<(() => void) | undefined>
  /** The test and validation sets beside this file, which its rows should not repeat. */
  findOtherSplits(): Promise<readonly { readonly name: string; readonly request: OpenRequest }[]>
  /** Whether the row that is nearest to the chosen one is looked for. */
  findsNearestRow(): boolean
}

const rowHeight = 26
const sideWidth = 330
const watchedColumns = 48

export class DatasetViewer extends Panel {
  private readonly grid: DataGrid
  private readonly side = new Widget()
  private readonly split = new SplitPanel({ orientation: "horizontal", spacing: 1 })
  private readonly tip = createElement("div", "p2m-tip")
  private readonly said = createElement("div", "p2m-said")
  private readonly trouble = createElement("div", "p2m-trouble")
  private readonly bar: ToolBar
  private readonly observer: MutationObserver
  private readonly heights: ResizeObserver
  private model = new RowsModel(() => Promise.reject(new Error(trans.__("The file is not open yet."))))
  private client: WorkerClient | undefined
  private colours: GridColours
  private file: FileState | undefined
  private view: ViewState = { matches: 0, seen: 0, isDone: false, version: -1 }
  private query: Query = everything
  private row: number | null = null
  private marked: FullRow | undefined
  private wanted: { readonly row: number; readonly mayShowAll: boolean } | undefined
  private openRejected: (() => void) | undefined
  private drag: { column: number; first: number; last: number } | undefined
  private watched: string[] = []
  private watching: ReturnType<typeof setTimeout> | undefined
  private nearest: ReturnType<typeof setTimeout> | undefined
  private shown = 0
  private areWidthsSet = false
  private isLaidOut = false

  constructor(private readonly options: DatasetViewerOptions) {
    super()
    this.addClass("jp-Prompt2ModelViewer")
    this.bar = new ToolBar(options.path.split("/").at(-1) ?? options.path, {
      search: (search) => search !== this.query.search && this.setQuery({ ...this.query, search }),
      removeFilter: (index) => this.setQuery({ ...this.query, filters: this.query.filters.filter((_filter, other) => other !== index) }),
      reset: () => this.showAll(),
      copyCode: () => this.copyCode(),
      exportAs: (format) => void this.exportAs(format),
      openRejected: () => this.openRejected?.(),
      groupAlike: () => void this.groupAlike(),
      focusGrid: () => this.grid.viewport.node.focus(),
    })
    this.colours = readColours(document.body)
    this.grid = this.makeGrid()
    this.side.addClass("p2m-side")
    this.side.node.setAttribute("role", "complementary")
    this.side.node.setAttribute("aria-label", trans.__("The chosen row"))
    this.side.node.tabIndex = 0
    this.trouble.setAttribute("role", "alert")
    this.trouble.hidden = true
    this.said.setAttribute("aria-live", "polite")
    this.tip.hidden = true
    this.split.addWidget(this.grid)
    this.split.addWidget(this.side)
    SplitPanel.setStretch(this.grid, 1)
    SplitPanel.setStretch(this.side, 0)
    const top = new Widget({ node: this.bar.node })
    this.addWidget(top)
    this.addWidget(new Widget({ node: this.trouble }))
    this.addWidget(this.split)
    this.node.append(this.tip, this.said)
    this.observer = new MutationObserver(() => this.takeColours())
    this.observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] })
    // Where filters need a second line, the grid has less room.
    this.heights = new ResizeObserver(() => MessageLoop.postMessage(this.split, Widget.ResizeMessage.UnknownSize))
    this.heights.observe(this.bar.node)
    this.heights.observe(this.trouble)
    this.showHints()
    void this.start()
  }

  /** Opens the file as it was left, unless somebody was faster. */
  private async start(): Promise<void> {
    const state = await this.options.findState()
    if (this.isDisposed) return
    if (state && isEverything(this.query)) this.query = state.query
    this.row ??= state?.row ?? null
    void this.open()
  }

  override dispose(): void {
    if (this.isDisposed) return
    this.observer.disconnect()
    this.heights.disconnect()
    this.client?.dispose()
    this.bar.dispose()
    clearTimeout(this.watching)
    clearTimeout(this.nearest)
    super.dispose()
  }

  /** Chooses this row of the file, and shows all rows where it does not match. */
  async goToRow(row: number): Promise<void> {
    this.row = row
    this.wanted = { row, mayShowAll: true }
    await this.chooseWanted()
  }

  /** The row that somebody wants to see, as soon as it is known where it stands. */
  private async chooseWanted(): Promise<void> {
    const { wanted, client, view } = this
    if (!wanted || !client || !this.file || (!view.isDone && !isEverything(this.query))) return
    const place = await client.ask("place", { row: wanted.row })
    if (this.isDisposed || wanted !== this.wanted || view.version !== this.view.version) return
    if (place >= 0 && place < this.view.matches) {
      this.wanted = undefined
      this.choosePlace(place)
    } else if (!isEverything(this.query) && wanted.mayShowAll) this.setQuery(everything)
    else if (view.isDone) this.wanted = undefined
  }

  focusSearch(): void {
    this.bar.focusSearch()
  }

  showAll(): void {
    this.setQuery(everything)
  }

  /** Only the rows that pass these filters, in the file's order. */
  showRows(filters: readonly Filter[]): void {
    const query: Query = { ...everything, filters }
    this.row = null
    // A file that is still being opened takes the query when it is open.
    if (this.file) this.setQuery(query)
    else this.query = query
  }

  copyCode(): void {
    const columns = this.file?.columns ?? []
    const isDate = (name: string) => columns.find((column) => column.name === name)?.kind === "date"
    Clipboard.copyToSystem(selectionAsCode(this.options.path, this.query, columns, isDate))
    this.bar.say(trans.__("Copied: paste it into a cell."))
  }

  /** Finds the rows that are alike, and shows them, a group after the other. */
  async groupAlike(): Promise<void> {
    const column = this.textColumn()
    if (!this.client || !column) return
    this.bar.say(trans.__("Comparing ..."))
    try {
      const found = await this.client.ask("alike", { column, others: await this.options.findOtherSplits() })
      if (this.isDisposed) return
      if (found.rows > 0) {
        // The new column needs room.
        this.areWidthsSet = false
        this.setQuery({
          ...everything,
          filters: [{ kind: "present", column: alikeColumn }],
          sort: [{ column: alikeColumn, isDescending: false }],
        })
      }
      this.bar.say(describeAlike(found), found.rows > 0)
    } catch (error) {
      this.showTrouble((error as Error).message)
    }
  }

  /** The column that rows are compared by. */
  private textColumn(): string | undefined {
    const columns = this.file?.columns ?? []
    return (columns.find(({ name }) => name === "input") ?? columns.find(({ kind }) => kind === "text"))?.name
  }

  async exportAs(format: "csv" | "jsonl"): Promise<void> {
    if (!this.client) return
    this.bar.say(trans.__("Writing the rows ..."))
    try {
      const blob = await this.client.ask("export", { format })
      const link = createElement("a")
      link.href = URL.createObjectURL(blob)
      link.download = `${(this.options.path.split("/").at(-1) ?? "rows").replace(/\.[^.]+$/, "")}.selection.${format}`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
      this.bar.say(trans._n("%2 row saved.", "%2 rows saved.", this.view.matches, formatCount(this.view.matches)))
    } catch (error) {
      this.showTrouble((error as Error).message)
    }
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message)
    this.grid.viewport.node.focus()
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message)
    this.takeColours()
  }

  protected override onResize(message: Widget.ResizeMessage): void {
    super.onResize(message)
    const width = this.node.clientWidth
    if (this.isLaidOut || width === 0) return
    this.isLaidOut = true
    const side = Math.min(sideWidth, width * 0.4) / width
    this.split.setRelativeSizes([1 - side, side])
  }

  private makeGrid(): DataGrid {
    const grid = new RowsGrid({
      defaultSizes: { rowHeight, columnWidth: 150, rowHeaderWidth: 84, columnHeaderHeight: headerHeight },
      minimumSizes: { rowHeight, columnWidth: 44, rowHeaderWidth: 56, columnHeaderHeight: headerHeight },
      headerVisibility: "all",
      stretchLastColumn: true,
    })
    const actions = this.gridActions()
    grid.mouseHandler = new GridMouse(actions)
    grid.keyHandler = new GridKeys(actions)
    const { node } = grid.viewport
    node.tabIndex = 0
    node.setAttribute("role", "application")
    node.setAttribute("aria-roledescription", trans.__("table"))
    return grid
  }

  private gridActions(): GridActions {
    return {
      partsOf: (column) => this.partsOf(column),
      sortBy: (column, isAdded) => this.sortBy(column, isAdded),
      filterByParts: (_column, first, last) => this.filterByParts(first, last),
      showDrag: (column, first, last) => {
        this.drag = { column, first, last }
        this.model.setQuery(this.query)
      },
      endDrag: () => {
        this.drag = undefined
      },
      showTip: (text, clientX, clientY) => this.showTip(text, clientX, clientY),
      hideTip: () => {
        this.tip.hidden = true
      },
      press: (key) => this.press(key),
    }
  }

  /** Opens the file, or opens it again. */
  private async open(): Promise<void> {
    this.client?.dispose()
    this.trouble.hidden = true
    this.model = new RowsModel((start, end, columns) => this.askBlock(start, end, columns))
    this.model.onHeaderPainted = (column) => this.watch(column)
    this.view = { matches: 0, seen: 0, isDone: false, version: -1 }
    this.watched = []
    const client = new WorkerClient((message) => client === this.client && this.receive(message))
    this.client = client
    try {
      const file = await client.ask("open", await this.options.locate())
      if (this.isDisposed) return
      this.model.setColumns(file.columns)
      this.grid.dataModel = this.model
      this.grid.selectionModel = this.makeSelection()
      this.takeColours()
      this.takeFile(file)
      this.bar.showQuery(this.query, file.columns)
      // What was filtered away before the page was loaded again stays away.
      if (this.row !== null) this.wanted = { row: this.row, mayShowAll: isEverything(this.query) }
      if (isEverything(this.query)) this.takeView({ matches: file.numRows, seen: file.numRows, isDone: file.isIndexed, version: 0 })
      else this.setQuery(this.query)
      this.openRejected = await this.options.findRejected()
      if (this.openRejected) this.bar.showRejected()
    } catch (error) {
      if (!this.isDisposed) this.showTrouble((error as Error).message)
    }
  }

  private makeSelection(): BasicSelectionModel {
    const selection = new BasicSelectionModel({ dataModel: this.model, selectionMode: "row" })
    selection.changed.connect(() => void this.showChosen())
    return selection
  }

  private receive(message: Extract<FromWorker, { event: string }>): void {
    if (message.event === "file") this.takeFile(message.state)
    else if (message.event === "view") this.takeView(message.state)
    else if (message.event === "summary") this.takeSummary(message.summary)
    else if (message.event === "comparing")
      this.bar.say(trans.__("Comparing: %1 of %2 rows ...", formatCount(message.seen), formatCount(message.all)))
    else this.showTrouble(translate(message))
  }

  private takeFile(news: FileNews): void {
    const file = { ...news, columns: news.columns ?? this.file?.columns ?? [] }
    this.file = file
    this.model.setColumns(file.columns)
    this.bar.showFile(file)
    const { node } = this.grid.viewport
    node.setAttribute("aria-label", `${this.options.path}, ${countRows(file.numRows)}, ${countColumns(file.columns.length)}`)
  }

  private takeSummary(summary: ColumnSummary): void {
    this.model.setSummary(summary)
    const rows = this.file?.isIndexed ? this.file.numRows : -1
    const isWhole = this.watched.every((name) => this.model.summaries.get(name)?.seen === rows)
    this.node.dataset.headers = isWhole ? "whole" : "partial"
  }

  private takeView(view: ViewState): void {
    // What was there stays until something has been found.
    if (view.seen === 0 && !view.isDone && !isEverything(this.query)) return
    const hasMoved = view.version !== this.view.version
    this.view = view
    if (hasMoved) this.model.forgetRows()
    this.model.setNumRows(view.matches)
    this.bar.showView(view, this.query, this.file?.numRows ?? 0)
    this.node.dataset.state = view.isDone ? "done" : "searching"
    void this.chooseWanted().catch((error: Error) => this.showTrouble(error.message))
  }

  private async askBlock(start: number, end: number, columns: readonly string[]) {
    try {
      const block = await this.client!.ask("block", { start, end, columns })
      if (!this.areWidthsSet && block.rows.length > 0) this.setWidths(columns, block.cells)
      return block
    } catch (error) {
      this.showTrouble((error as Error).message)
      throw error
    }
  }

  /** As wide as the first rows need; what is left over goes to the longest texts. */
  private setWidths(names: readonly string[], cells: readonly (readonly unknown[])[]): void {
    this.areWidthsSet = true
    const { columns } = this.model
    const wanted = names.map((name, index) => {
      const kind = columns.find((column) => column.name === name)?.kind
      const longest = Math.max(0, ...cells[index].slice(0, 60).map((cell) => showCell(cell as never, kind).length))
      const least = kind === "text" ? 104 : 126
      return Math.max(least, Math.min(420, Math.ceil(longest * 7.3) + 20))
    })
    const spare = this.grid.viewport.node.clientWidth - this.grid.headerWidth - wanted.reduce((sum, width) => sum + width, 0)
    const longest = wanted.indexOf(Math.max(...wanted))
    wanted.forEach((width, index) => {
      this.grid.resizeColumn(
        "body",
        index,
        width + (index === longest && names.length === columns.length ? Math.max(0, Math.min(spare, 320)) : 0),
      )
    })
  }

  private watch(column: number): void {
    const name = this.model.columns[column]?.name
    if (name === undefined || this.watched[0] === name) return
    this.watched = [name, ...this.watched.filter((other) => other !== name)].slice(0, watchedColumns)
    clearTimeout(this.watching)
    // The first rows come first.
    this.watching = setTimeout(() => void this.client?.ask("watch", { columns: this.watched }).catch(() => {}), 120)
  }

  private partsOf(column: number): readonly HeaderPart[] {
    const header = this.model.headerOf(column)
    return header ? partsOf(header.summary, this.query, this.grid.columnSize("body", column)) : []
  }

  private setQuery(query: Query): void {
    this.query = query
    this.bar.say("")
    this.view = { ...this.view, isDone: false }
    this.model.setQuery(query)
    this.bar.showQuery(query, this.file?.columns ?? [])
    this.node.dataset.state = "searching"
    this.grid.scrollTo(this.grid.scrollX, 0)
    this.grid.selectionModel?.clear()
    void this.client?.ask("query", query).catch((error: Error) => this.showTrouble(error.message))
    this.changed()
  }

  private sortBy(column: number, isAdded: boolean): void {
    const name = this.model.columns[column].name
    const known = this.query.sort.find((key) => key.column === name)
    const others = isAdded ? this.query.sort.filter((key) => key.column !== name) : []
    // Up, down, not at all.
    const own = !known ? [{ column: name, isDescending: false }] : known.isDescending ? [] : [{ column: name, isDescending: true }]
    this.setQuery({ ...this.query, sort: [...others, ...own] })
  }

  private filterByParts({ filter }: HeaderPart, { filter: last }: HeaderPart): void {
    const isRange = (filter.kind === "range" || filter.kind === "length") && (last.kind === "range" || last.kind === "length")
    this.toggleFilter(isRange ? { ...filter, high: last.high, isLast: last.isLast } : filter)
  }

  /** A second click on the same takes it away; a further value joins those that are chosen. */
  private toggleFilter(filter: Filter): void {
    const own = this.query.filters.find(({ column }) => column === filter.column)
    const others = this.query.filters.filter(({ column }) => column !== filter.column)
    const place = this.query.filters.findIndex(({ column }) => column === filter.column)
    const next = own ? combine(own, filter) : filter
    const filters = next
      ? [...others.slice(0, place < 0 ? others.length : place), next, ...others.slice(place < 0 ? others.length : place)]
      : others
    this.setQuery({ ...this.query, filters })
  }

  private press(key: string): boolean {
    const selection = this.grid.selectionModel
    if (key === "/") this.focusSearch()
    else if (key === "Home" || key === "g") this.choosePlace(0)
    else if (key === "End" || key === "G") this.choosePlace(this.view.matches - 1)
    else if (key === "c") this.copyCode()
    else if (key === "Escape" && selection?.isEmpty) this.showAll()
    else if (!selection || selection.isEmpty) return false
    else if (key === "Enter") this.side.node.focus()
    else if (key === "f") this.filterByCell(selection.cursorRow, selection.cursorColumn)
    else if (key === "s" || key === "S") this.sortBy(selection.cursorColumn, key === "S")
    else if (key === "l" && this.row !== null) this.copyLink(this.row)
    else if (key === "m") void this.markRow()
    else return false
    return true
  }

  private filterByCell(place: number, column: number): void {
    const { name, kind } = this.model.columns[column]
    const value = this.model.cellAt(place, column)
    if (value === undefined) return
    if (value === null) this.toggleFilter({ kind: "missing", column: name })
    else if (typeof value === "number" && kind !== "text")
      this.toggleFilter({ kind: "range", column: name, low: value, high: value, isLast: true })
    else this.toggleFilter({ kind: "values", column: name, values: [String(value)] })
  }

  private choosePlace(place: number): void {
    const column = Math.max(0, this.grid.selectionModel?.cursorColumn ?? 0)
    if (place < 0 || place >= this.view.matches) return
    this.grid.selectionModel?.select({ r1: place, c1: 0, r2: place, c2: 0, cursorRow: place, cursorColumn: column, clear: "all" })
    this.grid.scrollToRow(place)
  }

  private async showChosen(): Promise<void> {
    const { selectionModel } = this.grid
    const { client } = this
    clearTimeout(this.nearest)
    if (!client || !selectionModel || selectionModel.isEmpty || selectionModel.cursorRow < 0) return
    const turn = ++this.shown
    const place = selectionModel.cursorRow
    try {
      const known = this.model.rowAt(place)
      const number = known ?? (await client.ask("block", { start: place, end: place + 1, columns: [] })).rows[0]
      if (number === undefined) return
      const row = await client.ask("row", { row: number })
      if (turn !== this.shown || this.isDisposed) return
      this.row = number
      this.changed()
      const others = this.marked && this.marked.row !== number ? [{ row: this.marked, why: trans.__("marked") }] : []
      this.showDetail(row, others)
      this.announce(row, selectionModel.cursorColumn)
      if (others.length === 0 && this.options.findsNearestRow()) this.nearest = setTimeout(() => void this.addNearest(row, turn), 300)
    } catch (error) {
      this.showTrouble((error as Error).message)
    }
  }

  private async addNearest(row: FullRow, turn: number): Promise<void> {
    const column = this.textColumn()
    if (!column || !this.client) return
    const nearest = await this.client.ask("nearest", { row: row.row, column }).catch(() => null)
    if (!nearest || turn !== this.shown || this.isDisposed) return
    const other = await this.client.ask("row", { row: nearest.row })
    if (turn !== this.shown || this.isDisposed) return
    this.showDetail(row, [
      { row: other, why: nearest.likeness === 1 ? trans.__("the nearest, with the same input") : trans.__("the nearest") },
    ])
  }

  private showDetail(row: FullRow, others: readonly OtherRow[]): void {
    const { scrollTop } = this.side.node
    const isSame = this.side.node.dataset.row === String(row.row)
    this.side.node.dataset.row = String(row.row)
    const detail = renderDetail(row, this.model.columns, others, {
      copyLink: (number) => this.copyLink(number),
      goTo: (number) => void this.goToRow(number),
    })
    this.side.node.replaceChildren(detail, hints())
    this.side.node.scrollTop = isSame ? scrollTop : 0
  }

  private announce(row: FullRow, column: number): void {
    const info = this.model.columns[column]
    const value = row.cells.find(({ name }) => name === info?.name)?.value ?? null
    this.said.textContent = trans
      .__("Row %1", formatCount(row.row))
      .concat(`, ${info?.name ?? ""}: ${showCell(value, info?.kind)}`)
      .slice(0, 400)
  }

  private async markRow(): Promise<void> {
    if (this.row === null || !this.client) return
    this.marked = this.marked?.row === this.row ? undefined : await this.client.ask("row", { row: this.row })
    this.bar.say(
      this.marked ? trans.__("Row %1 is marked: choose another to compare.", formatCount(this.row)) : trans.__("No row is marked."),
    )
  }

  private copyLink(row: number): void {
    Clipboard.copyToSystem(this.options.linkTo(row))
    this.bar.say(trans.__("The address of row %1 is copied.", formatCount(row)))
  }

  private showHints(): void {
    const empty = createElement("p", "p2m-mute", trans.__("Choose a row to read it whole, and to see how it came here."))
    this.side.node.replaceChildren(empty, hints())
  }

  private showTip(text: string, clientX: number, clientY: number): void {
    const { left, top, width } = this.node.getBoundingClientRect()
    this.tip.textContent = text
    this.tip.hidden = false
    this.tip.style.left = `${Math.min(clientX - left + 12, width - this.tip.offsetWidth - 8)}px`
    this.tip.style.top = `${clientY - top + 18}px`
  }

  private showTrouble(sentence: string): void {
    if (this.isDisposed) return
    const again = createLink(trans.__("Open it again"), () => void this.open())
    this.trouble.replaceChildren(
      createElement("span", "", `${trans.__("%1 cannot be read: %2", this.options.path.split("/").at(-1), sentence)} `),
      again,
    )
    this.trouble.hidden = false
    this.node.dataset.state = "trouble"
  }

  private takeColours(): void {
    this.colours = readColours(document.body)
    this.grid.style = gridStyle(this.colours)
    const header = new HeaderRenderer(
      this.colours,
      () => this.file?.numRows ?? 0,
      (column, order) => {
        const { drag } = this
        return drag !== undefined && this.model.columns[drag.column]?.name === column && order >= drag.first && order <= drag.last
      },
    )
    const body = new BodyRenderer(this.colours, () => this.model.columns)
    this.grid.cellRenderers = new RendererMap({ body, "row-header": body, "column-header": header, "corner-header": header })
  }

  private changed(): void {
    // Which rows are alike is not known any more after a reload.
    const isKept = ({ column }: { readonly column: string }) => column !== alikeColumn
    const { search, filters, sort } = this.query
    this.options.onStateChanged({ query: { search, filters: filters.filter(isKept), sort: sort.filter(isKept) }, row: this.row })
  }
}

/** Two filters on one column as one; undefined where they cancel each other. */
function combine(own: Filter, added: Filter): Filter | undefined {
  if (own.kind === "values" && added.kind === "values") {
    const values = added.values.every((value) => own.values.includes(value))
      ? own.values.filter((value) => !added.values.includes(value))
      : [...own.values, ...added.values]
    return values.length > 0 ? { ...own, values } : undefined
  }
  return JSON.stringify(own) === JSON.stringify(added) ? undefined : added
}

function describeAlike({ rows, groups, leaks, compared, all }: Alike): string {
  const words = [
    rows === 0
      ? trans.__("No two rows are alike.")
      : trans._n("%2 row in %3 groups", "%2 rows in %3 groups", rows - leaks, formatCount(rows - leaks), formatCount(groups)),
  ]
  if (leaks > 0) words.push(trans._n("%2 repeats another split", "%2 repeat another split", leaks, formatCount(leaks)))
  if (compared < all) words.push(trans.__("of the first %1", formatCount(compared)))
  return words.join(", ")
}

function hints(): HTMLElement {
  return createElement(
    "p",
    "p2m-mute p2m-hints",
    trans.__(
      "j k moves \u00b7 / searches \u00b7 f filters by this cell \u00b7 s sorts, S adds \u00b7 m marks, to compare \u00b7 l copies the link \u00b7 c copies code",
    ),
  )
}
