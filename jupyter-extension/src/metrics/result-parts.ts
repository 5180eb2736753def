// What trainings, reports and tables share when they are elements of the page. Text only ever goes in as text.
import { diffWords } from "../../../kernel-lib/src/display/word-diff"
import { formatScore } from "../../../kernel-lib/src/display/wording"
import { trans } from "../settings/language"
import { createElement } from "../viewer/elements"

export function renderBar(title: string, subtitle: string): HTMLElement {
  const bar = createElement("div", "p2m-bar")
  bar.append(createElement("span", "p2m-title", title), createElement("span", "p2m-mute", subtitle))
  return bar
}

export interface TableColumn {
  readonly name: string
  readonly isNumber?: boolean
  readonly isMono?: boolean
  /** Instead of its name, for those who cannot see what stands there. */
  readonly label?: string
}

/** An empty table with its head. */
export function createTable(label: string, columns: readonly TableColumn[]): HTMLTableElement {
  const table = createElement("table", "p2m-table")
  table.setAttribute("aria-label", label)
  const head = table.createTHead().insertRow()
  for (const { name, isNumber, label: spoken } of columns) {
    const cell = createElement("th", isNumber ? "p2m-number" : "", name)
    cell.scope = "col"
    if (spoken) cell.setAttribute("aria-label", spoken)
    head.append(cell)
  }
  table.createTBody()
  return table
}

/** A line from 0 to the scale with the interval on it, and a dot where the value is. */
export function renderTrack({ value, low = value, high = value }: Interval, scale: number, colour: string): HTMLElement {
  const track = createElement("span", "p2m-track")
  const place = (score: number) => `${(100 * Math.min(1, Math.max(0, score / scale))).toFixed(2)}%`
  const range = createElement("span", "p2m-range")
  range.style.left = place(low)
  range.style.width = `calc(${place(high)} - ${place(low)})`
  const dot = createElement("span", "p2m-dot")
  dot.style.left = place(value)
  range.style.background = colour
  dot.style.background = colour
  track.append(range, dot)
  track.setAttribute("role", "img")
  track.setAttribute(
    "aria-label",
    low === high
      ? formatScore(value, scale)
      : trans.__("%1, 95% from %2 to %3", formatScore(value, scale), formatScore(low, scale), formatScore(high, scale)),
  )
  return track
}

export interface Interval {
  readonly value: number
  readonly low?: number
  readonly high?: number
}

/** `answer` with what differs from `expected` marked. */
export function renderDifference(expected: string, answer: string): HTMLElement {
  const line = createElement("span", "p2m-text")
  if (answer === "") return createElement("span", "p2m-mute", trans.__("(no answer)"))
  for (const { kind, text } of diffWords(answer.slice(0, 4000), expected.slice(0, 4000)))
    line.append(createElement(kind === "same" ? "span" : kind === "added" ? "ins" : "del", "", text))
  return line
}
