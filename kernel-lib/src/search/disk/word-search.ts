// BM25 over the word lists, without reading all of them: MaxScore (Turtle and Flood, 1995) with a bound for each block (Ding and Suel, 2011).
// A card that has only words of little worth cannot come among the best, so candidates come from the lists of the others, some thousand rows at
// a time, and the lists of the former are looked up only where a candidate could still make it. The result is exact.
import { join } from "node:path"
import { inverseFrequency } from "../bm25"
import type { Ranking } from "../fusion"
import { TopRows } from "../top-rows"
import { FileReader } from "./files"
import { ScoreWindow } from "./score-window"
import { WordCursor } from "./word-cursor"
import { WordTable } from "./word-table"

interface SearchedWord {
  readonly cursor: WordCursor
  readonly weight: number
  /** The most that this word and those before it are worth together. */
  reach: number
}

export class WordSearch {
  private readonly words: WordTable
  private readonly lists: FileReader

  constructor(
    folder: string,
    private readonly numCards: number,
    private readonly meanLength: number,
  ) {
    this.words = new WordTable(join(folder, "words"))
    this.lists = new FileReader(join(folder, "lists"))
  }

  /** The best cards for `words`, as often as they are given. @throws InputError `index.corrupt` */
  search(words: readonly string[], limit: number): Ranking {
    const searched = this.openWords(words)
    const top = new TopRows(limit)
    const window = new ScoreWindow()
    /** Words before this one cannot bring a card among the best by themselves; together they are worth at most `rest`. */
    let [essential, rest] = [0, 0]
    const finish = (row: number, score: number) => {
      const whole = this.addOthers(searched, essential, row, score, top.threshold)
      if (whole > top.threshold) top.offer(row, whole)
      return top.threshold - rest
    }
    for (;;) {
      while (essential < searched.length && searched[essential].reach <= top.threshold) rest = searched[essential++].reach
      let first = Number.POSITIVE_INFINITY
      for (let i = essential; i < searched.length; i++) first = Math.min(first, searched[i].cursor.row)
      if (first === Number.POSITIVE_INFINITY) return top.rank()
      window.moveTo(first)
      for (let i = essential; i < searched.length; i++) searched[i].cursor.collect(window, searched[i].weight)
      window.drain(top.threshold - rest, finish)
    }
  }

  /** In how many cards `word` is. */
  countCards(word: string): number {
    return this.words.find(word)?.frequency ?? 0
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
      const entry = this.words.find(word)
      if (!entry) return []
      const weight = asked * inverseFrequency(entry.frequency, this.numCards)
      return { cursor: new WordCursor(this.lists, entry, this.numCards, this.meanLength), weight, reach: weight * entry.bound }
    })
    found.sort((one, other) => one.reach - other.reach)
    for (let i = 1; i < found.length; i++) found[i].reach += found[i - 1].reach
    return found
  }

  /** `score` with what the first words add to it, or as much of them as shows that it does not get above `threshold`. */
  private addOthers(searched: readonly SearchedWord[], essential: number, row: number, score: number, threshold: number): number {
    let whole = score
    for (let i = essential - 1; i >= 0; i--) {
      if (whole + searched[i].reach <= threshold) return whole
      const { cursor, weight } = searched[i]
      const before = i > 0 ? searched[i - 1].reach : 0
      if (whole + before + weight * cursor.boundAt(row) <= threshold) return whole
      whole += weight * cursor.scoreAt(row)
    }
    return whole
  }
}
