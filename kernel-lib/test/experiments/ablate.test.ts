// Ablations on a tiny model and own rows: what cells share, what a changed switch runs again, what refuses, and what the numbers mean.
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { Ablation, ablate, ablateSources } from "../../src/experiments"
import type { AblationCell } from "../../src/experiments/ablate/ablation-data"
import { listCells } from "../../src/experiments/ablate/cells"
import { adjustByHolm, compareRight, compareSeeds, scoreSeeds } from "../../src/experiments/ablate/compare-cells"
import { planCell, switchNames } from "../../src/experiments/ablate/switches"
import { metricNamed } from "../../src/measures"
import { type FolderRun, openRunFolder } from "../../src/store/run"
import { createByteTokenizer, createStudent } from "../../src/students"
import { makeFolder, removeFolders } from "../store/folders"

const configuration = {
  ...{ model_type: "t5", vocab_size: 259, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2, feed_forward_proj: "gated-gelu" },
  ...{ decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 },
}
const prompt = 'Copy the digit.\n\ninput="digit 3"\noutput="3"'
const own = Dataset.from(Array.from({ length: 24 }, (_, index) => ({ input: `row ${index}`, output: String(index % 3) })))
const test = Dataset.from(Array.from({ length: 9 }, (_, index) => ({ input: `test ${index}`, output: String(index % 3) })))

let model: string
let run: FolderRun
beforeAll(async () => {
  model = join(await makeFolder(), "tiny")
  await createStudent({ name: "tiny", configuration, tokenizer: createByteTokenizer(), seed: 1, engine: "onnx" }).save(model)
  run = await openRunFolder(join(await makeFolder(), "run"), { seed: 3, engine: "onnx" })
})
afterAll(removeFolders)

const training = { batchSize: 8, maxOutputTokens: 2 }
const settings = () => ({ run, test, own, training, metrics: ["exactMatch", "chrF++"] })

describe("ablate", () => {
  let first: Ablation

  it("runs every combination from every seed, and compares with the reference", async () => {
    const grid = { source: ["own" as const], model: [model], epochs: [1, 2], labelSmoothing: [0, 0.1] }
    first = await ablate(prompt, { ...settings(), grid, seeds: [1, 2], reference: { epochs: 2, labelSmoothing: 0 } })
    expect(first.cells.map(({ name }) => name)).toEqual([
      "epochs 1, label smoothing 0",
      "epochs 1, label smoothing 0.1",
      "epochs 2, label smoothing 0",
      "epochs 2, label smoothing 0.1",
    ])
    expect(first.reference).toBe("epochs 2, label smoothing 0")
    const reference = first.cell(first.reference)!
    expect(reference).toMatchObject({ isReference: true, status: "done", seeds: [1, 2] })
    expect(reference.againstReference).toBeUndefined()
    for (const cell of first.cells) {
      expect(cell.scores.exactMatch.perSeed).toHaveLength(2)
      expect(cell.cost).toMatchObject({ usd: 0, requests: 0, annotatedRows: 24 })
      if (!cell.isReference) expect(cell.againstReference!["chrF++"].adjustedP).toBeGreaterThanOrEqual(cell.againstReference!["chrF++"].p)
    }
    // An epoch's rows once for each epoch.
    expect(reference.cost.rowsRead).toBe(2 * reference.trainRows)
    // Of each seed's 4 x 5 stages, the first cell goes through 5, and each of the others adds its training and evaluation.
    expect(first.reuse).toMatchObject({ stages: 40, found: 0 })
    expect(first.cells[0].stages).toEqual({ all: 10, shared: 1 })
    expect(first.cells[3].stages).toEqual({ all: 10, shared: 6 })
  })

  it("gives the same table again, from the folder", async () => {
    const grid = { source: ["own" as const], model: [model], epochs: [1, 2], labelSmoothing: [0, 0.1] }
    const again = await ablate(prompt, { ...settings(), grid, seeds: [1, 2], reference: first.reference })
    expect(again.reuse.found).toBe(8)
    expect(again.toCsv()).toBe(first.toCsv())
    expect(again.toPayload()).toEqual(first.toPayload())
  })

  it("trains only what a further cell asks for", async () => {
    const more = await ablate(prompt, {
      ...settings(),
      grid: { source: ["own"], model: [model], epochs: [2, 3], labelSmoothing: [0] },
      seeds: [1],
    })
    expect(more.reuse.found).toBe(1)
    expect(more.cells[0].scores.exactMatch.value).toBe(first.cell(first.reference)!.scores.exactMatch.perSeed[0])
  })

  it("says why a cell could not be run, and runs the others; own rows have their price", async () => {
    const table = await ablateSources(prompt, {
      ...settings(),
      switches: { model, epochs: 1 },
      seeds: [1],
      annotation: { usdPerRow: 0.5 },
      reference: "custom annotation",
    })
    expect(table.cells.map(({ name, status }) => [name, status])).toEqual([
      ["retrieval and generation", "failed"],
      ["retrieval only", "failed"],
      ["generation only", "failed"],
      ["custom annotation", "done"],
    ])
    expect(table.cells[1].notes).toEqual([expect.stringMatching(/^seed 1 failed: No hub was given/)])
    expect(table.cells[3].cost.usd).toBe(12)
    expect(table.toPayload().rows[1].cells).toContain("failed")
    expect(table.toLatex()).toContain("\\textbf{custom annotation}")
  })

  it("refuses a second experiment in a folder where one runs", async () => {
    const grid = { source: ["own" as const], model: [model], epochs: [4] }
    const running = ablate(prompt, { ...settings(), grid })
    await expect(ablate(prompt, { ...settings(), grid })).rejects.toMatchObject({ code: "experiment.running" })
    await running
  })
})

