// How wide columns are at first.
import type { Cell, ColumnInfo } from "../protocol"
import { showCell } from "./renderers"

/** Rows that are looked at. */
const mostRows = 60
const [least, leastOfNumbers, most] = [104, 126, 420]
const letter = 7.3
const mostSpare = 320

/**
 * As wide as the first rows need; what is left over goes to the longest texts.
 * @param cells by column, then by row
 * @param room pixels for all columns; 0 where others follow
 */
export function widthsOf(columns: readonly ColumnInfo[], cells: readonly (readonly Cell[])[], room: number): number[] {
  const widths = columns.map(({ kind }, index) => {
    const longest = cells[index].slice(0, mostRows).reduce<number>((longest, cell) => Math.max(longest, showCell(cell, kind).length), 0)
    return Math.max(kind === "text" ? least : leastOfNumbers, Math.min(most, Math.ceil(longest * letter) + 20))
  })
  const spare = room - widths.reduce((sum, width) => sum + width, 0)
  const widest = widths.indexOf(Math.max(...widths))
  if (widest >= 0) widths[widest] += Math.max(0, Math.min(spare, mostSpare))
  return widths
}
