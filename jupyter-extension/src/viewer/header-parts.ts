// What a column's header shows: a note, and a picture whose parts filter when they are clicked. Also used to find what was clicked.
import { onOneLine } from "../../../kernel-lib/src/display/plain-text"
import { formatCount } from "../../../kernel-lib/src/display/wording"
import type { ColumnInfo, ColumnSummary, Filter, Query } from "../protocol"
import { countRows, trans } from "../settings/language"
import { shortName } from "./elements"

export const headerHeight = 78
const pictureTop = 40
const pictureHeight = 30
export const padding = 8

export interface HeaderPart {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly filter: Filter
  readonly label: string
  readonly isMissing: boolean
  /** Whether the filters on this column let it through. */
  readonly isOn: boolean
  readonly order: number
}

/** What stands in a column, in a few words. */
export function noteOf(info: ColumnInfo, summary: ColumnSummary | undefined, numRows: number): string {
  if (!summary) return info.kind === "number" ? trans.__("number") : info.kind === "date" ? trans.__("date") : trans.__("text")
  const words = [describeContent(summary)]
  if (summary.missing > 0 && summary.kind !== "nothing") words.push(trans.__("%1 missing", formatShare(summary.missing / summary.seen)))
  if (summary.seen < numRows) words.push(trans.__("%1 seen", formatShare(summary.seen / numRows)))
  return words.join(", ")
}

function describeContent(summary: ColumnSummary): string {
  if (summary.kind === "nothing") return trans.__("nothing in it")
  if (summary.kind === "values") return trans._n("%2 value", "%2 values", summary.values.length, summary.values.length)
  const [low, high] = [formatNumber(summary.low, summary.kind), formatNumber(summary.high, summary.kind)]
  return summary.kind === "length" ? countCharacters(low, high, summary.high) : formatRange(low, high)
}

/** `3 to 40`, or `3` where both ends are the same. */
export function formatRange(low: string, high: string): string {
  return low === high ? low : trans.__("%1 to %2", low, high)
}

export function countCharacters(low: string, high: string, count: number): string {
  return trans._n("%2 character", "%2 characters", low === high ? count : 2, formatRange(low, high))
}

function formatShare(share: number): string {
  return share < 0.01 ? trans.__("under 1%") : `${share > 0.99 && share < 1 ? 99 : Math.round(share * 100)}%`
}

export function formatNumber(value: number, kind: string): string {
  if (kind === "date") return formatDate(value)
  if (kind === "length") return formatCount(value)
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)))
}

export function formatDate(value: number): string {
  const date = new Date(value)
  if (Number.isNaN(date.getTime())) return String(value)
  const text = date.toISOString()
  return value % 86_400_000 === 0 ? text.slice(0, 10) : text.slice(0, 19).replace("T", " ")
}

/** The parts of the picture in a column of this width; places are relative to the header's corner. */
export function partsOf(summary: ColumnSummary | undefined, query: Query, width: number): HeaderPart[] {
  if (!summary || summary.kind === "nothing" || width < 40) return []
  const own = query.filters.filter(({ column }) => column === summary.column)
  const isOn = (filter: Filter) => own.length === 0 || own.some((other) => overlap(other, filter))
  const place = { y: pictureTop, height: pictureHeight, isMissing: false }
  const missingWidth = summary.missing > 0 ? 10 : 0
  const room = width - 2 * padding - (missingWidth > 0 && summary.kind !== "values" ? missingWidth + 4 : 0)
  const parts = (summary.kind === "values" ? valueParts(summary, room) : binParts(summary, Math.min(room, 260))).map((part, order) => ({
    ...place,
    ...part,
    isOn: isOn(part.filter),
    order,
  }))
  if (missingWidth === 0) return parts
  const filter: Filter = { kind: "missing", column: summary.column }
  const last = parts.at(-1)
  const label = trans._n(
    "%2 row without %3",
    "%2 rows without %3",
    summary.missing,
    formatCount(summary.missing),
    onOneLine(shortName(summary.column)),
  )
  const x = last ? last.x + last.width + (summary.kind === "values" ? 1 : 4) : padding
  const isBar = summary.kind === "values"
  const height = isBar ? 11 : Math.max(2, (pictureHeight * summary.missing) / summary.seen)
  const y = isBar ? pictureTop + 2 : pictureTop + pictureHeight - height
  return [
    ...parts,
    {
      x,
      y,
      width: isBar ? Math.max(4, width - padding - x) : missingWidth,
      height,
      filter,
      label,
      isMissing: true,
      isOn: isOn(filter),
      order: 0,
    },
  ]
}

function valueParts({ values, column, seen }: Extract<ColumnSummary, { kind: "values" }>, room: number) {
  const least = 4
  const spare = Math.max(0, room - values.length * least)
  let x = padding
  return values.map(({ value, rows }) => {
    const width = Math.max(1, Math.min(room, least + (spare * rows) / seen) - 1)
    const part = { x, width, y: pictureTop + 2, height: 11, filter: { kind: "values", column, values: [value] } as const }
    x += width + 1
    return { ...part, label: `${value === "" ? trans.__("(empty)") : onOneLine(value)}: ${countRows(rows)}` }
  })
}

function binParts(summary: Extract<ColumnSummary, { bins: unknown }>, room: number) {
  const { bins, low, high, column, kind, isWhole } = summary
  const step = Math.min(18, room / bins.length)
  const most = Math.max(1, ...bins)
  const isLength = kind === "length"
  const edge = (index: number) => {
    const exact = low + ((high - low + (isWhole ? 1 : 0)) * index) / bins.length
    return isWhole ? Math.ceil(exact - 1e-9) : exact
  }
  return bins.map((rows, index) => {
    const isLast = index === bins.length - 1
    const filter = {
      kind: isLength ? "length" : "range",
      column,
      low: index === 0 ? low : edge(index),
      high: isLast ? high : edge(index + 1),
      isLast,
    } as const
    const height = rows === 0 ? 0 : Math.max(1.5, (pictureHeight * rows) / most)
    const x = padding + index * step
    const end = isWhole && !isLast ? filter.high - 1 : filter.high
    const [first, last] = [formatNumber(filter.low, kind), formatNumber(end, kind)]
    const range = isLength ? countCharacters(first, last, end) : formatRange(first, last)
    return {
      x,
      width: step - (step > 5 ? 2 : 0.5),
      y: pictureTop + pictureHeight - height,
      height,
      filter,
      label: `${range}: ${countRows(rows)}`,
    }
  })
}

function overlap(one: Filter, other: Filter): boolean {
  if (one.kind === "present") return other.kind !== "missing"
  if (one.kind === "values" && other.kind === "values") return one.values.some((value) => other.values.includes(value))
  if ((one.kind === "range" || one.kind === "length") && one.kind === other.kind)
    return one.low < other.high && other.low < one.high ? true : one.low === other.low || (one.high === other.high && one.isLast)
  return one.kind === other.kind
}

/** The part at this place of the header; its whole height counts, since low bars are hard to hit. */
export function partAt(parts: readonly HeaderPart[], x: number, y: number): HeaderPart | undefined {
  if (y < pictureTop - 2) return undefined
  return parts.find((part) => x >= part.x && x < part.x + part.width + 1)
}
