// evaluate beside a teacher: what it is asked, what it costs, and what happens when it fails.
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { BudgetError, ServiceError } from "../../src/core/errors"
import { evaluate } from "../../src/stages/evaluate/evaluate"
import { openRunFolder } from "../../src/store/run"
import { makeFolder, removeFolders } from "../store/folders"
import { double, questionOf, spec, student, teacherOf, testSet } from "./evaluated"

let folder = ""
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(removeFolders)

describe("evaluate beside a teacher", () => {
  it("asks few-shot, once a row, at temperature 0, at most 16 at a time", async () => {
    const teacher = teacherOf(async (request) => {
      await new Promise((resolve) => setImmediate(resolve))
      return ` ${double(questionOf(request))}\n`
    })
    const report = await evaluate(student, testSet, { metrics: ["exactMatch"], baselines: { teacher }, spec })
    expect(teacher.requests).toHaveLength(40)
    expect(teacher.most).toBe(16)
    expect(teacher.requests[5]).toMatchObject({ purpose: "answer", temperature: 0, numResponses: 1, index: 5 })
    expect(teacher.requests[0].messages).toEqual([
      { role: "user", content: "<task 0>Double it.\nExample:\n1\nLabel:\n" },
      { role: "assistant", content: "2" },
      { role: "user", content: "<task 0>Double it.\nExample:\n2\nLabel:\n" },
      { role: "assistant", content: "4" },
      { role: "user", content: "<task 0>Double it.\nExample:\n100\nLabel:\n" },
    ])
    expect(report.baselines.teacher).toMatchObject({
      label: "teacher, few-shot",
      note: "mock-teacher",
      scores: { exactMatch: 1 },
      failures: [],
    })
    expect(report.baselines.teacher?.usdPerThousand).toBeCloseTo(1, 10)
    expect(report.comparison).toMatchObject({ metric: "exactMatch" })
    expect(report.comparison?.difference).toBeCloseTo(-0.05, 10)
    expect(report.comparison?.sentence).toMatch(
      /^Student against teacher in exact match: -0\.050 \(-0\.\d{3} to 0\.000\), paired bootstrap p = 0\.\d{3}; 0 rows are right for the student alone, 2 for the teacher alone, McNemar p = 0\.500\.$/,
    )
  })

  it("asks a second time without demonstrations where it is told to", async () => {
    const teacher = teacherOf((request) => (request.messages.length > 1 ? double(questionOf(request)) : "?"))
    const report = await evaluate(student, testSet, { metrics: ["exactMatch"], baselines: { teacher, zeroShot: true }, spec })
    expect(teacher.requests).toHaveLength(80)
    expect(teacher.requests[40].messages).toHaveLength(1)
    expect(report.baselines.teacher?.scores.exactMatch).toBe(1)
    expect(report.baselines.teacherZeroShot).toMatchObject({ label: "teacher, zero-shot", scores: { exactMatch: 0 } })
    expect(report.rows[0].answers).toEqual({ teacher: "200", teacherZeroShot: "?" })
    expect(report.comparison?.mcNemar).toEqual({ onlyFirst: 0, onlySecond: 2, p: 0.5 })
    const soft = await evaluate(student, testSet, { metrics: ["chrF++"], baselines: { teacher }, spec })
    expect(soft.comparison?.mcNemar).toBeUndefined()
  })

  it("counts a failed request as wrong, shows it, and goes on", async () => {
    const teacher = teacherOf((request) => {
      if (request.index % 10 === 0) throw new ServiceError("teacher.http", "The server answered 500.", { isRetryable: true })
      return double(questionOf(request))
    })
    const empty = Dataset.from([...testSet].map((row, index) => ({ ...row, output: index === 10 ? "" : row.output })))
    const report = await evaluate(student, empty, { metrics: ["exactMatch"], baselines: { teacher }, spec })
    expect(report.baselines.teacher?.scores.exactMatch).toBe(0.9)
    expect(report.baselines.teacher?.failures.map(({ row }) => row)).toEqual([0, 10, 20, 30])
    expect(report.baselines.teacher?.failures[0].reason).toBe("The server answered 500.")
    expect(report.baselines.teacher?.note).toBe("mock-teacher, 4 of 40 requests failed")
    expect(report.rows[10].answers.teacher).toBeUndefined()
    expect(report.rows[11].answers.teacher).toBe("222")
  })

  it("leaves a teacher out that answers nothing, and says why", async () => {
    const dead = teacherOf(() => {
      throw new ServiceError("teacher.unreachable", "Nobody listens at localhost:1.", { isRetryable: true })
    })
    const report = await evaluate(student, testSet, { baselines: { teacher: dead }, spec })
    expect(report.baselines.teacher).toBeUndefined()
    expect(report.notes).toEqual(["The teacher baseline is left out: Nobody listens at localhost:1."])
    expect(report.toPayload().comparison).toContain(report.notes[0])
    expect(dead.requests.length).toBeLessThan(40)
    const recording = teacherOf(() => "", { answers: (purpose) => purpose === "generate" })
    expect((await evaluate(student, testSet, { baselines: { teacher: recording }, spec })).notes).toEqual([
      "The teacher baseline is left out: mock-teacher does not answer single inputs.",
    ])
    expect(recording.requests).toHaveLength(0)
    expect((await evaluate(student, testSet, { baselines: { teacher: recording } })).notes).toHaveLength(1)
  })

  it("leaves the teacher out when the money is spent", async () => {
    let spent = 0
    const dear = teacherOf((request) => {
      if (++spent > 10) throw new BudgetError("budget.usd", "The cap of $0.01 is reached.")
      return double(questionOf(request))
    })
    const report = await evaluate(student, testSet, { baselines: { teacher: dear }, spec })
    expect(report.notes).toEqual(["The teacher baseline is left out: The cap of $0.01 is reached."])
    expect(report.scores.exactMatch).toBe(0.95)
    expect(dear.requests.length).toBeLessThan(30)
  })

  it("asks any teacher behind the run's response store and its cap, zero-shot too", async () => {
    const run = await openRunFolder(join(folder, "capped"), { maxUsd: 0.0601 })
    const teacher = teacherOf((request) => double(questionOf(request)), { identity: "priced", sendsTo: "example.org" })
    const ask = () =>
      evaluate(student, testSet, { metrics: ["exactMatch"], baselines: { teacher, zeroShot: true, copyInput: false }, spec, run })
    const report = await ask()
    // 40 few-shot answers at $0.001 leave 20 of the zero-shot ones.
    expect(report.baselines.teacher?.scores.exactMatch).toBe(1)
    expect(report.baselines.teacherZeroShot).toBeUndefined()
    expect(report.notes[0]).toMatch(/^The teacher without demonstrations is left out: The cap of \$0\.0601 is reached/)
    expect(teacher.requests).toHaveLength(60)
    expect(run.spending.usd).toBeCloseTo(0.06, 10)
    expect(run.sent()[0]).toMatchObject({ to: "example.org", purpose: "answer", requests: 60 })
    const raised = await openRunFolder(join(folder, "capped"), { maxUsd: 1 })
    const whole = await evaluate(student, testSet, {
      ...{
        metrics: ["exactMatch", "accuracy"],
        baselines: { teacher: raised.admit(raised.admit(teacher)), zeroShot: true },
        spec,
        run: raised,
      },
    })
    expect(whole.baselines.teacherZeroShot?.scores.exactMatch).toBe(1)
    expect(teacher.requests).toHaveLength(80)
    expect(raised.spending).toMatchObject({ requestsReused: 60 })
  })

  it("says that a simulated teacher is simulated", async () => {
    const teacher = teacherOf((request) => double(questionOf(request)), { name: "grammar", isSimulated: true })
    const zeroShot = spec.with({ demonstrations: [] })
    const { baselines } = await evaluate(student, testSet, { baselines: { teacher }, spec: zeroShot })
    expect(baselines.teacher).toMatchObject({ label: "teacher, zero-shot", note: "grammar, simulated" })
  })
})
