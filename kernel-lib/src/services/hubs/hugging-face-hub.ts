// The Hugging Face Hub, or a server that answers as it does, through its official client.
import { resolve } from "node:path"
import { downloadFile, getHFHubCachePath, listDatasets, listFiles, listModels } from "@huggingface/hub"
import { InputError } from "../../core/errors"
import type { DatasetCard, Hub, ListedPage, ModelCard } from "../../core/hub"
import { searchCards, type TextEmbedder, wordsOf } from "../../search"
import type { RetryOptions } from "../teachers/retry"
import { architectures, connect, explainHubError, type HubConnection } from "./hub-connection"
import { type FoundCards, openHubIndex } from "./hub-index"
import { datasetCardOf, datasetFields, descriptionOfReadme, modelCardOf, modelFields } from "./hugging-face-cards"
import { listAllDatasets, listAllModels } from "./hugging-face-listing"
import { downloadModel } from "./hugging-face-models"
import { listParquet } from "./hugging-face-parquet"
import { describeConfigurations, readSplit } from "./hugging-face-rows"

export interface HuggingFaceHubOptions {
  /** Default: HF_ENDPOINT, or https://huggingface.co. */
  readonly endpoint?: string
  /** Default: HF_TOKEN. Public datasets and models need none. */
  readonly accessToken?: string
  /** Where models are kept. Default: the cache of transformers, as HF_HUB_CACHE and HF_HOME say. */
  readonly cacheFolder?: string
  /** Retries of a request that failed for the moment. */
  readonly retry?: RetryOptions
  /** A folder that `indexHub` made of this hub: cards are searched there; then no word of a prompt leaves the machine, only the names of what was found. Default: the hub searches. */
  readonly index?: string
  /** The embedder that the index was built with, for hybrid search in it. */
  readonly embedder?: TextEmbedder
}

/** Words of a query that are searched for, each by itself: the hub looks for them in names. */
const maxWords = 8
const cardsPerWord = 20
const cardsPerArchitecture = 25
/** Cards that are answered with. */
const maxCards = 40
/** Of so many of the best, columns, a sample row and READMEs are read too. */
const numDetailed = 6
/** Of so many more it is asked whether they can be read: what cannot must not be chosen. */
const numChecked = 14
/** A listing of everything takes hours, and the hub lets one ask for five minutes, then wait: such waits are obeyed. */
const listingRetry: RetryOptions = { maxTries: 20, maxRetryAfterSeconds: 900 }

/**
 * The Hugging Face Hub. What leaves the machine goes to its endpoint: words of the prompt, names, and the token where there is one.
 *
 * @throws InputError `hub.endpoint` for an address that is none; `index.missing`, `index.other-hub` for an index that is none, or another hub's
 * @example
 * const hub = huggingFaceHub({ endpoint: "https://huggingface.co" })
 * hub.sendsTo // "https://huggingface.co"
 */