describe("switches", () => {
  it("refuses one that does not exist with those that do, and values that make no sense", () => {
    const defaults = { hasOwn: false }
    expect(() => planCell({ annealed: true } as never, defaults)).toThrow(
      `There is no switch annealed: choose from ${switchNames.join(", ")}.`,
    )
    expect(() => planCell({ voting: 3 } as never, defaults)).toThrow("The switch voting is 3: it must be true or false.")
    expect(() => planCell({ filters: { nearduplicate: false } } as never, defaults)).toThrow(/nearDuplicate/)
    expect(() => planCell({ source: "own" }, defaults)).toThrow(/pass own/)
    expect(() => listCells({}, defaults)).toThrow(/either grid/)
    expect(() => listCells({ grid: { voting: true as never } }, defaults)).toThrow("voting: [true]")
    expect(() => listCells({ cells: [{ voting: true }, { voting: true }] }, defaults)).toThrow(/Two cells are the same/)
  })

  it("tells the stages what it means", () => {
    const plan = planCell(
      {
        annealing: false,
        voting: false,
        rerank: false,
        hyde: false,
        filters: { refusal: false },
        dropout: 0.2,
        template: "bare",
        lossOn: "all",
      },
      { hasOwn: true },
    )
    expect(plan).toMatchObject({
      source: "all",
      votes: 0,
      hyde: false,
      generation: { temperature: { initial: 0.5, final: 0.5 }, isVoting: false, filters: { refusal: false } },
      training: { dropout: 0.2, template: "bare", lossOn: "all" },
    })
  })
})

