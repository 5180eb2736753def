// Searching an index on the disk, by words, by meaning, or by both.
import { join, resolve } from "node:path"
import { InputError } from "../core/errors"
import { type TextEmbedder, textOfCard } from "./build-index"
import { CardReader } from "./disk/cards"
import { FileReader } from "./disk/files"
import { findKey, hashName } from "./disk/key-table"
import { type Manifest, readManifest } from "./disk/manifest"
import { VectorSearch } from "./disk/vector-search"
import { WordSearch } from "./disk/word-search"
import { countFeedback, fusedDepth, fuseRankings, moveQuery, type Ranking } from "./fusion"
import type { SearchableCard } from "./search-cards"
import { wordsOf } from "./words"

/** By words, by the meaning of the whole text, or by both. */
export type SearchMethod = "bm25" | "dense" | "hybrid"

export interface SearchIndexOptions {
  /** Default: 10. */
  readonly limit?: number
  /** Default: hybrid where the index was opened with its embedder, else bm25. */
  readonly method?: SearchMethod
  readonly signal?: AbortSignal
}

/** A card with why it ranks where it does. */
export interface RankedCard<Card> {
  readonly card: Card
  /** bm25: BM25; dense: the cosine; hybrid: the fused score, 0 to 1.1. Larger is better, within one search. */
  readonly score: number
  /** The words of the query that the card has, rarest first. */
  readonly words: readonly string[]
  /** How like the card's text is to the query, -1 to 1 (cosine); undefined for bm25. */
  readonly similarity?: number
}

/** An index that is open. */
export interface DiskIndex<Card> {
  readonly folder: string
  readonly count: number
  readonly methods: readonly SearchMethod[]
  /** @throws InputError `index.method`, `index.corrupt`, `index.closed` */
  search(query: string, options?: SearchIndexOptions): Promise<RankedCard<Card>[]>
  /** The card of this id, or undefined. @throws InputError `index.corrupt`, `index.closed` */
  get(id: string): Card | undefined
  /** Closes its files. */
  close(): void
}

/**
 * Opens the index in a folder. Nothing of it is read into memory but its first page, and for a large one the centres of its vectors' lists.
 * @param options.embedder the one that it was built with; without it, only BM25 is to be had
 * @throws InputError `index.missing`, `index.version`, `index.corrupt`, `index.embedder`
 * @example
 * await buildIndex([{ id: "squad", description: "Questions about passages", tags: [] }], { folder: "passages" })
 * const index = await openIndex("passages")
 * const [{ card, words }] = await index.search("questions", { method: "bm25" })
 * index.close()
 */
export async function openIndex<Card extends SearchableCard>(
  folder: string,
  { embedder }: { embedder?: TextEmbedder } = {},
): Promise<DiskIndex<Card>> {
  const path = resolve(folder)
  const manifest = readManifest(path)
  if (embedder && manifest.vectors && manifest.vectors.embedder !== embedder.fingerprint) {
    throw new InputError(
      "index.embedder",
      `The vectors in ${path} were made by another embedder: open it with that one, or build the index again.`,
    )
  }
  return new OpenIndex<Card>(path, manifest, embedder)
}

class OpenIndex<Card extends SearchableCard> implements DiskIndex<Card> {
  readonly methods: readonly SearchMethod[]
  private readonly cards: CardReader<Card>
  private readonly ids: FileReader
  private readonly words: WordSearch
  private readonly vectors?: VectorSearch

  constructor(
    readonly folder: string,
    private readonly manifest: Manifest,
    private readonly embedder?: TextEmbedder,
  ) {
    const { count, meanLength, vectors } = manifest
    this.cards = new CardReader(folder)
    this.ids = new FileReader(join(folder, "ids"))
    this.words = new WordSearch(folder, count, meanLength)
    if (vectors && embedder) this.vectors = new VectorSearch(folder, count, vectors.dimensions, vectors.numLists)
    this.methods = this.vectors ? ["bm25", "dense", "hybrid"] : ["bm25"]
  }

  get count(): number {
    return this.manifest.count
  }

  async search(
    query: string,
    { limit = 10, method = this.vectors ? "hybrid" : "bm25", signal }: SearchIndexOptions = {},
  ): Promise<RankedCard<Card>[]> {
    if (!this.methods.includes(method)) {
      throw new InputError(
        "index.method",
        `${this.folder} can be searched by ${this.methods.join(", ")}, not by ${method}: build and open it with an embedder.`,
      )
    }
    const words = wordsOf(query)
    if (method === "bm25") return this.explain(this.words.search(words, limit), words)
    if (query.trim() === "") return []
    const vector = await this.embedder!.embed([query], { use: "query", signal })
    const ranking = method === "dense" ? this.vectors!.search(vector, limit) : this.searchBoth(words, vector, limit)
    return this.explain(ranking, words, vector)
  }

  get(id: string): Card | undefined {
    const row = findKey(this.ids, hashName(id))
    return row === undefined ? undefined : this.cards.read(row)
  }

  close(): void {
    for (const part of [this.cards, this.ids, this.words, this.vectors]) part?.close()
  }

  private searchBoth(words: readonly string[], vector: Float32Array, limit: number): Ranking {
    const depth = Math.max(fusedDepth, limit)
    const sparse = this.words.search(words, depth)
    const first = fuseRankings(this.vectors!.search(vector, depth), sparse)
    const feedback = first.rows.slice(0, countFeedback(this.count))
    if (feedback.length === 0) return cut(first, limit)
    const moved = moveQuery(
      vector,
      feedback.map((row) => this.vectors!.read(row)),
    )
    return cut(fuseRankings(this.vectors!.search(moved, depth), sparse), limit)
  }

  private explain({ rows, scores }: Ranking, words: readonly string[], vector?: Float32Array): RankedCard<Card>[] {
    const spread = new Map([...new Set(words)].map((word) => [word, this.words.countCards(word)]))
    return rows.map((row, place) => {
      const card = this.cards.read(row)
      const has = new Set(wordsOf(textOfCard(card)))
      const shared = [...spread.keys()].filter((word) => has.has(word)).sort((one, other) => spread.get(one)! - spread.get(other)!)
      const similarity = vector && this.vectors!.read(row).reduce((sum, value, i) => sum + value * vector[i], 0)
      return { card, score: scores[place], words: shared, ...(similarity === undefined ? {} : { similarity }) }
    })
  }
}

function cut({ rows, scores }: Ranking, limit: number): Ranking {
  return { rows: rows.slice(0, limit), scores: scores.slice(0, limit) }
}
