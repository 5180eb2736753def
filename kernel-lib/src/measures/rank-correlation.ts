// Whether two ways of scoring put systems into the same order: Kendall's tau-b and Spearman's rho, with a permutation test and an interval.
import { InputError } from "../core/errors"
import { Random } from "../core/random"

export interface RankCorrelation {
  /** -1 to 1; NaN where one side has all values alike. */
  readonly value: number
  /** Two-sided: how often a random order would agree or disagree as much, in (0, 1]. */
  readonly p: number
  /** The middle 95% over bootstrap resamples of the systems; wide for few systems. */
  readonly low: number
  readonly high: number
}

export interface RankCorrelationOptions {
  /** Default 1. */
  readonly seed?: string | number
  /** Draws for p and for the interval; up to 8 systems all orders are looked at instead. Default 10,000. */
  readonly resamples?: number
}

/**
 * Kendall's tau-b: pairs in the same order against pairs in the opposite one, ties counted out.
 * @param x at least two values, as many as `y`
 * @throws InputError `rank.lengths`
 */
export function kendallTau(x: readonly number[], y: readonly number[], options: RankCorrelationOptions = {}): RankCorrelation {
  return correlate(x, y, tauOf, options)
}

/**
 * Spearman's rho: the correlation of ranks, ties sharing their mean rank.
 * @param x at least two values, as many as `y`
 * @throws InputError `rank.lengths`
 */
export function spearmanRho(x: readonly number[], y: readonly number[], options: RankCorrelationOptions = {}): RankCorrelation {
  return correlate(x, y, rhoOf, options)
}

type Coefficient = (x: readonly number[], y: readonly number[]) => number

function tauOf(x: readonly number[], y: readonly number[]): number {
  let difference = 0
  let inX = 0
  let inY = 0
  for (let i = 0; i < x.length; i++) {
    for (let j = i + 1; j < x.length; j++) {
      const [a, b] = [Math.sign(x[i] - x[j]), Math.sign(y[i] - y[j])]
      difference += a * b
      inX += a * a
      inY += b * b
    }
  }
  return difference / Math.sqrt(inX * inY)
}

function rhoOf(x: readonly number[], y: readonly number[]): number {
  const [a, b] = [ranksOf(x), ranksOf(y)]
  const mean = (x.length + 1) / 2
  const sum = (term: (row: number) => number) => a.reduce((total, _, row) => total + term(row), 0)
  const shared = sum((row) => (a[row] - mean) * (b[row] - mean))
  return shared / Math.sqrt(sum((row) => (a[row] - mean) ** 2) * sum((row) => (b[row] - mean) ** 2))
}

/** Ranks from 1; equal values share the mean of theirs. */
function ranksOf(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length
    const alike = values.filter((other) => other === value).length
    return below + (alike + 1) / 2
  })
}

function correlate(
  x: readonly number[],
  y: readonly number[],
  coefficient: Coefficient,
  { seed = 1, resamples = 10_000 }: RankCorrelationOptions,
): RankCorrelation {
  if (x.length !== y.length || x.length < 2) {
    throw new InputError(
      "rank.lengths",
      `Orders are compared on at least two systems scored twice: there are ${x.length} and ${y.length} scores.`,
    )
  }
  const value = coefficient(x, y)
  if (Number.isNaN(value)) return { value, p: 1, low: Number.NaN, high: Number.NaN }
  const random = new Random(`rank/${seed}`)
  return { value, p: permutationP(x, y, value, coefficient, random, resamples), ...bootstrapMiddle(x, y, coefficient, random, resamples) }
}

const mostForAllOrders = 8

function permutationP(
  x: readonly number[],
  y: readonly number[],
  value: number,
  coefficient: Coefficient,
  random: Random,
  resamples: number,
): number {
  // Sums in another order differ in their last digits.
  const isAsFar = (order: readonly number[]) => Math.abs(coefficient(x, order)) >= Math.abs(value) - 1e-12
  if (x.length <= mostForAllOrders) {
    let asFar = 0
    let orders = 0
    for (const order of permutations(y)) {
      orders++
      if (isAsFar(order)) asFar++
    }
    return asFar / orders
  }
  let asFar = 0
  for (let draw = 0; draw < resamples; draw++) if (isAsFar(random.shuffle(y))) asFar++
  return (asFar + 1) / (resamples + 1)
}

function* permutations(values: readonly number[]): Generator<number[]> {
  if (values.length <= 1) yield [...values]
  else
    for (const [at, first] of values.entries())
      for (const rest of permutations([...values.slice(0, at), ...values.slice(at + 1)])) yield [first, ...rest]
}

function bootstrapMiddle(x: readonly number[], y: readonly number[], coefficient: Coefficient, random: Random, resamples: number) {
  const values: number[] = []
  for (let draw = 0; draw < resamples; draw++) {
    const rows = x.map(() => random.integer(x.length))
    const value = coefficient(
      rows.map((row) => x[row]),
      rows.map((row) => y[row]),
    )
    // A draw of one system alone has no order.
    if (!Number.isNaN(value)) values.push(value)
  }
  values.sort((a, b) => a - b)
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))]
  return { low: at(0.025), high: at(0.975) }
}
