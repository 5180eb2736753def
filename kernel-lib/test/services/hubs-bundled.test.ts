// The bundled hub: what its cards promise is there, prompts find their dataset, and the catalogue is what its script makes.
import { createHash } from "node:crypto"
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { fetchedRecipes, makeTables, recipes } from "../../scripts/build-catalogue"
import { pretrainedModels } from "../../scripts/pretraining/describe-models"
import { pretrainingRecipes } from "../../scripts/pretraining/recipes"
import { searchCards } from "../../src/search"
import { bundledHub } from "../../src/services/hubs/bundled-hub"
import { packageFolder } from "../../src/store/package-folder"
import { loadStudent } from "../../src/students"

const hub = bundledHub()
const { cards: datasets } = await hub.findDatasets("")
const { cards: models } = await hub.findModels("")
const readAll = (id: string, configuration = "default") =>
  hub.readRows(id, { configuration, split: "train", maxRows: Number.POSITIVE_INFINITY })

test("sends nothing, and is known by its catalogue", () => {
  expect(hub).toMatchObject({ name: "bundled", identity: expect.stringMatching(/^bundled [0-9a-f]{16}$/) })
  expect(hub.sendsTo).toBeUndefined()
  expect(bundledHub().identity).toBe(hub.identity)
})

describe.each(datasets.map((card) => [card.id, card] as const))("%s", (id, card) => {
  test("has the columns, rows and size that its card promises", async () => {
    expect(card).toMatchObject({ access: "open", downloads: 0 })
    expect(card.license).toMatch(/^(Unicode-3\.0|MIT|Apache-2\.0|LicenseRef-WordNet( AND (MIT|Apache-2\.0))?)$/)
    expect(card.description).toMatch(/Made from .*\d+/)
    let bytes = 0
    for (const { name, columns, numRows, sampleRow, labels = {} } of card.configurations) {
      const table = await readAll(id, name)
      expect(table.columns).toEqual(columns)
      expect(table.rows).toHaveLength(numRows!)
      expect(table.rows).toContainEqual(sampleRow)
      for (const column in labels) expect([...new Set(table.rows.map((row) => row[column]))].sort()).toEqual(labels[column])
      expect(table.rows.filter((row) => columns.some((column) => row[column] === "" || row[column] == null))).toEqual([])
      bytes += (await stat(join(packageFolder(), "data", "datasets", id.slice(8), name, "train.parquet"))).size
    }
    expect(card.bytes).toBe(bytes)
  })

  test("never answers the same question in two ways", async () => {
    for (const { name, columns } of card.configurations) {
      const answers = new Map<string, unknown>()
      const twice: unknown[] = []
      for (const row of (await readAll(id, name)).rows) {
        const question = JSON.stringify(columns.slice(0, -1).map((column) => row[column]))
        if (answers.has(question)) twice.push([question, answers.get(question), row[columns[columns.length - 1]]])
        answers.set(question, row[columns[columns.length - 1]])
      }
      expect(twice).toEqual([])
    }
  })
})

