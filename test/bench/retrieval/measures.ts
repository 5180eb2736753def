// How good rankings are, query by query, and whether one ranking is better than another by more than chance.
import { Random } from "../../../kernel-lib/src/core/random"

export const measureNames = ["P@5", "R@5", "MAP", "MRR"] as const
/** A query's P@5, R@5, average precision and reciprocal rank. */
export type QueryMeasures = readonly [number, number, number, number]

export function measureQuery(ranked: readonly number[], relevant: ReadonlySet<number>): QueryMeasures {
  const hits = ranked.map((row) => relevant.has(row))
  const foundIn = (depth: number) => hits.slice(0, depth).filter(Boolean).length
  const precisions = hits.flatMap((isHit, place) => (isHit ? foundIn(place + 1) / (place + 1) : []))
  const first = hits.indexOf(true)
  const sum = precisions.reduce((total, value) => total + value, 0)
  return [foundIn(5) / 5, foundIn(5) / relevant.size, sum / relevant.size, first < 0 ? 0 : 1 / (first + 1)]
}

export function meanOf(queries: readonly QueryMeasures[], measure: number): number {
  return queries.reduce((sum, values) => sum + values[measure], 0) / queries.length
}

/** The share of paired bootstrap samples in which `ours` is not above `other`. */
export function bootstrapShare(ours: readonly QueryMeasures[], other: readonly QueryMeasures[], measure: number, samples = 10_000): number {
  const random = new Random(`bootstrap ${measure}`)
  const differences = ours.map((values, query) => values[measure] - other[query][measure])
  let notAbove = 0
  for (let sample = 0; sample < samples; sample++) {
    let sum = 0
    for (let i = 0; i < differences.length; i++) sum += differences[random.integer(differences.length)]
    if (sum <= 0) notAbove++
  }
  return notAbove / samples
}
