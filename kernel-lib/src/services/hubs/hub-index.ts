// Searching the cards that `indexHub` keeps of a hub.
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { InputError } from "../../core/errors"
import type { DatasetCard, ModelCard } from "../../core/hub"
import { openIndex, type SearchableCard, type TextEmbedder } from "../../search"

/** The file that says what the indexes of a folder hold. */
export const hubStateName = "hub.json"

/** Cards that are answered with. */
const maxCards = 40

export interface FoundCards<Card> {
  readonly cards: readonly Card[]
  /** How many were looked through. */
  readonly searched: number
  /** Of each card, where a search of its own ranked them, best first. */
  readonly scores?: readonly number[]
}

export interface HubIndex {
  /** Changes with each refresh, and with the embedder. */
  readonly version: string
  findDatasets(query: string, signal?: AbortSignal): Promise<FoundCards<DatasetCard>>
  findModels(query: string, signal?: AbortSignal): Promise<FoundCards<ModelCard>>
}

/** @throws InputError `index.missing`, `index.other-hub` */
export function openHubIndex(folder: string, hub: string, embedder?: TextEmbedder): HubIndex {
  const path = resolve(folder)
  const { text, made } = readState(path)
  if (made.hub !== hub)
    throw new InputError("index.other-hub", `${path} holds the cards of another hub than ${hub}: give the folder of its own index.`)
  const find = async <Card extends SearchableCard>(what: string, query: string, signal?: AbortSignal): Promise<FoundCards<Card>> => {
    const index = await openIndex<Card>(join(path, what), { embedder })
    try {
      const found = await index.search(query, { limit: maxCards, signal })
      return { cards: found.map(({ card }) => card), searched: index.count, scores: found.map(({ score }) => score) }
    } finally {
      index.close()
    }
  }
  return {
    version: createHash("sha256")
      .update(`${text}${embedder?.fingerprint ?? ""}`)
      .digest("hex")
      .slice(0, 16),
    findDatasets: (query, signal) => find("datasets", query, signal),
    findModels: (query, signal) => find("models", query, signal),
  }
}

function readState(path: string): { text: string; made: { readonly hub?: unknown } } {
  try {
    const text = readFileSync(join(path, hubStateName), "utf8")
    return { text, made: JSON.parse(text) as { hub?: unknown } }
  } catch (cause) {
    throw new InputError("index.missing", `${path} holds no index of a hub: make one with indexHub, or with prompt2model index.`, { cause })
  }
}
