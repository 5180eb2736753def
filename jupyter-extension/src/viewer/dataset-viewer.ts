// The viewer of one file: the bar, the grid, and the chosen row beside it.
import { Clipboard } from "@jupyterlab/apputils"
import { BasicSelectionModel, type DataGrid, RendererMap } from "@lumino/datagrid"
import { type Message, MessageLoop } from "@lumino/messaging"
import { Panel, SplitPanel, Widget } from "@lumino/widgets"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import {
  alikeColumn,
  type Block,
  type ColumnSummary,
  everything,
  type FileNews,
  type FileState,
  type Filter,
  type FromWorker,
  isEverything,
  type OpenRequest,
  type Query,
  type ViewState,
} from "../protocol"
import { countColumns, countRows, trans } from "../settings/language"
import { ChosenRow } from "./chosen-row"
import { type GridColours, gridStyle, readColours } from "./colours"
import { widthsOf } from "./column-widths"
import { describeAlike } from "./describe-alike"
import { createElement, createLink } from "./elements"
import type { GridActions } from "./grid-handlers"
import { type HeaderPart, partsOf } from "./header-parts"
import { filterOfCell, filterOfParts, removeFilter, sortBy, toggleFilter } from "./query-changes"
import { BodyRenderer, HeaderRenderer } from "./renderers"
import { createGrid } from "./rows-grid"
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

const sideWidth = 330
const watchedColumns = 48

export class DatasetViewer extends Panel {
  private readonly grid: DataGrid
  private readonly chosen: ChosenRow
  private readonly split = new SplitPanel({ orientation: "horizontal", spacing: 1 })
  private readonly tip = createElement("div", "p2m-tip")
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
  private wanted: { readonly row: number; readonly mayShowAll: boolean } | undefined
  private openRejected: (() => void) | undefined
  private drag: { column: number; first: number; last: number } | undefined
  private watched: string[] = []
  private watching: ReturnType<typeof setTimeout> | undefined
  private areWidthsSet = false
  private isLaidOut = false

  constructor(private readonly options: DatasetViewerOptions) {
    super()
    this.addClass("jp-Prompt2Model")
    this.addClass("jp-Prompt2ModelViewer")
    this.bar = new ToolBar(fileName(options.path), {
      search: (search) => search !== this.query.search && this.setQuery({ ...this.query, search }),
      removeFilter: (index) => this.setQuery(removeFilter(this.query, index)),
      reset: () => this.showAll(),
      copyCode: () => this.copyCode(),
      exportAs: (format) => void this.exportAs(format),
      openRejected: () => this.openRejected?.(),
      groupAlike: () => void this.groupAlike(),
      focusGrid: () => this.grid.viewport.node.focus(),
    })
    this.colours = readColours(document.body)
    this.grid = createGrid(this.gridActions())
    this.chosen = new ChosenRow({
      client: () => this.client,
      columns: () => this.model.columns,
      textColumn: () => this.textColumn(),
      findsNearestRow: () => options.findsNearestRow(),
      linkTo: (row) => options.linkTo(row),
      goTo: (row) => void this.goToRow(row),
      onChosen: () => this.changed(),
      say: (sentence) => this.bar.say(sentence),
      showTrouble: (sentence) => this.showTrouble(sentence),
    })
    this.trouble.setAttribute("role", "alert")
    this.trouble.hidden = true
    this.tip.hidden = true
    this.split.addWidget(this.grid)
    this.split.addWidget(this.chosen)
    SplitPanel.setStretch(this.grid, 1)
    SplitPanel.setStretch(this.chosen, 0)
    const top = new Widget({ node: this.bar.node })
    this.addWidget(top)
    this.addWidget(new Widget({ node: this.trouble }))
    this.addWidget(this.split)
    this.node.append(this.tip, this.chosen.said)
    this.observer = new MutationObserver(() => this.takeColours())
    this.observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-name", "data-jp-theme-light"] })
    // Where filters need a second line, the grid has less room.
    this.heights = new ResizeObserver(() => MessageLoop.postMessage(this.split, Widget.ResizeMessage.UnknownSize))
    this.heights.observe(this.bar.node)
    this.heights.observe(this.trouble)
    void this.start()
  }

