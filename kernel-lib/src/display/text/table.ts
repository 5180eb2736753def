// Tables and paragraphs in plain text: columns aligned by what a terminal shows, nothing wider than the reader's window.
import { fitTo, onOneLine, padTo, widthOf } from "../plain-text"

export interface TextColumn {
  readonly name: string
  readonly isNumber?: boolean
}

/** Columns of a terminal when nobody says otherwise. */
export const usualWidth = 100
const between = 2
/** A column that is cut keeps at least this much. */
const narrowest = 8

/** Aligned lines, the first one being the names; cells on one line each, the widest columns cut first where `width` is too little. */
export function alignTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[], width = usualWidth): string[] {
  const lines = [columns.map(({ name }) => name), ...rows].map((cells) => columns.map((_, index) => onOneLine(cells[index] ?? "")))
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => widthOf(cells[index]))))
  shrinkToFit(widths, columns, width - between * (columns.length - 1))
  return lines.map((cells) =>
    cells
      .map((cell, index) => padTo(fitTo(cell, widths[index]), widths[index], columns[index].isNumber))
      .join(" ".repeat(between))
      .trimEnd(),
  )
}

/** Takes from the widest text column, a column at a time, until all fit. */
function shrinkToFit(widths: number[], columns: readonly TextColumn[], room: number): void {
  for (let excess = widths.reduce((sum, width) => sum + width, 0) - room; excess > 0; excess--) {
    let widest = -1
    for (const [index, width] of widths.entries()) {
      if (!columns[index].isNumber && width > narrowest && (widest < 0 || width > widths[widest])) widest = index
    }
    if (widest < 0) return
    widths[widest]--
  }
}

/** `text` broken at spaces into lines of at most `width` columns; a word that is longer is cut. */
export function wrapText(text: string, width = usualWidth): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of onOneLine(text).split(/\s+/)) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = ""
    }
    line = fitTo(line === "" ? word : `${line} ${word}`, width)
  }
  return line === "" ? lines : [...lines, line]
}

export function indent(lines: readonly string[], spaces = 2): string[] {
  return lines.map((line) => (line === "" ? "" : " ".repeat(spaces) + line))
}
