// The Hugging Face Hub, or a server that answers as it does, through its official client.
import { resolve } from "node:path"
import { downloadFile, getHFHubCachePath, listDatasets, listFiles, listModels } from "@huggingface/hub"
import { InputError } from "../../core/errors"
import type { DatasetCard, Hub, ModelCard } from "../../core/hub"
import { searchCards, wordsOf } from "../../search"
import type { RetryOptions } from "../teachers/retry"
import { connect, explainHubError, type HubConnection } from "./hub-connection"
import { datasetCardOf, datasetFields, descriptionOfReadme, modelCardOf, modelFields } from "./hugging-face-cards"
import { downloadModel } from "./hugging-face-models"
import { describeConfigurations, listParquet, readSplit } from "./hugging-face-rows"

export interface HuggingFaceHubOptions {
  /** Default: HF_ENDPOINT, or https://huggingface.co. */
  readonly endpoint?: string
  /** Default: HF_TOKEN. Public datasets and models need none. */
  readonly accessToken?: string
  /** Where models are kept. Default: the cache of transformers, as HF_HUB_CACHE and HF_HOME say. */
  readonly cacheFolder?: string
  /** Retries of a request that failed for the moment. */
  readonly retry?: RetryOptions
}

/** Words of a query that are searched for, each by itself: the hub looks for them in names. */
const maxWords = 8
const cardsPerWord = 20
const cardsPerArchitecture = 25
/** Cards that are answered with. */
const maxCards = 40
/** Of so many of the best, columns, a sample row and READMEs are read too. */
const numDetailed = 6
/** Architectures that students may have, as the hub tags them. */
const architectures = ["t5", "mt5", "gpt2", "llama", "qwen2", "bert", "roberta", "distilbert"]

/**
 * The Hugging Face Hub. What leaves the machine goes to its endpoint: words of the prompt, names, and the token where there is one.
 *
 * @throws InputError `hub.endpoint` for an address that is none
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
  return {
    name: "huggingface",
    identity: `huggingface ${endpoint}`,
    sendsTo: endpoint,
    findDatasets: (query, { signal } = {}) => about("its datasets", "dataset", signal, () => findDatasets(connection, query, signal)),
    findModels: (query, { signal } = {}) => about("its models", "model", signal, () => findModels(connection, query, signal)),
    readRows: (id, options) => about(id, "dataset", options.signal, () => readSplit(connection, checkId(id), options)),
    fetchModel: (id, { signal } = {}) => about(id, "model", signal, () => downloadModel(connection, cacheFolder, checkId(id), signal)),
  }
}

async function findDatasets(
  connection: HubConnection,
  query: string,
  signal?: AbortSignal,
): Promise<{ cards: DatasetCard[]; searched: number }> {
  const client = {
    hubUrl: connection.endpoint,
    fetch: connect(connection, signal),
    additionalFields: [...datasetFields],
    sort: "downloads" as const,
  }
  const lists = await Promise.all(
    searchWords(query).map((word) => collect(listDatasets({ ...client, search: { query: word }, limit: cardsPerWord }), datasetCardOf)),
  )
  const found = distinct(lists.flat())
  const ranked = searchCards(query, found, { limit: maxCards }).map(({ card }) => card)
  const detailed = await Promise.all(ranked.slice(0, numDetailed).map((card) => addDetails(connection, card, signal)))
  return { cards: [...detailed, ...ranked.slice(numDetailed)], searched: found.length }
}

/** `card` with the configurations that the dataset's files show; those without such files can be read by a script only, or not at all. */
async function addDetails(connection: HubConnection, card: DatasetCard, signal?: AbortSignal): Promise<DatasetCard> {
  if (card.access !== "open") return card
  try {
    const described = await describeConfigurations(connection, await listParquet(connection, card.id, signal), signal)
    const known = new Map(card.configurations.map((configuration) => [configuration.name, configuration]))
    for (const one of described) known.set(one.name, { ...known.get(one.name), ...one, numRows: known.get(one.name)?.numRows })
    return { ...card, configurations: [...known.values()] }
  } catch (error) {
    signal?.throwIfAborted()
    if ((error as { statusCode?: number }).statusCode === undefined) return card
    const client = { hubUrl: connection.endpoint, fetch: connect(connection, signal) }
    const files = await collect(listFiles({ ...client, repo: { type: "dataset", name: card.id } }), ({ path }) => path).catch(
      (): string[] => [],
    )
    return files.includes(`${card.id.split("/").pop()}.py`) ? { ...card, access: "script" } : card
  }
}

async function findModels(
  connection: HubConnection,
  query: string,
  signal?: AbortSignal,
): Promise<{ cards: ModelCard[]; searched: number }> {
  const client = {
    hubUrl: connection.endpoint,
    fetch: connect(connection, signal),
    additionalFields: [...modelFields],
    sort: "downloads" as const,
  }
  const lists = await Promise.all([
    ...architectures.map((tag) => collect(listModels({ ...client, search: { tags: [tag] }, limit: cardsPerArchitecture }), modelCardOf)),
    ...searchWords(query).map((word) => collect(listModels({ ...client, search: { query: word }, limit: cardsPerWord }), modelCardOf)),
  ])
  const found = distinct(lists.flat())
  const byWords = searchCards(query, found, { limit: maxCards }).map(({ card }) => card)
  const ranked = distinct([...byWords, ...found.sort((a, b) => b.downloads - a.downloads)]).slice(0, maxCards)
  const described = await Promise.all(
    ranked.slice(0, numDetailed).map(async (card) => {
      const readme = await downloadFile({ ...client, repo: card.id, path: "README.md", xet: false }).catch(() => null)
      signal?.throwIfAborted()
      const text = readme && (await readme.text().catch(() => ""))
      return text ? { ...card, description: `${card.description} ${descriptionOfReadme(text)}`.trim() } : card
    }),
  )
  return { cards: [...described, ...ranked.slice(numDetailed)], searched: found.length }
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