describe("the comparison of cells", () => {
  const expected = Array.from({ length: 60 }, (_, row) => String(row))
  const answersWith = (seed: number, isRight: (row: number) => boolean) => ({
    seed,
    answers: expected.map((text, row) => (isRight(row) ? text : "no")),
  })
  const exactMatch = metricNamed("exactMatch")

  it("has intervals over seeds by Student's t", () => {
    const runs = [answersWith(1, (row) => row < 30), answersWith(2, (row) => row < 36), answersWith(3, (row) => row < 33)]
    // 0.5, 0.6 and 0.55: mean 0.55, standard error 0.05 / sqrt(3), and t = 4.302653 for two degrees of freedom.
    const { value, low, high, perSeed } = scoreSeeds(runs, expected, exactMatch, 1)
    expect(perSeed).toEqual([0.5, 0.6, 0.55])
    expect(value).toBeCloseTo(0.55, 12)
    expect(high - value).toBeCloseTo((4.302652729911275 * 0.05) / Math.sqrt(3), 9)
    expect(value - low).toBeCloseTo(high - value, 12)
  })

  it("does not take the seeds of a row for independent rows", () => {
    const [worse, better] = [(row: number) => row < 30, (row: number) => row < 34]
    const seeds = [1, 2, 3, 4]
    const once = compareSeeds([answersWith(1, better)], [answersWith(1, worse)], expected, exactMatch, 1)!
    const fourTimes = compareSeeds(
      seeds.map((seed) => answersWith(seed, better)),
      seeds.map((seed) => answersWith(seed, worse)),
      expected,
      exactMatch,
      1,
    )!
    expect(once.value).toBeCloseTo(4 / 60, 12)
    expect(fourTimes).toEqual({
      ...once,
      value: expect.closeTo(once.value, 12),
      low: expect.closeTo(once.low, 12),
      high: expect.closeTo(once.high, 12),
    })
  })

  it("pairs macro F1 whatever labels either side answers", () => {
    const labels = expected.map((_, row) => (row % 2 === 0 ? "a" : "b"))
    const constant = { seed: 1, answers: labels.map(() => "c") }
    const right = { seed: 1, answers: labels }
    expect(compareSeeds([right], [constant], labels, metricNamed("macroF1"), 1)?.value).toBeCloseTo(1, 12)
  })

  it("calls a row right where most seeds are, for McNemar's test", () => {
    const runs = [answersWith(1, (row) => row < 20), answersWith(2, (row) => row < 10), answersWith(3, (row) => row < 15)]
    const none = [1, 2, 3].map((seed) => answersWith(seed, () => false))
    expect(compareRight(runs, none, expected, exactMatch)).toMatchObject({ onlyThis: 15, onlyReference: 0 })
    expect(compareRight(runs, [answersWith(9, () => true)], expected, exactMatch)).toBeUndefined()
  })

  it("corrects p-values by Holm", () => {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    expect(adjustByHolm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(6)))).toEqual([0.03, 0.06, 0.06, 0.02])
  })
})

describe("an ablation's table", () => {
  const cellOf = (name: string, value: number, usd: number): AblationCell => ({
    ...{ name, switches: { numExamples: usd * 100 }, status: "done", isReference: name === "a", seeds: [1] },
    scores: { exactMatch: { value, low: value - 0.1, high: value + 0.1, perSeed: [value] } },
    ...{ trainRows: 10, cost: { usd, requests: 1, annotatedRows: 0, rowsRead: 10 }, stages: { all: 2, shared: 1 }, notes: [] },
  })
  const data = {
    ...{ metrics: ["exactMatch"], seeds: [1], reference: "a", testRows: 20, isTeacherSimulated: false },
    cells: [cellOf("a", 0.5, 2), cellOf("b", 0.6, 1), cellOf("c", 0.7, 3), cellOf("d & <d>", 0.65, 4)],
    reuse: { stages: 8, different: 5, found: 0, requests: { sent: 0, reused: 0 } },
  }

  it("has as its frontier what no other cell beats at the same cost", () => {
    expect(new Ablation(data).frontier.map(({ name }) => name)).toEqual(["b", "c"])
  })

  it("shows itself as JSON, HTML with a picture, and text; its figure as Plotly's JSON beside a picture", () => {
    const ablation = new Ablation(data)
    const bundle = (ablation as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]()
    expect(bundle["text/html"]).toContain("data:image/svg+xml;base64,")
    expect(bundle["text/html"]).not.toContain("<d>")
    const figure = ablation.figure()
    const shown = (figure as unknown as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]()
    expect(shown["application/vnd.plotly.v1+json"]).toBe(figure)
    expect(JSON.parse(JSON.stringify(figure)).data[0]).toMatchObject({
      type: "scatter",
      x: [0.5, 0.6, 0.7, 0.65],
      error_x: { array: [expect.closeTo(0.1), expect.anything(), expect.anything(), expect.anything()] },
    })
    expect(figure.data[2]).toMatchObject({ x: [1, 3], y: [0.6, 0.7] })
    expect(new Ablation(JSON.parse(JSON.stringify(ablation)))).toEqual(ablation)
  })

  it("quotes commas in its CSV", () => {
    const cells = [cellOf('rows, "own"', 0.5, 2)]
    expect(new Ablation({ ...data, cells }).toCsv().split("\r\n")[1]).toMatch(/^"rows, ""own""",/)
  })
})
