// A report and a table of results as elements of the page. A report's numbers open its rows, where they stand in a file.
import { colours } from "../../../kernel-lib/src/display/colours"
import type { ReportPayload, TablePayload } from "../../../kernel-lib/src/display/payloads"
import { formatCount, formatScore } from "../../../kernel-lib/src/display/wording"
import type { Filter } from "../protocol"
import { countRows, trans } from "../settings/language"
import { createElement, createLink } from "../viewer/elements"
import { createTable, renderBar, renderDifference, renderTrack, type TableColumn } from "./result-parts"

/** Opens the rows of a report that pass these filters. */
export type OpenReportRows = (filters: readonly Filter[]) => void

/** @param open undefined where its rows stand in no file that can be opened */
export function renderReport(report: ReportPayload, open?: OpenReportRows): HTMLElement {
  const view = createElement("div")
  view.append(renderBar(report.title, report.subtitle), renderSystems(report))
  if (report.comparison !== undefined) view.append(createElement("p", "p2m-mute p2m-note", report.comparison))
  if (report.groups.length > 0) view.append(renderGroups(report.groups, trans.__("scored apart"), report))
  for (const { by, slices } of report.slices ?? []) if (slices.length > 0) view.append(renderGroups(slices, by, report))
  if (report.worst.length > 0) view.append(renderWorst(report, open))
  view.append(renderReportFoot(report, open))
  return view
}

function renderSystems({ title, metrics, systems }: ReportPayload): HTMLElement {
  const [first, ...others] = metrics
  const has = (name: "size" | "costPerThousand") => systems.some((system) => system[name] !== undefined)
  const columns: TableColumn[] = [
    { name: trans.__("system") },
    ...(first
      ? [
          { name: first.name, isNumber: true },
          { name: "", label: trans.__("95% interval") },
        ]
      : []),
    ...others.map(({ name }) => ({ name, isNumber: true })),
    ...(has("size") ? [{ name: trans.__("size"), isNumber: true }] : []),
    ...(has("costPerThousand") ? [{ name: trans.__("per 1,000 answers"), isNumber: true }] : []),
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

/** @param by what they are told apart by */
function renderGroups(groups: ReportPayload["groups"], by: string, { metrics }: ReportPayload): HTMLElement {
  const table = createTable(trans.__("Scores by %1", by), [
    { name: by },
    { name: trans.__("rows"), isNumber: true },
    ...metrics.map(({ name }) => ({ name, isNumber: true })),
  ])
  for (const { name, rows, scores } of groups) {
    const row = table.tBodies[0].insertRow()
    row.append(createElement("td", "", name), createElement("td", "p2m-number", formatCount(rows)))
    row.append(...metrics.map(({ scale }, at) => createElement("td", "p2m-number", formatScore(scores[at], scale))))
  }
  return scrollable(table)
}

function renderWorst({ worst }: ReportPayload, open: OpenReportRows | undefined): HTMLElement {
  const hasNearest = worst.some(({ nearest }) => nearest !== undefined)
  const table = createTable(trans.__("The worst rows"), [
    { name: trans.__("row"), isNumber: true },
    { name: trans.__("input") },
    { name: trans.__("expected") },
    { name: trans.__("answer") },
    { name: trans.__("confidence"), isNumber: true },
    ...(hasNearest ? [{ name: trans.__("nearest training row") }] : []),
  ])
  for (const { row, input, expected, answer, confidence, nearest } of worst) {
    const line = table.tBodies[0].insertRow()
    const number = createElement("td", "p2m-number", open ? "" : formatCount(row))
    const openRow = () => open?.([{ kind: "values", column: "row", values: [String(row)] }])
    if (open) number.append(createLink(formatCount(row), openRow, trans.__("Opens this row in the dataset viewer")))
    const difference = createElement("td")
    difference.append(renderDifference(expected, answer))
    line.append(
      number,
      createElement("td", "p2m-text", input),
      createElement("td", "p2m-text", expected),
      difference,
      createElement("td", "p2m-number", confidence === undefined ? "" : confidence.toFixed(2)),
      ...(hasNearest ? [createElement("td", "p2m-text", nearest ?? "")] : []),
    )
  }
  return scrollable(table)
}

function renderReportFoot(report: ReportPayload, open: OpenReportRows | undefined): HTMLElement {
  const foot = renderNext(describeWrong(report), report.nextStep)
  if (!open || report.numRows === 0) return foot
  const links = createElement("span", "p2m-links")
  // What is scored apart is not among the wrong rows that are counted.
  const apart = report.groups.reduce((sum, { rows }) => sum + rows, 0)
  const isMain: Filter[] = apart > 0 && apart !== report.numRows ? [{ kind: "missing", column: "group" }] : []
  const openWrong = () => open([{ kind: "values", column: "isRight", values: ["false"] }, ...isMain])
  if (report.numWrong > 0)
    links.append(
      createLink(trans.__("Wrong rows"), openWrong, trans.__("Opens the wrong rows in the dataset viewer, with what is known of each")),
    )
  links.append(createLink(trans.__("All rows"), () => open([]), trans.__("Opens all rows with their answers in the dataset viewer")))
  foot.append(links)
  return foot
}

function describeWrong({ worst, numWrong, numRows }: ReportPayload): string {
  if (numRows === 0) return ""
  if (numWrong === 0) return trans.__("All rows are right: %1.", countRows(numRows))
  const share = trans._n("%2 wrong row of %3", "%2 wrong rows of %3", numWrong, formatCount(numWrong), formatCount(numRows))
  return worst.length < numWrong ? trans.__("The worst %1 of %2.", formatCount(worst.length), share) : `${share}.`
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
    if (at === after) head.append(Object.assign(createElement("th"), { scope: "col", ariaLabel: trans.__("95% interval") }))
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
  if (nextStep !== undefined) foot.append(`${words === "" ? "" : " "}${trans.__("Next:")} `, createElement("code", "", nextStep))
  return foot
}

function scrollable(table: HTMLElement): HTMLElement {
  const rows = createElement("div", "p2m-rows")
  rows.append(table)
  return rows
}
