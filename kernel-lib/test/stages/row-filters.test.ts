// Which generated rows are dropped and why: each filter by rows that it must drop and rows, as alike as can be, that it must not.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { type Example, PromptSpec } from "../../src/core/prompt-spec"
import { Random } from "../../src/core/random"
import type { Teacher } from "../../src/core/teacher"
import { generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { createRowFilters, type FilterOptions, isRefusal } from "../../src/stages/generate-dataset/row-filters"
import { openRunFolder } from "../../src/store/run"

const spec = new PromptSpec({ instruction: "Judge the review.", demonstrations: [{ input: "good", output: "positive" }] })

/** What becomes of `rows` one after the other: why each was dropped, undefined where it was accepted. */
function filterRows(rows: readonly Example[], options: Partial<FilterOptions> = {}): (string | undefined)[] {
  const filters = createRowFilters({ spec, ...options })
  return rows.map((row) => {
    const dropping = filters.find((filter) => filter.drops(row))
    if (!dropping) for (const filter of filters) filter.noteAccepted?.(row)
    return dropping?.reason
  })
}

const words = (draw: Random, count: number) =>
  Array.from({ length: count }, () => Array.from({ length: 3 + draw.integer(5) }, () => "aeioubcdlmnrst"[draw.integer(14)]).join("")).join(
    " ",
  )

describe("refusals", () => {
  const refusing = [
    "I'm sorry, but I cannot help with that request.",
    "I am sorry, I can't provide an example of this.",
    "Sorry, but I’m not able to assist with that.",
    "As an AI language model, I have no opinions.",
    "Unfortunately, I am unable to generate further examples.",
    "I apologize, but I cannot fulfill this request.",
    "I cannot in good conscience create this.",
    "抱歉，我无法提供这样的例子。",
    "申し訳ありませんが、そのご要望にはお応えできません。",
    "Lo siento, pero no puedo ayudar con eso.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.",
  ]
  const reviews = [
    "I cannot believe how good this soup is.",
    "I can't stop listening to it.",
    "I can't help but smile at the ending.",
    "I cannot complete the second level.",
    "Sorry, I can't help it: I love this show.",
    "Sorry, but this film was a waste of two hours.",
    "Unfortunately, I bought two of them.",
    "I'm sorry I ever doubted the reviews; it is superb.",
    "As an airline it is fine.",
    "I will not buy it again. It cannot produce a decent coffee.",
    "Nobody could help me at the desk, and I can't say I was surprised.",
    "对不起，这本书太无聊了。",
    "Es tut mir leid um das Geld.",
  ]

  it("are dropped, and people who are sorry in a review are not", () => {
    expect(filterRows(refusing.map((output) => ({ input: output.slice(3), output })))).toEqual(refusing.map(() => "refusal"))
    expect(filterRows(reviews.map((input) => ({ input, output: "negative" })))).toEqual(reviews.map(() => undefined))
    expect(refusing.every(isRefusal)).toBe(true)
  })

  it("stay where the filter is off", () => {
    expect(filterRows([{ input: "a", output: refusing[0] }], { switches: { refusal: false } })).toEqual([undefined])
  })
})

describe("near-duplicates", () => {
  const draw = new Random("near")
  const passage = words(draw, 30)
  const changed = passage.replace(/^\S+/, "changed")

  it("are long inputs that say nearly the same with the same output; another output, another number and the same input pass", () => {
    const rows = [
      { input: passage, output: "Paris" },
      { input: changed, output: "paris." },
      { input: changed, output: "Rome" },
      { input: passage, output: "Oslo" },
      { input: `${passage} 7`, output: "Paris" },
      { input: words(draw, 30), output: "Paris" },
      { input: "3 May 1999", output: "1999-05-03" },
      { input: "3 may 1999", output: "1999-05-03" },
    ]
    const near = [undefined, "near-duplicate", ...Array(6).fill(undefined)]
    expect(filterRows(rows)).toEqual(near)
    expect(filterRows(rows, { switches: { nearDuplicate: false } })).toEqual(Array(8).fill(undefined))
  })

  it("are told by any row that they are near, not only by the nearest", () => {
    const further = `${changed} and so`
    expect(
      filterRows([
        { input: passage, output: "Paris" },
        { input: changed, output: "Rome" },
        { input: further, output: "Paris" },
      ]),
    ).toEqual([undefined, undefined, "near-duplicate"])
  })

  it("are no longer dropped where the task has one form", () => {
    const rows = Array.from({ length: 200 }, (_, index) => ({
      input: `${passage} ${"abcdefghij"[index % 10]}${"klmnopqrst"[Math.floor(index / 10) % 10]}${index < 100 ? "u" : "v"}`,
      output: "yes",
    }))
    const reasons = filterRows(rows)
    expect(reasons.slice(0, 60).filter(Boolean)).toHaveLength(59)
    expect(reasons.slice(60).filter(Boolean)).toEqual([])
  })
})

describe("length outliers", () => {
  const draw = new Random("lengths")
  const usual = (count: number) =>
    Array.from({ length: count }, () => ({ input: words(draw, 8 + draw.integer(20)), output: words(draw, 4 + draw.integer(6)) }))
  const rambling = { input: words(draw, 400), output: "positive it is" }
  const long = { input: words(draw, 20), output: words(draw, 300) }
  const cropped = { input: "N/A", output: words(draw, 5) }

  it("are known once there are rows enough, and only far ones are", () => {
    const rows = [...usual(49), rambling, ...usual(1), rambling, long, { input: words(draw, 60), output: words(draw, 25) }, cropped]
    const reasons = filterRows(rows)
    expect(reasons.slice(0, 51).filter(Boolean)).toEqual([])
    expect(reasons.slice(51)).toEqual(["length outlier", "length outlier", undefined, undefined])
    expect(filterRows(rows, { switches: { lengthOutlier: false } }).filter(Boolean)).toEqual([])
  })

  it("do not creep: what was dropped moves no bound", () => {
    const rows = [...usual(60), ...Array(500).fill(rambling), ...usual(10), rambling]
    expect(filterRows(rows).at(-1)).toBe("length outlier")
  })

  it("leave answers of two usual lengths alone", () => {
    const rows = Array.from({ length: 300 }, (_, index) => ({ input: words(draw, 12), output: index % 3 === 0 ? "N/A" : words(draw, 9) }))
    expect(filterRows(rows).filter(Boolean)).toEqual([])
  })
})

describe("generateDataset with its filters", () => {
  /** Gives one of few inputs, so that most answers repeat one; every third is near another. */
  const teacher: Teacher = {
    name: "repeating",
    async complete({ index, numResponses }) {
      const texts = Array.from({ length: numResponses }, (_, response) => {
        const number = index * numResponses + response
        const passage = Math.floor(number / 3)
        const input = words(new Random(`passage ${passage}`), 20)
        const outputs = passage % 2 === 0 ? ["positive", "Negative"] : ["Negative", "positive"]
        const answers = [
          { input, output: outputs[0] },
          { input, output: outputs[1] },
          { input: `${input} so`, output: outputs[0] },
        ]
        return JSON.stringify(answers[number % 3])
      })
      return { texts, finishReasons: texts.map(() => "stop"), usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }
    },
  }
  const folders: string[] = []
  const generate = async (options: object) => {
    folders.push(await mkdtemp(join(tmpdir(), "row-filters-")))
    const run = await openRunFolder(folders[folders.length - 1], { teacher, seed: 1 })
    return generateDataset(spec, { run, numExamples: 40, ...options })
  }
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

  it("adds up with each filter on and off, and tells how different the inputs are", async () => {
    const all = await generate({})
    const alone = await generate({ filters: { nearDuplicate: false } })
    const raw = await generate({ filters: { nearDuplicate: false, duplicate: false } })
    for (const made of [all, alone, raw]) {
      expect(made).toHaveLength(40)
      expect(made.asked).toBe(made.length + made.rejected.length + made.failed)
    }
    const reasons = (made: typeof all) => made.rejectedByReason.map(({ reason }) => reason)
    expect(reasons(all)).toEqual(expect.arrayContaining(["near-duplicate", "outvoted"]))
    expect(reasons(alone)).not.toContain("near-duplicate")
    expect(reasons(raw).filter((reason) => reason !== "surplus")).toEqual([])
    expect(new Set(raw.inputs).size).toBeLessThan(40)
    expect(all.diversity.nearDuplicates).toBe(0)
    expect(alone.diversity.nearDuplicates).toBeGreaterThan(0.3)
    expect(all.diversity.distinct2).toBeGreaterThan(alone.diversity.distinct2!)
    expect(all.toPayload().subtitle).toMatch(/\d+% of word pairs distinct, 0% near-duplicates/)
  })

  it("takes the labels from the demonstrations where it is told to", async () => {
    const made = await generate({ labels: "demonstrated" })
    expect(new Set(made.outputs)).toEqual(new Set(["positive"]))
    expect(made.rejectedByReason.map(({ reason }) => reason)).toContain("outside the labels")
  })
})
