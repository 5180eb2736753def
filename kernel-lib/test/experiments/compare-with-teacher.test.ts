// compareWithTeacher: scores, sizes, times, prices and what left the machine, in one table; what is not known is called so.
import { afterAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import type { Student } from "../../src/core/student"
import type { Teacher, TeacherCompletion } from "../../src/core/teacher"
import { compareWithTeacher } from "../../src/experiments/compare-with-teacher/compare-with-teacher"
import { TeacherComparison } from "../../src/experiments/compare-with-teacher/teacher-comparison"
import { openRunFolder } from "../../src/store/run"
import { makeFolder, removeFolders } from "../store/folders"

afterAll(removeFolders)

const test = Dataset.from(Array.from({ length: 40 }, (_, row) => ({ input: `in ${row}`, output: `out ${row}` })))
const spec = { instruction: "Say out for in.", demonstrations: [] }
const elsewhere = "https://api.example.com"

/** Right on all rows but the first `wrong`. */
function studentOf(wrong: number): Student {
  return {
    ...{ kind: "student", name: "small|one", architecture: "t5", isPretrained: false },
    ...{ parameters: 1_000_000, bytes: 4_000_000, fingerprint: `wrong on ${wrong}` },
    predict: async (inputs) =>
      inputs.map((input) => ({
        output: Number(input.slice(3)) < wrong ? "?" : input.replace("in", "out"),
        ...{ tokens: [1], confidence: 0.5 },
      })),
    async save() {},
    dispose() {},
  }
}

/** Right on every other row. */
function teacherOf(completion: Partial<TeacherCompletion> = {}, extra: Partial<Teacher> = {}): Teacher & { count: number } {
  return {
    ...{ name: "big-model", count: 0, sendsTo: elsewhere, ...extra },
    async complete({ messages }) {
      this.count++
      const row = Number(/in (\d+)/.exec(messages.at(-1)!.content)![1])
      const texts = [row % 2 === 0 ? `out ${row}` : "no"]
      return { texts, finishReasons: ["stop"], usage: { inputTokens: 10, outputTokens: 5 }, usd: 0.002, seconds: 0.5 + row, ...completion }
    },
  }
}

const openRun = async (teacher?: Teacher, maxUsd?: number, folder?: string) =>
  openRunFolder(folder ?? (await makeFolder()), { teacher, maxUsd })
const cellsOf = (comparison: TeacherComparison) =>
  Object.fromEntries(comparison.toPayload().rows.map(({ cells: [name, ...cells] }) => [name, cells]))

describe("a comparison", () => {
  it("has scores with what they differ by, sizes, times, prices and what left the machine", async () => {
    const run = await openRun(teacherOf())
    const comparison = await compareWithTeacher(studentOf(4), test, { run, spec, metrics: ["exactMatch"], teacherParameters: 200e9 })
    expect(comparison).toMatchObject({ status: "done", rows: 40, sizeRatio: 200_000, spentUsd: expect.closeTo(0.08) })
    expect([comparison.student.scores.exactMatch, comparison.teacher!.scores.exactMatch]).toEqual([0.9, 0.5])
    expect(comparison.differences[0]).toMatchObject({ difference: expect.closeTo(0.4), p: expect.any(Number) })
    expect(comparison.teacher!.answerSeconds).toEqual({ median: 20.5, p95: 38.5 })
    expect(comparison.speedRatio).toBeCloseTo(20.5 / comparison.student.answerSeconds!.median)
    const cells = cellsOf(comparison)
    expect(cells["exact match"][2]).toMatch(/^\+0\.400 \(0\.\d+ to 0\.\d+\)$/)
    expect(cells.weights).toEqual(["1M, 4.0 MB", "200B", "200,000 times smaller"])
    expect(cells["one answer"][1]).toBe("20.5 s (38.5 s)")
    expect(cells["1,000 answers"]).toEqual(["$0", "$2.00", "cheaper from 40 answers on"])
    expect(cells["inputs leave for"]).toEqual(["nowhere", elsewhere, "-"])
    expect(comparison.toPayload().notes.join(" ")).toContain(`${elsewhere} got 40 requests (answer) with 400 tokens for $0.08`)
  })

  it("costs nothing a second time, and knows the teacher's times from the first", async () => {
    const teacher = teacherOf()
    const run = await openRun(teacher)
    const first = await compareWithTeacher(studentOf(0), test, { run, spec })
    const again = await compareWithTeacher(studentOf(1), test, { run, spec })
    expect(teacher.count).toBe(40)
    expect([again.spentUsd, again.teacher]).toEqual([first.spentUsd, first.teacher])
  })

  it("is written as LaTeX and CSV, shows itself with its texts escaped, and comes back from JSON", async () => {
    const comparison = await compareWithTeacher(studentOf(4), test, { run: await openRun(teacherOf({}, { name: "<b>&_" })), spec })
    expect(comparison.toLatex()).toContain("\\_")
    expect(comparison.toCsv().split("\r\n")).toHaveLength(1 + 6 + 1)
    const show = (comparison as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]
    expect(show.call(comparison)["text/html"]).not.toContain("<b>&_")
    const back = new TeacherComparison(JSON.parse(JSON.stringify(comparison)))
    expect(back.toPayload()).toEqual(comparison.toPayload())
  })
})

describe("what is not known", () => {
  it.each([
    ["a price in no table", { usd: 0 }, {}, "1,000 answers", "not known"],
    ["the time of an answer behind the teacher's own gate", { seconds: undefined }, { maxConcurrency: 2 }, "one answer", "not known"],
    ["the size of a model that others host", {}, {}, "weights", "not known"],
    ["the price of a program in a model's place", {}, { isSimulated: true, sendsTo: undefined }, "1,000 answers", "simulated"],
    ["its time", {}, { isSimulated: true, sendsTo: undefined }, "one answer", "simulated"],
    ["what a recording cost", { usd: 0 }, { isRecorded: true, sendsTo: undefined }, "1,000 answers", "not known"],
  ])("%s is not told", async (_what, completion, extra, row, said) => {
    const comparison = await compareWithTeacher(studentOf(4), test, { run: await openRun(teacherOf(completion, extra)), spec })
    expect(cellsOf(comparison)[row].slice(1)).toEqual([said, "-"])
  })

  it("is measured of a teacher of one's own that does not tell it", async () => {
    const comparison = await compareWithTeacher(studentOf(4), test, { run: await openRun(teacherOf({ seconds: undefined })), spec })
    expect(comparison.teacher!.answerSeconds!.median).toBeGreaterThan(0)
  })
})

describe("a teacher that cannot be asked", () => {
  it("leaves a partial result that says why", async () => {
    const run = await openRun(teacherOf(), 0.01)
    const comparison = await compareWithTeacher(studentOf(4), test, { run, spec })
    expect(comparison).toMatchObject({ status: "partial", teacher: undefined, reason: expect.stringContaining("maxUsd") })
    expect(comparison.spentUsd).toBeLessThanOrEqual(0.01)
    expect(cellsOf(comparison)["1,000 answers"]).toEqual(["$0", "-", "-"])
    const raised = await openRun(teacherOf(), 1, run.folder)
    expect(await compareWithTeacher(studentOf(4), test, { run: raised, spec })).toMatchObject({
      status: "done",
      spentUsd: expect.closeTo(0.08),
    })
  })

  it("is refused where there is none", async () => {
    await expect(compareWithTeacher(studentOf(4), test, { run: await openRun(), spec })).rejects.toMatchObject({
      code: "compare.no-teacher",
    })
  })
})
