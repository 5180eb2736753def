// A report and a table of results as elements of the page.
import { colours } from "../../../kernel-lib/src/display/colours"
import type { ReportPayload, TablePayload } from "../../../kernel-lib/src/display/payloads"
import { countOf, formatCount, formatScore } from "../../../kernel-lib/src/display/wording"
import { createElement } from "../viewer/elements"
import { createTable, renderBar, renderDifference, renderTrack, type TableColumn } from "./result-parts"

export function renderReport(report: ReportPayload): HTMLElement {
  const view = createElement("div")
  view.append(renderBar(report.title, report.subtitle), renderSystems(report))
  if (report.comparison !== undefined) view.append(createElement("p", "p2m-mute p2m-note", report.comparison))
  if (report.groups.length > 0) view.append(renderGroups(report))
  if (report.worst.length > 0) view.append(renderWorst(report))
  view.append(renderNext(describeWrong(report), report.nextStep))
  return view
}

function renderSystems({ title, metrics, systems }: ReportPayload): HTMLElement {
  const [first, ...others] = metrics
  const has = (name: "size" | "costPerThousand") => systems.some((system) => system[name] !== undefined)
  const columns: TableColumn[] = [
    { name: "system" },
    ...(first
      ? [
          { name: first.name, isNumber: true },
          { name: "", label: "interval" },
        ]
      : []),
    ...others.map(({ name }) => ({ name, isNumber: true })),
    ...(has("size") ? [{ name: "size", isNumber: true }] : []),
    ...(has("costPerThousand") ? [{ name: "per 1,000 answers", isNumber: true }] : []),
  ]
  const table = createTable(title, columns)
  for (const { name, note, isOurs, scores, size, costPerThousand } of systems) {
    const row = table.tBodies[0].insertRow()
    const head = createElement("td", "", "")
    head.append(createElement(isOurs ? "b" : "span", "", name))
    if (note) head.append(createElement("span", "p2m-mute", `, ${note}`))
    row.append(head)
    metrics.forEach(({ scale }, at) => {
      row.append(createElement("td", isOurs && at === 0 ? "p2m-number p2m-strong" : "p2m-number", formatScore(scores[at]?.value, scale)))
      if (at > 0) return
      const cell = row.insertCell()
      cell.className = "p2m-track-cell"
      if (scores[0]) cell.append(renderTrack(scores[0], scale, isOurs ? colours.blue : colours.grey))
    })
    if (has("size")) row.append(createElement("td", "p2m-number", size ?? "-"))
    if (has("costPerThousand")) row.append(createElement("td", "p2m-number", costPerThousand ?? "-"))
  }
  return scrollable(table)
}

function renderGroups({ metrics, groups }: ReportPayload): HTMLElement {
  const table = createTable("Rows that are scored apart", [
    { name: "scored apart" },
    { name: "rows", isNumber: true },
    ...metrics.map(({ name }) => ({ name, isNumber: true })),
  ])
  for (const { name, rows, scores } of groups) {
    const row = table.tBodies[0].insertRow()
    row.append(createElement("td", "", name), createElement("td", "p2m-number", formatCount(rows)))
    row.append(...metrics.map(({ scale }, at) => createElement("td", "p2m-number", formatScore(scores[at], scale))))
  }
  return scrollable(table)
}

function renderWorst({ worst }: ReportPayload): HTMLElement {
  const hasNearest = worst.some(({ nearest }) => nearest !== undefined)
  const table = createTable("The worst rows", [
    { name: "row", isNumber: true },
    { name: "input" },
    { name: "expected" },
    { name: "answer" },
    { name: "confidence", isNumber: true },
    ...(hasNearest ? [{ name: "nearest training row" }] : []),
  ])
  for (const { row, input, expected, answer, confidence, nearest } of worst) {
    const line = table.tBodies[0].insertRow()
    const difference = createElement("td")
    difference.append(renderDifference(expected, answer))
    line.append(
      createElement("td", "p2m-number", formatCount(row)),
      createElement("td", "p2m-text", input),
      createElement("td", "p2m-text", expected),
      difference,
      createElement("td", "p2m-number", confidence === undefined ? "" : confidence.toFixed(2)),
      ...(hasNearest ? [createElement("td", "p2m-text", nearest ?? "")] : []),
    )
  }
  return scrollable(table)
}

