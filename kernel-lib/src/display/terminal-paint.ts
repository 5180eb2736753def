// Colours of a terminal, by name; without colours, the text as it is.

export type PaintName = "bold" | "grey" | "green" | "orange" | "red" | "blue"
export type Paint = Readonly<Record<PaintName, (text: string) => string>>

/** Opening and closing number of each. The terminal's own palette: it fits the reader's theme. */
const codes: Readonly<Record<PaintName, readonly [open: number, close: number]>> = {
  bold: [1, 22],
  grey: [90, 39],
  green: [32, 39],
  orange: [33, 39],
  red: [31, 39],
  blue: [36, 39],
}

export function createPaint(isColoured: boolean): Paint {
  const paint = (name: PaintName) => (text: string) =>
    isColoured && text !== "" ? `\u001b[${codes[name][0]}m${text}\u001b[${codes[name][1]}m` : text
  return {
    bold: paint("bold"),
    grey: paint("grey"),
    green: paint("green"),
    orange: paint("orange"),
    red: paint("red"),
    blue: paint("blue"),
  }
}
