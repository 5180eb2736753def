// How sure a score is: rows drawn again with replacement, and the score of each draw (Efron 1979; paired for two systems, Koehn 2004).
import { InputError } from "../core/errors"
import { Random } from "../core/random"
import { type Metric, type RowStatistics, sumStatistics } from "./metric"

export interface BootstrapOptions {
  /** Equal seeds draw equal rows, so that systems are compared on the same draws. Default 1. */
  readonly seed?: string | number
  /** Default 1,000. */
  readonly resamples?: number
  /** Share of draws inside the interval. Default 0.95. */
  readonly confidence?: number
}

/** A score and the interval that holds the middle `confidence` of its resamples. */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface PairedDifference extends Interval {
  /** Two-sided: how often chance alone would turn the difference around, in (0, 1]. */
  readonly p: number
}

/** The score of `statistics` with its bootstrap interval (percentiles). */
export function bootstrapInterval(statistics: RowStatistics, score: Metric["score"], options: BootstrapOptions = {}): Interval {
  const scores = resample([statistics], options, ([sums]) => score(sums))
  return { value: score(sumStatistics(statistics)), ...middle(scores, options.confidence) }
}

/**
 * How much better `first` scores than `second` on the same rows, with its interval and p-value.
 * @throws InputError `bootstrap.rows-differ`
 */
export function pairedBootstrap(
  first: RowStatistics,
  second: RowStatistics,
  score: Metric["score"],
  options: BootstrapOptions = {},
): PairedDifference {
  if (first.rows !== second.rows) {
    throw new InputError(
      "bootstrap.rows-differ",
      `Two systems are compared on the same rows: one has ${first.rows}, the other ${second.rows}.`,
    )
  }
  const differences = resample([first, second], options, ([a, b]) => score(a) - score(b))
  const value = score(sumStatistics(first)) - score(sumStatistics(second))
  const notAbove = differences.reduce((count, difference) => count + (difference <= 0 ? 1 : 0), 0)
  const notBelow = differences.reduce((count, difference) => count + (difference >= 0 ? 1 : 0), 0)
  // One is added on both sides, since a finite number of draws never proves a chance of 0.
  const p = Math.min(1, (2 * (Math.min(notAbove, notBelow) + 1)) / (differences.length + 1))
  return { value, ...middle(differences, options.confidence), p }
}

/** `measure` of the sums of each resample, sorted. */
function resample(
  systems: readonly RowStatistics[],
  { seed = 1, resamples = 1000 }: BootstrapOptions,
  measure: (sums: Float64Array[]) => number,
): Float64Array {
  const random = new Random(`bootstrap/${seed}`)
  const { rows } = systems[0]
  const sums = systems.map(({ size }) => new Float64Array(size))
  const timesDrawn = new Uint32Array(rows)
  const results = new Float64Array(resamples)
  for (let draw = 0; draw < resamples; draw++) {
    timesDrawn.fill(0)
    for (let count = 0; count < rows; count++) timesDrawn[random.integer(rows)]++
    for (const [system, { size, values }] of systems.entries()) addDrawn(values, size, timesDrawn, sums[system])
    results[draw] = measure(sums)
  }
  return results.sort()
}

function addDrawn(values: Float64Array, size: number, timesDrawn: Uint32Array, sums: Float64Array): void {
  sums.fill(0)
  for (let row = 0, offset = 0; row < timesDrawn.length; row++, offset += size) {
    const times = timesDrawn[row]
    if (times === 0) continue
    for (let index = 0; index < size; index++) sums[index] += times * values[offset + index]
  }
}

function middle(sorted: Float64Array, confidence = 0.95): { low: number; high: number } {
  const outside = (1 - confidence) / 2
  return { low: quantile(sorted, outside), high: quantile(sorted, 1 - outside) }
}

/** Linear between the two nearest values, as numpy has it. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1)
  const below = Math.floor(position)
  const above = Math.ceil(position)
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below)
}
