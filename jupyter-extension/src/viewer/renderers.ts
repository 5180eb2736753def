// How headers and cells are drawn on the grid's canvas. Text is drawn as one line, with nothing in it that acts.
import { CellRenderer, type GraphicsContext } from "@lumino/datagrid"
import { colours as palette } from "../../../kernel-lib/src/display/colours"
import { onOneLine } from "../../../kernel-lib/src/display/plain-text"
import type { Cell, ColumnInfo } from "../protocol"
import { trans } from "../settings/language"
import type { GridColours } from "./colours"
import { shortName } from "./elements"
import { formatDate, formatNumber, noteOf, padding, partsOf } from "./header-parts"
import type { HeaderState } from "./rows-model"

/** Paler with each value; from the fifth on all are grey. */
const shades = [palette.blue, "#56b4e9", "#7f9fc9", "#a3b8c8", palette.grey]

export class HeaderRenderer extends CellRenderer {
  constructor(
    private readonly colours: GridColours,
    private readonly numRows: () => number,
    private readonly isDragged: (column: string, order: number) => boolean,
  ) {
    super()
  }

  override paint(gc: GraphicsContext, { x, y, width, height, value, region }: CellRenderer.CellConfig): void {
    const { ink, mute, fill, uiFont, off } = this.colours
    gc.fillStyle = fill
    gc.fillRect(x, y, width, height)
    gc.textBaseline = "alphabetic"
    if (region === "corner-header") {
      gc.textAlign = "right"
      drawText(gc, trans.__("row"), x + width - padding, y + 17, { font: `500 12.5px ${uiFont}`, colour: ink })
      drawText(gc, trans.__("index"), x + width - padding, y + 33, { font: `11px ${uiFont}`, colour: mute })
      return
    }
    const { info, summary, query } = value as HeaderState
    gc.save()
    gc.beginPath()
    gc.rect(x, y, width, height)
    gc.clip()
    gc.textAlign = "left"
    const order = query.sort.findIndex(({ column }) => column === info.name)
    const arrow = order < 0 ? "" : ` ${query.sort[order].isDescending ? "\u2193" : "\u2191"}${query.sort.length > 1 ? order + 1 : ""}`
    const room = width - 2 * padding
    const title = fitText(gc, onOneLine(shortName(info.path ?? info.name)), room - arrow.length * 8, `500 12.5px ${uiFont}`)
    drawText(gc, title + arrow, x + padding, y + 17, { font: `500 12.5px ${uiFont}`, colour: ink })
    const note = fitText(gc, noteOf(info, summary, this.numRows()), room, `11px ${uiFont}`)
    drawText(gc, note, x + padding, y + 33, { font: `11px ${uiFont}`, colour: mute })
    for (const part of partsOf(summary, query, width)) {
      const isOn = part.isOn || this.isDragged(info.name, part.order)
      const colour = part.isMissing ? off : summary?.kind === "values" ? shades[Math.min(part.order, shades.length - 1)] : palette.blue
      gc.fillStyle = isOn ? colour : off
      gc.globalAlpha = part.isMissing && !isOn ? 0.4 : 1
      gc.fillRect(x + part.x, y + part.y, part.width, part.height)
    }
    gc.globalAlpha = 1
    if (summary?.kind === "values") {
      const names = fitText(
        gc,
        summary.values.map(({ value }) => (value === "" ? trans.__("(empty)") : onOneLine(value))).join(", "),
        room,
        `11px ${uiFont}`,
      )
      drawText(gc, names, x + padding, y + 68, { font: `11px ${uiFont}`, colour: mute })
    }
    gc.restore()
  }
}

export class BodyRenderer extends CellRenderer {
  constructor(
    private readonly colours: GridColours,
    private readonly columns: () => readonly ColumnInfo[],
  ) {
    super()
  }

  override paint(gc: GraphicsContext, { x, y, width, height, value, region, column }: CellRenderer.CellConfig): void {
    const { ink, mute, paper, monoFont } = this.colours
    gc.fillStyle = paper
    gc.fillRect(x, y, width, height)
    if (value === undefined) return
    const info = region === "body" ? this.columns()[column] : undefined
    const isNumber = region === "row-header" || (info?.kind === "number" && value !== null)
    const font = `12px ${monoFont}`
    const shown = showCell(value as Cell, info?.kind)
    const isPale = value === null || value === "" || region === "row-header"
    gc.font = font
    gc.textBaseline = "middle"
    gc.textAlign = isNumber ? "right" : "left"
    const text = fitText(gc, shown, width - 2 * padding, font)
    drawText(gc, text, isNumber ? x + width - padding : x + padding, y + height / 2 + 0.5, { font, colour: isPale ? mute : ink })
  }
}

/** A cell as text of one line. */
export function showCell(value: Cell, kind: ColumnInfo["kind"] | undefined): string {
  if (value === null) return "\u2013"
  if (value === "") return trans.__("(empty)")
  if (typeof value === "number") return kind === "date" ? formatDate(value) : formatNumber(value, "number")
  return typeof value === "string" ? onOneLine(value) : String(value)
}

function drawText(gc: GraphicsContext, text: string, x: number, y: number, { font, colour }: { font: string; colour: string }): void {
  gc.font = font
  gc.fillStyle = colour
  gc.fillText(text, x, y)
}

const widths = new Map<string, number>()

/** The mean width of a letter of this font, measured once: measuring each text would cost more than drawing it. */
function letterWidth(gc: GraphicsContext, font: string): number {
  const known = widths.get(font)
  if (known !== undefined) return known
  gc.font = font
  const width = gc.measureText("abcdefghij klmnopqrst uvwxyz 0123456789").width / 39
  widths.set(font, width)
  return width
}

/** As much of a text as has room. */
function fitText(gc: GraphicsContext, text: string, room: number, font: string): string {
  if (room <= 0) return ""
  const letter = letterWidth(gc, font)
  if (text.length * letter * 1.6 < room && text.length < 8) return text
  gc.font = font
  let fitted = text.slice(0, Math.ceil((room / letter) * 2) + 2)
  if (fitted.length === text.length && gc.measureText(fitted).width <= room) return text
  let guess = Math.min(fitted.length, Math.floor(room / letter))
  while (guess > 0 && gc.measureText(`${fitted.slice(0, guess)}\u2026`).width > room) guess -= Math.max(1, Math.floor(guess / 12))
  fitted = fitted.slice(0, guess).replace(/[\ud800-\udbff]$/, "")
  return `${fitted}\u2026`
}
