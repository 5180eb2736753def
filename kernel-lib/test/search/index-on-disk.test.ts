// Indexes in real folders: what they find beside plain reference formulas, refreshed and interrupted builds, and files that are not what was written.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { Random } from "../../src/core/random"
import { buildIndex, openIndex, refreshIndex, type SearchableCard, type TextEmbedder, wordsOf } from "../../src/search"
import { toLength1 } from "../../src/search/disk/clusters"
import { writeVectorLists } from "../../src/search/disk/vector-lists"
import { VectorSearch } from "../../src/search/disk/vector-search"

const home = mkdtempSync(join(tmpdir(), "prompt2model-search-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const vocabulary = Array.from({ length: 300 }, (_, rank) => `w${rank.toString(36)}q`)

/** Words as rare as in language: the n-th comes a share of 1 / n. */
function drawText(random: Random, length: number): string {
  return Array.from({ length }, () => vocabulary[Math.floor(vocabulary.length ** random.next()) - 1]).join(" ")
}

function makeCards(count: number, seed = 1): SearchableCard[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, row) => ({
    id: `card-${row} ${drawText(random, 2)}`,
    tags: drawText(random, random.integer(3)).split(" "),
    description: drawText(random, 1 + random.integer(40)),
  }))
}

/** Numbers from -1 to 1 that a text begins (mulberry32). */
function drawNumbers(text: string): () => number {
  let state = 7
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1
  }
}

/** Vectors by chance, but the same for the same text; near to each other where the first word is the same. */
class HashedEmbedder implements TextEmbedder {
  readonly fingerprint: string
  texts = 0
  constructor(
    readonly dimensions = 16,
    name = "hashed",
  ) {
    this.fingerprint = name
  }
  async embed(texts: readonly string[]): Promise<Float32Array> {
    this.texts += texts.length
    const vectors = new Float32Array(texts.length * this.dimensions)
    for (const [row, text] of texts.entries()) {
      const [topic, noise] = [drawNumbers(text.split(" ")[1] ?? ""), drawNumbers(text)]
      const vector = Float32Array.from({ length: this.dimensions }, () => topic() + noise() / 2)
      vectors.set(toLength1(vector), row * this.dimensions)
    }
    return vectors
  }
}

const textOf = ({ id, tags, description }: SearchableCard) => [id, ...tags, description].join(" ")

/** BM25 as the textbook has it, over all cards. */
function rankByFormula(bags: readonly (readonly string[])[], query: string): number[] {
  const meanLength = bags.reduce((sum, bag) => sum + bag.length, 0) / bags.length
  const weights = wordsOf(query).map((word) => {
    const having = bags.filter((bag) => bag.includes(word)).length
    return { word, weight: Math.log(1 + (bags.length - having + 0.5) / (having + 0.5)) }
  })
  return bags.map((bag) =>
    weights.reduce((sum, { word, weight }) => {
      const times = bag.filter((other) => other === word).length
      return sum + (weight * times * 2.2) / (times + 1.2 * (0.25 + (0.75 * bag.length) / meanLength))
    }, 0),
  )
}

async function build(name: string, cards: Iterable<SearchableCard>, embedder?: TextEmbedder) {
  const folder = join(home, name)
  return { folder, built: await buildIndex(cards, { folder, embedder }) }
}

