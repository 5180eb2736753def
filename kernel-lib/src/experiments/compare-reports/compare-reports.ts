// compareReports: two reports on the same test rows in, what changed between them out.
import { InputError } from "../../core/errors"
import { mcNemar, metricNamed, pairedBootstrap } from "../../measures"
import type { Report, ReportRow } from "../../stages/evaluate/evaluate"
import { type ChangedRow, ReportComparison, type ScoreChange } from "./report-comparison"

export interface CompareReportsOptions {
  /** What the two are called. Default `before` and `after`. */
  readonly names?: readonly [string, string]
  /** Of the bootstrap. Default 1. */
  readonly seed?: number
}

/**
 * Sets two reports on the same test rows side by side, as before and after a change of the training rows: each score with its difference and a
 * paired test, and which rows were fixed and which broke. Rows of a named group are left out, as in a report's scores.
 *
 * @throws InputError `compare.other-rows`, `compare.no-metric`
 * @example
 * const base = await loadModel("bundled/byte-t5-tiny", { hub })
 * const before = await evaluate(base, own)
 * const { student } = await fineTune(base, { train: own, epochs: 1 })
 * const comparison = compareReports(before, await evaluate(student, own))
 * comparison.fixed.length - comparison.broken.length
 */
export function compareReports(before: Report, after: Report, options: CompareReportsOptions = {}): ReportComparison {
  const { names = ["before", "after"], seed = 1 } = options
  const [first, second] = [before.mainRows, after.mainRows]
  const isSame =
    first.length === second.length && first.every((row, at) => row.input === second[at].input && row.expected === second[at].expected)
  if (!isSame)
    throw new InputError("compare.other-rows", "The two reports are of different test rows: evaluate both students on the same test set.")
  const metrics = before.metrics.filter((name) => after.metrics.includes(name))
  if (metrics.length === 0)
    throw new InputError(
      "compare.no-metric",
      `The reports share no metric: one has ${before.metrics.join(", ")}, the other ${after.metrics.join(", ")}.`,
    )
  const isRight = rightness(metrics[0], before, after)
  const rows = first.map(
    (row, at): ChangedRow => ({
      ...{ row: row.row, id: row.id, input: row.input, expected: row.expected, before: row.predicted, after: second[at].predicted },
      change: describeChange(isRight(row), isRight(second[at])),
    }),
  )
  const flags = (of: readonly ReportRow[]) => of.map((row) => Number(isRight(row)))
  return new ReportComparison({
    names,
    scores: metrics.map((name) => compareScores(name, first, second, seed)),
    rows,
    p: mcNemar(flags(first), flags(second)).p,
  })
}

/** Rows are right by the first metric that both have; where that is not the one that a report went by, by its score. */
function rightness(metric: string, ...reports: readonly Report[]): (row: ReportRow) => boolean {
  if (reports.every(({ metrics }) => metrics[0] === metric)) return ({ isRight }) => isRight
  const { scale } = metricNamed(metric)
  return ({ scores }) => scores[metric] >= scale * (1 - 1e-12)
}

function describeChange(wasRight: boolean, isRight: boolean): ChangedRow["change"] {
  if (wasRight === isRight) return wasRight ? "right" : "wrong"
  return isRight ? "fixed" : "broken"
}

function compareScores(name: string, before: readonly ReportRow[], after: readonly ReportRow[], seed: number): ScoreChange {
  const metric = metricNamed(name)
  const expected = before.map((row) => row.expected)
  const answers = [...before, ...after].map(({ predicted }) => predicted)
  // Together, since labels are numbered as they come, and both sides need the same numbers.
  const { size, values } = metric.statistics(answers, [...expected, ...expected])
  const rows = before.length
  const [first, second] = [0, rows].map((start) => ({ rows, size, values: values.subarray(start * size, (start + rows) * size) }))
  const { value, low, high, p } = pairedBootstrap(second, first, metric.score, { seed })
  const score = (of: readonly ReportRow[]) =>
    metric.corpus(
      of.map(({ predicted }) => predicted),
      expected,
    )
  return { metric: name, before: score(before), after: score(after), difference: value, low, high, p }
}
