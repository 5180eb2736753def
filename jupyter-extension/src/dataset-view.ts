// A dataset as elements of the page: a bar with what it is, the rows, and beside them where rows came from and why others were rejected.
// Text only ever goes in as text.
import { colourOfReason, colours } from "../../kernel-lib/src/display/colours"
import type { DatasetPayload } from "../../kernel-lib/src/display/payloads"
import { makeVisible } from "../../kernel-lib/src/display/plain-text"
import { datasetSubtitle, formatCount, splitsToName } from "../../kernel-lib/src/display/wording"
import { countRows, trans } from "./settings/language"
import { createElement, createLink } from "./viewer/elements"

/** Texts of this length stand on one line. */
const shortText = 36
/** Characters of a row beside which there is still room. */
const roomForRow = 72

/** `openFile` opens the whole file; undefined where it cannot be opened. */
export function renderDataset(payload: DatasetPayload, openFile?: () => void): HTMLElement {
  const view = createElement("div")
  view.append(renderBar(payload))
  const main = createElement("div", hasLongText(payload) ? "p2m-main p2m-wide" : "p2m-main")
  if (payload.preview.length > 0) main.append(renderRows(payload))
  main.append(renderSide(payload))
  view.append(main, renderFoot(payload, openFile))
  return view
}

/** Whether the rows take the whole width, so that there is no room beside them. */
function hasLongText({ preview }: DatasetPayload): boolean {
  return preview.some(({ input, output, from }) => input.length + output.length + from.length > roomForRow)
}

/** What is shown where the payload is of a newer version, or is none. */
export function renderUnreadable(text: string): HTMLElement {
  const view = createElement("div")
  view.append(
    createElement(
      "div",
      "p2m-mute",
      trans.__("This output was made by a newer Prompt2Model than this extension knows: update jupyterlab-prompt2model."),
    ),
  )
  if (text !== "") view.append(createElement("pre", "", text))
  return view
}

function renderBar(payload: DatasetPayload): HTMLElement {
  const bar = createElement("div", "p2m-bar")
  bar.append(createElement("span", "p2m-title", payload.title), createElement("span", "p2m-mute", datasetSubtitle(payload)))
  for (const { name, rows } of splitsToName(payload)) bar.append(createElement("span", "", `${formatCount(rows)} ${name}`))
  return bar
}

function renderRows({ preview, lengths, title }: DatasetPayload): HTMLElement {
  const table = document.createElement("table")
  table.setAttribute("aria-label", title)
  const head = table.createTHead().insertRow()
  const hasVotes = preview.some(({ votes }) => votes !== undefined)
  const columns = [
    { name: trans.__("row"), note: trans.__("index"), cells: preview.map(({ row }) => formatCount(row)), isNumber: true },
    { name: trans.__("input"), note: describeLengths(lengths), cells: preview.map(({ input }) => input), isNumber: false },
    { name: trans.__("output"), note: trans.__("text"), cells: preview.map(({ output }) => output), isNumber: false },
    { name: trans.__("from"), note: trans.__("where it came from"), cells: preview.map(({ from }) => from), isNumber: false },
    ...(hasVotes
      ? [{ name: trans.__("votes"), note: trans.__("that agreed"), cells: preview.map(({ votes }) => votes ?? ""), isNumber: true }]
      : []),
  ]
  for (const [index, { name, note, isNumber }] of columns.entries()) {
    const cell = createElement("th", isNumber ? "p2m-number" : "", name)
    cell.setAttribute("scope", "col")
    cell.append(createElement("span", "p2m-mute", note))
    if (index === 1 && lengths) cell.append(renderHistogram(lengths))
    head.append(cell)
  }
  const body = table.createTBody()
  for (let index = 0; index < preview.length; index++) {
    const row = body.insertRow()
    for (const { cells, isNumber } of columns) {
      const isWhole = cells.every((text) => text.length <= shortText && !text.includes("\n"))
      const cell = createElement("td", [isNumber ? "p2m-number" : "", isWhole ? "p2m-whole" : ""].filter(Boolean).join(" "), cells[index])
      if (cells[index] === "" && !isNumber) cell.append(createElement("span", "p2m-mute", trans.__("(empty)")))
      row.append(cell)
    }
  }
  const rows = createElement("div", "p2m-rows")
  rows.append(table)
  return rows
}

function describeLengths(lengths: DatasetPayload["lengths"]): string {
  return lengths
    ? trans.__("text, median %1, at most %2 %3", formatCount(lengths.median), formatCount(lengths.max), lengths.unit)
    : trans.__("text")
}

function renderHistogram({ bins, unit }: NonNullable<DatasetPayload["lengths"]>): HTMLElement {
  const histogram = createElement("span", "p2m-histogram")
  histogram.setAttribute("role", "img")
  histogram.setAttribute("aria-label", trans.__("length of inputs in %1, from short to long: %2 rows", unit, bins.join(", ")))
  const most = Math.max(1, ...bins)
  for (const rows of bins) {
    const bar = createElement("span")
    bar.style.height = rows === 0 ? "0" : `${Math.max(1.5, (30 * rows) / most)}px`
    histogram.append(bar)
  }
  return histogram
}

function renderSide({ sources, rejected, numRows }: DatasetPayload): HTMLElement {
  const side = createElement("div", "p2m-side")
  const addList = (heading: string, list: HTMLElement) => {
    const part = createElement("div")
    part.append(createElement("h5", "", heading), list)
    side.append(part)
  }
  if (sources.length > 0)
    addList(trans.__("Where rows came from"), renderCounts(sources.map(({ name, rows }) => ({ name, rows, colour: colours.green }))))
  const numRejected = rejected.reduce((sum, { rows }) => sum + rows, 0)
  if (numRejected > 0) {
    const counts = rejected.map(({ reason, rows }) => ({ name: reason, rows, colour: colours[colourOfReason(reason)] }))
    addList(trans.__("%1 rejected", formatCount(numRejected)), renderCounts(counts))
  }
  if (numRows === 0) side.append(createElement("div", "p2m-mute", trans.__("No rows.")))
  return side
}

function renderCounts(counts: readonly { readonly name: string; readonly rows: number; readonly colour: string }[]): HTMLElement {
  const list = createElement("dl")
  for (const { name, rows, colour } of counts) {
    const words = createElement("dd")
    const mark = createElement("span", "p2m-mark")
    mark.style.background = colour
    words.append(mark, makeVisible(name))
    list.append(createElement("dt", "", formatCount(rows)), words)
  }
  return list
}

function renderFoot({ preview, numRows, file, nextStep }: DatasetPayload, openFile?: () => void): HTMLElement {
  const foot = createElement("div", "p2m-foot")
  const shown =
    preview.length < numRows
      ? trans.__("A preview: %1 of %2 rows.", formatCount(preview.length), formatCount(numRows))
      : `${countRows(numRows)}.`
  foot.append(shown)
  if (file !== undefined) foot.append(` ${trans.__("All of them are in")} `, createElement("code", "", file), ".")
  if (openFile) foot.append(" ", createLink(trans.__("Open in the dataset viewer"), openFile), ".")
  if (nextStep !== undefined) foot.append(` ${trans.__("Next:")} `, createElement("code", "", nextStep))
  return foot
}