describe("BM25 on the disk", () => {
  test("has the scores of the textbook's formula, over many blocks", async () => {
    const cards = makeCards(500)
    const { folder, built } = await build("formula", cards)
    expect(built).toMatchObject({ cards: 500, repeated: 0, embedded: 0 })
    const index = await openIndex(folder)
    const bags = cards.map(({ id, tags, description }) => {
      const name = wordsOf(id)
      return [...name, ...name, ...name, ...wordsOf(`${tags.join(" ")} ${description}`)]
    })
    const random = new Random("queries")
    for (const length of [1, 2, 3, 5, 8, 20]) {
      const query = drawText(random, length)
      const expected = rankByFormula(bags, query)
      const found = await index.search(query, { limit: 25 })
      const best = expected.filter((score) => score > 0).sort((one, other) => other - one)
      expect(found.map(({ score }) => score.toFixed(9))).toEqual(best.slice(0, 25).map((score) => score.toFixed(9)))
      for (const { card, score } of found) expect(score).toBeCloseTo(expected[Number(/\d+/.exec(card.id))], 9)
    }
    index.close()
  })

  test("says which words a card has, rarest first, and finds nothing for nothing", async () => {
    const cards = ["dates dates ISO", "dates", "countries", "dates of countries"].map((description, row) => ({
      id: `n${row}`,
      tags: [],
      description,
    }))
    const { folder } = await build("words", cards)
    const index = await openIndex(folder)
    const found = await index.search("Dates in ISO form")
    expect(found.map(({ card }) => card.id)).toEqual(["n0", "n1", "n3"])
    expect(found[0].words).toEqual(["iso", "date"])
    for (const query of ["", "the of", "zebra"]) expect(await index.search(query)).toEqual([])
    expect(index.get("n2")).toEqual(cards[2])
    expect(index.get("n4")).toBeUndefined()
    index.close()
    await expect(index.search("dates")).rejects.toMatchObject({ code: "index.closed" })
  })

  test("an empty catalogue, odd cards, and ids that come twice", async () => {
    const empty = await openIndex((await build("empty", [])).folder)
    expect(await empty.search("dates")).toEqual([])
    const odd = [
      { id: "日本語", tags: [], description: "日付 \ud800 ".repeat(3) },
      { id: "long", tags: [], description: `${"x".repeat(5000)} dates` },
      { id: "long", tags: [], description: "another" },
      { id: "", tags: [], description: "" },
    ]
    const { folder, built } = await build("odd", odd)
    expect(built).toMatchObject({ cards: 3, repeated: 1 })
    const index = await openIndex(folder)
    expect((await index.search("日付"))[0].card.id).toBe("日本語")
    expect((await index.search("dates"))[0].card.description).toContain("dates")
    expect(await index.search("another")).toEqual([])
  })
})

describe("dense and hybrid search", () => {
  test("dense is the exact order by cosine, hybrid has both kinds of reasons", async () => {
    const cards = makeCards(700)
    const embedder = new HashedEmbedder()
    const { folder } = await build("dense", cards, embedder)
    const index = await openIndex(folder, { embedder })
    const [query] = await Promise.all([embedder.embed(["some query"])])
    const all = await embedder.embed(cards.map(textOf))
    const cosines = cards.map((_, row) => query.reduce((sum, value, i) => sum + value * all[row * 16 + i], 0))
    const order = cosines.map((_, row) => row).sort((one, other) => cosines[other] - cosines[one])
    const found = await index.search("some query", { method: "dense", limit: 20 })
    expect(found.map(({ card }) => card.id)).toEqual(order.slice(0, 20).map((row) => cards[row].id))
    expect(found[0].similarity).toBeCloseTo(cosines[order[0]], 5)
    const both = await index.search(`some ${vocabulary[0]}`)
    expect(both).toHaveLength(10)
    expect(both.some(({ words }) => words.length > 0)).toBe(true)
    expect(both.map(({ score }) => score)).toEqual(both.map(({ score }) => score).sort((one, other) => other - one))
  })

  test("lists of near vectors find what looking at all finds, while there are few enough to be looked at", async () => {
    const embedder = new HashedEmbedder()
    const cards = Array.from({ length: 600 }, (_, row) => ({ id: `c${row}`, tags: [], description: `topic${row % 20} ${row}` }))
    const { folder } = await build("lists", cards, embedder)
    const numLists = await writeVectorLists(folder, cards.length, 16)
    expect(numLists).toBe(49)
    const vectors = new VectorSearch(folder, cards.length, 16, numLists)
    for (const row of [3, 77, 599]) {
      const [query, limit] = [await embedder.embed([textOf(cards[row])]), 10]
      expect(vectors.search(query, limit).rows).toEqual(vectors.searchAll(query, limit).rows)
    }
    vectors.close()
  })

  test("asks for the embedder that it was built with", async () => {
    const { folder } = await build("embedder", makeCards(5), new HashedEmbedder())
    await expect(openIndex(folder, { embedder: new HashedEmbedder(16, "other") })).rejects.toMatchObject({ code: "index.embedder" })
    const index = await openIndex(folder)
    expect(index.methods).toEqual(["bm25"])
    await expect(index.search("w", { method: "dense" })).rejects.toMatchObject({ code: "index.method" })
  })

  test("refuses vectors that are not numbers, and keeps the index that was there", async () => {
    const cards = makeCards(3)
    const { folder } = await build("not-numbers", cards)
    const broken = {
      dimensions: 2,
      fingerprint: "broken",
      embed: async (texts: readonly string[]) => new Float32Array(texts.length * 2).fill(Number.NaN),
    }
    await expect(buildIndex(makeCards(4), { folder, embedder: broken })).rejects.toMatchObject({ code: "index.vector" })
    expect((await openIndex(folder)).count).toBe(3)
  })
})

