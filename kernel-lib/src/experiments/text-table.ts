// A table of results for papers and spreadsheets: LaTeX and CSV of what a table payload shows.
import type { TablePayload } from "../display/payloads"

type Table = Pick<TablePayload, "columns" | "rows" | "notes">

/** The table as LaTeX, with the package that it needs named in a comment; the row that it is about in bold. */
export function writeLatexTable({ columns, rows, notes }: Table): string {
  const lines = rows.map(({ cells, isOurs }) => {
    const shown = columns.map((_, index) => escapeLatex(cells[index] ?? ""))
    return `    ${(isOurs ? shown.map((cell) => (cell === "" ? "" : `\\textbf{${cell}}`)) : shown).join(" & ")} \\\\`
  })
  return [
    "% needs \\usepackage{booktabs}",
    "\\begin{table}",
    "  \\centering",
    `  \\begin{tabular}{${columns.map(({ isNumber }) => (isNumber ? "r" : "l")).join("")}}`,
    "    \\toprule",
    `    ${columns.map(({ name }) => escapeLatex(name)).join(" & ")} \\\\`,
    "    \\midrule",
    ...lines,
    "    \\bottomrule",
    "  \\end{tabular}",
    `  \\caption{${notes.map(escapeLatex).join(" ")}}`,
    "\\end{table}",
    "",
  ].join("\n")
}

/** Rows of values as RFC 4180 has them; undefined is an empty cell. */
export function writeCsv(columns: readonly string[], rows: readonly (readonly (string | number | boolean | undefined)[])[]): string {
  const quote = (value: string | number | boolean | undefined) => {
    const text = value === undefined ? "" : String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return [columns, ...rows].map((cells) => `${cells.map(quote).join(",")}\r\n`).join("")
}

const replacements: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
}

function escapeLatex(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\~^&%$#_{}]/g, (character) => replacements[character] ?? `\\${character}`)
}
