// BERTScore (Zhang et al. 2020, arXiv 1904.09675) with the numbers of bert-score 0.3.13: each token's vector is matched with the nearest
// one of the other text; precision is the mean over the answer's tokens, recall over the reference's. Any encoder gives the vectors.
import { InputError } from "../core/errors"
import type { TokenEncoder, TokenVectors } from "../core/token-encoder"
import { type Answer, defineMeanScore, type MetricScore, pairAnswers, type Reference, type RowStatistics } from "./metric"

/** -1 to 1 each, in practice above 0; rescaled ones are below 0 where the texts are less alike than strangers. */
export interface BertMatch {
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

export interface BertScores extends BertMatch {
  /** One for each answer; the fields beside are their means. */
  readonly rows: readonly BertMatch[]
}

export interface BertScoreOptions {
  /** What `loadTokenEncoder` gives, or an encoder of one's own. */
  readonly encoder: TokenEncoder
  /** Whether tokens that are rare in the references count more (inverse document frequency). Default false: all alike. */
  readonly useIdf?: boolean
  /**
   * What two texts that have nothing to do with each other score: it becomes 0, and 1 stays 1. bert-score has such numbers in
   * `rescale_baseline/LANGUAGE/MODEL.tsv`, a row for each layer. Default: as it is.
   */
  readonly baseline?: BertMatch
  readonly signal?: AbortSignal
  /** Rows done of all rows. */
  readonly onProgress?: (done: number, total: number) => void
}

/** The mean of the rows' F1. It needs an encoder, so `evaluate` takes it where it is given one. */
export const bertScoreF1: MetricScore = defineMeanScore("BERTScore", "BERTScore")

/** Rows whose vectors are in memory together. */
const rowsAtOnce = 256

/**
 * BERTScore of each answer and of all; the best of several references counts, in precision, recall and F1 each. An empty text scores 0.
 * Unlike bert-score's, a row's score does not depend on what else is in its batch (there padding counts as a similarity of 0).
 * @throws InputError `metric.no-rows`, `metric.lengths-differ`, `metric.no-reference`, `bert-score.baseline`
 */
export async function bertScore(
  answers: readonly Answer[],
  references: readonly Reference[],
  { encoder, useIdf = false, baseline, signal, onProgress }: BertScoreOptions,
): Promise<BertScores> {
  // A missing answer is an empty one, which scores as little.
  const pairs = pairAnswers(answers, references).map(({ answer = "", golds }) => ({ answer, golds }))
  if (baseline && ![baseline.precision, baseline.recall, baseline.f1].every((value) => value < 1)) {
    throw new InputError("bert-score.baseline", "A baseline is what strangers score, below 1: give precision, recall and f1.")
  }
  const weightOf = useIdf
    ? weighByRareness(pairs.flatMap(({ golds }) => golds.map((gold) => encoder.readIds(gold))))
    : (id: number) => (encoder.frameIds.includes(id) ? 0 : 1)
  const rows: BertMatch[] = []
  for (let start = 0; start < pairs.length; start += rowsAtOnce) {
    const some = pairs.slice(start, start + rowsAtOnce)
    const texts = [...new Set(some.flatMap(({ answer, golds }) => [answer, ...golds]))]
    const encoded = (await encoder.encodeTokens(texts, { signal })).map(normalizeVectors)
    const byText = new Map(texts.map((text, index) => [text, encoded[index]]))
    for (const { answer, golds } of some) {
      const best = bestOf(golds.map((gold) => matchTokens(byText.get(answer)!, byText.get(gold)!, weightOf)))
      rows.push(baseline ? rescale(best, baseline) : best)
    }
    onProgress?.(rows.length, pairs.length)
  }
  const mean = (field: keyof BertMatch) => rows.reduce((sum, row) => sum + row[field], 0) / rows.length
  return { precision: mean("precision"), recall: mean("recall"), f1: mean("f1"), rows }
}

/** What `bertScoreF1` is taken of. */
export function statisticsOfBertScores({ rows }: BertScores): RowStatistics {
  return { rows: rows.length, size: 2, values: Float64Array.from(rows.flatMap(({ f1 }) => [f1, 1])) }
}

/**
 * Matches two texts' tokens, whose vectors have length 1. `weightOf` says how much a token counts; 0 where one has no more than its frame.
 */
export function matchTokens(answer: TokenVectors, reference: TokenVectors, weightOf: (id: number) => number): BertMatch {
  const [numAnswer, numReference] = [answer.ids.length, reference.ids.length]
  if (numAnswer <= 2 || numReference <= 2) return { precision: 0, recall: 0, f1: 0 }
  const size = answer.vectors.length / numAnswer
  const nearestToAnswer = new Float64Array(numAnswer).fill(-1)
  const nearestToReference = new Float64Array(numReference).fill(-1)
  for (let a = 0; a < numAnswer; a++) {
    for (let r = 0; r < numReference; r++) {
      let similarity = 0
      for (let at = 0; at < size; at++) similarity += answer.vectors[a * size + at] * reference.vectors[r * size + at]
      if (similarity > nearestToAnswer[a]) nearestToAnswer[a] = similarity
      if (similarity > nearestToReference[r]) nearestToReference[r] = similarity
    }
  }
  const precision = weightedMean(nearestToAnswer, answer.ids, weightOf)
  const recall = weightedMean(nearestToReference, reference.ids, weightOf)
  const f1 = (2 * precision * recall) / (precision + recall)
  return { precision, recall, f1: Number.isNaN(f1) ? 0 : f1 }
}

function weightedMean(values: Float64Array, ids: readonly number[], weightOf: (id: number) => number): number {
  let sum = 0
  let weights = 0
  for (const [at, id] of ids.entries()) {
    sum += weightOf(id) * values[at]
    weights += weightOf(id)
  }
  return sum / weights
}

/** How rare a token is among `documents`: ln((N + 1) / (those that hold it + 1)). What all of them hold counts nothing. */
function weighByRareness(documents: readonly (readonly number[])[]): (id: number) => number {
  const holders = new Map<number, number>()
  for (const ids of documents) for (const id of new Set(ids)) holders.set(id, (holders.get(id) ?? 0) + 1)
  return (id) => Math.log((documents.length + 1) / ((holders.get(id) ?? 0) + 1))
}

function normalizeVectors({ ids, vectors }: TokenVectors): TokenVectors {
  const size = vectors.length / ids.length
  const normalized = new Float32Array(vectors.length)
  for (let start = 0; start < vectors.length; start += size) {
    let squares = 0
    for (let at = start; at < start + size; at++) squares += vectors[at] ** 2
    for (let at = start; at < start + size; at++) normalized[at] = vectors[at] / Math.sqrt(squares)
  }
  return { ids, vectors: normalized }
}

function bestOf(matches: readonly BertMatch[]): BertMatch {
  const most = (field: keyof BertMatch) => Math.max(...matches.map((match) => match[field]))
  return { precision: most("precision"), recall: most("recall"), f1: most("f1") }
}

function rescale(match: BertMatch, baseline: BertMatch): BertMatch {
  const scale = (field: keyof BertMatch) => (match[field] - baseline[field]) / (1 - baseline[field])
  return { precision: scale("precision"), recall: scale("recall"), f1: scale("f1") }
}
