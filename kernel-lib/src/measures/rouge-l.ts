// ROUGE-L (Lin 2004): how long a sequence of words answer and reference share, in order, gaps allowed.
import { defineMeanMetric } from "./metric"

/**
 * Mean over rows of ROUGE-L's F1, 0 to 1, as Google's `rouge_score` computes it without stemming; the best of several references. Words
 * are runs of a-z and 0-9 in lower case, so texts in other scripts have none and score 0.
 */
export const rougeL = defineMeanMetric("ROUGE-L", "ROUGE-L", (answer, reference) => {
  const words = wordsOf(answer)
  const goldWords = wordsOf(reference)
  if (words.length === 0 || goldWords.length === 0) return 0
  return (2 * longestCommonSubsequence(words, goldWords)) / (words.length + goldWords.length)
})

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? []
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let above = new Uint32Array(b.length + 1)
  let row = new Uint32Array(b.length + 1)
  for (const word of a) {
    for (let column = 0; column < b.length; column++)
      row[column + 1] = word === b[column] ? above[column] + 1 : Math.max(above[column + 1], row[column])
    ;[above, row] = [row, above]
  }
  return above[b.length]
}
