// What the answers of all cells say: means over seeds with intervals, and each cell against the reference on the same rows.
import { bootstrapInterval, type Interval, type Metric, mcNemar, metricNamed, type PairedDifference, pairedBootstrap } from "../../measures"
import type { RowStatistics } from "../../measures/metric"
import { meanInterval, meanOf } from "../student-t"

/** The answers that a cell's student gave, trained from one seed. */
export interface SeedAnswers {
  readonly seed: number
  readonly answers: readonly string[]
}

/** A cell against the reference. */
export interface CellComparison extends PairedDifference {
  /** `p` after Holm's correction for all comparisons of the table. */
  readonly adjustedP: number
}

export interface CellMcNemar {
  readonly onlyThis: number
  readonly onlyReference: number
  readonly p: number
}

/** Mean over seeds of the corpus score, with its 95% interval: over seeds (Student's t) where there are several, else over rows (bootstrap). */
export function scoreSeeds(
  runs: readonly SeedAnswers[],
  expected: readonly string[],
  metric: Metric,
  seed: number,
): Interval & { readonly perSeed: readonly number[] } {
  const perSeed = runs.map(({ answers }) => metric.corpus(answers, expected))
  const value = meanOf(perSeed)
  const overSeeds = meanInterval(perSeed)
  const clip = (bound: number) => Math.min(metric.scale, Math.max(0, bound))
  if (overSeeds) return { value, low: clip(overSeeds.low), high: clip(overSeeds.high), perSeed }
  const { low, high } = bootstrapInterval(metric.statistics(runs[0].answers, expected), metric.score, { seed })
  return { value, low, high, perSeed }
}

/**
 * The difference of mean scores by paired bootstrap over rows: a row is drawn with its answers from all seeds that both have, so that answers
 * to one row do not count as independent. Undefined where they have no seed in common.
 */
export function compareSeeds(
  first: readonly SeedAnswers[],
  second: readonly SeedAnswers[],
  expected: readonly string[],
  metric: Metric,
  seed: number,
): PairedDifference | undefined {
  const pairs = pairSeeds(first, second)
  if (pairs.length === 0) return undefined
  const rows = expected.length
  // Together, since labels are numbered as they come, and both sides need the same numbers.
  const all = metric.statistics(
    pairs.flatMap(([a, b]) => [...a.answers, ...b.answers]),
    pairs.flatMap(() => [...expected, ...expected]),
  )
  const side = (offset: 0 | 1) =>
    layBeside(
      all,
      pairs.map((_, at) => (2 * at + offset) * rows),
      rows,
    )
  const score = (sums: ArrayLike<number>) => {
    const values = sums as Float64Array
    return meanOf(pairs.map((_, at) => metric.score(values.subarray(at * all.size, (at + 1) * all.size))))
  }
  return pairedBootstrap(side(0), side(1), score, { seed })
}

/** McNemar's test over rows; with several seeds a row is right where more than half of them are. */
export function compareRight(
  first: readonly SeedAnswers[],
  second: readonly SeedAnswers[],
  expected: readonly string[],
  metric: Metric,
): CellMcNemar | undefined {
  const pairs = pairSeeds(first, second)
  if (pairs.length === 0) return undefined
  const vote = (answers: readonly (readonly string[])[]) => {
    const right = answers.map((one) => metric.perRow(one, expected))
    return expected.map((_, row) => (2 * right.reduce((sum, scores) => sum + scores[row], 0) > right.length ? 1 : 0))
  }
  const { onlyFirst, onlySecond, p } = mcNemar(vote(pairs.map(([{ answers }]) => answers)), vote(pairs.map(([, { answers }]) => answers)))
  return { onlyThis: onlyFirst, onlyReference: onlySecond, p }
}

/** Whether each row's score is 0 or 1. */
export function isRightOrWrong(name: string): boolean {
  return ["exactMatch", "exactMatchNormalized", "accuracy"].includes(metricNamed(name).name)
}

/** Holm's step-down correction (1979): the chance of any false finding among all `ps` stays what each alone had. */
export function adjustByHolm(ps: readonly number[]): number[] {
  const order = [...ps.keys()].sort((a, b) => ps[a] - ps[b])
  const adjusted: number[] = new Array(ps.length)
  let most = 0
  for (const [rank, at] of order.entries()) {
    most = Math.max(most, Math.min(1, ps[at] * (ps.length - rank)))
    adjusted[at] = most
  }
  return adjusted
}

function pairSeeds(first: readonly SeedAnswers[], second: readonly SeedAnswers[]): [SeedAnswers, SeedAnswers][] {
  return first.flatMap((a) => {
    const b = second.find(({ seed }) => seed === a.seed)
    return b ? [[a, b] as [SeedAnswers, SeedAnswers]] : []
  })
}

/** Statistics whose rows are those of several blocks, one beside the other. */
export function layBeside({ size, values }: RowStatistics, offsets: readonly number[], rows: number): RowStatistics {
  const width = size * offsets.length
  const laid = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++)
    for (const [at, offset] of offsets.entries())
      laid.set(values.subarray((offset + row) * size, (offset + row + 1) * size), row * width + at * size)
  return { rows, size: width, values: laid }
}
