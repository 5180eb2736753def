// Lumino's grid, painted whole. As it is, it moves what is painted already and draws each column through a second canvas; where no graphics
// card helps, as on servers and in virtual machines, each such copy costs more than drawing all the cells that have room in a window.
import { DataGrid } from "@lumino/datagrid"
import { trans } from "../settings/language"
import { type GridActions, GridKeys, GridMouse } from "./grid-handlers"
import { headerHeight } from "./header-parts"

const rowHeight = 26

interface Insides {
  _canvasGC: CanvasRenderingContext2D
  _bufferGC: CanvasRenderingContext2D
  _blitContent: () => void
}

/** Its renderers must not draw beyond their cells, but at the edges of the window, which headers cover. */
class RowsGrid extends DataGrid {
  private readonly isDirect: boolean

  constructor(options: DataGrid.IOptions) {
    super(options)
    const insides = this as unknown as Insides
    // Another version may be built otherwise: then it paints as it does.
    this.isDirect =
      typeof insides._blitContent === "function" &&
      insides._bufferGC instanceof CanvasRenderingContext2D &&
      insides._canvasGC instanceof CanvasRenderingContext2D
    if (!this.isDirect) return
    insides._bufferGC = insides._canvasGC
    insides._blitContent = () => {}
  }

  protected override paintContent(x: number, y: number, width: number, height: number): void {
    if (this.isDirect) super.paintContent(0, 0, this.viewport.node.offsetWidth, this.viewport.node.offsetHeight)
    else super.paintContent(x, y, width, height)
  }
}

/** A grid that acts on clicks and keys, and says to screen readers what it is. */
export function createGrid(actions: GridActions): DataGrid {
  const grid = new RowsGrid({
    defaultSizes: { rowHeight, columnWidth: 150, rowHeaderWidth: 84, columnHeaderHeight: headerHeight },
    minimumSizes: { rowHeight, columnWidth: 44, rowHeaderWidth: 56, columnHeaderHeight: headerHeight },
    headerVisibility: "all",
    stretchLastColumn: true,
  })
  grid.mouseHandler = new GridMouse(actions)
  grid.keyHandler = new GridKeys(actions)
  const { node } = grid.viewport
  node.tabIndex = 0
  node.setAttribute("role", "application")
  node.setAttribute("aria-roledescription", trans.__("table"))
  return grid
}
