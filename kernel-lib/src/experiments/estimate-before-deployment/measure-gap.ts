// How much easier or harder a generated test is than a real one, and how sure that is: other models, and other rows, might have said otherwise.
import { InputError } from "../../core/errors"
import { bootstrapInterval, type Metric, metricNamed } from "../../measures"
import type { Report } from "../../stages/evaluate/evaluate"
import { layBeside } from "../ablate/compare-cells"
import { meanInterval, meanOf } from "../student-t"

/** A model's reports on both tests. */
export interface ModelReports {
  readonly name: string
  readonly generated: Report
  readonly real?: Report
}

export interface Gap {
  readonly value: number
  readonly low?: number
  readonly high?: number
}

/**
 * Mean over models of the score on generated rows minus that on real ones; undefined where no model has both. The interval's half widths, over
 * models and over the rows of either test, are added as independent errors are.
 * @throws InputError `estimate.other-rows`
 */
export function measureGap(models: readonly ModelReports[], metric: string, seed: number): Gap | undefined {
  const pairs = models.flatMap(({ generated, real }) => (real ? [{ generated, real }] : []))
  if (pairs.length === 0) return undefined
  const gaps = pairs.map(({ generated, real }) => generated.scores[metric] - real.scores[metric])
  const value = meanOf(gaps)
  const overModels = meanInterval(gaps)
  if (!overModels) return { value }
  const known = metricNamed(metric)
  const overRows = [pairs.map(({ generated }) => generated), pairs.map(({ real }) => real)].map((reports) =>
    spreadOverRows(reports, known, seed),
  )
  const reach = Math.hypot((overModels.high - overModels.low) / 2, ...overRows)
  return { value, low: value - reach, high: value + reach }
}

/** Half the width of the 95% bootstrap interval of the reports' mean score, all reports' answers to a row drawn together. */
function spreadOverRows(reports: readonly Report[], metric: Metric, seed: number): number {
  const rows = reports[0].mainRows.length
  if (reports.some(({ mainRows }) => mainRows.length !== rows))
    throw new InputError("estimate.other-rows", "The reports are of different test rows: evaluate all students on the same two tests.")
  const all = reports.flatMap(({ mainRows }) => mainRows)
  const statistics = metric.statistics(
    all.map(({ predicted }) => predicted),
    all.map(({ expected }) => expected),
  )
  const beside = layBeside(
    statistics,
    reports.map((_, at) => at * rows),
    rows,
  )
  const score = (sums: ArrayLike<number>) => {
    const values = sums as Float64Array
    return meanOf(reports.map((_, at) => metric.score(values.subarray(at * statistics.size, (at + 1) * statistics.size))))
  }
  const { low, high } = bootstrapInterval(beside, score, { seed })
  return (high - low) / 2
}
