// An index so large that a search reads lists of near vectors only: built, searched beside the exact answer, and damaged.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { buildIndex, openIndex } from "../../kernel-lib/src/search"
import { VectorSearch } from "../../kernel-lib/src/search/disk/vector-search"
import { dimensions, makeCards, SyntheticEmbedder } from "../bench/retrieval/synthetic-cards"

const count = 25_000
const folder = mkdtempSync(join(tmpdir(), "prompt2model-large-"))
const embedder = new SyntheticEmbedder()
beforeAll(async () => {
  await buildIndex(makeCards(count), { folder: join(folder, "index"), embedder })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("25,000 cards", () => {
  test("each is the nearest to its own text, and nearly all of the ten nearest are found", async () => {
    const index = await openIndex(join(folder, "index"), { embedder })
    for (const id of ["c3", "c7777", "c24999"]) {
      const [first] = await index.search(id, { method: "dense", limit: 1 })
      expect(first.card.id).toBe(id)
      expect(first.similarity).toBeCloseTo(1, 4)
    }
    index.close()
    const numLists = readFileSync(join(folder, "index", "list-places")).length / 8
    const vectors = new VectorSearch(join(folder, "index"), count, dimensions, numLists)
    let [agreed, asked] = [0, 0]
    for (let query = 0; query < 20; query++) {
      const vector = await embedder.embed([`q${query}`])
      const exact = new Set(vectors.searchAll(vector, 10).rows)
      agreed += vectors.search(vector, 10).rows.filter((row) => exact.has(row)).length
      asked += exact.size
    }
    vectors.close()
    expect(agreed / asked).toBeGreaterThanOrEqual(0.9)
  })

  test("every card is in one list, once", () => {
    const entries = readFileSync(join(folder, "index", "list-entries"))
    const entryBytes = entries.length / count
    const rows = Array.from({ length: count }, (_, place) => entries.readUInt32LE(place * entryBytes))
    expect(new Set(rows).size).toBe(count)
    expect(Math.max(...rows)).toBe(count - 1)
  })

  test("files of the lists that were cut are refused, and rows that cannot be are found when they are read", async () => {
    for (const name of readdirSync(join(folder, "index")).filter((file) => /^(centres|list-)/.test(file))) {
      const path = join(folder, "index", name)
      const bytes = readFileSync(path)
      truncateSync(path, bytes.length - 1)
      await expect(openIndex(join(folder, "index"), { embedder }), name).rejects.toMatchObject({ code: "index.corrupt" })
      writeFileSync(path, bytes)
    }
    const path = join(folder, "index", "list-entries")
    const bytes = readFileSync(path)
    for (let place = 0; place < count; place++) bytes.writeUInt32LE(count, (place * bytes.length) / count)
    writeFileSync(path, bytes)
    const index = await openIndex(join(folder, "index"), { embedder })
    await expect(index.search("q1", { method: "dense" })).rejects.toMatchObject({ code: "index.corrupt" })
    index.close()
  })
})
