// What a benchmark found: rows of ours against a peer, printed as a table and written to bench-results/NAME.json.
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import { availableParallelism, cpus, totalmem } from "node:os"
import { join } from "node:path"

/** Where the repository is: `npm run bench` runs there. */
export const root = process.env.PROMPT2MODEL_ROOT ?? process.cwd()

/** One measurement. A benchmark may add fields of its own. */
export interface ResultRow {
  readonly case: string
  readonly metric: string
  readonly unit: string
  readonly ours: number
  readonly peer: number
  readonly peerName: string
  /** Above 1: we are better. */
  readonly ratio: number
}

export type Comparison = Omit<ResultRow, "ratio">

/** A row for something of which more is better (tokens/s), or less (ms, MB). */
export function compare(comparison: Comparison, better: "more" | "less"): ResultRow {
  const { ours, peer } = comparison
  return { ...comparison, ratio: better === "more" ? ours / peer : peer / ours }
}

/** What the figures depend on beside the code. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGB: number
  readonly platform: string
  readonly node: string
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  }
}

/** Prints the rows and writes them, with the machine and what else is told of the peers' versions. @returns the file's path */
export function writeResults(name: string, rows: readonly ResultRow[], details: Readonly<Record<string, unknown>> = {}): string {
  const machine = { ...describeMachine(), ...details }
  const folder = join(root, "bench-results")
  const file = join(folder, `${name}.json`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${file}.tmp`, `${JSON.stringify({ name, machine, rows }, null, 2)}\n`)
  renameSync(`${file}.tmp`, file)
  console.log(
    `\n${Object.entries(machine)
      .map(([key, value]) => `${key} ${value}`)
      .join(", ")}\n`,
  )
  console.log(formatTable(rows))
  console.log(`\nWritten to ${file}`)
  return file
}

/** Fixed-width columns; numbers to the right. */
export function formatTable(rows: readonly ResultRow[]): string {
  const head = ["case", "metric", "ours", "peer", "unit", "peer's name", "ratio"]
  const body = rows.map((row) => [
    row.case,
    row.metric,
    formatNumber(row.ours),
    formatNumber(row.peer),
    row.unit,
    row.peerName,
    `${row.ratio.toFixed(2)}x`,
  ])
  const isNumeric = [false, false, true, true, false, false, true]
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((cells) => cells[column].length)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (isNumeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join("  ")
      .trimEnd()
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...body.map(line)].join("\n")
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en")
  return value.toPrecision(3)
}
