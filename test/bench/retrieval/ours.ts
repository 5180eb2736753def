// We in retrieval: an index of DataFinder's documents, the time of its embeddings, and indexes of synthetic cards. Answers questions (serve-contender.ts).
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import {
  buildIndex,
  type DiskIndex,
  openIndex,
  type SearchableCard,
  type SearchMethod,
  type TextEmbedder,
} from "../../../kernel-lib/src/search"
import { VectorSearch } from "../../../kernel-lib/src/search/disk/vector-search"
import { type Embedder, loadEmbedder } from "../../../kernel-lib/src/students"
import { serveContender } from "../harness/serve-contender"
import { readDataFinder } from "./data-finder"
import { dimensions, drawWords, makeCards, SyntheticEmbedder } from "./synthetic-cards"

let embedder: Embedder | undefined
const known = new Map<string, Float32Array>()
let index: DiskIndex<SearchableCard> | undefined

async function loadEncoder({ folder, threads }: { folder: string; threads: number }) {
  embedder = await loadEmbedder(folder, { threads })
}

/** Embeds every so many-th text and keeps the vectors. Answers seconds. */
async function embedPart({ file, part, parts }: { file: string; part: number; parts: number }) {
  const texts = (JSON.parse(readFileSync(file, "utf8")) as string[]).filter((_, row) => row % parts === part)
  const began = performance.now()
  const vectors = await embedder!.embed(texts)
  const seconds = (performance.now() - began) / 1000
  for (const [row, text] of texts.entries()) known.set(text, vectors.slice(row * embedder!.dimensions, (row + 1) * embedder!.dimensions))
  return seconds
}

/** Vectors of the first texts, which were embedded before. */
async function showVectors({ file, count }: { file: string; count: number }) {
  return (JSON.parse(readFileSync(file, "utf8")) as string[]).slice(0, count).map((text) => [...known.get(text)!])
}

/** The encoder, which does not do again what was timed. */
function withKnown(encoder: Embedder): TextEmbedder {
  const { dimensions, fingerprint } = encoder
  return {
    dimensions,
    fingerprint,
    async embed(texts, options) {
      const vectors = texts.map((text) => known.get(text))
      if (vectors.includes(undefined)) return encoder.embed(texts, options)
      return Float32Array.from(vectors.flatMap((vector) => [...vector!]))
    },
  }
}

async function buildReal({ data, every, folder }: { data: string; every: number; folder: string }) {
  await buildIndex(readDataFinder(data, every).cards, { folder, embedder: withKnown(embedder!) })
  index = await openIndex(folder, { embedder })
}

interface RankQuestion {
  readonly data: string
  readonly every: number
  readonly form: "sentence" | "keyphrase"
  readonly method: SearchMethod
  readonly depth: number
}

/** Rows of the found documents, query by query. */
async function rank({ data, every, form, method, depth }: RankQuestion) {
  const { cards, queries } = readDataFinder(data, every)
  const rowOf = new Map(cards.map(({ id }, row) => [id, row]))
  const rankings: number[][] = []
  for (const query of queries) {
    const found = await index!.search(query[form], { method, limit: depth })
    rankings.push(found.map(({ card }) => rowOf.get(card.id)!))
  }
  return rankings
}

async function buildSynthetic({ folder, count }: { folder: string; count: number }) {
  const began = performance.now()
  await buildIndex(makeCards(count), { folder, embedder: new SyntheticEmbedder() })
  const seconds = (performance.now() - began) / 1000
  const files = readdirSync(folder).map((name) => statSync(join(folder, name)).size)
  return { seconds, megabytes: files.reduce((sum, size) => sum + size, 0) / 1e6 }
}

/** Milliseconds of each search, after some that do not count. */
async function timeSearches({ folder, method, count }: { folder: string; method: SearchMethod; count: number }) {
  index = await openIndex(folder, { embedder: new SyntheticEmbedder() })
  const times: number[] = []
  for (let query = -20; query < count; query++) {
    const text = `q${1000 + query} ${drawWords(10_000_000 + query, 8)}`
    const began = performance.now()
    await index.search(text, { method, limit: 10 })
    if (query >= 0) times.push(performance.now() - began)
  }
  index.close()
  return times
}

/** The share of the ten truly nearest that a search finds. */
async function measureRecall({ folder, count, queries }: { folder: string; count: number; queries: number }) {
  const numLists = statSync(join(folder, "list-places"), { throwIfNoEntry: false })?.size ?? 0
  const vectors = new VectorSearch(folder, count, dimensions, numLists / 8)
  const synthetic = new SyntheticEmbedder()
  let found = 0
  for (let query = 0; query < queries; query++) {
    const vector = await synthetic.embed([`q${query}`])
    const exact = new Set(vectors.searchAll(vector, 10).rows)
    found += vectors.search(vector, 10).rows.filter((row) => exact.has(row)).length
  }
  vectors.close()
  return found / (10 * queries)
}

await serveContender({ loadEncoder, embedPart, showVectors, buildReal, rank, buildSynthetic, timeSearches, measureRecall })
