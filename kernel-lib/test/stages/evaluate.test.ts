// evaluate: scores, baselines, groups and rows.
import { describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { metrics } from "../../src/measures/metrics"
import { evaluate } from "../../src/stages/evaluate/evaluate"
import { spec, student, studentOf, teacherOf, testSet, train } from "./evaluated"

describe("evaluate", () => {
  it("scores the student by each metric, with intervals, and keeps every row", async () => {
    const report = await evaluate(student, testSet, { metrics: ["exactMatch", "chrF++"], train })
    expect(report.scores.exactMatch).toBe(0.95)
    expect(report.scores["chrF++"]).toBeCloseTo(
      metrics["chrF++"].corpus(
        report.rows.map((row) => row.predicted),
        testSet.outputs,
      ),
      10,
    )
    const { low, high } = report.intervals.exactMatch
    expect(low).toBeGreaterThan(0.8)
    expect(low).toBeLessThan(0.95)
    expect(high).toBeLessThanOrEqual(1)
    expect(report.rows).toHaveLength(40)
    expect(report.rows[3]).toMatchObject({
      row: 3,
      id: testSet.ids[3],
      input: "103",
      expected: "206",
      predicted: "0",
      confidence: 0.03,
      score: 0,
      isRight: false,
    })
    expect(report.rows[4]).toMatchObject({ predicted: "208", isRight: true, nearest: undefined })
    expect(report.right(3).map(({ row }) => row)).toEqual([0, 1, 2])
  })

  it("compares with the majority answer and with copying, unless it is told not to", async () => {
    const { baselines } = await evaluate(student, testSet, { metrics: ["exactMatch"], train })
    expect(baselines.majority?.note).toBe("198")
    expect(baselines.majority?.scores.exactMatch).toBe(0)
    expect(baselines.copyInput?.scores.exactMatch).toBe(0)
    const bare = await evaluate(student, testSet, { train, baselines: { majority: false, copyInput: false } })
    expect(bare.systems.map(({ name }) => name)).toEqual(["student"])
    const untrained = await evaluate(student, testSet, { baselines: { majority: true } })
    expect(untrained.notes).toEqual(["The majority baseline is left out: give train rows."])
  })

  it("compares with the base model and hands decoding on", async () => {
    const base = studentOf("base", () => "200")
    const report = await evaluate(student, testSet, { baselines: { base }, decoding: { kind: "beam", beams: 3 }, maxNewTokens: 7 })
    expect(report.baselines.base).toMatchObject({
      label: "base model, unchanged",
      note: "base",
      scores: { exactMatch: 1 / 40 },
      bytes: 2_800_000,
    })
    expect(base.calls[0]).toMatchObject({ decoding: { kind: "beam", beams: 3 }, maxNewTokens: 7 })
    expect(report.rows[1].answers).toEqual({ base: "200" })
  })

  it("scores rows of a group apart", async () => {
    const grouped = Dataset.from([
      ...testSet,
      { input: "7", output: "14", group: "small" },
      { input: "103", output: "206", group: "again" },
    ])
    const report = await evaluate(student, grouped, { metrics: ["exactMatch"] })
    expect(report.scores.exactMatch).toBe(0.95)
    expect(report.groups).toEqual([
      { name: "small", rows: 1, scores: { exactMatch: 1 } },
      { name: "again", rows: 1, scores: { exactMatch: 0 } },
    ])
    expect(report.rows).toHaveLength(42)
    expect(report.mainRows).toHaveLength(40)
    expect(report.worst().map(({ row }) => row)).toEqual([3, 30])
    expect(report.worst(5, "again").map(({ row }) => row)).toEqual([41])
    expect(report.toPayload()).toMatchObject({
      numRows: 40,
      numWrong: 2,
      groups: [{ name: "small", rows: 1, scores: [1] }, { name: "again" }],
    })
    const all = await evaluate(student, Dataset.from([...testSet].map((row) => ({ ...row, group: "only" }))), { metrics: ["exactMatch"] })
    expect(all.scores.exactMatch).toBe(0.95)
  })

  it("shows the worst rows first, each with the training row nearest to it", async () => {
    const rows = Dataset.from([
      { input: "the year 1999", output: "1999" },
      { input: "the year 2001", output: "2001" },
      { input: "a year, 1998", output: "1998" },
    ])
    const confused = studentOf("confused", (input) => (input.includes("1999") ? "1998" : "?"))
    const report = await evaluate(confused, rows, {
      train: Dataset.from([
        { input: "the year 2002", output: "2002" },
        { input: "a year, 1997", output: "1997" },
      ]),
    })
    // Equal exact match: the lower chrF++ first, then the surer answer.
    expect(report.worst(3).map(({ row }) => row)).toEqual([1, 2, 0])
    expect(report.worst(1)[0].nearest).toMatchObject({ input: "the year 2002", output: "2002" })
    expect(report.worst(2)[1].nearest).toMatchObject({ input: "a year, 1997" })
  })

  it("refuses an unknown metric and an empty test set before it asks anybody", async () => {
    const silent = studentOf("silent", () => {
      throw new Error("was asked")
    })
    await expect(evaluate(silent, testSet, { metrics: ["exactMatch", "bleurt"] })).rejects.toMatchObject({ code: "metric.unknown" })
    await expect(evaluate(silent, testSet, { metrics: [] })).rejects.toMatchObject({ code: "evaluate.no-metrics" })
    await expect(evaluate(silent, Dataset.from([]))).rejects.toMatchObject({ code: "evaluate.no-rows" })
  })

  it("stops when it is interrupted", async () => {
    const controller = new AbortController()
    const teacher = teacherOf(() => {
      controller.abort()
      throw new Error("cut off")
    })
    await expect(evaluate(student, testSet, { baselines: { teacher }, spec, signal: controller.signal })).rejects.toMatchObject({
      code: "run.interrupted",
    })
  })
})
