// Systems and groups with their scores as text tables: in a report, and at the end of a run.
import type { ReportPayload } from "../payloads"
import { formatCount, formatScore } from "../wording"
import { alignTable } from "./table"

/** Systems beside each other; the first metric with its interval. */
export function alignSystems({ metrics, systems }: Pick<ReportPayload, "metrics" | "systems">, width?: number): string[] {
  if (systems.length === 0) return []
  const hasInterval = systems.some(({ scores }) => scores[0]?.low !== undefined && scores[0]?.high !== undefined)
  const hasSize = systems.some(({ size }) => size !== undefined)
  const hasCost = systems.some(({ costPerThousand }) => costPerThousand !== undefined)
  const columns = [
    { name: "system" },
    ...metrics.flatMap(({ name }, index) => [{ name, isNumber: true }, ...(index === 0 && hasInterval ? [{ name: "95% interval" }] : [])]),
    ...(hasSize ? [{ name: "size", isNumber: true }] : []),
    ...(hasCost ? [{ name: "per 1,000 answers", isNumber: true }] : []),
  ]
  const rows = systems.map(({ name, note, scores, size, costPerThousand }) => [
    note ? `${name} (${note})` : name,
    ...metrics.flatMap(({ scale }, index) => [
      formatScore(scores[index]?.value, scale),
      ...(index === 0 && hasInterval ? [describeInterval(scores[0], scale)] : []),
    ]),
    ...(hasSize ? [size ?? "-"] : []),
    ...(hasCost ? [costPerThousand ?? "-"] : []),
  ])
  return alignTable(columns, rows, width)
}

function describeInterval(score: ReportPayload["systems"][number]["scores"][number], scale: number): string {
  return score?.low === undefined || score.high === undefined ? "" : `${formatScore(score.low, scale)} to ${formatScore(score.high, scale)}`
}

/** Groups of rows that are scored apart. */
export function alignGroups({ metrics, groups }: Pick<ReportPayload, "metrics" | "groups">, width?: number): string[] {
  if (groups.length === 0) return []
  return alignTable(
    [{ name: "rows scored apart" }, { name: "rows", isNumber: true }, ...metrics.map(({ name }) => ({ name, isNumber: true }))],
    groups.map(({ name, rows, scores }) => [
      name,
      formatCount(rows),
      ...metrics.map(({ scale }, index) => formatScore(scores[index], scale)),
    ]),
    width,
  )
}
