// How good rankings are, averaged over queries.

export interface RankingMeasures {
  readonly precisionAt5: number
  readonly recallAt5: number
  /** Mean average precision over the ranking as far as it goes. */
  readonly map: number
  /** Mean reciprocal rank of the first relevant item. */
  readonly mrr: number
}

export function meanMeasures(queries: readonly { ranked: readonly string[]; relevant: ReadonlySet<string> }[]): RankingMeasures {
  const mean = (measure: (hits: readonly boolean[], relevant: number) => number) =>
    queries.reduce(
      (sum, { ranked, relevant }) =>
        sum +
        measure(
          ranked.map((id) => relevant.has(id)),
          relevant.size,
        ),
      0,
    ) / queries.length
  const found = (hits: readonly boolean[]) => hits.filter(Boolean).length
  return {
    precisionAt5: mean((hits) => found(hits.slice(0, 5)) / 5),
    recallAt5: mean((hits, relevant) => found(hits.slice(0, 5)) / relevant),
    map: mean(
      (hits, relevant) => hits.reduce((sum, hit, index) => sum + (hit ? found(hits.slice(0, index + 1)) / (index + 1) : 0), 0) / relevant,
    ),
    mrr: mean((hits) => (hits.includes(true) ? 1 / (hits.indexOf(true) + 1) : 0)),
  }
}
