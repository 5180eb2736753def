// BM25 over cards: words as they are searched for, the reasons given, and DataFinder's benchmark.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { type CardIndex, indexCards, searchCards, wordsOf } from "../../src/search"
import { meanMeasures } from "./ranking-measures"

const dataFinder = process.env.DATAFINDER_DATA

describe("wordsOf", () => {
  test.each([
    ["The dates of SQuAD's date-formats", ["date", "squad", "qu", "ad", "date", "format"]],
    ["bundled/country-names_CLDR", ["bundled", "country", "name", "cldr"]],
    ["ISO 8601: parseISODate3", ["iso", "8601", "parseisodate3", "parse", "iso", "date3"]],
    ["Élysée naïve ÅNGSTRÖM", ["elysee", "naive", "angstrom"]],
    ["currencies statuses class analysis its", ["currency", "statuse", "class", "analysis", "its"]],
    ["日本語の日付", ["日本語", "の", "日付"]],
    ["हिन्दी한국어 ﬁne", ["हिन्दी한국어", "fine"]],
    ["the of and !!!", []],
  ])("%s", (text, words) => {
    expect(wordsOf(text)).toEqual(words)
  })
})

describe("searchCards", () => {
  const card = (id: string, description: string, tags: string[] = []) => ({ id, description, tags })
  const cards = [
    card("a/dates", "Dates in several forms and their ISO 8601 form.", ["normalization"]),
    card("a/durations", "Durations and their seconds, with dates in between; ISO is not meant."),
    card("a/countries", "Names of countries.", ["normalization", "ISO 3166"]),
    card("a/SQuAD", "Questions over paragraphs."),
  ]

  test("best first, with the words that matched, rarest first", () => {
    const found = searchCards("Turn dates into ISO 8601", cards)
    expect(found.map(({ card }) => card.id)).toEqual(["a/dates", "a/durations", "a/countries"])
    expect(found[0].words).toEqual(["8601", "date", "iso"])
    expect(found[0].score).toBeGreaterThan(found[1].score)
  })

  test("name, tags and description are all searched, whatever the case", () => {
    expect(searchCards("squad", cards)[0].card.id).toBe("a/SQuAD")
    expect(searchCards("the 3166 country", cards)[0].card.id).toBe("a/countries")
    expect(searchCards("paragraph", cards)[0].card.id).toBe("a/SQuAD")
  })

  test("no more than asked for, and nothing for nothing", () => {
    expect(searchCards("dates ISO", cards, { limit: 1 })).toHaveLength(1)
    expect(searchCards("", cards)).toEqual([])
    expect(searchCards("of the", cards)).toEqual([])
    expect(searchCards("zebra", cards)).toEqual([])
    expect(searchCards("dates", [])).toEqual([])
    expect(searchCards("constructor __proto__ toString", cards)).toEqual([])
  })

  test("cards with the same id are both kept", () => {
    expect(searchCards("dates", [cards[0], cards[0]])).toHaveLength(2)
  })
})

describe.skipIf(!dataFinder)("DataFinder's benchmark (DATAFINDER_DATA)", () => {
  const lines = (file: string) =>
    readFileSync(join(dataFinder!, file), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))

  let made: { index: CardIndex<{ id: string; description: string; tags: string[] }>; present: Set<string> } | undefined
  const indexOnce = () => {
    const documents = lines("documents.jsonl").map(({ id, title, contents }) => ({ id, description: `${title} ${contents}`, tags: [] }))
    made ??= { index: indexCards(documents), present: new Set(documents.map(({ id }) => id)) }
    return made
  }

  // bm25s 0.3 with its defaults, as shared with the data: P@5, R@5, MAP, MRR.
  test.each([
    ["sentence", "query", [0.049, 0.108, 0.096, 0.154]],
    ["keyphrase", "keyphrase_query", [0.063, 0.125, 0.11, 0.157]],
  ])("%s queries: at least as good as bm25s", (form, member, peer) => {
    const { index, present } = indexOnce()
    const queries = lines("test_data.jsonl")
      .map((query) => ({ text: query[member], relevant: new Set<string>(query.documents.filter((id: string) => present.has(id))) }))
      .filter(({ relevant }) => relevant.size > 0)
    expect(queries).toHaveLength(196)
    const measured = meanMeasures(
      queries.map(({ text, relevant }) => ({ ranked: index.search(text, { limit: 100 }).map(({ card }) => card.id), relevant })),
    )
    const ours = [measured.precisionAt5, measured.recallAt5, measured.map, measured.mrr]
    console.info(
      `${form}: P@5 R@5 MAP MRR, BM25 ${ours.map((value) => value.toFixed(3)).join(" ")}, bm25s ${peer.map((value) => value.toFixed(3)).join(" ")}`,
    )
    ours.forEach((value, index) => {
      expect(value).toBeGreaterThanOrEqual(peer[index])
    })
  })
})
