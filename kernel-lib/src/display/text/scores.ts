// Systems and groups with their scores as text tables: in a report, and at the end of a run.
import type { ReportPayload, ReportSystem } from "../payloads"
import { widthOf } from "../plain-text"
import { formatCount, formatScore } from "../wording"
import { alignTable, type TextColumn, usualWidth } from "./table"

type Scores = Pick<ReportPayload, "metrics" | "systems">

/** Systems beside each other; the first metric with its interval. In a narrow window costs go first, then sizes, then intervals. */
export function alignSystems({ metrics, systems }: Scores, width = usualWidth): string[] {
  if (systems.length === 0) return []
  const columns = chooseColumns(metrics, systems)
  for (let left = columns; ; left = left.filter((column) => column !== left.findLast(({ isOptional }) => isOptional))) {
    const cells = systems.map((system) => left.map(({ cell }) => cell(system)))
    const natural = alignTable(left, cells, Number.POSITIVE_INFINITY)
    if (Math.max(...natural.map(widthOf)) <= width || !left.some(({ isOptional }) => isOptional)) return alignTable(left, cells, width)
  }
}

interface ScoreColumn extends TextColumn {
  readonly isOptional?: boolean
  cell(system: ReportSystem): string
}

function chooseColumns(metrics: Scores["metrics"], systems: Scores["systems"]): ScoreColumn[] {
  const hasInterval = systems.some(({ scores }) => scores[0]?.low !== undefined && scores[0]?.high !== undefined)
  const scoreColumns = metrics.map(({ name, scale }, index) => ({
    name,
    isNumber: true,
    cell: ({ scores }: ReportSystem) => formatScore(scores[index]?.value, scale),
  }))
  const columns: (ScoreColumn | false)[] = [
    { name: "system", cell: ({ name, note }) => (note ? `${name} (${note})` : name) },
    ...scoreColumns.slice(0, 1),
    hasInterval && { name: "95% interval", isOptional: true, cell: ({ scores }) => describeInterval(scores[0], metrics[0].scale) },
    ...scoreColumns.slice(1),
    systems.some(({ size }) => size !== undefined) && { name: "size", isNumber: true, isOptional: true, cell: ({ size }) => size ?? "-" },
    systems.some(({ costPerThousand }) => costPerThousand !== undefined) && {
      name: "per 1,000 answers",
      isNumber: true,
      isOptional: true,
      cell: ({ costPerThousand }) => costPerThousand ?? "-",
    },
  ]
  return columns.filter((column): column is ScoreColumn => column !== false)
}

function describeInterval(score: ReportPayload["systems"][number]["scores"][number], scale: number): string {
  return score?.low === undefined || score.high === undefined ? "" : `${formatScore(score.low, scale)} to ${formatScore(score.high, scale)}`
}

/** Groups of rows, each with its scores: those scored apart, or slices. */
export function alignGroups(
  { metrics, groups }: Pick<ReportPayload, "metrics" | "groups">,
  width?: number,
  title = "rows scored apart",
): string[] {
  if (groups.length === 0) return []
  return alignTable(
    [{ name: title }, { name: "rows", isNumber: true }, ...metrics.map(({ name }) => ({ name, isNumber: true }))],
    groups.map(({ name, rows, scores }) => [
      name,
      formatCount(rows),
      ...metrics.map(({ scale }, index) => formatScore(scores[index], scale)),
    ]),
    width,
  )
}
