// processDatasets: who goes where, how many of each source, and what the stage keeps and shows.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { PromptSpec } from "../../src/core/prompt-spec"
import { Random } from "../../src/core/random"
import { processDatasets, type Splits, splitWithoutLeak } from "../../src/stages/process-datasets/process-datasets"
import { openRunFolder } from "../../src/store/run"
import { dates, sentences, splitsOf, straddling } from "./split-rows"

const inputsOf = (sets: readonly Dataset[]) => sets.map((set) => [...set.inputs].sort())

describe("processDatasets without a test set", () => {
  it("splits 80/10/10 and loses no row", () => {
    const splits = splitWithoutLeak({ generated: Dataset.from(dates(1000)) }, { seed: 1 })
    expect(splitsOf(splits).map((set) => set.length)).toEqual([800, 100, 100])
    expect(splits.rejected).toEqual([])
    expect(new Set(splitsOf(splits).flatMap((set) => set.ids)).size).toBe(1000)
  })

  it("takes other proportions, and gives a small set a row of each", () => {
    const rows = Dataset.from(dates(200))
    expect(
      splitsOf(splitWithoutLeak({ own: rows }, { seed: 1, proportions: { train: 3, validation: 1, test: 0 } })).map((set) => set.length),
    ).toEqual([150, 50, 0])
    expect(splitsOf(splitWithoutLeak({ own: rows.take(4) }, { seed: 1 })).map((set) => set.length)).toEqual([2, 1, 1])
    expect(splitsOf(splitWithoutLeak({ own: rows.take(1) }, { seed: 1 })).map((set) => set.length)).toEqual([1, 0, 0])
  })

  it("puts the same rows into the same split, whatever their order and their sources' order", () => {
    const rows = [...sentences(40, 3), ...dates(100), ...dates(20).map(({ input, output }) => ({ input: input.toUpperCase(), output }))]
    const inOrder = splitWithoutLeak({ generated: Dataset.from(rows) }, { seed: 5 })
    for (const seed of [1, 2, 3]) {
      const shuffled = splitWithoutLeak({ generated: Dataset.from(new Random(seed).shuffle(rows)) }, { seed: 5 })
      expect(splitsOf(shuffled).map((set) => set.inputs)).toEqual(splitsOf(inOrder).map((set) => set.inputs))
    }
    expect(inputsOf(splitsOf(splitWithoutLeak({ generated: Dataset.from(rows) }, { seed: 6 })))).not.toEqual(inputsOf(splitsOf(inOrder)))
  })

  it("never lets the same or near inputs straddle two splits", () => {
    const alphabet = fc.constantFrom(..."aab .,!A1é日")
    const rows = fc.array(fc.record({ input: fc.string({ unit: alphabet, maxLength: 6 }), output: fc.constantFrom("x", "y") }), {
      minLength: 3,
      maxLength: 60,
    })
    fc.assert(
      fc.property(rows, fc.integer(), (list, seed) => {
        const splits = splitWithoutLeak({ own: Dataset.from(list) }, { seed })
        expect(straddling(splits)).toBe(0)
        const kept = splitsOf(splits).reduce((sum, set) => sum + set.length, 0)
        expect(kept + splits.rejected.length).toBe(list.length)
      }),
      { numRuns: 60, seed: 11 },
    )
    const splits = splitWithoutLeak({ generated: Dataset.from(sentences(150, 4)) }, { seed: 2 })
    expect(straddling(splits)).toBe(0)
    expect(splits.leak.numFamilies).toBe(150)
    expect(splitsOf(splits).map((set) => set.length)).toEqual([480, 60, 60])
  })

  it("keeps a row once, of one's own rather than a generated one, and lets differing outputs be", () => {
    const own = Dataset.from([{ input: "3 May", output: "05-03", id: "mine" }])
    const generated = Dataset.from([
      { input: " 3 May", output: "05-03", id: "made" },
      { input: "3 May", output: "03-05", id: "wrong" },
      ...dates(20),
    ])
    const splits = splitWithoutLeak({ generated, own }, { seed: 1 })
    const ids = splitsOf(splits).flatMap((set) => set.ids)
    expect(ids).toContain("mine")
    expect(ids).toContain("wrong")
    expect(splits.rejected).toMatchObject([{ id: "made", reason: "duplicate", detail: "same as row mine" }])
    expect(straddling(splits)).toBe(0)
  })

  it("splits rows of one form too, and says that only equal ones were kept apart", () => {
    const form =
      "Please read the following line of the old parish register of Saint Mary and write down the name of the person who is meant by it, nothing else: "
    const names = new Random(3)
    const rows = Array.from({ length: 200 }, () => ({
      input: form + Array.from({ length: 6 }, () => "abcdefghij"[names.integer(10)]).join(""),
      output: "x",
    }))
    const splits = splitWithoutLeak({ generated: Dataset.from(rows) }, { seed: 1 })
    expect(splitsOf(splits).map((set) => set.length)).toEqual([160, 20, 20])
    expect(splits.leak.notes).toEqual(["Most rows are variations of one form, so only equal inputs were kept apart"])
  })
})