test("dates mean what the calendar says, and none is in a way that the default task keeps for its test", async () => {
  const inEnglish = (form: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat("en-US", { ...form, timeZone: "UTC" })
    return (date: Date) => format.format(date)
  }
  const [monthOf, weekdayOf] = [inEnglish({ month: "short" }), inEnglish({ weekday: "short" })]
  const isTrue = ({ written, iso8601 }: Record<string, string>) => {
    const date = new Date(`${iso8601}T00:00:00Z`)
    const numbers = written.match(/\d+/g)!.map(Number)
    const weekday = /\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.exec(written)?.[0] ?? weekdayOf(date)
    const hasMonth = numbers.length === 2 ? written.includes(monthOf(date)) : numbers.includes(date.getUTCMonth() + 1)
    return hasMonth && weekday === weekdayOf(date) && numbers.includes(date.getUTCDate()) && numbers.includes(date.getUTCFullYear())
  }
  const rows = (await readAll("bundled/dates-cldr")).rows as Record<string, string>[]
  expect(rows.filter((row) => !isTrue(row))).toEqual([])
  expect(rows.filter(({ written }) => /\(|^\d{4} [A-Z]|\d(st|nd|rd|th)\b/.test(written))).toEqual([])
})

test("other datasets say what is so", async () => {
  const find = async (id: string, row: object, configuration?: string) =>
    expect((await readAll(id, configuration)).rows).toContainEqual(row)
  await find("country-names-cldr", { name: "Switzerland", alpha2: "CH" }, "english")
  await find("country-names-cldr", { name: "Schweiz", language: "German", alpha2: "CH" }, "multilingual")
  await find("language-names-cldr", { name: "Swiss German", bcp47: "gsw" })
  await find("currency-names-cldr", { name: "US dollars", iso4217: "USD" })
  await find("script-names-cldr", { name: "Cyrillic", iso15924: "Cyrl" })
  await find("relative-times-cldr", { written: "3 days ago", iso8601: "-P3D" })
  await find("month-and-weekday-names-cldr", { english: "May", language: "Finnish", translation: "toukokuu" }, "months")
  await find("plural-categories-cldr", { number: "3", language: "Russian", category: "few" }, "cardinal")
  const sizes: Record<string, number> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 }
  const secondsOf = (written: string) =>
    [...written.matchAll(/(\d+) ?([wdhms])/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * sizes[unit], 0)
  expect((await readAll("durations-cldr")).rows.filter(({ written, seconds }) => secondsOf(written as string) !== seconds)).toEqual([])
})

test("answers to questions stand in their passages, once", async () => {
  const { rows } = await readAll("question-answering-wordnet")
  const timesOf = ({ context, answer }: Record<string, unknown>) => String(context).split(String(answer)).length - 1
  expect(rows.filter((row) => timesOf(row) !== 1)).toEqual([])
})

test("a licence lies beside for each source", async () => {
  const folder = join(packageFolder(), "data")
  const sources = ["Unicode-3.0", "WordNet", "i18n-iso-countries", "iso-639-3", "vader-sentiment"]
  for (const source of sources) expect(await readFile(join(folder, `LICENSE-${source}.txt`), "utf8"), source).toMatch(/licen[sc]e/i)
})

describe("prompts find their dataset among the others", () => {
  test.each([
    ["Turn a date that somebody wrote in English into ISO 8601, as YYYY-MM-DD.", "dates-cldr"],
    ["Give the two-letter code of a country.", "country-names-cldr"],
    ["Convert a clock time such as 3:20 PM to 24-hour time.", "times-of-day-cldr"],
    ["How many seconds is a duration like 2 hours and 5 minutes?", "durations-cldr"],
    ["Translate the name of a month from English into another language.", "month-and-weekday-names-cldr"],
    ["Write the ISO 4217 code of a currency that is named in English.", "currency-names-cldr"],
    ["Expand large numbers like 3.4K or 1.2 million to digits.", "large-numbers-cldr"],
    ["Abbreviate units of measurement: 5 kilometers becomes 5 km.", "measures-cldr"],
    ["Which language code belongs to a language name? Answer with BCP 47.", "language-names-cldr"],
    ["Convert a Gregorian day to the Japanese era calendar.", "other-calendars-cldr"],
  ])("%s", (prompt, name) => {
    expect(searchCards(prompt, datasets, { limit: 1 })[0].card.id).toBe(`bundled/${name}`)
  })
})

describe("models", () => {
  const untrained = models.filter(({ isPretrained }) => !isPretrained)
  const pretrained = models.filter(({ isPretrained }) => isPretrained)
  const readJson = async (...path: string[]) => JSON.parse(await readFile(join(...path), "utf8"))

  test("three sizes that are said to be untrained, each with what transformers needs", async () => {
    expect(untrained.map(({ id, architecture }) => [id, architecture])).toEqual(
      ["tiny", "mini", "small"].map((size) => [`bundled/byte-t5-${size}`, "t5"]),
    )
    expect(untrained.map(({ parameters }) => parameters)).toEqual([756_224, 2_657_984, 7_542_784])
    for (const { id } of untrained) {
      const folder = await hub.fetchModel(id)
      expect((await readdir(folder)).sort()).toEqual([
        "config.json",
        "generation_config.json",
        "prompt2model.json",
        "tokenizer_config.json",
      ])
      expect(await readJson(folder, "config.json")).toMatchObject({ model_type: "t5", vocab_size: 384, pad_token_id: 0, eos_token_id: 1 })
      expect(await readJson(folder, "prompt2model.json")).toMatchObject({ weights: "untrained" })
    }
  })

  test("those that are pretrained say what is so: parameters, bytes, steps, hash; together they are at most 10 MB", async () => {
    expect(pretrained.map(({ id }) => id)).toEqual(pretrainedModels.map(({ name }) => `bundled/${name}`))
    for (const { id, description, parameters, bytes, architecture } of pretrained) {
      const folder = await hub.fetchModel(id)
      const weights = await readFile(join(folder, "model.safetensors"))
      const student = await loadStudent(folder)
      expect([id, student.parameters, student.isPretrained, student.architecture]).toEqual([id, parameters, true, architecture])
      expect(weights.length).toBe(bytes)
      expect(description).toContain(createHash("sha256").update(weights).digest("hex"))
      const { training } = await readJson(folder, "prompt2model.json")
      expect(description).toContain(`${training.pretrained.steps.toLocaleString("en")} steps of ${training.pretrained.rowsAStep} rows`)
      expect(training.pretrained.steps).toBe(pretrainingRecipes.find(({ name }) => id.endsWith(`/${name}`))?.steps)
    }
    expect(pretrained.reduce((sum, { bytes = 0 }) => sum + bytes, 0)).toBeLessThan(10_000_000)
  })

  test("are found by what they are for", () => {
    expect(searchCards("a byte-level model for dates", models)).toHaveLength(models.length)
  })
})

test("what it does not have is said with what it has", async () => {
  await expect(hub.readRows("squad", { configuration: "default", split: "train", maxRows: 1 })).rejects.toMatchObject({
    code: "hub.no-such-dataset",
    message: expect.stringContaining("bundled/dates-cldr"),
  })
  await expect(hub.readRows("bundled/dates-cldr", { configuration: "default", split: "test", maxRows: 1 })).rejects.toMatchObject({
    code: "hub.no-such-split",
    message: expect.stringContaining("default (train)"),
  })
  await expect(hub.fetchModel("../datasets")).rejects.toMatchObject({ code: "hub.no-such-model" })
  expect((await hub.readRows("dates-cldr", { configuration: "default", split: "train", maxRows: 3 })).rows).toHaveLength(3)
})

test("all of it is less than 20 MB", async () => {
  const folder = join(packageFolder(), "data")
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(20_000_000)
})

/** Other releases of Node.js carry other releases of the CLDR. */
const isSameCldr = datasets[0].description.includes(`CLDR ${process.versions.cldr} through ICU ${process.versions.icu}.`)

test.skipIf(!isSameCldr)("the catalogue is what its script makes", async () => {
  expect(datasets.map(({ id }) => id)).toEqual([...recipes, ...fetchedRecipes].map(({ name }) => `bundled/${name}`))
  // A few of them: looking for every code that has a name takes seconds.
  const quick = ["dates-cldr", "relative-times-cldr", "large-numbers-cldr", "month-and-weekday-names-cldr", "plural-categories-cldr"]
  for (const recipe of recipes.filter(({ name }) => quick.includes(name))) {
    for (const [configuration, rows] of makeTables(recipe))
      expect((await readAll(recipe.name, configuration)).rows, recipe.name).toEqual(rows)
  }
})
