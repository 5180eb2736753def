// The rows as the grid asks for them: what has come is kept in blocks, what has not is asked for and drawn when it is there.
import { DataModel } from "@lumino/datagrid"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import type { Block, Cell, ColumnInfo, ColumnSummary, Query } from "../protocol"

const blockRows = 128
const blockColumns = 24
const mostBlocks = 600
const mostAsked = 3

export interface HeaderState {
  readonly info: ColumnInfo
  readonly summary: ColumnSummary | undefined
  readonly query: Query
}

type AskBlock = (start: number, end: number, columns: readonly string[]) => Promise<Block>

export class RowsModel extends DataModel {
  private readonly blocks = new Map<string, Block>()
  private readonly asked = new Set<string>()
  private wanted = new Set<string>()
  private numRows = 0
  private version = 0
  columns: readonly ColumnInfo[] = []
  readonly summaries = new Map<string, ColumnSummary>()
  query: Query = { search: "", filters: [], sort: [] }
  /** Called for each header that is drawn. */
  onHeaderPainted: (column: number) => void = () => {}

  constructor(private readonly askBlock: AskBlock) {
    super()
  }

  override rowCount(region: DataModel.RowRegion): number {
    return region === "body" ? this.numRows : 1
  }

  override columnCount(region: DataModel.ColumnRegion): number {
    return region === "body" ? this.columns.length : 1
  }

  override data(region: DataModel.CellRegion, row: number, column: number): unknown {
    if (region === "column-header") {
      this.onHeaderPainted(column)
      return this.headerOf(column)
    }
    if (region === "corner-header") return "row"
    const block = this.block(row, region === "body" ? column : 0)
    if (!block) return undefined
    const place = row % blockRows
    if (region === "row-header") return place < block.rows.length ? formatCount(block.rows[place]) : ""
    return block.cells[column % blockColumns]?.[place]
  }

  headerOf(column: number): HeaderState | undefined {
    const info = this.columns[column]
    return info && { info, summary: this.summaries.get(info.name), query: this.query }
  }

  /** The row of the file that stands at this place, where it has come already. */
  rowAt(place: number): number | undefined {
    return this.blocks.get(keyOf(place, 0))?.rows[place % blockRows]
  }

  cellAt(place: number, column: number): Cell | undefined {
    return this.blocks.get(keyOf(place, column))?.cells[column % blockColumns]?.[place % blockRows]
  }

  setColumns(columns: readonly ColumnInfo[]): void {
    const added = columns.length - this.columns.length
    const index = this.columns.length
    this.columns = columns
    if (added > 0) this.emitChanged({ type: "columns-inserted", region: "body", index, span: added })
  }

  setNumRows(numRows: number): void {
    const added = numRows - this.numRows
    if (added === 0) return
    const last = Math.floor(Math.min(numRows, this.numRows) / blockRows)
    // The block that was not full yet is so now.
    for (const key of this.blocks.keys()) if (Number(key.split(" ")[0]) === last) this.blocks.delete(key)
    this.numRows = numRows
    const index = added > 0 ? numRows - added : numRows
    this.emitChanged({ type: added > 0 ? "rows-inserted" : "rows-removed", region: "body", index, span: Math.abs(added) })
  }

  /** The rows have moved: what has come is of no use any more. */
  forgetRows(): void {
    this.version++
    this.blocks.clear()
    this.asked.clear()
    this.wanted.clear()
    this.repaint("body")
    this.repaint("row-header")
  }

  setSummary(summary: ColumnSummary): void {
    this.summaries.set(summary.column, summary)
    this.repaint("column-header")
  }

  setQuery(query: Query): void {
    this.query = query
    this.repaint("column-header")
  }

  private repaint(region: DataModel.CellRegion): void {
    const rowSpan = region === "column-header" ? 1 : this.numRows
    const columnSpan = region === "row-header" ? 1 : this.columns.length
    if (rowSpan > 0 && columnSpan > 0) this.emitChanged({ type: "cells-changed", region, row: 0, column: 0, rowSpan, columnSpan })
  }

  private block(row: number, column: number): Block | undefined {
    const key = keyOf(row, column)
    const block = this.blocks.get(key)
    if (!block && !this.asked.has(key)) {
      if (this.wanted.size === 0) queueMicrotask(() => this.askWanted())
      this.wanted.add(key)
    }
    return block
  }

  /** What was painted last is wanted most; what was passed by while others were awaited is asked for when it is painted again. */
  private askWanted(): void {
    for (const key of this.wanted) {
      if (this.asked.size >= mostAsked) break
      this.wanted.delete(key)
      void this.fetchBlock(key)
    }
  }

  private async fetchBlock(key: string): Promise<void> {
    const { version } = this
    const [block, group] = key.split(" ").map(Number)
    const start = block * blockRows
    const columns = this.columns.slice(group * blockColumns, (group + 1) * blockColumns)
    this.asked.add(key)
    const come = await this.askBlock(
      start,
      start + blockRows,
      columns.map(({ name }) => name),
    ).catch(() => undefined)
    if (version !== this.version) return
    this.asked.delete(key)
    if (come) {
      this.blocks.set(key, come)
      for (const oldest of this.blocks.keys()) {
        if (this.blocks.size <= mostBlocks) break
        this.blocks.delete(oldest)
      }
      const rowSpan = Math.min(blockRows, this.numRows - start)
      if (rowSpan > 0) {
        const place = { type: "cells-changed", row: start, rowSpan } as const
        this.emitChanged({ ...place, region: "body", column: group * blockColumns, columnSpan: columns.length })
        if (group === 0) this.emitChanged({ ...place, region: "row-header", column: 0, columnSpan: 1 })
      }
      this.wanted.clear()
    }
  }
}

function keyOf(row: number, column: number): string {
  return `${Math.floor(row / blockRows)} ${Math.floor(column / blockColumns)}`
}
