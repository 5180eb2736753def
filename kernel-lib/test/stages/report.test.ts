// A report: the same after a reload, compared, cut into slices, scored by an encoder.
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import type { Progress } from "../../src/core/run"
import { bertScore } from "../../src/measures/bert-score"
import { pairedBootstrap } from "../../src/measures/bootstrap"
import { metrics } from "../../src/measures/metrics"
import { evaluate, Report } from "../../src/stages/evaluate/evaluate"
import { processDatasets } from "../../src/stages/process-datasets/process-datasets"
import { openRunFolder } from "../../src/store/run"
import { loadTokenEncoder } from "../../src/students"
import { makeFolder, removeFolders } from "../store/folders"
import { encoderFolder } from "../students/encoder-golden"
import { double, questionOf, spec, student, studentOf, teacherOf, testSet, train } from "./evaluated"

let folder = ""
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(removeFolders)

describe("slices of a report", () => {
  const rows = Dataset.from([
    ...Array.from({ length: 6 }, (_, index) => ({ input: "a".repeat(index + 1), output: "yes" })),
    { input: "aaaaaaa", output: "no" },
    { input: "aaaaaaaa", output: "no" },
    { input: "a", output: "yes", group: "apart" },
  ])
  const short = studentOf("short", (input) => (input.length <= 4 ? "yes" : "no"))

  it("are by length, each about a quarter of the rows, without those of a group", async () => {
    const slices = (await evaluate(short, rows, { metrics: ["exactMatch", "chrF++"] })).slices("length")
    expect(slices.map(({ name, rows: count, scores }) => [name, count, scores.exactMatch])).toEqual([
      ["1 to 2 characters", 2, 1],
      ["3 to 4 characters", 2, 1],
      ["5 to 6 characters", 2, 0],
      ["7 to 8 characters", 2, 1],
    ])
    expect(slices[2].scores["chrF++"]).toBe(metrics["chrF++"].corpus(["no", "no"], ["yes", "yes"]))
  })

  it("are by label, or as a function says, and show themselves", async () => {
    const report = await evaluate(short, rows, { metrics: ["exactMatch"] })
    expect([...report.slices("label")]).toEqual([
      { name: "yes", rows: 6, scores: { exactMatch: 4 / 6 } },
      { name: "no", rows: 2, scores: { exactMatch: 1 } },
    ])
    const parity = report.slices(({ input }) => (input.length % 2 === 0 ? "even" : "odd"))
    expect(parity.map(({ name, rows: count }) => [name, count])).toEqual([
      ["even", 4],
      ["odd", 4],
    ])
    const shown = (parity as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]()
    expect(shown["text/html"]).toContain("even")
  })

  it("give each label its own F1 where macro F1 is asked for", async () => {
    const report = await evaluate(short, rows, { metrics: ["macroF1"] })
    // yes: 4 of 6 expected, 4 answered; no: 2 of 2 expected, 4 answered.
    expect(report.slices("label").map(({ scores }) => scores.macroF1)).toEqual([8 / 10, 4 / 6])
    expect((8 / 10 + 4 / 6) / 2).toBeCloseTo(report.scores.macroF1, 12)
  })

  it("keep equal lengths together, and put rare labels into one", async () => {
    const many = Dataset.from(Array.from({ length: 30 }, (_, index) => ({ input: "same size", output: String(index) })))
    const report = await evaluate(short, many, { metrics: ["exactMatch"] })
    expect(report.slices("length").map(({ name, rows: count }) => [name, count])).toEqual([["9 characters", 30]])
    expect(report.slices("label").at(-1)).toMatchObject({ name: "10 others", rows: 10 })
  })
})

