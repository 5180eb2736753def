// Slices of a report: rows that have something in common, scored apart, to see where a student is weak.
import { payloadVersion, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { countOf, formatCount, formatScore } from "../../display/wording"
import { describeMetric, metricNamed, needsEncoder } from "../../measures/metrics"
import type { ReportRow } from "./report-data"

/** `length`: four parts of about equal size by the input's characters. `label`: the expected output. Or a function that names a row's slice. */
export type SliceBy<MetricName extends string = string> = "length" | "label" | ((row: ReportRow<MetricName>) => string)

export interface Slice<MetricName extends string = string> {
  /** `9 to 14 characters`, or the label. */
  readonly name: string
  readonly rows: number
  readonly scores: Readonly<Record<MetricName, number>>
}

const parts = 4
/** Labels beyond these are put together. */
const mostLabels = 20
/** More labels than these, or rarer ones, are not sliced by unless somebody asks. */
const mostShownLabels = 12
const leastRowsOfLabel = 3

/** Scores of each slice: lengths in order, anything else the largest slice first. */
export function sliceRows<MetricName extends string>(
  rows: readonly ReportRow<MetricName>[],
  metrics: readonly MetricName[],
  by: SliceBy<MetricName>,
): readonly Slice<MetricName>[] {
  const groups = by === "length" ? groupByLength(rows) : groupByName(rows, by)
  const slices = groups.map(([name, members]) => ({
    name,
    rows: members.length,
    scores: Object.fromEntries(
      metrics.map((metric) => [metric, by === "label" && metric === "macroF1" ? scoreLabels(members, rows) : scoreSlice(members, metric)]),
    ) as Record<MetricName, number>,
  }))
  makeSelfShowing(slices, () => describeSlices(slices, metrics, typeof by === "function" ? by.name || "slice" : by))
  return Object.freeze(slices)
}

/** Whether the expected answers are labels: few, and each met several times. */
export function hasFewLabels(rows: readonly Pick<ReportRow, "expected">[]): boolean {
  const labels = new Set(rows.map(({ expected }) => expected.trim()))
  return labels.size > 1 && labels.size <= mostShownLabels && labels.size * leastRowsOfLabel <= rows.length
}

function scoreSlice<MetricName extends string>(members: readonly ReportRow<MetricName>[], metric: MetricName): number {
  // Such a metric is the mean of its rows.
  if (needsEncoder(metric)) return members.reduce((sum, { scores }) => sum + scores[metric], 0) / members.length
  return metricNamed(metric).corpus(
    members.map(({ predicted }) => predicted),
    members.map(({ expected }) => expected),
  )
}

/** F1 of the labels that are expected in a slice, over all rows: among their own rows alone no label is ever answered wrongly. */
function scoreLabels(members: readonly ReportRow[], rows: readonly ReportRow[]): number {
  const labels = new Set(members.map(({ expected }) => expected.trim()))
  const f1 = [...labels].map((label) => {
    const count = (is: (row: ReportRow) => boolean) => rows.filter(is).length
    const answered = count(({ predicted }) => predicted.trim() === label)
    const expected = count((row) => row.expected.trim() === label)
    return (2 * count((row) => row.predicted.trim() === label && row.expected.trim() === label)) / (answered + expected)
  })
  return f1.reduce((sum, value) => sum + value, 0) / f1.length
}

type Members<MetricName extends string> = [name: string, rows: readonly ReportRow<MetricName>[]]

function groupByLength<MetricName extends string>(rows: readonly ReportRow<MetricName>[]): Members<MetricName>[] {
  const lengthOf = ({ input }: ReportRow<MetricName>) => [...input].length
  const sorted = [...rows].sort((a, b) => lengthOf(a) - lengthOf(b))
  const groups: ReportRow<MetricName>[][] = []
  for (const [position, row] of sorted.entries()) {
    const last = groups.at(-1)
    const isDue = Math.floor((position * parts) / sorted.length) >= groups.length
    // Equal lengths stay together.
    if (last && (!isDue || lengthOf(last.at(-1)!) === lengthOf(row))) last.push(row)
    else groups.push([row])
  }
  return groups.map((group) => {
    const [shortest, longest] = [lengthOf(group[0]), lengthOf(group.at(-1)!)]
    return [shortest === longest ? countOf(shortest, "character") : `${shortest} to ${longest} characters`, group]
  })
}

function groupByName<MetricName extends string>(
  rows: readonly ReportRow<MetricName>[],
  by: Exclude<SliceBy<MetricName>, "length">,
): Members<MetricName>[] {
  const nameOf = by === "label" ? ({ expected }: ReportRow<MetricName>) => expected.trim() : (by as (row: ReportRow<MetricName>) => string)
  const groups = new Map<string, ReportRow<MetricName>[]>()
  for (const row of rows) {
    const name = nameOf(row)
    const known = groups.get(name)
    if (known) known.push(row)
    else groups.set(name, [row])
  }
  const sorted = [...groups].sort(([a, rowsA], [b, rowsB]) => rowsB.length - rowsA.length || (a < b ? -1 : 1))
  const others = sorted.slice(mostLabels)
  const rest: Members<MetricName>[] =
    others.length === 0 ? [] : [[`${formatCount(others.length)} others`, others.flatMap(([, group]) => group)]]
  return [...sorted.slice(0, mostLabels), ...rest]
}

function describeSlices<MetricName extends string>(
  slices: readonly Slice<MetricName>[],
  metrics: readonly MetricName[],
  by: string,
): TablePayload {
  return {
    kind: "table",
    version: payloadVersion,
    title: `Scores by ${by}`,
    subtitle: `${countOf(
      slices.reduce((sum, { rows }) => sum + rows, 0),
      "row",
    )} in ${countOf(slices.length, "slice")}`,
    columns: [
      { name: by, isText: by === "label" },
      { name: "rows", isNumber: true },
      ...metrics.map((metric) => ({ name: describeMetric(metric).label, isNumber: true })),
    ],
    rows: slices.map(({ name, rows, scores }) => ({
      cells: [name, formatCount(rows), ...metrics.map((metric) => formatScore(scores[metric], describeMetric(metric).scale))],
    })),
    notes: [],
  }
}