function describeWrong({ worst, numWrong, numRows }: ReportPayload): string {
  if (numRows === 0) return ""
  if (numWrong === 0) return `All ${countOf(numRows, "row")} are right.`
  const share = `${countOf(numWrong, "wrong row")} of ${formatCount(numRows)}`
  return worst.length < numWrong ? `The worst ${formatCount(worst.length)} of ${share}.` : `${share}.`
}

export function renderTable(table: TablePayload): HTMLElement {
  const view = createElement("div")
  view.append(renderBar(table.title, table.subtitle), renderRows(table))
  for (const note of table.notes) view.append(createElement("p", "p2m-mute p2m-note", note))
  view.append(renderNext("", table.nextStep))
  return view
}

/** A click on a head sorts by it, a second one the other way, a third one as it came. */
function renderRows({ title, columns, rows, intervals }: TablePayload): HTMLElement {
  const tracks = intervals && intervals.rows.length === rows.length ? intervals : undefined
  // The interval stands behind the first score.
  const after = tracks
    ? Math.max(
        0,
        columns.findIndex(({ name }) => name === tracks.name),
      )
    : -1
  const table = createTable(title, [])
  const head = table.tHead!.rows[0]
  const body = table.tBodies[0]
  const lines = rows.map(({ cells, isOurs }, index) => {
    const line = createElement("tr")
    cells.forEach((text, at) => {
      const { isNumber, isText } = columns[at]
      const classes = [isNumber ? "p2m-number" : "", isText ? "p2m-text" : "", isOurs ? "p2m-strong" : ""]
      line.append(createElement("td", classes.filter(Boolean).join(" "), text))
      if (at !== after || !tracks) return
      const cell = createElement("td", "p2m-track-cell")
      const interval = tracks.rows[index]
      if (interval) cell.append(renderTrack(interval, tracks.scale, isOurs ? colours.blue : colours.grey))
      line.append(cell)
    })
    return { line, cells }
  })
  body.append(...lines.map(({ line }) => line))
  columns.forEach(({ name, isNumber }, at) => {
    const cell = createElement("th", isNumber ? "p2m-number" : "")
    cell.scope = "col"
    const button = createElement("button", "p2m-sort", name)
    button.type = "button"
    button.addEventListener("click", () => {
      const order = { none: "descending", descending: "ascending", ascending: "none" }[cell.ariaSort ?? "none"] ?? "descending"
      for (const other of head.cells) other.removeAttribute("aria-sort")
      if (order !== "none") cell.ariaSort = order
      const sign = order === "ascending" ? 1 : -1
      const sorted = order === "none" ? lines : [...lines].sort((a, b) => sign * compareTexts(a.cells[at], b.cells[at]))
      body.append(...sorted.map(({ line }) => line))
    })
    cell.append(button)
    head.append(cell)
    if (at === after) head.append(Object.assign(createElement("th"), { scope: "col", ariaLabel: "95% interval" }))
  })
  return scrollable(table)
}

/** Numbers by what they are, also behind `$`, `<` and `+`; everything else as text. */
export function compareTexts(first: string, second: string): number {
  const [a, b] = [first, second].map((text) => Number.parseFloat(text.replace(/^[<$+~]+/, "").replaceAll(",", "")))
  if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b
  if (Number.isNaN(a) !== Number.isNaN(b)) return Number.isNaN(a) ? -1 : 1
  return first < second ? -1 : first > second ? 1 : 0
}

function renderNext(words: string, nextStep: string | undefined): HTMLElement {
  const foot = createElement("div", "p2m-foot", words)
  if (nextStep !== undefined) foot.append(words === "" ? "Next: " : " Next: ", createElement("code", "", nextStep))
  return foot
}

function scrollable(table: HTMLElement): HTMLElement {
  const rows = createElement("div", "p2m-rows")
  rows.append(table)
  return rows
}
