// What retrieveDatasets makes of a prompt's words, and of what a set's rows look like beside the demonstrations.
import { describe, expect, it, test } from "vitest"
import type { DatasetCard, Hub } from "../../src/core/hub"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Teacher } from "../../src/core/teacher"
import { isOtherInput, likenessOf } from "../../src/stages/retrieve-datasets/guess-columns"
import { findNearWords, isOneSlipAway } from "../../src/stages/retrieve-datasets/near-words"
import { rankCards } from "../../src/stages/retrieve-datasets/rank-cards"
import { retrieveDatasets } from "../../src/stages/retrieve-datasets/retrieve-datasets"

const card = (id: string, description: string, sample: readonly [string, string], labels?: string[]): DatasetCard => ({
  ...{ id, description, tags: [], languages: ["en"], license: "mit", downloads: 1, access: "open" },
  configurations: [
    {
      ...{ name: "default", splits: ["train"], columns: ["given", "wanted"] },
      sampleRow: { given: sample[0], wanted: sample[1] },
      ...(labels && { labels: { wanted: labels } }),
    },
  ],
})
const cards = [
  card("a/weather", "Translations of forecasts of the weather", ["rain", "Regen"]),
  card("a/mood", "Sentences with their sentiment", ["a lovely evening", "joy"], ["joy", "grief"]),
  card("a/digits", "Numbers of other countries as decimal digits", ["1.234,5", "1234.5"]),
]
const hub: Hub = {
  name: "three",
  identity: "three",
  findDatasets: async () => ({ cards, searched: cards.length }),
  findModels: async () => ({ cards: [], searched: 0 }),
  readRows: async () => ({ columns: [], rows: [] }),
  fetchModel: async () => "",
}
const specOf = (instruction: string, ...pairs: (readonly [string, string])[]) =>
  new PromptSpec({ instruction, demonstrations: pairs.map(([input, output]) => ({ input, output })) })
const find = (...prompt: Parameters<typeof specOf>) => retrieveDatasets(specOf(...prompt), { hub })

describe("words that no card has", () => {
  const known = new Set(["translation", "translated", "weather", "sentiment", "mood"])
  test.each([
    ["translate", ["translation", "translated"]],
    ["waether", ["weather"]],
    ["wether", ["weather"]],
    ["sentimiento", ["sentiment"]],
    ["moon", undefined],
    ["weather", undefined],
    ["winter", undefined],
  ])("%s", (word, near) => expect(findNearWords([word], known).get(word)).toEqual(near))

  test.each([
    ["speling", "spelling", true],
    ["spellling", "spelling", true],
    ["spansih", "spanish", true],
    ["same", "same", true],
    ["speeling", "spelling", true],
    ["seplilng", "spelling", false],
    ["", "ab", false],
  ])("%s and %s are one slip apart: %s", (one, other, is) => {
    expect(isOneSlipAway(one, other)).toBe(is)
    expect(isOneSlipAway(other, one)).toBe(is)
  })

  it("are found as the cards spell them, behind what has them as they are", () => {
    expect(rankCards("translate the wether", cards)[0].card.id).toBe("a/weather")
    const [first, second] = rankCards("sentimental numbers", cards)
    expect([first.card.id, second.card.id]).toEqual(["a/digits", "a/mood"])
    expect(first.coverage).toBeGreaterThan(second.coverage)
  })
})

it("covers all, some or nothing of what a prompt says", () => {
  const coverages = (query: string) => rankCards(query, cards).map(({ coverage }) => coverage)
  expect(coverages("decimal digits")[0]).toBe(1)
  expect(coverages("decimal digits of my sentences")[0]).toBeLessThan(1)
  expect(coverages("把国家名称翻译成中文")).toEqual([0, 0, 0])
  expect(coverages("")).toEqual([0, 0, 0])
})

