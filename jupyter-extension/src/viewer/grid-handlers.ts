// Mouse and keys on the grid: headers sort and filter, rows are chosen, letters act.
import { BasicKeyHandler, BasicMouseHandler, type DataGrid } from "@lumino/datagrid"
import { type HeaderPart, partAt } from "./header-parts"

export interface GridActions {
  /** The parts of a column's header, at its present width. */
  partsOf(column: number): readonly HeaderPart[]
  sortBy(column: number, isAdded: boolean): void
  /** From one part of a header's picture to another, both ends with it. */
  filterByParts(column: number, first: HeaderPart, last: HeaderPart): void
  showDrag(column: number, first: number, last: number): void
  endDrag(): void
  showTip(text: string, clientX: number, clientY: number): void
  hideTip(): void
  /** A letter, or Enter; whether it meant something. */
  press(key: string): boolean
}

interface Drag {
  readonly column: number
  readonly left: number
  readonly first: HeaderPart
  last: HeaderPart
}

/** So near to a column's edge it is resized. */
const edge = 5

export class GridMouse extends BasicMouseHandler {
  private drag: Drag | undefined

  constructor(private readonly actions: GridActions) {
    super()
  }

  override onMouseDown(grid: DataGrid, event: MouseEvent): void {
    const hit = grid.hitTest(event.clientX, event.clientY)
    if (hit.region !== "column-header" || event.button !== 0 || hit.x < edge || hit.x > hit.width - edge) {
      super.onMouseDown(grid, event)
      return
    }
    const part = partAt(this.actions.partsOf(hit.column), hit.x, hit.y)
    if (!part) {
      this.actions.sortBy(hit.column, event.shiftKey || event.ctrlKey || event.metaKey)
      return
    }
    this.drag = { column: hit.column, left: event.clientX - hit.x, first: part, last: part }
    this.actions.showDrag(hit.column, part.order, part.order)
  }

  override onMouseMove(grid: DataGrid, event: MouseEvent): void {
    const { drag } = this
    if (!drag) {
      super.onMouseMove(grid, event)
      return
    }
    const parts = this.actions.partsOf(drag.column).filter((part) => part.isMissing === drag.first.isMissing)
    const x = event.clientX - drag.left
    const before = parts.filter((part) => part.x <= x).at(-1) ?? parts[0]
    if (!before || drag.first.isMissing) return
    drag.last = before
    this.actions.showDrag(drag.column, Math.min(drag.first.order, before.order), Math.max(drag.first.order, before.order))
  }

  override onMouseUp(grid: DataGrid, event: MouseEvent): void {
    const { drag } = this
    if (!drag) {
      super.onMouseUp(grid, event)
      return
    }
    this.drag = undefined
    this.actions.endDrag()
    const [first, last] = drag.first.order <= drag.last.order ? [drag.first, drag.last] : [drag.last, drag.first]
    this.actions.filterByParts(drag.column, first, last)
  }

  override onMouseHover(grid: DataGrid, event: MouseEvent): void {
    super.onMouseHover(grid, event)
    const hit = grid.hitTest(event.clientX, event.clientY)
    if (hit.region !== "column-header") {
      this.actions.hideTip()
      return
    }
    const part = partAt(this.actions.partsOf(hit.column), hit.x, hit.y)
    if (hit.x >= edge && hit.x <= hit.width - edge) grid.viewport.node.style.cursor = "pointer"
    if (part) this.actions.showTip(part.label, event.clientX, event.clientY)
    else this.actions.hideTip()
  }

  override onMouseLeave(grid: DataGrid, event: MouseEvent): void {
    super.onMouseLeave(grid, event)
    this.actions.hideTip()
  }
}

export class GridKeys extends BasicKeyHandler {
  constructor(private readonly actions: GridActions) {
    super()
  }

  override onKeyDown(grid: DataGrid, event: KeyboardEvent): void {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey
    if (isPlain && (event.key === "j" || event.key === "k")) {
      if (event.key === "j") this.onArrowDown(grid, event)
      else this.onArrowUp(grid, event)
    } else if (!isPlain || !this.actions.press(event.key)) {
      super.onKeyDown(grid, event)
      return
    }
    event.preventDefault()
    event.stopPropagation()
  }
}
