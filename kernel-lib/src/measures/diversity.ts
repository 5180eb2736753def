// How different the texts of a set are from each other. All figures are of a sample of fixed size at most, since the share of distinct
// n-grams falls with the size of the set: sets are compared at equal sizes.
import { Random } from "../core/random"
import { groupNearDuplicates } from "./near-duplicates"
import { normalizeText } from "./normalize-text"
import { jaccard, shinglesOf } from "./shingles"

export interface Diversity {
  /** Texts that were looked at: all, or a seeded sample of 2,000. */
  readonly texts: number
  /** Different word pairs of all word pairs, 0 to 1 (distinct-2; Li et al. 2016). Undefined where no text has two words. */
  readonly distinct2?: number
  /** Share of texts that are the same as or near an earlier one, by the rule of `near-duplicates.ts`. */
  readonly nearDuplicates: number
  /** Mean Jaccard similarity of the five-character shingles of two texts, over at most 2,000 seeded pairs. Undefined below two texts. */
  readonly similarity?: number
}

const mostTexts = 2000
const mostPairs = 2000

/** Figures depend on the texts and on their order only. */
export function measureDiversity(texts: readonly string[]): Diversity {
  const random = new Random("diversity")
  const sample = texts.length <= mostTexts ? texts : random.sample(texts, mostTexts)
  return {
    texts: sample.length,
    distinct2: shareOfDistinctPairs(sample),
    nearDuplicates:
      sample.length === 0 ? 0 : groupNearDuplicates(sample).filter((group, position) => group !== position).length / sample.length,
    similarity: meanSimilarity(sample, random),
  }
}

/** A word is a run of letters or of digits; in scripts without spaces, a letter. */
const word = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}]+|\p{N}+|[^\s\p{L}\p{M}\p{N}]/gu

function shareOfDistinctPairs(texts: readonly string[]): number | undefined {
  const distinct = new Set<string>()
  let pairs = 0
  for (const text of texts) {
    const words = text.toLowerCase().match(word) ?? []
    for (let at = 1; at < words.length; at++) distinct.add(`${words[at - 1]} ${words[at]}`)
    pairs += Math.max(0, words.length - 1)
  }
  return pairs === 0 ? undefined : distinct.size / pairs
}

function meanSimilarity(texts: readonly string[], random: Random): number | undefined {
  if (texts.length < 2) return undefined
  const shingles = new Map<number, Uint32Array>()
  const shinglesAt = (position: number) => {
    const known = shingles.get(position) ?? shinglesOf(normalizeText(texts[position]))
    shingles.set(position, known)
    return known
  }
  const pairs = Math.min(mostPairs, (texts.length * (texts.length - 1)) / 2)
  let sum = 0
  for (let pair = 0; pair < pairs; pair++) {
    const first = random.integer(texts.length)
    const second = (first + 1 + random.integer(texts.length - 1)) % texts.length
    sum += jaccard(shinglesAt(first), shinglesAt(second))
  }
  return sum / pairs
}

/** `38% distinct word pairs, 2% near-duplicates`. */
export function describeDiversity({ distinct2, nearDuplicates }: Diversity): string {
  const percent = (share: number) => (share > 0 && share < 0.005 ? "under 1%" : `${Math.round(share * 100)}%`)
  return [
    ...(distinct2 === undefined ? [] : [`${percent(distinct2)} of word pairs distinct`]),
    `${percent(nearDuplicates)} near-duplicates`,
  ].join(", ")
}
