// The search for settings: the estimator on known functions, real trials on a tiny model, stopping, and going on from a folder.
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { Random } from "../../src/core/random"
import { searchHyperparameters } from "../../src/experiments"
import { type Dimension, readSpace, valueAt } from "../../src/experiments/search-hyperparameters/space"
import { type Observation, suggestAtRandom, suggestByTpe } from "../../src/experiments/search-hyperparameters/suggest"
import { openRunFolder } from "../../src/store/run"
import { createByteTokenizer, createStudent } from "../../src/students"
import { makeFolder, removeFolders } from "../store/folders"

afterAll(removeFolders)

describe("the tree-structured Parzen estimator", () => {
  const dimensions: Dimension[] = [
    { name: "x", kind: "range", range: { low: 0, high: 1 } },
    { name: "y", kind: "range", range: { low: 0, high: 1 } },
    { name: "which", kind: "list", values: ["a", "b", "c", "d"] },
  ]
  /** Lowest, 0, at x 0.7, y 0.2 and the third of the list. */
  const lossOf = ([x, y, which]: readonly number[]) => (x - 0.7) ** 2 + (y - 0.2) ** 2 + (which === 2 ? 0 : 0.3)

  function search(suggest: typeof suggestByTpe, seed: number, trials: number): Observation[] {
    const seen: Observation[] = []
    for (let number = 0; number < trials; number++) {
      const places = suggest(dimensions, seen, new Random(`${seed}/${number}`))
      seen.push({ places, loss: lossOf(places) })
    }
    return seen
  }
  const lowest = (seen: readonly Observation[]) => Math.min(...seen.map(({ loss }) => loss))

  it("comes closer to the minimum than random draws do, from nearly every seed", () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed)
    const atRandom: typeof suggestByTpe = (all, _seen, random) => suggestAtRandom(all, random)
    const wins = seeds.filter((seed) => lowest(search(suggestByTpe, seed, 60)) < lowest(search(atRandom, seed, 60)))
    expect(wins.length).toBeGreaterThanOrEqual(15)
  })

  it("spends its later trials near the minimum", () => {
    const late = search(suggestByTpe, 1, 80).slice(40)
    expect(late.filter(({ places }) => places[2] === 2).length).toBeGreaterThan(25)
    expect(late.reduce((sum, { loss }) => sum + loss, 0) / late.length).toBeLessThan(0.15)
    for (const { places } of late) for (const place of places.slice(0, 2)) expect(place >= 0 && place <= 1).toBe(true)
  })
})

describe("a search space", () => {
  it("has values on both scales, whole ones, and those of a list", () => {
    const [rate, epochs, optimizer] = readSpace({
      learningRate: { low: 1e-4, high: 1e-2, scale: "log" },
      epochs: { low: 1, high: 4, isWhole: true },
      optimizer: ["adamw", "adafactor"],
    })
    expect(valueAt(rate, 0.5)).toBeCloseTo(1e-3, 9)
    expect([0, 0.49, 1].map((place) => valueAt(epochs, place))).toEqual([1, 2, 4])
    expect(valueAt(optimizer, 1)).toBe("adafactor")
    // Whole numbers are as likely as each other, the ends too.
    const drawn = Array.from({ length: 400 }, (_, at) => valueAt(epochs, (at + 0.5) / 400))
    expect([1, 2, 3, 4].map((value) => drawn.filter((one) => one === value).length)).toEqual([100, 100, 100, 100])
  })

  it("refuses what cannot be searched", () => {
    expect(() => readSpace({ rate: [1] } as never)).toThrow(/no setting rate/)
    expect(() => readSpace({ learningRate: { low: 0, high: 1, scale: "log" } })).toThrow(/above 0 for a log scale/)
    expect(() => readSpace({ epochs: [] })).toThrow(/empty/)
    expect(() => readSpace({})).toThrow(/nothing to search/)
  })
})

