// A table of results: ablations, reproductions, and whatever else has rows and columns of its own.
import { type TablePayload, tableRows } from "../payloads"
import { escapeMarkup } from "../svg/picture"
import { formatCount } from "../wording"
import { areShort, foot, frame, nextStep, table } from "./frame"

export function renderTableHtml(payload: TablePayload): string {
  const shown = payload.rows.slice(0, tableRows)
  const columns = payload.columns.map((column, index) => ({
    ...column,
    isWhole: areShort(shown.map(({ cells }) => cells[index] ?? "")),
  }))
  const rows = shown.map(({ cells, isOurs }) =>
    columns.map((_, index) => {
      const cell = escapeMarkup(cells[index] ?? "")
      return isOurs && index === 0 ? `<b>${cell}</b>` : cell
    }),
  )
  const numHidden = payload.rows.length - shown.length
  return frame(payload.title, payload.subtitle, [
    rows.length === 0 ? "" : table(columns, rows),
    foot([numHidden > 0 ? `${formatCount(shown.length)} of ${formatCount(payload.rows.length)} rows.` : ""]),
    ...payload.notes.map((note) => foot([escapeMarkup(note)])),
    foot([nextStep(payload.nextStep)]),
  ])
}
