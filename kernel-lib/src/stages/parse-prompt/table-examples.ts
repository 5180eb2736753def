// Reads examples that stand in a table with a column for each side: in Markdown, or as lines of CSV under a header.
import { parse } from "csv-parse/sync"
import type { Span } from "./labelled-examples"
import { inputLabel, outputLabel } from "./labels"

type Split = (line: string) => string[]

const isInput = new RegExp(`^${inputLabel}$`, "iu")
const isOutput = new RegExp(`^${outputLabel}$`, "iu")
/** The line under a Markdown table's header. */
const rule = /^\s*\|?[\s|:]*-[\s|:-]*$/

/** The rows of all tables whose header names both sides. A table ends where a line has more cells or fewer; its header goes with its first row. */
export function findTableExamples(text: string): Span[] {
  const lines = [...text.matchAll(/^.*$/gm)].map((match) => ({ line: match[0], start: match.index, end: match.index + match[0].length }))
  const spans: Span[] = []
  for (let at = 0; at < lines.length; at++) {
    const header = readHeader(lines[at].line)
    if (!header) continue
    let { start } = lines[at]
    for (; at + 1 < lines.length; at++) {
      const { line, end } = lines[at + 1]
      if (rule.test(line)) continue
      const cells = line.trim() === "" ? [] : header.split(line)
      if (cells.length !== header.cells) break
      spans.push({ start, end, example: { input: cells[header.input], output: cells[header.output] } })
      start = end
    }
  }
  return spans
}

function readHeader(line: string): { split: Split; cells: number; input: number; output: number } | undefined {
  const ways: Split[] = line.trim().startsWith("|") ? [splitMarkdown] : [",", ";", "\t"].map(splitDelimited)
  for (const split of ways) {
    const names = line.length > 200 ? [] : split(line)
    const input = names.findIndex((name) => isInput.test(name))
    const output = names.findIndex((name) => isOutput.test(name))
    if (input !== -1 && output !== -1) return { split, cells: names.length, input, output }
  }
  return undefined
}

function splitMarkdown(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"))
}

function splitDelimited(delimiter: string): Split {
  return (line) => {
    try {
      return parse(line, { delimiter, trim: true, relax_quotes: true, relax_column_count: true })[0] ?? []
    } catch {
      // A quote that never closes: no line of a table.
      return []
    }
  }
}
