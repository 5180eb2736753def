// BM25 over the word lists, without reading all of them: MaxScore (Turtle and Flood, 1995) with a bound for each block (Ding and Suel, 2011).
// A card that has only words of little worth cannot come among the best, so candidates come from the lists of the others, and the lists of
// the former are looked up only where a candidate could still make it. The result is exact.
import { join } from "node:path"
import { inverseFrequency, occurrenceScore } from "../bm25"
import type { Ranking } from "../fusion"
import { TopRows } from "../top-rows"
import { FileReader } from "./files"
import { findWord, WordCursor } from "./word-cursor"

interface SearchedWord {
  readonly cursor: WordCursor
  readonly weight: number
  /** The most that this word and those before it are worth together. */
  reach: number
}

export class WordSearch {
  private readonly words: FileReader
  private readonly lists: FileReader

  constructor(
    folder: string,
    private readonly numCards: number,
    private readonly meanLength: number,
  ) {
    this.words = new FileReader(join(folder, "words"))
    this.lists = new FileReader(join(folder, "lists"))
  }

  /** The best cards for `words`, as often as they are given. @throws InputError `index.corrupt` */
  search(words: readonly string[], limit: number): Ranking {
    const searched = this.openWords(words)
    const top = new TopRows(limit)
    const { length: all } = searched
    /** Words before this one cannot bring a card among the best by themselves. */
    let essential = 0
    for (;;) {
      const { threshold } = top
      while (essential < all && searched[essential].reach <= threshold) essential++
      let row = Number.POSITIVE_INFINITY
      for (let i = essential; i < all; i++) if (searched[i].cursor.row < row) row = searched[i].cursor.row
      if (row === Number.POSITIVE_INFINITY) return top.rank()
      const score = this.scoreRow(searched, essential, row, threshold)
      if (score > threshold) top.offer(row, score)
    }
  }

  /** In how many cards `word` is. */
  countCards(word: string): number {
    return findWord(this.words, word)?.frequency ?? 0
  }

  close(): void {
    this.words.close()
    this.lists.close()
  }

  /** Those that there are, least worth first. */
  private openWords(words: readonly string[]): SearchedWord[] {
    const times = new Map<string, number>()
    for (const word of words) times.set(word, (times.get(word) ?? 0) + 1)
    const found = [...times].flatMap(([word, asked]) => {
      const entry = findWord(this.words, word)
      if (!entry) return []
      const weight = asked * inverseFrequency(entry.frequency, this.numCards)
      return { cursor: new WordCursor(this.lists, entry, this.numCards), weight, reach: weight * entry.bound }
    })
    found.sort((one, other) => one.reach - other.reach)
    for (let i = 1; i < found.length; i++) found[i].reach += found[i - 1].reach
    return found
  }

  /** The card's score, or as much of it as shows that it is not above `threshold`; moves the essential words past the card. */
  private scoreRow(searched: readonly SearchedWord[], essential: number, row: number, threshold: number): number {
    let score = 0
    for (let i = essential; i < searched.length; i++) {
      const { cursor, weight } = searched[i]
      if (cursor.row !== row) continue
      score += weight * occurrenceScore(cursor.times, cursor.length, this.meanLength)
      cursor.step()
    }
    for (let i = essential - 1; i >= 0; i--) {
      if (score + searched[i].reach <= threshold) return score
      const { cursor, weight } = searched[i]
      const before = i > 0 ? searched[i - 1].reach : 0
      if (score + before + weight * cursor.boundAt(row) <= threshold) return score
      cursor.advance(row)
      if (cursor.row === row) score += weight * occurrenceScore(cursor.times, cursor.length, this.meanLength)
    }
    return score
  }
}
