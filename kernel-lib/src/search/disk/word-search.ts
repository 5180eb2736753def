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
    /** Words before this one cannot bring a card among the best by themselves. */
    let essential = 0
    for (;;) {
      while (essential < searched.length && searched[essential].reach <= top.threshold) essential++
      let first = Number.POSITIVE_INFINITY
      for (let i = essential; i < searched.length; i++) first = Math.min(first, searched[i].cursor.row)
      if (first === Number.POSITIVE_INFINITY) return top.rank()
      window.moveTo(first)
      for (let i = essential; i < searched.length; i++) searched[i].cursor.collect(window, searched[i].weight)
      addOthers(searched, essential, window, top)
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
}

/**
 * Adds to the window's scores what the words before `essential` are worth, where that may bring a card among the best, and offers the card. One
 * function, because a number that is handed from one to another would be put on the heap, some ten thousand times a search.
 */
function addOthers(searched: readonly SearchedWord[], essential: number, window: ScoreWindow, top: TopRows): void {
  const { rows, scores } = window
  const rest = essential > 0 ? searched[essential - 1].reach : 0
  let { threshold } = top
  const count = window.gather(threshold - rest)
  for (let place = 0; place < count; place++) {
    const row = rows[place]
    let score = scores[place]
    let i = essential - 1
    for (; i >= 0; i--) {
      const { cursor, weight, reach } = searched[i]
      if (score + reach <= threshold) break
      const before = i > 0 ? searched[i - 1].reach : 0
      if (score + before + weight * cursor.boundAt(row) <= threshold) break
      score += weight * cursor.scoreAt(row)
    }
    if (i >= 0 || score <= threshold) continue
    top.offer(row, score)
    threshold = top.threshold
  }
}
