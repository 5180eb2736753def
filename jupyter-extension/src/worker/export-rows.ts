// The rows of a view as a file, made piece by piece.
import type { Cell } from "../protocol"
import { textOf } from "./summaries"
import type { Table } from "./table"
import { letOthersGo, type View } from "./view"

/** Cells that are held at once. */
const cellsAtOnce = 200_000

export async function exportRows(table: Table, view: View, format: "csv" | "jsonl"): Promise<Blob> {
  await view.whenDone()
  const columns = table.columns.map(({ name }) => name)
  const rowsAtOnce = Math.max(1, Math.floor(cellsAtOnce / columns.length))
  const parts: Blob[] = format === "csv" ? [new Blob([`${columns.map(quote).join(",")}\n`])] : []
  for (let start = 0; ; start += rowsAtOnce) {
    const rows = view.rows(start, start + rowsAtOnce)
    if (rows.length === 0) break
    const cells: Cell[][] = []
    for (const column of columns) {
      cells.push(await table.cells(column, rows))
      if (cells.length % 100 === 0) await letOthersGo()
    }
    const lines = rows.map((_row, index) =>
      format === "csv"
        ? cells.map((column) => quote(textOf(column[index]))).join(",")
        : JSON.stringify(Object.fromEntries(columns.flatMap((name, at) => (cells[at][index] === null ? [] : [[name, cells[at][index]]])))),
    )
    parts.push(new Blob([`${lines.join("\n")}\n`]))
    await letOthersGo()
  }
  return new Blob(parts, { type: format === "csv" ? "text/csv" : "application/jsonl" })
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
