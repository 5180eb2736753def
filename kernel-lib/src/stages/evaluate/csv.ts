// A report as CSV: its test rows, or its systems.
import { formatCsv } from "../../store/tables"
import type { BaselineName, ReportData } from "./report-data"

/** A line for each test row: what was asked, expected and answered, each score, and what other systems answered. */
export function writeRowsCsv<MetricName extends string>({ metrics, rows }: Pick<ReportData<MetricName>, "metrics" | "rows">): string {
  const asked = [...new Set(rows.flatMap(({ answers }) => Object.keys(answers)))] as BaselineName[]
  const has = (field: "group" | "nearest") => rows.some((row) => row[field] !== undefined)
  const columns = [
    ...["row", "id", ...(has("group") ? ["group"] : []), "input", "expected", "predicted", "confidence", "isRight", ...metrics],
    ...asked.map((name) => `${name} answer`),
    ...(has("nearest") ? ["nearest input", "nearest output", "nearest similarity"] : []),
  ]
  return formatCsv(
    columns,
    rows.map(({ scores, answers, nearest, ...row }) => ({
      ...{ ...row, ...scores },
      ...Object.fromEntries(asked.map((name) => [`${name} answer`, answers[name]])),
      ...{ "nearest input": nearest?.input, "nearest output": nearest?.output, "nearest similarity": nearest?.similarity },
    })),
  )
}

/** A line for each system and metric, with its 95% interval. */
export function writeSystemsCsv<MetricName extends string>({
  metrics,
  systems,
}: Pick<ReportData<MetricName>, "metrics" | "systems">): string {
  const columns = ["system", "label", "note", "metric", "score", "low", "high", "failures", "bytes", "usdPerThousand", "secondsPerThousand"]
  return formatCsv(
    columns,
    systems.flatMap(({ name, scores, intervals, failures, ...system }) =>
      metrics.map((metric): Record<string, unknown> => {
        const { low, high } = intervals[metric]
        return { ...system, system: name, metric, score: scores[metric], low, high, failures: failures.length }
      }),
    ),
  )
}
