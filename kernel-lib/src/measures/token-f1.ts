// SQuAD's token F1: how much of the answer's words and the reference's words is shared.
import { defineMeanMetric } from "./metric"
import { normalizedWords } from "./normalize-answer"

/**
 * Mean over rows of the F1 of words that answer and reference share after `normalizeAnswer`, 0 to 1; the best of several references.
 * Where one side has no words, 1 if the other has none too, as SQuAD 2.0's script has it.
 */
export const tokenF1 = defineMeanMetric("tokenF1", "token F1", (answer, reference) => {
  const words = normalizedWords(answer)
  const goldWords = normalizedWords(reference)
  if (words.length === 0 || goldWords.length === 0) return words.length === goldWords.length ? 1 : 0
  const left = new Map<string, number>()
  for (const word of goldWords) left.set(word, (left.get(word) ?? 0) + 1)
  let shared = 0
  for (const word of words) {
    const count = left.get(word) ?? 0
    if (count === 0) continue
    left.set(word, count - 1)
    shared++
  }
  return (2 * shared) / (words.length + goldWords.length)
})
