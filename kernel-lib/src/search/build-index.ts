// Building an index of cards on the disk, from a stream of them.
import { mkdir, rename, rm } from "node:fs/promises"
import { join, resolve } from "node:path"
import { InputError, InterruptedError } from "../core/errors"
import { explainDiskError, placeAtomically, writeFileAtomically } from "../store/atomic"
import { countWords } from "./bm25"
import { CardReader, CardWriter } from "./disk/cards"
import { FileWriter } from "./disk/files"
import { hashName, KeyTable } from "./disk/key-table"
import { buildingFolder, digestText, findInterrupted, KnownVectors } from "./disk/known-vectors"
import { formatManifest, type Manifest, manifestName, readManifest } from "./disk/manifest"
import { bytesOf, searchedWhole, writeVectorLists } from "./disk/vector-lists"
import { longestWord, writeWordLists } from "./disk/word-lists"
import { RunWriter } from "./disk/word-runs"
import type { SearchableCard } from "./search-cards"
import { wordsOf } from "./words"

/** What gives texts their vectors: what `loadEmbedder` answers, or one of your own. Vectors have length 1. */
export interface TextEmbedder {
  readonly dimensions: number
  /** Changes with anything that changes vectors. */
  readonly fingerprint: string
  /** @returns [texts, dimensions], row by row */
  embed(texts: readonly string[], options?: { readonly use?: string; readonly signal?: AbortSignal }): Promise<Float32Array>
}

export interface BuildIndexOptions {
  /** Where the index will lie. Until it is done, what is there stays as it is. */
  readonly folder: string
  /** Default: none; then the index knows words only. */
  readonly embedder?: TextEmbedder
  readonly signal?: AbortSignal
  /** Called now and then. */
  readonly onProgress?: (progress: { readonly cards: number; readonly embedded: number }) => void
}

export interface BuiltIndex {
  readonly folder: string
  readonly cards: number
  /** Cards whose id had come before; the first one counts. */
  readonly repeated: number
  /** Vectors that were computed. */
  readonly embedded: number
  /** Vectors taken over from the index that was there, or from a build that was interrupted. */
  readonly reused: number
}

/** Texts that are embedded together: enough for the embedder to put those of like length side by side. */
const embeddedAtOnce = 256

/** What is searched of a card: its name, tags and description. */
export function textOfCard({ id, tags, description }: SearchableCard): string {
  return [id, ...tags, description].join(" ")
}

/**
 * Builds an index of `cards` in a folder, with memory that does not depend on how long the texts are and some 40 bytes a card.
 * The new index takes the old one's place at the end, whole. Vectors of texts that the old index has, or that an interrupted build got to, are
 * not computed again: the same call goes on from there.
 *
 * @throws InputError `index.vector`, `index.busy`, `disk.full`, `disk.not-writable`; InterruptedError; what `cards` and `embedder` throw
 * @example
 * const { cards } = await hub.findDatasets("")
 * await buildIndex(cards, { folder: "catalogue" })
 * const index = await openIndex("catalogue")
 * const [best] = await index.search("dates to ISO 8601")
 * best.card.id // "bundled/dates-cldr"
 */
export async function buildIndex(
  cards: AsyncIterable<SearchableCard> | Iterable<SearchableCard>,
  options: BuildIndexOptions,
): Promise<BuiltIndex> {
  const folder = resolve(options.folder)
  if (running.has(folder)) throw new InputError("index.busy", `An index is being built in ${folder}: wait for it.`)
  running.add(folder)
  try {
    return await buildAlone(cards, { ...options, folder })
  } catch (error) {
    if (!options.signal?.aborted || error instanceof InterruptedError) throw error
    throw new InterruptedError(undefined, { cause: error })
  } finally {
    running.delete(folder)
  }
}

/** Folders that builds of this process are for: two would take each other's files. */
const running = new Set<string>()

async function buildAlone(
  cards: AsyncIterable<SearchableCard> | Iterable<SearchableCard>,
  options: BuildIndexOptions,
): Promise<BuiltIndex> {
  const { folder } = options
  const interrupted = findInterrupted(folder)
  const staging = await makeStaging(folder, interrupted)
  const known = new KnownVectors(options.embedder?.dimensions ?? 0)
  try {
    if (options.embedder) for (const source of [folder, ...interrupted, ...staging.earlier]) await known.addFolder(source)
    const writer = new IndexWriter(staging.folder, options, known)
    try {
      for await (const card of cards) await writer.add(card)
      await writer.finish()
    } finally {
      writer.close()
    }
    known.close()
    await placeAtomically(folder, (place) => rename(staging.folder, place))
    for (const done of [...interrupted, ...staging.earlier]) await rm(done, { recursive: true, force: true })
    return { folder, ...writer.counted }
  } catch (error) {
    if (!options.embedder) await rm(staging.folder, { recursive: true, force: true })
    throw explainDiskError(error, folder)
  } finally {
    known.close()
  }
}

/**
 * Brings the index in a folder up to date: cards that come replace those of the same id or join them, `removed` ones leave, all others stay.
 * @throws as `buildIndex`; InputError `index.missing`, `index.version`, `index.corrupt` for the index that is there
 * @example
 * await buildIndex([{ id: "squad", description: "Questions about passages", tags: [] }], { folder: "questions" })
 * const news = [{ id: "news", description: "Headlines by topic", tags: ["classification"] }]
 * const { cards } = await refreshIndex(news, { folder: "questions", removed: ["squad"] })
 */