export function huggingFaceHub(options: HuggingFaceHubOptions = {}): Hub {
  const endpoint = readEndpoint(options.endpoint ?? process.env.HF_ENDPOINT ?? "https://huggingface.co")
  const connection: HubConnection = {
    endpoint,
    accessToken: options.accessToken ?? (process.env.HF_TOKEN || undefined),
    retry: { maxTries: 5, maxBackOffMilliseconds: 20_000, maxRetryAfterSeconds: 60, ...options.retry },
  }
  const cacheFolder = resolve(options.cacheFolder ?? getHFHubCachePath())
  const about = async <T>(id: string, what: "dataset" | "model", signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      throw explainHubError(error, connection, id, what)
    }
  }
  const live = `huggingface ${endpoint}`
  const index = options.index === undefined ? undefined : openHubIndex(options.index, live, options.embedder)
  const datasets = index ? index.findDatasets : (query: string, signal?: AbortSignal) => searchDatasets(connection, query, signal)
  const models = index ? index.findModels : (query: string, signal?: AbortSignal) => searchModels(connection, query, signal)
  const patient = { ...connection, retry: { ...connection.retry, ...listingRetry, ...options.retry } }
  async function* explained<Card>(what: "dataset" | "model", pages: AsyncGenerator<ListedPage<Card>>, signal?: AbortSignal) {
    for (;;) {
      const { done, value } = await about(`its ${what}s`, what, signal, () => pages.next())
      if (done) return
      yield value as ListedPage<Card>
    }
  }
  return {
    name: "huggingface",
    identity: index ? `${live} ${index.version}` : live,
    sendsTo: endpoint,
    findDatasets: (query, { signal } = {}) =>
      about("its datasets", "dataset", signal, async () => describeDatasets(connection, query, await datasets(query, signal), signal)),
    findModels: (query, { signal } = {}) =>
      about("its models", "model", signal, async () => describeModels(connection, query, await models(query, signal), signal)),
    listDatasets: (listing = {}) => explained("dataset", listAllDatasets(patient, listing), listing.signal),
    listModels: (listing = {}) => explained("model", listAllModels(patient, listing), listing.signal),
    readRows: (id, options) => about(id, "dataset", options.signal, () => readSplit(connection, checkId(id), options)),
    fetchModel: (id, { signal } = {}) => about(id, "model", signal, () => downloadModel(connection, cacheFolder, checkId(id), signal)),
  }
}

/** What the hub finds by each word of the query, best first. */
async function searchDatasets(connection: HubConnection, query: string, signal?: AbortSignal): Promise<FoundCards<DatasetCard>> {
  const client = clientOf(connection, datasetFields, signal)
  const lists = await Promise.all(
    searchWords(query).map((word) => collect(listDatasets({ ...client, search: { query: word }, limit: cardsPerWord }), datasetCardOf)),
  )
  const found = distinct(lists.flat())
  return { cards: searchCards(query, found, { limit: maxCards }).map(({ card }) => card), searched: found.length }
}

function clientOf<Field extends string>(connection: HubConnection, fields: readonly Field[], signal?: AbortSignal) {
  const { endpoint: hubUrl } = connection
  return { hubUrl, fetch: connect(connection, signal), additionalFields: [...fields], sort: "downloads" as const }
}

/** The cards with what the hub says of the best of them today. */
async function describeDatasets(
  connection: HubConnection,
  query: string,
  { cards, ...found }: FoundCards<DatasetCard>,
  signal?: AbortSignal,
) {
  const described = await Promise.all(
    cards.map((card, place) => {
      if (place < numDetailed) return addDetails(connection, card, query, signal)
      return place < numDetailed + numChecked && card.configurations.length > 0 ? checkReadable(connection, card, signal) : card
    }),
  )
  return { ...found, cards: described }
}

/** `card` with the configurations that the dataset's files show; those without such files can be read by a script only, or not at all. */
async function addDetails(connection: HubConnection, card: DatasetCard, query: string, signal?: AbortSignal): Promise<DatasetCard> {
  if (card.access !== "open") return card
  return orScript(connection, card, signal, async () => {
    const listing = await listParquet(connection, card.id, signal)
    return { ...card, configurations: await describeConfigurations(connection, listing, { query, known: card.configurations, signal }) }
  })
}

/** `card`, without configurations where the hub has no files that could be read. */
async function checkReadable(connection: HubConnection, card: DatasetCard, signal?: AbortSignal): Promise<DatasetCard> {
  if (card.access !== "open") return card
  return orScript(connection, card, signal, async () => {
    await listParquet(connection, card.id, signal)
    return card
  })
}

