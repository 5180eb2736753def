// Hybrid ranking: BM25 and dense scores, each brought to 0 to 1 over its own best, are added with a small weight on BM25; the query's vector is
// then moved towards the best cards so found (pseudo-relevance feedback, Rocchio 1971; for dense vectors Li et al., arXiv 2108.11044), searched
// again and fused again. The constants are other people's: Pyserini's hybrid search adds the sparse score with weight 0.1, ANCE-PRF (Yu et al.,
// arXiv 2108.13454) and Pyserini's dense feedback take 3 documents, Anserini's Rocchio gives them weight 0.75. Ten documents, Rocchio's usual number
// for words, lose where a query has one right answer only: there the others pull it away.

/** Rows of an index with their scores, best first. */
export interface Ranking {
  readonly rows: readonly number[]
  readonly scores: readonly number[]
}

/** How far each of the two rankings is looked at. */
export const fusedDepth = 100
const sparseWeight = 0.1
const feedbackCards = 3
const feedbackWeight = 0.75
/** At most this share of the catalogue may stand for what the query means: three of a dozen cards would stand for the catalogue. */
const feedbackShare = 0.01

/** How many cards move the query in a catalogue of `count`. */
export function countFeedback(count: number): number {
  return Math.min(feedbackCards, Math.floor(count * feedbackShare))
}

/** Every row of either ranking by its dense score plus a tenth of its BM25 score, both scaled to 0 to 1; absent counts as 0. Ties go to the lower row. */
export function fuseRankings(dense: Ranking, sparse: Ranking): Ranking {
  const fused = new Map<number, number>()
  for (const [ranking, weight] of [
    [dense, 1],
    [sparse, sparseWeight],
  ] as const) {
    const scaled = scaleScores(ranking.scores)
    for (const [place, row] of ranking.rows.entries()) fused.set(row, (fused.get(row) ?? 0) + weight * scaled[place])
  }
  const best = [...fused].sort((one, other) => other[1] - one[1] || one[0] - other[0])
  return { rows: best.map(([row]) => row), scores: best.map(([, score]) => score) }
}

/** `scores` (best first) on a line from 0, the last, to 1, the first; all 1 where they are equal. */
export function scaleScores(scores: readonly number[]): number[] {
  const [best, worst] = [scores[0], scores[scores.length - 1]]
  return scores.map((score) => (best > worst ? (score - worst) / (best - worst) : 1))
}

/** Rocchio's query: `query` plus three quarters of the mean of `found`. */
export function moveQuery(query: Float32Array, found: readonly Float32Array[]): Float32Array {
  const moved = query.slice()
  for (const vector of found) for (let i = 0; i < moved.length; i++) moved[i] += (feedbackWeight / found.length) * vector[i]
  return moved
}