export async function refreshIndex(
  cards: AsyncIterable<SearchableCard> | Iterable<SearchableCard>,
  { removed = [], ...options }: BuildIndexOptions & { readonly removed?: Iterable<string> },
): Promise<BuiltIndex> {
  const folder = resolve(options.folder)
  if (readManifest(folder).vectors && !options.embedder) {
    throw new InputError("index.embedder", `The index in ${folder} has vectors: refresh it with the embedder that it was built with.`)
  }
  const replaced = new Set<string>()
  async function* merge(): AsyncGenerator<SearchableCard> {
    for await (const card of cards) {
      replaced.add(card.id)
      yield card
    }
    // Only now, so that what leaves may be found out while cards come.
    for (const id of removed) replaced.add(id)
    const old = new CardReader<SearchableCard>(folder)
    try {
      for (let row = 0; row < old.count; row++) {
        const card = old.read(row)
        if (!replaced.has(card.id)) yield card
      }
    } finally {
      old.close()
    }
  }
  return buildIndex(merge(), options)
}

/** A new folder to work in. What an interrupted build of this same process left is set aside as a source. */
async function makeStaging(folder: string, interrupted: string[]): Promise<{ folder: string; earlier: string[] }> {
  const staging = buildingFolder(folder, process.pid)
  const earlier: string[] = []
  const own = interrupted.indexOf(staging)
  if (own >= 0) {
    interrupted.splice(own, 1)
    let number = 1
    while (interrupted.includes(`${staging}.${number}`)) number++
    earlier.push(`${staging}.${number}`)
    await rename(staging, `${staging}.${number}`)
  }
  await mkdir(staging, { recursive: true })
  return { folder: staging, earlier }
}

/** Writes an index's files as cards come. */
class IndexWriter {
  private readonly cards: CardWriter
  private readonly words: RunWriter
  private readonly ids = new KeyTable()
  private readonly digests?: FileWriter
  private readonly vectors?: FileWriter
  private waiting: { text: string; digest: Buffer }[] = []
  private totalLength = 0
  private repeated = 0
  private embedded = 0
  private reused = 0
  private isClosed = false

  constructor(
    private readonly folder: string,
    private readonly options: BuildIndexOptions,
    private readonly known: KnownVectors,
  ) {
    this.cards = new CardWriter(folder)
    this.words = new RunWriter(folder)
    if (!options.embedder) return
    this.digests = new FileWriter(join(folder, "digests"))
    this.vectors = new FileWriter(join(folder, "vectors"))
  }

  get counted(): Omit<BuiltIndex, "folder"> {
    return { cards: this.cards.count, repeated: this.repeated, embedded: this.embedded, reused: this.reused }
  }

  async add(card: SearchableCard): Promise<void> {
    if (this.options.signal?.aborted) throw new InterruptedError()
    const row = this.cards.count
    if (this.ids.add(hashName(card.id), row) !== undefined) {
      this.repeated++
      return
    }
    this.cards.add(card)
    const isKept = (word: string) => word.length <= longestWord / 4 || Buffer.byteLength(word) <= longestWord
    const name = wordsOf(card.id).filter(isKept)
    const body = wordsOf(`${card.tags.join(" ")} ${card.description}`).filter(isKept)
    const { counts, length } = countWords(name, body)
    this.totalLength += length
    this.words.add(row, counts, length)
    const { embedder } = this.options
    if (embedder) {
      const text = textOfCard(card)
      this.waiting.push({ text, digest: digestText(text, embedder.fingerprint) })
    }
    if (this.waiting.length === embeddedAtOnce || (row + 1) % embeddedAtOnce === 0) await this.embedWaiting()
  }

  async finish(): Promise<void> {
    const { options, folder } = this
    await this.embedWaiting()
    const { count } = this.cards
    this.words.flush(count)
    const ids = new FileWriter(join(folder, "ids"))
    this.ids.write(ids)
    ids.close()
    this.close()
    const meanLength = this.totalLength / Math.max(count, 1) || 1
    const numWords = await writeWordLists(folder, this.words.runs, meanLength)
    for (const run of this.words.runs) await rm(run)
    let manifest: Manifest = { count, meanLength, numWords }
    if (options.embedder) {
      const { dimensions, fingerprint } = options.embedder
      const numLists = count > searchedWhole ? await writeVectorLists(folder, count, dimensions) : 0
      manifest = { ...manifest, vectors: { dimensions, embedder: fingerprint, numLists } }
    }
    await writeFileAtomically(join(folder, manifestName), formatManifest(folder, manifest))
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const file of [this.cards, this.digests, this.vectors]) file?.close()
  }

  private async embedWaiting(): Promise<void> {
    const { embedder, signal, onProgress } = this.options
    const found = this.waiting.map(({ digest }) => this.known.get(digest))
    const missing = this.waiting.flatMap(({ text }, place) => (found[place] ? [] : text))
    const made = embedder && missing.length > 0 ? await embedder.embed(missing, { use: "document", signal }) : new Float32Array()
    if (embedder && made.length !== missing.length * embedder.dimensions) {
      throw new InputError(
        "index.vector",
        `The embedder answered ${made.length} numbers for ${missing.length} texts of ${embedder.dimensions}.`,
      )
    }
    let next = 0
    for (const [place, { digest }] of this.waiting.entries()) {
      const vector = found[place] ?? made.subarray(next * embedder!.dimensions, ++next * embedder!.dimensions)
      if (!vector.every(Number.isFinite)) throw new InputError("index.vector", "The embedder answered something that is not a number.")
      this.vectors!.write(bytesOf(vector))
      this.digests!.write(digest)
    }
    // What was paid for in time survives a kill.
    if (missing.length > 0) for (const file of [this.vectors, this.digests]) file?.flush()
    this.embedded += missing.length
    this.reused += this.waiting.length - missing.length
    this.waiting = []
    onProgress?.({ cards: this.cards.count, embedded: this.embedded })
  }
}