describe("what is taken without votes", () => {
  it("a set of the prompt's words and the demonstrations' labels, and no set of other labels", async () => {
    const instruction = "Say which sentiment a sentence has."
    expect((await find(instruction, ["what a day", "joy"], ["all is lost", "grief"])).chosen?.card.id).toBe("a/mood")
    const other = await find(instruction, ["what a day", "spam"], ["all is lost", "ham"])
    expect([other[0].card.id, other.chosen]).toEqual(["a/mood", undefined])
  })

  it("no set whose inputs are of another kind", async () => {
    const instruction = "Convert numbers to decimal digits."
    expect((await find(instruction, ["2.000,1", "2000.1"])).chosen?.card.id).toBe("a/digits")
    const roman = await find(instruction, ["XIV", "14"])
    expect([roman[0].card.id, roman.chosen]).toEqual(["a/digits", undefined])
    expect(roman[0].why).toContain("inputs look unlike")
  })

  it("without demonstrations a set of nearly all that the prompt says", async () => {
    expect((await find("Decimal digits of numbers")).chosen?.card.id).toBe("a/digits")
    expect((await find("Decimal logarithms of probabilities and densities")).chosen).toBeUndefined()
  })

  it("none where no word fits; the others are shown nevertheless", async () => {
    const candidates = await find("把国家名称翻译成中文", ["what a day", "joy"])
    expect(candidates.chosen).toBeUndefined()
    expect(candidates.map(({ card }) => card.id)).toContain("a/mood")
    expect(candidates[0].card.id).toBe("a/mood")
  })
})

describe("a prompt in another language", () => {
  const teacher = (description: string) => {
    const asked: string[] = []
    const complete: Teacher["complete"] = async ({ schema }) => {
      asked.push(schema?.name ?? "")
      const answer = schema?.name === "dataset_description" ? description : JSON.stringify({ name: "a/weather" })
      return { texts: [answer], finishReasons: ["stop"], usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }
    }
    return { teacher: { name: "polyglot", identity: `polyglot ${description}`, isRecorded: true, complete }, asked }
  }
  const spec = specOf("把天气预报翻译成德文", ["雪", "Schnee"])

  it("is described in English by the teacher, and that is searched for", async () => {
    const { teacher: polyglot, asked } = teacher('{"description": "Translations of weather forecasts"}')
    const candidates = await retrieveDatasets(spec, { hub, teacher: polyglot, votes: 1 })
    expect([candidates[0].card.id, candidates[0].isChosen]).toEqual(["a/weather", true])
    expect(candidates[0].why).toContain("words: ")
    expect(asked).toEqual(["dataset_description", "dataset_choice"])
  })

  it("is searched as it is where the teacher cannot, and where its own words find something", async () => {
    const { teacher: silent, asked } = teacher("no idea")
    const candidates = await retrieveDatasets(spec, { hub, teacher: silent, votes: 1 })
    expect(candidates).toHaveLength(3)
    expect(asked).toEqual(["dataset_description", "dataset_description", "dataset_choice"])
    asked.length = 0
    await retrieveDatasets(specOf("Translations of forecasts"), { hub, teacher: silent, votes: 1 })
    expect(asked).toEqual(["dataset_choice"])
  })
})

test("labels decide how alike outputs are, and scripts without capitals are no capitals", () => {
  const shown = (...outputs: string[]) => outputs.map((output) => ({ input: "", output }))
  expect(likenessOf("joy", shown("Grief"), ["joy", "grief"])).toBe(1)
  expect(likenessOf("joy", shown("grief", "hope"), ["joy", "grief"])).toBe(0.75)
  expect(likenessOf("joy", shown("a", "b", "c"), ["joy", "grief"])).toBe(0.25)
  expect(likenessOf("Lituania", shown("ノルウェー"))).toBe(likenessOf("Lituania", shown("Norvegia")))
})

test("inputs of another kind", () => {
  const other = (samples: string[], ...inputs: string[]) =>
    isOtherInput(
      samples,
      inputs.map((input) => ({ input, output: "" })),
    )
  expect(other(["1.234,5", "German"], "XIV", "MC")).toBe(true)
  expect(other(["1.234,5", "German"], "XIV", "12")).toBe(false)
  expect(other(["a house"], "1.5", "23")).toBe(true)
  expect(other(["a house"], "дом", "сад")).toBe(true)
  expect(other(["1999"], "дом")).toBe(true)
  expect(other(["3 May"], "三月三日", "3.5.1999")).toBe(false)
  expect(other(["a house"])).toBe(false)
})