/** What `read` answers; where the hub has nothing to read, the card as one that nobody should choose. */
async function orScript(
  connection: HubConnection,
  card: DatasetCard,
  signal: AbortSignal | undefined,
  read: () => Promise<DatasetCard>,
): Promise<DatasetCard> {
  try {
    return await read()
  } catch (error) {
    signal?.throwIfAborted()
    const status = (error as { statusCode?: number }).statusCode
    if (status === undefined) return card
    if (status === 401 || status === 403) return { ...card, access: "gated" }
    const client = { hubUrl: connection.endpoint, fetch: connect(connection, signal) }
    const files = await collect(listFiles({ ...client, repo: { type: "dataset", name: card.id } }), ({ path }) => path).catch(
      (): string[] => [],
    )
    const isScript = files.includes(`${card.id.split("/").pop()}.py`)
    return isScript ? { ...card, access: "script" } : { ...card, configurations: [] }
  }
}

/** What the hub finds by each word of the query. */
async function searchModels(connection: HubConnection, query: string, signal?: AbortSignal): Promise<FoundCards<ModelCard>> {
  const client = clientOf(connection, modelFields, signal)
  const lists = await Promise.all(
    searchWords(query).map((word) => collect(listModels({ ...client, search: { query: word }, limit: cardsPerWord }), modelCardOf)),
  )
  const cards = lists.flat()
  return { cards, searched: cards.length }
}

/** The cards, and those that are downloaded most of each architecture, with the READMEs of the best. */
async function describeModels(connection: HubConnection, query: string, found: FoundCards<ModelCard>, signal?: AbortSignal) {
  const client = clientOf(connection, modelFields, signal)
  const popular = await Promise.all(
    architectures.map((tag) => collect(listModels({ ...client, search: { tags: [tag] }, limit: cardsPerArchitecture }), modelCardOf)),
  )
  const cards = distinct([...popular.flat(), ...found.cards])
  const byWords = searchCards(query, cards, { limit: maxCards }).map(({ card }) => card)
  const ranked = distinct([...byWords, ...[...cards].sort((a, b) => b.downloads - a.downloads)]).slice(0, maxCards)
  const described = await Promise.all(
    ranked.slice(0, numDetailed).map(async (card) => {
      const readme = await downloadFile({ ...client, repo: card.id, path: "README.md", xet: false }).catch(() => null)
      signal?.throwIfAborted()
      const text = readme && (await readme.text().catch(() => ""))
      return text ? { ...card, description: `${card.description} ${descriptionOfReadme(text)}`.trim() } : card
    }),
  )
  // Of a whole index more was searched than what came of it.
  return { cards: [...described, ...ranked.slice(numDetailed)], searched: Math.max(cards.length, found.searched) }
}

/** The words to search for: all of a short query, the first of a long one, where prompts say what they are about. */
function searchWords(query: string): string[] {
  return [...new Set(wordsOf(query))].filter((word) => word.length > 2).slice(0, maxWords)
}

async function collect<Entry, Card>(entries: AsyncIterable<Entry>, toCard: (entry: Entry) => Card | undefined): Promise<Card[]> {
  const cards: Card[] = []
  for await (const entry of entries) {
    const card = toCard(entry)
    if (card !== undefined) cards.push(card)
  }
  return cards
}

function distinct<Card extends { readonly id: string }>(cards: readonly Card[]): Card[] {
  const byId = new Map<string, Card>()
  for (const card of cards) if (!byId.has(card.id)) byId.set(card.id, card)
  return [...byId.values()]
}

function readEndpoint(text: string): string {
  try {
    const url = new URL(text)
    if (url.protocol === "https:" || url.protocol === "http:") return text.replace(/\/+$/, "")
  } catch {
    // Said below.
  }
  throw new InputError("hub.endpoint", `${text} is no address of a hub: set HF_ENDPOINT to one such as https://huggingface.co.`)
}

/** A name as the hub gives them, since it becomes a part of addresses and of a folder's name. */
function checkId(id: string): string {
  if (/^[\w.-]+(\/[\w.-]+)?$/.test(id) && !/(^|\/)\.+($|\/)/.test(id)) return id
  throw new InputError("hub.name", `"${id}" is no name of a repository: give one such as google/flan-t5-small.`)
}