describe("processDatasets with weights and caps", () => {
  const retrieved = Dataset.from(dates(300, 1900), { name: "retrieved" })
  const generated = Dataset.from(dates(600, 1990), { name: "generated" })
  const countBySource = (splits: Splits) => {
    const names = splitsOf(splits).flatMap((set) => set.provenance.map((from) => (from.kind === "annotated" ? from.source : "")))
    return [names.filter((name) => name === "retrieved").length, names.filter((name) => name === "generated").length]
  }

  it("uses as many rows as have the shares, and shows the others", () => {
    const splits = splitWithoutLeak({ retrieved, generated }, { seed: 1, weights: { retrieved: 1, generated: 1 } })
    expect(countBySource(splits)).toEqual([300, 300])
    expect(splits.rejected.filter(({ reason }) => reason === "above the cap")).toHaveLength(300)
    expect(
      countBySource(splitWithoutLeak({ retrieved, generated }, { seed: 1, weights: { retrieved: 1, generated: 3 }, maxRows: 100 })),
    ).toEqual([25, 75])
    expect(countBySource(splitWithoutLeak({ retrieved, generated }, { seed: 1, weights: { generated: 1 } }))).toEqual([0, 600])
  })

  it("takes for a smaller cap a part of what a larger one takes", () => {
    const rowsAt = (maxRows: number) => splitsOf(splitWithoutLeak({ retrieved, generated }, { seed: 1, maxRows })).flatMap((set) => set.ids)
    const larger = new Set(rowsAt(200))
    expect(rowsAt(50)).toHaveLength(50)
    expect(rowsAt(50).every((id) => larger.has(id))).toBe(true)
  })
})

describe("processDatasets as a stage", () => {
  let folder = ""
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "process-datasets-"))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it("brings equal splits back from the run, with rejected rows, leaks and the prompt", async () => {
    const spec = new PromptSpec({ instruction: "Read dates.", demonstrations: [{ input: "1 January 1999", output: "1999-01-01" }] })
    const test = Dataset.from(dates(5, 1999).map((row, index) => ({ ...row, group: index < 2 ? "unseen form" : undefined })))
    const call = async () =>
      processDatasets({ own: Dataset.from(dates(60)) }, { run: await openRunFolder(join(folder, "run"), { seed: 3 }), spec, test })
    const [first, second] = [await call(), await call()]
    expect(second).not.toBe(first)
    expect(second.fingerprint).toBe(first.fingerprint)
    expect(second.rejected).toEqual(first.rejected)
    expect(second.rejected).toHaveLength(5)
    expect(second.leak).toEqual(first.leak)
    expect(second.prompt).toEqual({ instruction: spec.instruction, demonstrations: spec.demonstrations })
    expect(second.test.groups).toEqual(test.groups)
    expect([...second.train]).toEqual([...first.train])
  })

  it("shows itself: splits, sources, rejected rows by reason", async () => {
    const splits = await processDatasets({ own: Dataset.from([...dates(50), dates(1)[0]], { name: "my rows" }) }, { seed: 1 })
    expect(splits.toPayload()).toMatchObject({
      kind: "dataset",
      numRows: 50,
      splits: [
        { name: "train", rows: 40 },
        { name: "validation", rows: 5 },
        { name: "test", rows: 5 },
      ],
      sources: [{ name: "my rows", rows: 50 }],
      rejected: [{ reason: "duplicate", rows: 1 }],
    })
    expect(splits.summary).toBe("40 train, 5 validation, no leak into 5 test rows")
    expect(Object.isFrozen(splits)).toBe(true)
  })
})
