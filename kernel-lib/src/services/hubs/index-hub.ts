// A hub's cards in an index on this machine: listed page by page, filtered as upstream does, searched without asking the hub again.
import { readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { InputError, InterruptedError } from "../../core/errors"
import type { DatasetCard, Hub, ListedPage, ListingOptions, ModelCard } from "../../core/hub"
import { type BuiltIndex, buildIndex, refreshIndex, type TextEmbedder } from "../../search"
import { exists, writeFileAtomically } from "../../store/atomic"
import { CardFilter, type CardFilterOptions, type FilterReason } from "./card-filter"
import { lockFolder } from "./folder-lock"
import { hubStateName } from "./hub-index"
import { ListingFolder } from "./listing-folder"

export type IndexedKind = "datasets" | "models"

export interface IndexHubOptions extends CardFilterOptions {
  /** Holds an index for each kind, `datasets` and `models`, and what is known of the listing. */
  readonly folder: string
  /** Default: both. */
  readonly what?: readonly IndexedKind[]
  /** For dense and hybrid search. Default: none; then the indexes know words only. */
  readonly embedder?: TextEmbedder
  /** List everything again, so that what the hub no longer has leaves the index. Default: only what was changed since the last time. */
  readonly isFull?: boolean
  readonly signal?: AbortSignal
  /** Called after each page and now and then while an index is built. */
  readonly onProgress?: (progress: {
    readonly what: IndexedKind
    readonly listed: number
    readonly indexed: number
    readonly embedded: number
  }) => void
}

export interface IndexedCards extends BuiltIndex {
  /** Entries of the listing that were read for it. */
  readonly listed: number
  /** How many of those were left out, by the reason. */
  readonly filtered: Readonly<Partial<Record<FilterReason, number>>>
  /** Whether everything was listed, or only what had changed. */
  readonly isFull: boolean
}

type Card = DatasetCard | ModelCard

/** Kept beside the indexes: what they hold. */
interface HubState {
  readonly hub: string
  readonly kinds: Readonly<Partial<Record<IndexedKind, { readonly changedUpTo: string; readonly filter: CardFilterOptions }>>>
}

/**
 * Lists what a hub has and keeps an index of its cards in a folder; `huggingFaceHub({ index: folder })` searches there. One request at a time is
 * sent, and a hub that asks to wait is waited for. Interrupted or killed, the same call goes on behind the last page that it read, with the
 * vectors that it had. Called again, it lists only what was changed since, unless `isFull`. What has no description of four words, fewer
 * than 10 downloads, or the description of an earlier set is left out, as upstream does; a small hub that has no listing is taken as it is.
 *
 * @throws InputError `index.other-hub`, `index.busy`, `disk.full`, `disk.not-writable`; ServiceError where the hub cannot be reached;
 *   InterruptedError
 * @example
 * const indexed = await indexHub(bundledHub(), { folder: "hub-index" })
 * indexed.datasets?.cards // 39
 * const index = await openIndex("hub-index/datasets")
 */
export async function indexHub(hub: Hub, options: IndexHubOptions): Promise<Partial<Record<IndexedKind, IndexedCards>>> {
  const folder = resolve(options.folder)
  const unlock = await lockFolder(folder)
  try {
    const state = await readState(folder, hub)
    const indexed: Partial<Record<IndexedKind, IndexedCards>> = {}
    let { kinds } = state
    for (const what of options.what ?? (["datasets", "models"] as const)) {
      const result = await indexKind(hub, what, kinds[what], { ...options, folder })
      indexed[what] = result.cards
      kinds = { ...kinds, [what]: result.known }
      await writeFileAtomically(join(folder, hubStateName), `${JSON.stringify({ ...state, kinds }, null, 2)}\n`)
      await result.pages.remove()
    }
    return indexed
  } finally {
    await unlock()
  }
}

async function readState(folder: string, { identity, name }: Hub): Promise<HubState> {
  const path = join(folder, hubStateName)
  if (!(await exists(path))) return { hub: identity, kinds: {} }
  const state = await readFile(path, "utf8")
    .then((text) => JSON.parse(text) as HubState)
    .catch(() => undefined)
  if (state?.hub === identity) return state
  throw new InputError("index.other-hub", `${folder} holds the cards of another hub than ${name}: choose another folder, or delete it.`)
}

type Known = NonNullable<HubState["kinds"][IndexedKind]>

async function indexKind(
  hub: Hub,
  what: IndexedKind,
  known: Known | undefined,
  options: IndexHubOptions,
): Promise<{ cards: IndexedCards; known: Known; pages: ListingFolder<Card> }> {
  const { folder, embedder, signal, minWords = 4, minDownloads = 10 } = options
  const filter = { minWords, minDownloads }
  const list = (what === "datasets" ? hub.listDatasets : hub.listModels) as Listing | undefined
  const isFull = options.isFull || !list || !known || JSON.stringify(known.filter) !== JSON.stringify(filter)
  const purpose = { hub: hub.identity, changedSince: isFull ? undefined : known.changedUpTo }
  const pages = await ListingFolder.open<Card>(join(folder, `${what}.listing`), purpose)
  await readListing(list ?? (() => listWhole(hub, what)), pages, purpose.changedSince, what, options)
  const chosen = new ChosenCards(pages, new CardFilter(list ? what : "all", filter))
  const building = {
    ...{ folder: join(folder, what), embedder, signal },
    onProgress: ({ cards, embedded }: { cards: number; embedded: number }) =>
      options.onProgress?.({ what, listed: chosen.listed, indexed: cards, embedded }),
  }
  const built = isFull
    ? await buildIndex(chosen.cards(), building)
    : await refreshIndex(chosen.cards(), { ...building, removed: chosen.dropped })
  const changedUpTo = [chosen.newest, known?.changedUpTo ?? ""].sort()[1]
  return { cards: { ...built, listed: chosen.listed, filtered: chosen.filter.left, isFull }, known: { changedUpTo, filter }, pages }
}

type Listing = (options: ListingOptions) => AsyncIterable<ListedPage<Card>>

async function* listWhole(hub: Hub, what: IndexedKind): AsyncGenerator<ListedPage<Card>> {
  const { cards } = await (what === "datasets" ? hub.findDatasets("") : hub.findModels(""))
  yield { entries: cards.map((card) => ({ id: card.id, changedAt: "", card })) }
}

/** Reads the pages that are not there yet. */
async function readListing(
  list: Listing,
  pages: ListingFolder<Card>,
  changedSince: string | undefined,
  what: IndexedKind,
  options: IndexHubOptions,
): Promise<void> {
  const { signal, onProgress } = options
  const from = pages.last?.next
  if (pages.last && from === undefined) return
  let listed = 0
  try {
    for await (const page of list({ from, changedSince, signal })) {
      await pages.add(page)
      listed += page.entries.length
      onProgress?.({ what, listed, indexed: 0, embedded: 0 })
      if (signal?.aborted) throw new InterruptedError()
    }
  } catch (error) {
    if (signal?.aborted) throw new InterruptedError(undefined, { cause: error })
    // A place to go on at that the hub no longer knows would be refused each time.
    const isForgotten = from !== undefined && pages.last?.next === from && (error as { code?: string }).code === "hub.refused"
    if (!isForgotten) throw error
    await pages.clear()
    await readListing(list, pages, changedSince, what, options)
  }
}

/** The cards of a listing that are indexed, and what is learned while they stream past. */
class ChosenCards {
  listed = 0
  newest = ""
  /** Those that an index should no longer have. */
  readonly dropped: string[] = []

  constructor(
    private readonly pages: ListingFolder<Card>,
    readonly filter: CardFilter,
  ) {}

  async *cards(): AsyncGenerator<Card> {
    for await (const { entries } of this.pages.pages()) {
      for (const { id, changedAt, card } of entries) {
        this.listed++
        if (changedAt > this.newest) this.newest = changedAt
        if (this.filter.keeps(card)) yield card
        else this.dropped.push(id)
      }
    }
  }
}
