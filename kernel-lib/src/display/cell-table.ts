// The cells of an experiment while it runs: a table in a notebook, and in a terminal lines for those that run or failed.
import { payloadVersion, type TablePayload } from "./payloads"
import { onOneLine } from "./plain-text"
import { formatCount } from "./wording"

/** The same shape as the core's `CellProgress`. */
export interface ShownCell {
  readonly name: string
  readonly state: "waiting" | "running" | "done" | "failed"
  readonly where?: string
  readonly note?: string
}

/** Rows of a table that is drawn several times a second. */
const mostRows = 48

/** All cells in their order; of very many those that run or failed first, and a count of the others. */
export function tabulateCells(title: string, subtitle: string, cells: readonly ShownCell[]): TablePayload {
  const shown = cells.length <= mostRows ? cells : choose(cells, mostRows)
  const left = cells.length - shown.length
  return {
    kind: "table",
    version: payloadVersion,
    ...{ title, subtitle },
    columns: [{ name: "cell", isText: true }, { name: "state" }, { name: "where" }, { name: "how far, or why", isText: true }],
    rows: shown.map(({ name, state, where, note }) => ({
      cells: [onOneLine(name), state, state === "waiting" ? "" : onOneLine(where ?? ""), onOneLine(note ?? "")],
      isOurs: state === "running",
    })),
    notes: left > 0 ? [`And ${formatCount(left)} more that wait or are done.`] : [],
  }
}

/** A line for each cell that runs or failed, at most so many. */
export function describeCells(cells: readonly ShownCell[], most: number): string[] {
  const active = cells.filter(({ state }) => state === "running" || state === "failed")
  const lines = choose(active, most).map(({ name, state, where, note }) =>
    [onOneLine(name), state === "failed" ? "failed" : onOneLine(where ?? ""), onOneLine(note ?? "")].filter(Boolean).join(" · "),
  )
  return active.length > most ? [...lines, `and ${formatCount(active.length - most)} more`] : lines
}

/** What runs comes first, then what failed, then the rest; each in its order. */
function choose(cells: readonly ShownCell[], most: number): readonly ShownCell[] {
  const rank = { running: 0, failed: 1, waiting: 2, done: 3 }
  return [...cells].sort((a, b) => rank[a.state] - rank[b.state]).slice(0, most)
}
