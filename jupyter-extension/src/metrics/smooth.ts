// What turns logged points into the lines that are drawn: smoothing, and the mean with its interval over runs that differ in their seed alone.

export interface Series {
  readonly x: readonly number[]
  readonly y: readonly number[]
}

/** A mean over runs; `low` and `high` hold what is 95% sure of it, and are equal to it where there is one run alone. */
export interface MeanSeries extends Series {
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** Exponential moving average, unbiased at its start. @param weight of what was before, 0 (none) to below 1 */
export function smooth({ x, y }: Series, weight: number): Series {
  if (weight <= 0) return { x, y }
  let sum = 0
  let known = 0
  return {
    x,
    y: y.map((value) => {
      if (!Number.isFinite(value)) return value
      sum = sum * weight + (1 - weight) * value
      known = known * weight + (1 - weight)
      return sum / known
    }),
  }
}

/** Places at which runs that were not logged at the same ones are compared. */
const places = 160

/** The mean of several runs, with Student's interval, at the places that at least two of them reach: of one that is left alone it would be no mean. */
export function averageSeries(all: readonly Series[]): MeanSeries {
  const series = all.filter(({ x }) => x.length > 0)
  if (series.length === 0) return { x: [], y: [], low: [], high: [] }
  if (series.length === 1) return { ...series[0], low: series[0].y, high: series[0].y }
  const means = commonPlaces(series).flatMap((x) => {
    const values = series.flatMap((one) => valueAt(one, x) ?? [])
    return values.length > 1 ? [{ x, ...meanOf(values) }] : []
  })
  return { x: means.map(({ x }) => x), y: means.map(({ y }) => y), low: means.map(({ low }) => low), high: means.map(({ high }) => high) }
}

function commonPlaces(series: readonly Series[]): readonly number[] {
  const isSame = series.every(({ x }) => x.length === series[0].x.length && x.every((value, at) => value === series[0].x[at]))
  if (isSame) return series[0].x
  const low = Math.min(...series.map(({ x }) => x[0]))
  const high = Math.max(...series.map(({ x }) => x[x.length - 1]))
  return Array.from({ length: places }, (_none, at) => low + ((high - low) * at) / (places - 1))
}

/** Between two points on the line through them; undefined before the first one and after the last one. */
export function valueAt({ x, y }: Series, place: number): number | undefined {
  if (x.length === 0 || place < x[0] || place > x[x.length - 1]) return undefined
  let [first, last] = [0, x.length - 1]
  while (last - first > 1) {
    const middle = (first + last) >> 1
    if (x[middle] <= place) first = middle
    else last = middle
  }
  if (x[last] === x[first]) return y[last]
  const share = Math.min(1, Math.max(0, (place - x[first]) / (x[last] - x[first])))
  return y[first] + share * (y[last] - y[first])
}

/** Student's interval of 95%; of one value, the value. */
export function meanOf(values: readonly number[]): { y: number; low: number; high: number } {
  const y = values.reduce((sum, value) => sum + value, 0) / values.length
  if (values.length < 2) return { y, low: y, high: y }
  const variance = values.reduce((sum, value) => sum + (value - y) ** 2, 0) / (values.length - 1)
  const half = quantileOfStudent(values.length - 1) * Math.sqrt(variance / values.length)
  return { y, low: y - half, high: y + half }
}

const quantiles = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101,
]

/** The 97.5% quantile of Student's distribution, to 0.001. */
function quantileOfStudent(freedom: number): number {
  return quantiles[freedom - 1] ?? 1.96 + 2.3724 / freedom + 2.82 / freedom ** 2
}
