// Scores the answers of one system: over all rows that belong together, with intervals, by group and by row.
import { bootstrapInterval } from "../../measures/bootstrap"
import { type MetricScore, type RowStatistics, scoreRows, selectStatistics, sumStatistics } from "../../measures/metric"

export interface Interval {
  readonly low: number
  readonly high: number
}

export interface GroupScores {
  readonly name: string
  readonly rows: number
  /** By metric. */
  readonly scores: Readonly<Record<string, number>>
}

/** Which rows are scored together: `main` for the scores, and each named group apart. */
export interface RowGroups {
  readonly main: readonly number[]
  readonly apart: readonly { readonly name: string; readonly rows: readonly number[] }[]
}

export interface ScoredAnswers {
  readonly scores: Readonly<Record<string, number>>
  /** 95% bootstrap intervals, by metric. */
  readonly intervals: Readonly<Record<string, Interval>>
  readonly groups: readonly GroupScores[]
  /** By metric, one score per row. */
  readonly perRow: Readonly<Record<string, Float64Array>>
  /** By metric, of the main rows: what paired comparisons are made of. */
  readonly statistics: Readonly<Record<string, RowStatistics>>
}

/** Rows without a group are the main rows; where every row has one, all are. */
export function groupRows(groups: readonly (string | undefined)[]): RowGroups {
  const byName = new Map<string, number[]>()
  const main: number[] = []
  for (const [row, name] of groups.entries()) {
    if (name === undefined) main.push(row)
    else if (byName.has(name)) byName.get(name)!.push(row)
    else byName.set(name, [row])
  }
  const apart = [...byName].map(([name, rows]) => ({ name, rows }))
  return { main: main.length > 0 ? main : groups.map((_, row) => row), apart }
}

/** All scores of a system, of what each metric takes of its rows; equal seeds draw the same rows for every system. */
export function scoreSystem(
  measured: readonly { readonly metric: MetricScore; readonly statistics: RowStatistics }[],
  groups: RowGroups,
  seed: string | number,
): ScoredAnswers {
  const scores: Record<string, number> = {}
  const intervals: Record<string, Interval> = {}
  const perRow: Record<string, Float64Array> = {}
  const statistics: Record<string, RowStatistics> = {}
  const byGroup = groups.apart.map(({ name, rows }) => ({ name, rows: rows.length, scores: {} as Record<string, number> }))
  for (const { metric, statistics: all } of measured) {
    const main = selectStatistics(all, groups.main)
    const { value, low, high } = bootstrapInterval(main, metric.score, { seed })
    scores[metric.name] = value
    intervals[metric.name] = { low, high }
    perRow[metric.name] = scoreRows(all, metric.scoreRow)
    statistics[metric.name] = main
    for (const [index, { rows }] of groups.apart.entries())
      byGroup[index].scores[metric.name] = metric.score(sumStatistics(selectStatistics(all, rows)))
  }
  return { scores, intervals, groups: byGroup, perRow, statistics }
}