describe("searchHyperparameters", () => {
  const configuration = {
    ...{ model_type: "t5", vocab_size: 259, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2, feed_forward_proj: "gated-gelu" },
    ...{ decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 },
  }
  const base = createStudent({ name: "tiny", configuration, tokenizer: createByteTokenizer(), seed: 1, engine: "onnx" })
  const rows = Dataset.from(Array.from({ length: 32 }, (_, index) => ({ input: `row ${index}`, output: String(index % 2) })))
  const splits = { train: rows.take(24), validation: rows.select([24, 25, 26, 27, 28, 29, 30, 31]) }
  const space = { learningRate: { low: 1e-5, high: 3e-2, scale: "log" as const }, batchSize: [4, 8] }
  const settings = { ...splits, space, trials: 8, training: { epochs: 3 }, stopAfter: 3 }
  let folder: string
  beforeAll(async () => {
    folder = join(await makeFolder(), "run")
  })

  it("tries fresh students, stops poor ones, and finds what trains best", async () => {
    const before = base.fingerprint
    const search = await searchHyperparameters(base, { ...settings, run: await openRunFolder(folder, { seed: 1, engine: "onnx" }) })
    expect(base.fingerprint).toBe(before)
    expect(search.trials).toHaveLength(8)
    const done = search.trials.filter(({ status }) => status === "done")
    const stopped = search.trials.filter(({ status }) => status === "stopped")
    expect(done.every(({ curve }) => curve.length === 3)).toBe(true)
    expect(stopped.length).toBeGreaterThan(0)
    expect(stopped.every(({ curve }) => curve.length < 3 && curve.length > 0)).toBe(true)
    // What was stopped leaves nothing behind; a student of every other trial is there.
    expect(readdirSync(join(folder, "stages"))).toHaveLength(done.length)
    expect(search.best!.loss).toBe(Math.min(...search.trials.map(({ loss }) => loss!)))
    // With a rate of 1e-5 hardly anything is learnt in nine steps.
    expect(search.best!.settings.learningRate).toBeGreaterThan(1e-3)
    expect(search.toPayload().rows[0].isOurs).toBe(true)
    expect(search.toCsv().split("\r\n")).toHaveLength(10)
    const figure = search.figure()
    expect(figure.data[0]).toMatchObject({ type: "parcoords" })
    expect((figure.data[0].dimensions as unknown[]).length).toBe(3)
    expect((figure as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]()["text/html"]).toContain(
      "<img",
    )
  })

  it("goes on from the folder to the trials of a search that was left alone, and further", async () => {
    const run = await openRunFolder(folder, { seed: 1, engine: "onnx" })
    const whole = await searchHyperparameters(base, { ...settings, run })
    const killed = await openRunFolder(join(await makeFolder(), "run"), { seed: 1, engine: "onnx" })
    await searchHyperparameters(base, { ...settings, run: killed, trials: 6 })
    const journal = join(killed.folder, readdirSync(killed.folder).find((name) => name.startsWith("search-"))!)
    const lines = readFileSync(journal, "utf8").trimEnd().split("\n")
    expect(JSON.parse(lines.at(-1)!).trial).toMatchObject({ number: 6, status: "stopped" })
    // As a process leaves it that was killed while it wrote down that the sixth trial is stopped.
    writeFileSync(journal, `${lines.slice(0, -1).join("\n")}\n${lines.at(-1)!.slice(0, 20)}`)
    expect((await searchHyperparameters(base, { ...settings, run: killed })).trials).toEqual(whole.trials)
    expect((await searchHyperparameters(base, { ...settings, run: killed })).trials).toEqual(whole.trials)
    const longer = await searchHyperparameters(base, { ...settings, run, trials: 9 })
    expect(longer.trials.slice(0, 8)).toEqual(whole.trials)
  })

  it("says what it needs", async () => {
    await expect(searchHyperparameters(base, { ...settings, run: {} as never })).rejects.toMatchObject({ code: "experiment.no-folder" })
    const run = await openRunFolder(folder, { seed: 1, engine: "onnx" })
    await expect(searchHyperparameters(base, { ...settings, run, validation: Dataset.from([]) })).rejects.toMatchObject({
      code: "search.no-validation",
    })
  })
})