  /** Opens the file as it was left, unless somebody was faster. */
  private async start(): Promise<void> {
    const state = await this.options.findState()
    if (this.isDisposed) return
    if (state && isEverything(this.query)) this.query = state.query
    this.chosen.row ??= state?.row ?? null
    void this.open()
  }

  override dispose(): void {
    if (this.isDisposed) return
    this.observer.disconnect()
    this.heights.disconnect()
    this.client?.dispose()
    this.bar.dispose()
    clearTimeout(this.watching)
    super.dispose()
  }

  /** Chooses this row of the file, and shows all rows where it does not match. */
  async goToRow(row: number): Promise<void> {
    this.chosen.row = row
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
    this.chosen.row = null
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
      saveBlob(blob, `${fileName(this.options.path).replace(/\.[^.]+$/, "")}.selection.${format}`)
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

  private gridActions(): GridActions {
    return {
      partsOf: (column) => this.partsOf(column),
      sortBy: (column, isAdded) => this.setQuery(sortBy(this.query, this.model.columns[column].name, isAdded)),
      filterByParts: (_column, first, last) => this.setQuery(toggleFilter(this.query, filterOfParts(first, last))),
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
      const { row } = this.chosen
      if (row !== null) this.wanted = { row, mayShowAll: isEverything(this.query) }
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
    selection.changed.connect(() => this.showChosen())
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

  private setWidths(names: readonly string[], cells: Block["cells"]): void {
    this.areWidthsSet = true
    const columns = names.flatMap((name) => this.model.columns.find((column) => column.name === name) ?? [])
    const areAll = columns.length === this.model.columns.length
    const room = areAll ? this.grid.viewport.node.clientWidth - this.grid.headerWidth : 0
    for (const [index, width] of widthsOf(columns, cells, room).entries()) this.grid.resizeColumn("body", index, width)
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

  private press(key: string): boolean {
    const selection = this.grid.selectionModel
    if (key === "/") this.focusSearch()
    else if (key === "Home" || key === "g") this.choosePlace(0)
    else if (key === "End" || key === "G") this.choosePlace(this.view.matches - 1)
    else if (key === "c") this.copyCode()
    else if (key === "Escape" && selection?.isEmpty) this.showAll()
    else if (!selection || selection.isEmpty) return false
    else if (key === "Enter") this.chosen.node.focus()
    else if (key === "f") this.filterByCell(selection.cursorRow, selection.cursorColumn)
    else if (key === "s" || key === "S") this.setQuery(sortBy(this.query, this.model.columns[selection.cursorColumn].name, key === "S"))
    else if (key === "l") this.chosen.copyLink()
    else if (key === "m") void this.chosen.mark()
    else return false
    return true
  }

  private filterByCell(place: number, column: number): void {
    const value = this.model.cellAt(place, column)
    if (value !== undefined) this.setQuery(toggleFilter(this.query, filterOfCell(this.model.columns[column], value)))
  }

  private choosePlace(place: number): void {
    const column = Math.max(0, this.grid.selectionModel?.cursorColumn ?? 0)
    if (place < 0 || place >= this.view.matches) return
    this.grid.selectionModel?.select({ r1: place, c1: 0, r2: place, c2: 0, cursorRow: place, cursorColumn: column, clear: "all" })
    this.grid.scrollToRow(place)
  }

  private showChosen(): void {
    const { selectionModel } = this.grid
    if (!selectionModel || selectionModel.isEmpty || selectionModel.cursorRow < 0) return
    const place = selectionModel.cursorRow
    const find = async () =>
      this.model.rowAt(place) ?? (await this.client?.ask("block", { start: place, end: place + 1, columns: [] }))?.rows[0]
    void this.chosen.showRow(find, selectionModel.cursorColumn)
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
      createElement("span", "", `${trans.__("%1 cannot be read: %2", fileName(this.options.path), sentence)} `),
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
    this.options.onStateChanged({ query: { search, filters: filters.filter(isKept), sort: sort.filter(isKept) }, row: this.chosen.row })
  }
}

function fileName(path: string): string {
  return path.split("/").at(-1) || path
}

function saveBlob(blob: Blob, name: string): void {
  const link = createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
