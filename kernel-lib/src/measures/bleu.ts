// BLEU (Papineni et al. 2002) as sacrebleu 2.x computes it by default: tokenizer 13a, case kept, exponential smoothing.
import { defineMetric, statisticsOf } from "./metric"
import { isWhitespace, splitAtWhitespace } from "./whitespace"

const orders = 4
/** Per row: length of the answer, length of the closest reference, then shared and all n-grams of the answer for each order. */
const size = 2 + 2 * orders

/**
 * BLEU of all rows together, 0 to 100: `sacrebleu`'s corpus BLEU, whose tokenizer takes words to be divided by spaces (Japanese and
 * Chinese are not; use chrF there). A single row's score is its sentence BLEU, which leaves out orders longer than the answer.
 */
export const bleu = defineMetric({
  name: "BLEU",
  label: "BLEU",
  scale: 100,
  statistics: (answers, references) =>
    statisticsOf(answers, references, size, (answer, golds, values, offset) => {
      const tokens = tokenize(answer ?? "")
      const goldTokens = golds.map(tokenize)
      values[offset] = tokens.length
      values[offset + 1] = closestLength(
        tokens.length,
        goldTokens.map((gold) => gold.length),
      )
      for (let order = 0; order < orders; order++) {
        values[offset + 2 + order] = countShared(tokens, goldTokens, order + 1)
        values[offset + 2 + orders + order] = Math.max(0, tokens.length - order)
      }
    }),
  score: (sums) => scoreOf(sums, false),
  scoreRow: (sums) => scoreOf(sums, true),
})

/** `leavesOut`: orders of which the answer has no n-gram do not count; otherwise they make the score 0. */
function scoreOf(sums: ArrayLike<number>, leavesOut: boolean): number {
  const [length, referenceLength] = [sums[0], sums[1]]
  let hasShared = false
  for (let order = 0; order < orders; order++) hasShared ||= sums[2 + order] > 0
  if (!hasShared) return 0
  const penalty = length < referenceLength ? Math.exp(1 - referenceLength / length) : 1
  let logarithms = 0
  let counted = 0
  let smoothing = 1
  for (let order = 0; order < orders; order++) {
    const [shared, all] = [sums[2 + order], sums[2 + orders + order]]
    if (all === 0) break
    if (shared === 0) smoothing *= 2
    logarithms += Math.log((100 * (shared === 0 ? 1 / smoothing : shared)) / all)
    counted++
  }
  if (counted < orders && !leavesOut) return 0
  return penalty * Math.exp(logarithms / counted)
}

function countShared(tokens: readonly string[], golds: readonly (readonly string[])[], order: number): number {
  const counts = countNgrams(tokens, order)
  const most = new Map<string, number>()
  for (const gold of golds) {
    for (const [ngram, count] of countNgrams(gold, order)) most.set(ngram, Math.max(count, most.get(ngram) ?? 0))
  }
  let shared = 0
  for (const [ngram, count] of counts) shared += Math.min(count, most.get(ngram) ?? 0)
  return shared
}

function countNgrams(tokens: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let start = 0; start + order <= tokens.length; start++) {
    // No token holds a space.
    const ngram = order === 1 ? tokens[start] : tokens.slice(start, start + order).join(" ")
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1)
  }
  return counts
}

/** The length nearest to `length`, the shorter of two that are as near. */
function closestLength(length: number, lengths: readonly number[]): number {
  return lengths.reduce((best, one) => {
    const [distance, bestDistance] = [Math.abs(one - length), Math.abs(best - length)]
    return distance < bestDistance || (distance === bestDistance && one < best) ? one : best
  })
}

const entities: readonly (readonly [string, string])[] = [
  ["&quot;", '"'],
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
]

/** mteval-v13a's tokens. */
function tokenize(text: string): string[] {
  let end = text.length
  while (end > 0 && isWhitespace(text.charCodeAt(end - 1))) end--
  let line = text.slice(0, end).replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ")
  for (const [entity, sign] of entities) line = line.replaceAll(entity, sign)
  const spaced = ` ${line} `
    .replace(/[{-~[-` -&(-+:-@/]/g, " $& ")
    .replace(/([^0-9])([.,])/gu, "$1 $2 ")
    .replace(/([.,])([^0-9])/gu, " $1 $2")
    .replace(/([0-9])-/g, "$1 - ")
  return splitAtWhitespace(spaced)
}
