// The hub's whole listing, page by page, as its client follows it. A page is read whole before any of it counts, and the address of the next one
// is told, so that whoever was interrupted can go on there.
import { listDatasets, listModels } from "@huggingface/hub"
import { ServiceError } from "../../core/errors"
import type { DatasetCard, ListedCard, ListedPage, ListingOptions, ModelCard } from "../../core/hub"
import { architectures, connect, type HubConnection } from "./hub-connection"
import { datasetCardOf, datasetFields, modelCardOf, modelFields } from "./hugging-face-cards"

/** Tries for a page whose body broke off. */
const maxPageTries = 3

interface ListedEntry {
  readonly name: string
  readonly updatedAt: Date
}

/** The client's listing from its start, over a fetch. */
type Listing<Entry> = (fetchPage: typeof fetch) => AsyncIterable<Entry>

export function listAllDatasets(connection: HubConnection, options: ListingOptions = {}): AsyncGenerator<ListedPage<DatasetCard>> {
  const client = { hubUrl: connection.endpoint, additionalFields: [...datasetFields], sort: "lastModified" as const }
  return readPages((fetchPage) => listDatasets({ ...client, fetch: fetchPage }), datasetCardOf, connection, options)
}

/** Of each architecture that students may have, one after the other; a model may come twice. */
export async function* listAllModels(
  connection: HubConnection,
  { from, ...options }: ListingOptions = {},
): AsyncGenerator<ListedPage<ModelCard>> {
  const client = { hubUrl: connection.endpoint, additionalFields: [...modelFields], sort: "lastModified" as const }
  const first = from === undefined ? 0 : architectures.indexOf(architectureOf(from))
  for (const [at, tag] of architectures.entries()) {
    if (at < first) continue
    const listing: Listing<Parameters<typeof modelCardOf>[0]> = (fetchPage) =>
      listModels({ ...client, search: { tags: [tag] }, fetch: fetchPage })
    const following = architectures[at + 1]
    for await (const page of readPages(listing, modelCardOf, connection, { ...options, from: at === first ? from : undefined }))
      yield page.next === undefined && following ? { ...page, next: firstAddress(connection, following) } : page
  }
}

/** Stands for the first page of an architecture, whose own address only the client knows. */
function firstAddress({ endpoint }: HubConnection, architecture: string): string {
  return `${endpoint}/api/models?filter=${architecture}&from=start`
}

function architectureOf(address: string): string {
  return new URL(address).searchParams.get("filter") ?? ""
}

async function* readPages<Entry extends ListedEntry, Card>(
  list: Listing<Entry>,
  toCard: (entry: Entry) => Card | undefined,
  connection: HubConnection,
  { from, changedSince, signal }: ListingOptions,
): AsyncGenerator<ListedPage<Card>> {
  const fetchWhole = fetchWithBody(connect(connection, signal), connection)
  let start = from?.endsWith("from=start") ? undefined : from
  /** Where the page lies that the client asked for last. It does so only when everything of the one before was taken. */
  let address: string | undefined
  const asked = new Set<string>()
  const entries = list(async (input, init) => {
    address = start ?? String(input)
    start = undefined
    if (asked.has(address)) throw new Error("its listing goes round in a circle")
    asked.add(address)
    return fetchWhole(address, init)
  })
  let page: ListedCard<Card>[] = []
  let own: string | undefined
  try {
    for await (const entry of entries) {
      if (own !== address) {
        if (own !== undefined) yield { entries: page, next: address }
        page = []
        own = address
      }
      const changedAt = Number.isNaN(entry.updatedAt.getTime()) ? "" : entry.updatedAt.toISOString()
      if (changedSince !== undefined && changedAt !== "" && changedAt < changedSince) break
      page.push({ id: entry.name, changedAt, card: toCard(entry) })
    }
  } catch (error) {
    // What came before the page that did not come is kept.
    if (own !== undefined && own !== address) yield { entries: page, next: address }
    throw error
  }
  yield { entries: page }
}

/** A fetch whose answers have come whole. */
function fetchWithBody(fetchHub: typeof fetch, { endpoint }: HubConnection): typeof fetch {
  return async (input, init) => {
    for (let tries = 1; ; tries++) {
      const response = await fetchHub(input, init)
      try {
        const { status, headers } = response
        return new Response(await response.arrayBuffer(), { status, headers })
      } catch (cause) {
        init?.signal?.throwIfAborted()
        if (tries < maxPageTries) continue
        throw new ServiceError("hub.broken-download", `A listing of ${endpoint} broke off ${tries} times: try again.`, {
          cause,
          isRetryable: true,
        })
      }
    }
  }
}