describe("building again", () => {
  test("a refresh takes in what changed, drops what was removed, embeds only what is new", async () => {
    const cards = makeCards(600)
    const embedder = new HashedEmbedder()
    const { folder } = await build("refresh", cards, embedder)
    const changed = { ...cards[5], description: "zebra crossing" }
    const added = { id: "new", tags: [], description: "zebra" }
    const removed = [cards[7].id]
    const built = await refreshIndex([changed, added], { folder, embedder, removed })
    expect(built).toMatchObject({ cards: 600, embedded: 2, reused: 598 })
    const index = await openIndex(folder, { embedder })
    expect((await index.search("zebra", { method: "bm25" })).map(({ card }) => card.id).sort()).toEqual([cards[5].id, "new"].sort())
    expect(index.get(cards[7].id)).toBeUndefined()
    const text = textOf(cards[9])
    expect((await index.search(text, { method: "dense" }))[0]).toMatchObject({ card: cards[9] })
  })

  test("a refresh without the embedder would lose the vectors, and two builds at once each other's files", async () => {
    const { folder } = await build("guarded", makeCards(5), new HashedEmbedder())
    await expect(refreshIndex([], { folder })).rejects.toMatchObject({ code: "index.embedder" })
    const first = buildIndex(makeCards(5), { folder })
    await expect(buildIndex(makeCards(5), { folder })).rejects.toMatchObject({ code: "index.busy" })
    expect(await first).toMatchObject({ cards: 5 })
  })

  test("an interrupted build goes on with the vectors that it had, and nothing is left beside the index", async () => {
    const cards = makeCards(1000)
    const embedder = new HashedEmbedder()
    const folder = join(home, "interrupted")
    const controller = new AbortController()
    async function* crawl() {
      for (const [row, card] of cards.entries()) {
        if (row === 700) controller.abort()
        yield card
      }
    }
    await expect(buildIndex(crawl(), { folder, embedder, signal: controller.signal })).rejects.toMatchObject({ code: "run.interrupted" })
    await expect(openIndex(folder)).rejects.toMatchObject({ code: "index.missing" })
    expect(await buildIndex(cards, { folder, embedder })).toMatchObject({ cards: 1000, embedded: 488, reused: 512 })
    expect(readdirSync(home).filter((name) => name.includes("interrupted"))).toEqual(["interrupted"])
    expect(embedder.texts).toBe(1000)
  })
})

describe("files that are not what was written", () => {
  const open = async (folder: string) => {
    const index = await openIndex(folder)
    for (const word of vocabulary) await index.search(word, { limit: 1 })
    for (const { id } of makeCards(100)) index.get(id)
  }

  test("each file cut short is refused, by name", async () => {
    const { folder } = await build("cut", makeCards(100), new HashedEmbedder())
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      const bytes = readFileSync(file)
      truncateSync(file, bytes.length - 3)
      await expect(openIndex(folder), name).rejects.toMatchObject({ code: "index.corrupt" })
      writeFileSync(file, bytes)
    }
    expect((await openIndex(folder)).count).toBe(100)
  })

  test("a changed byte in cards, words and lists is found when it is read", async () => {
    const { folder } = await build("changed", makeCards(100))
    await open(folder)
    for (const name of ["cards", "words", "lists"]) {
      const file = join(folder, name)
      const bytes = readFileSync(file)
      const changed = Buffer.from(bytes)
      changed[name === "cards" ? 50 : bytes.length >> 1] ^= 64
      writeFileSync(file, changed)
      await expect(open(folder), name).rejects.toMatchObject({ code: "index.corrupt" })
      writeFileSync(file, bytes)
    }
  })

  test("another version, another file, no folder", async () => {
    const { folder } = await build("version", makeCards(3))
    const file = join(folder, "index.json")
    const text = readFileSync(file, "utf8")
    writeFileSync(file, text.replace('"version": 2', '"version": 9'))
    await expect(openIndex(folder)).rejects.toMatchObject({
      code: "index.version",
      message: expect.stringContaining("build the index again"),
    })
    writeFileSync(file, "{}")
    await expect(openIndex(folder)).rejects.toMatchObject({ code: "index.corrupt" })
    await expect(openIndex(join(home, "nowhere"))).rejects.toMatchObject({ code: "index.missing" })
  })
})
