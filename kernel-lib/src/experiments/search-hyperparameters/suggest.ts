// What to try next: at random, or by the tree-structured Parzen estimator (Bergstra et al. 2011): of the trials so far the good ones and the
// others each make a density for every setting, and of places drawn from the good one's, that is taken which it favours most over the other's.
import type { Random } from "../../core/random"
import { type Dimension, drawPlace, type Place } from "./space"

/** A finished trial; lower losses are better. */
export interface Observation {
  readonly places: readonly Place[]
  readonly loss: number
}

export interface SuggestOptions {
  /** Trials drawn at random before the estimator is asked. Default 8. */
  readonly startTrials?: number
  /** Places that are drawn from the good trials' density. Default 24. */
  readonly candidates?: number
}

export function suggestAtRandom(dimensions: readonly Dimension[], random: Random): Place[] {
  return dimensions.map((dimension) => drawPlace(dimension, random))
}

export function suggestByTpe(
  dimensions: readonly Dimension[],
  observations: readonly Observation[],
  random: Random,
  { startTrials = 8, candidates = 24 }: SuggestOptions = {},
): Place[] {
  if (observations.length < startTrials) return suggestAtRandom(dimensions, random)
  const sorted = [...observations].sort((a, b) => a.loss - b.loss)
  // As many as Optuna and Hyperopt take: a tenth, at least two and at most 25.
  const numGood = Math.min(25, Math.max(2, Math.ceil(0.1 * sorted.length)))
  const [good, others] = [sorted.slice(0, numGood), sorted.slice(numGood)]
  return dimensions.map((dimension, at) => {
    const placesOf = (trials: readonly Observation[]) => trials.map(({ places }) => places[at])
    const isList = dimension.kind === "list"
    const make = (places: readonly Place[]) => (isList ? countDensity(places, dimension.values.length) : parzenDensity(places))
    const [inGood, inOthers] = [make(placesOf(good)), make(placesOf(others))]
    let best: Place = 0
    let bestRatio = Number.NEGATIVE_INFINITY
    for (let draw = 0; draw < candidates; draw++) {
      const place = inGood.draw(random)
      const ratio = Math.log(inGood.at(place)) - Math.log(inOthers.at(place))
      if (ratio > bestRatio) {
        best = place
        bestRatio = ratio
      }
    }
    return best
  })
}

interface Density {
  draw(random: Random): Place
  at(place: Place): number
}

/** Each value as often as it was seen, and all of them once more. */
function countDensity(places: readonly Place[], values: number): Density {
  const weights = new Array<number>(values).fill(1)
  for (const place of places) weights[place]++
  const sum = places.length + values
  return {
    draw(random) {
      let left = random.next() * sum
      for (const [place, weight] of weights.entries()) {
        left -= weight
        if (left < 0) return place
      }
      return values - 1
    },
    at: (place) => weights[place] / sum,
  }
}

/** A normal bump at each place, cut off at 0 and 1, as wide as the farther neighbour is away; and a broad one over everything. */
function parzenDensity(places: readonly Place[]): Density {
  const sorted = [...places].sort((a, b) => a - b)
  const narrowest = 1 / Math.min(100, 1 + sorted.length)
  const bumps = sorted.map((mean, at) => {
    const [before, after] = [mean - (sorted[at - 1] ?? 0), (sorted[at + 1] ?? 1) - mean]
    return makeBump(mean, Math.min(1, Math.max(narrowest, before, after)))
  })
  bumps.push(makeBump(0.5, 1))
  return {
    draw(random) {
      const { mean, width } = random.pick(bumps)
      for (;;) {
        const place = mean + width * random.normal()
        if (place >= 0 && place <= 1) return place
      }
    },
    at: (place) => bumps.reduce((sum, bump) => sum + bump.at(place), 0) / bumps.length,
  }
}

function makeBump(mean: number, width: number) {
  const inside = normalBelow((1 - mean) / width) - normalBelow(-mean / width)
  const height = 1 / (width * Math.sqrt(2 * Math.PI) * inside)
  return { mean, width, at: (place: Place) => height * Math.exp(-0.5 * ((place - mean) / width) ** 2) }
}

/** Share of a standard normal below `z`, to 1e-7 (Abramowitz and Stegun 7.1.26). */
function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x)
  return z >= 0 ? 1 - tail / 2 : tail / 2
}
