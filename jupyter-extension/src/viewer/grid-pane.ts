// The rows in the viewer: the grid with its colours, headers and widths, and the cell that is chosen in it.
import { BasicSelectionModel, type DataGrid, RendererMap } from "@lumino/datagrid"
import type { Block, Cell, ColumnInfo, ColumnSummary, Query } from "../protocol"
import { gridStyle, readColours } from "./colours"
import { widthsOf } from "./column-widths"
import type { GridActions } from "./grid-handlers"
import { type HeaderPart, partsOf } from "./header-parts"
import { filterOfParts, sortBy, toggleFilter } from "./query-changes"
import { BodyRenderer, HeaderRenderer } from "./renderers"
import { createGrid } from "./rows-grid"
import { RowsModel } from "./rows-model"

const watchedColumns = 48

export interface GridPaneOptions extends Pick<GridActions, "showTip" | "hideTip" | "press"> {
  query(): Query
  setQuery(query: Query): void
  /** Of the whole file. */
  numRows(): number
  /** The rows at these places of the view. */
  read(start: number, end: number, columns: readonly string[]): Promise<Block>
  /** These columns' headers are looked at. */
  watch(columns: readonly string[]): void
  onChosen(): void
}

export class GridPane {
  readonly grid: DataGrid
  private model: RowsModel
  private drag: { readonly column: number; readonly first: number; readonly last: number } | undefined
  private watched: string[] = []
  private watching: ReturnType<typeof setTimeout> | undefined
  private areWidthsSet = false

  constructor(private readonly options: GridPaneOptions) {
    this.model = this.makeModel()
    this.grid = createGrid(this.makeActions())
  }

  dispose(): void {
    clearTimeout(this.watching)
  }

  get columns(): readonly ColumnInfo[] {
    return this.model.columns
  }

  /** Forgets the rows; those that are drawn stay until `show`. */
  reset(): void {
    this.model = this.makeModel()
    this.watched = []
  }

  show(): void {
    this.grid.dataModel = this.model
    const selection = new BasicSelectionModel({ dataModel: this.model, selectionMode: "row" })
    selection.changed.connect(() => this.options.onChosen())
    this.grid.selectionModel = selection
    this.takeColours()
  }

  setColumns(columns: readonly ColumnInfo[]): void {
    this.model.setColumns(columns)
  }

  setSummary(summary: ColumnSummary): void {
    this.model.setSummary(summary)
  }

  /** Whether the headers that are looked at have seen all of `numRows` rows. */
  areHeadersWhole(numRows: number): boolean {
    return this.watched.every((name) => this.model.summaries.get(name)?.seen === numRows)
  }

  setRows(numRows: number, hasMoved: boolean): void {
    if (hasMoved) this.model.forgetRows()
    this.model.setNumRows(numRows)
  }

  /** Starts at the top with the rows of another query. */
  startQuery(query: Query): void {
    this.model.setQuery(query)
    this.grid.scrollTo(this.grid.scrollX, 0)
    this.grid.selectionModel?.clear()
  }

  /** Columns get their widths anew when the next rows have come. */
  forgetWidths(): void {
    this.areWidthsSet = false
  }

  focus(): void {
    this.grid.viewport.node.focus()
  }

  choosePlace(place: number): void {
    const column = Math.max(0, this.grid.selectionModel?.cursorColumn ?? 0)
    if (place < 0 || place >= this.model.rowCount("body")) return
    this.grid.selectionModel?.select({ r1: place, c1: 0, r2: place, c2: 0, cursorRow: place, cursorColumn: column, clear: "all" })
    this.grid.scrollToRow(place)
  }

  /** The chosen cell; undefined where none is. */
  get chosenCell(): { readonly place: number; readonly column: number } | undefined {
    const { selectionModel } = this.grid
    if (!selectionModel || selectionModel.isEmpty) return undefined
    return { place: selectionModel.cursorRow, column: selectionModel.cursorColumn }
  }

  /** What is in a cell, where it has come already. */
  valueAt(place: number, column: number): Cell | undefined {
    return this.model.cellAt(place, column)
  }

  /** The row of the file that stands at this place, where it has come already. */
  rowAt(place: number): number | undefined {
    return this.model.rowAt(place)
  }

  takeColours(): void {
    const colours = readColours(document.body)
    this.grid.style = gridStyle(colours)
    const header = new HeaderRenderer(
      colours,
      () => this.options.numRows(),
      (column, order) => {
        const { drag } = this
        return drag !== undefined && this.columns[drag.column]?.name === column && order >= drag.first && order <= drag.last
      },
    )
    const body = new BodyRenderer(colours, () => this.columns)
    this.grid.cellRenderers = new RendererMap({ body, "row-header": body, "column-header": header, "corner-header": header })
  }

  private makeModel(): RowsModel {
    const model = new RowsModel((start, end, columns) => this.readBlock(start, end, columns))
    model.onHeaderPainted = (column) => this.watch(column)
    return model
  }

  private makeActions(): GridActions {
    const { options } = this
    return {
      partsOf: (column) => this.partsOf(column),
      sortBy: (column, isAdded) => options.setQuery(sortBy(options.query(), this.columns[column].name, isAdded)),
      filterByParts: (_column, first, last) => options.setQuery(toggleFilter(options.query(), filterOfParts(first, last))),
      showDrag: (column, first, last) => {
        this.drag = { column, first, last }
        this.model.setQuery(options.query())
      },
      endDrag: () => {
        this.drag = undefined
      },
      showTip: (text, clientX, clientY) => options.showTip(text, clientX, clientY),
      hideTip: () => options.hideTip(),
      press: (key) => options.press(key),
    }
  }

  private async readBlock(start: number, end: number, columns: readonly string[]): Promise<Block> {
    const block = await this.options.read(start, end, columns)
    if (!this.areWidthsSet && block.rows.length > 0) this.setWidths(columns, block.cells)
    return block
  }

  private setWidths(names: readonly string[], cells: Block["cells"]): void {
    this.areWidthsSet = true
    const columns = names.flatMap((name) => this.columns.find((column) => column.name === name) ?? [])
    const areAll = columns.length === this.columns.length
    const room = areAll ? this.grid.viewport.node.clientWidth - this.grid.headerWidth : 0
    for (const [index, width] of widthsOf(columns, cells, room).entries()) this.grid.resizeColumn("body", index, width)
  }

  private watch(column: number): void {
    const name = this.columns[column]?.name
    if (name === undefined || this.watched[0] === name) return
    this.watched = [name, ...this.watched.filter((other) => other !== name)].slice(0, watchedColumns)
    clearTimeout(this.watching)
    // The first rows come first.
    this.watching = setTimeout(() => this.options.watch(this.watched), 120)
  }

  private partsOf(column: number): readonly HeaderPart[] {
    const header = this.model.headerOf(column)
    return header ? partsOf(header.summary, this.options.query(), this.grid.columnSize("body", column)) : []
  }
}
