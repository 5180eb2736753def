// BM25 (Robertson and Zaragoza, 2009) as Lucene and bm25s count it, with one field weight as in BM25F: a word of the name counts as several.

/** Textbook values (Manning, Raghavan and Schuetze, 2008, section 11.4.3): how soon repetition stops to count, and how much length does. */
export const k1 = 1.2
export const b = 0.75

/** As how many words a word of a card's name counts. */
export const nameWeight = 3

/** How much a word tells that `frequency` of `count` cards have. Never negative. */
export function inverseFrequency(frequency: number, count: number): number {
  return Math.log(1 + (count - frequency + 0.5) / (frequency + 0.5))
}

/** What `times` occurrences in a card of `length` words are worth, before the word's own weight; below k1 + 1. */
export function occurrenceScore(times: number, length: number, meanLength: number): number {
  return (times * (k1 + 1)) / (times + k1 * (1 - b + (b * length) / meanLength))
}

/** How often each of `words` comes, the name's counted `nameWeight` times, and how many that makes. */
export function countWords(name: readonly string[], body: readonly string[]): { counts: Map<string, number>; length: number } {
  const counts = new Map<string, number>()
  for (const word of name) counts.set(word, (counts.get(word) ?? 0) + nameWeight)
  for (const word of body) counts.set(word, (counts.get(word) ?? 0) + 1)
  return { counts, length: name.length * nameWeight + body.length }
}