describe("a report", () => {
  it("comes back from the run without asking again, equal to what it was", async () => {
    const asked = studentOf("tiny", (input) => (input === "103" ? "0" : double(input)))
    const teacher = teacherOf((request) => double(questionOf(request)))
    const call = async () =>
      evaluate(asked, testSet, { run: await openRunFolder(join(folder, "again")), train, spec, baselines: { teacher } })
    const [first, second] = [await call(), await call()]
    expect(asked.calls).toHaveLength(1)
    expect(teacher.requests).toHaveLength(40)
    expect(second).toBeInstanceOf(Report)
    expect(JSON.stringify(second)).toBe(JSON.stringify(first))
    expect(second.worst(1)).toEqual(JSON.parse(JSON.stringify(first.worst(1))))
  })

  it("takes prompt and train rows from the run that made the test set", async () => {
    const run = await openRunFolder(join(folder, "splits"))
    const splits = await processDatasets({ own: testSet }, { run, spec })
    const teacher = teacherOf((request) => double(questionOf(request)))
    const report = await evaluate(student, splits.test, { run, baselines: { teacher } })
    expect(report.systems.map(({ name }) => name)).toEqual(["student", "teacher", "majority", "copyInput"])
    const foreign = await evaluate(student, testSet, { run, baselines: { teacher } })
    expect(foreign.notes).toEqual(["The teacher baseline is left out: give the prompt as spec."])
  })

  it("reports progress of everybody it asks", async () => {
    const seen: (Progress | string)[] = []
    const reporter = {
      stageStarted: (stage: string) => seen.push(stage),
      stageProgress: (_stage: string, progress: Progress) => seen.push(progress),
      stageEnded: (_stage: string, { summary }: { summary: string }) => seen.push(summary),
      notice() {},
    }
    const run = await openRunFolder(join(folder, "progress"), { reporter })
    await evaluate(student, testSet, { run, spec, metrics: ["exactMatch"], baselines: { teacher: teacherOf(() => "200") } })
    expect(seen[0]).toBe("evaluate")
    expect(seen).toContainEqual({ done: 40, total: 40, unit: "rows", note: "student" })
    expect(seen).toContainEqual({ done: 40, total: 40, unit: "rows", note: "teacher" })
    expect(seen.at(-1)).toBe("exact match 0.950 (teacher 0.025) on 40 rows")
  })

  it("compares the student with every other system, and any two with each other", async () => {
    const teacher = teacherOf((request) => (request.index === 5 ? "?" : double(questionOf(request))))
    const base = studentOf("base", () => "200")
    const report = await evaluate(student, testSet, { train, spec, baselines: { teacher, base } })
    expect(report.comparisons.map(({ first, second, metric }) => [first, second, metric])).toEqual(
      ["teacher", "base", "majority", "copyInput"].map((name) => ["student", name, "exactMatch"]),
    )
    expect(report.comparison).toBe(report.comparisons[0])
    expect(report.comparisons[0].mcNemar).toEqual({ onlyFirst: 1, onlySecond: 2, p: 1 })
    expect(report.comparisons[1]).toMatchObject({ difference: 0.95 - 1 / 40, mcNemar: { onlyFirst: 37, onlySecond: 0 } })
    expect(report.compare("student", "base", { seed: 1 })).toEqual(report.comparisons[1])
    const { value, low } = pairedBootstrap(
      metrics["chrF++"].statistics(
        report.rows.map(({ answers }) => answers.teacher),
        testSet.outputs,
      ),
      metrics["chrF++"].statistics(
        testSet.outputs.map(() => "198"),
        testSet.outputs,
      ),
      metrics["chrF++"].score,
      { seed: "x" },
    )
    expect(report.compare("teacher", "majority", { metric: "chrF++", seed: "x" })).toMatchObject({ difference: value, low })
    expect(report.compare("copyInput", "student").difference).toBe(-0.95)
    expect(() => report.compare("student", "teacherZeroShot")).toThrow(expect.objectContaining({ code: "report.no-such-system" }))
    expect(() => report.compare("student", "base", { metric: "BLEU" as "chrF++" })).toThrow(/exactMatch, chrF\+\+/)
    const { comparison } = report.toPayload()
    expect(comparison).toContain("Against the others: base model +0.925")
    expect(comparison).toContain("; copied input +0.950 (")
    expect(comparison).toMatch(/p = 0\.002\.$/)
  })

  it("scores by an encoder where it is given one", async () => {
    const encoder = await loadTokenEncoder(encoderFolder("bert-labels"), { engine: "onnx", threads: 1 })
    const words = Dataset.from([
      { input: "a", output: "the cat sat on the mat" },
      { input: "b", output: "dogs bark" },
      { input: "cc", output: "do not" },
    ])
    const cats = studentOf("cats", (input) => (input === "a" ? "the cat sat on the mat" : "cats sat"))
    const names = ["BERTScore", "exactMatch"] as const
    await expect(evaluate(cats, words, { metrics: names })).rejects.toMatchObject({ code: "evaluate.no-encoder" })
    const run = await openRunFolder(join(folder, "encoder"))
    const report = await evaluate(cats, words, { metrics: names, bertScore: { encoder }, run })
    const expected = await bertScore(["the cat sat on the mat", "cats sat", "cats sat"], words.outputs, { encoder })
    expect(report.scores.BERTScore).toBeCloseTo(expected.f1, 6)
    expect(report.rows.map(({ isRight }) => isRight)).toEqual([true, false, false])
    expect(report.intervals.BERTScore.low).toBeLessThan(report.scores.BERTScore)
    const copied = report.baselines.copyInput!
    expect(report.compare("student", "copyInput", { metric: "BERTScore" }).difference).toBeCloseTo(
      report.scores.BERTScore - copied.scores.BERTScore,
      10,
    )
    expect(report.slices("length")[1].scores.BERTScore).toBeCloseTo(expected.rows[2].f1, 6)
    expect(report.toPayload().metrics[0]).toEqual({ name: "BERTScore", scale: 1 })
    expect(report.toLatex()).toContain("BERTScore")
    // An encoder of another layer is another measure.
    const shallow = await loadTokenEncoder(encoderFolder("bert-labels"), { layer: 1, engine: "onnx", threads: 1 })
    const again = await evaluate(cats, words, { metrics: names, bertScore: { encoder: shallow }, run })
    expect(again.scores.BERTScore).not.toBeCloseTo(report.scores.BERTScore, 4)
    encoder.dispose()
    shallow.dispose()
  })
})
