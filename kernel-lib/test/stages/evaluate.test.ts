// evaluate: scores, baselines, groups, rows, and what happens when the teacher fails.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { BudgetError, ServiceError } from "../../src/core/errors"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Progress } from "../../src/core/run"
import type { PredictOptions, Student } from "../../src/core/student"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"
import { bertScore } from "../../src/measures/bert-score"
import { pairedBootstrap } from "../../src/measures/bootstrap"
import { metrics } from "../../src/measures/metrics"
import { evaluate, Report } from "../../src/stages/evaluate/evaluate"
import { processDatasets } from "../../src/stages/process-datasets/process-datasets"
import { openRunFolder } from "../../src/store/run"
import { readTable } from "../../src/store/tables"
import { loadTokenEncoder } from "../../src/students"
import { encoderFolder } from "../students/encoder-golden"

/** A student that answers with `answer`; the surer, the longer the input. */
function studentOf(name: string, answer: (input: string) => string): Student & { calls: PredictOptions[] } {
  const calls: PredictOptions[] = []
  return {
    ...{
      kind: "student",
      name,
      architecture: "t5",
      parameters: 1000,
      bytes: 2_800_000,
      isPretrained: false,
      fingerprint: `student ${name}`,
      calls,
    },
    async predict(inputs, options = {}) {
      calls.push(options)
      options.onProgress?.(inputs.length, inputs.length)
      return inputs.map((input) => ({ output: answer(input), tokens: [1], confidence: input.length / 100 }))
    },
    async save() {},
    dispose() {},
  }
}

/** A teacher that answers each question with `answer`; its requests are kept. */
function teacherOf(
  answer: (request: TeacherRequest) => string | Promise<string>,
  extra: Partial<Teacher> = {},
): Teacher & { requests: TeacherRequest[]; most: number } {
  const requests: TeacherRequest[] = []
  let inFlight = 0
  return {
    ...{ name: "mock-teacher", requests, most: 0, ...extra },
    async complete(request) {
      requests.push(request)
      this.most = Math.max(this.most, ++inFlight)
      try {
        const texts = [await answer(request)]
        return { texts, finishReasons: ["stop"], usage: { inputTokens: 10, outputTokens: 5 }, usd: 0.001 }
      } finally {
        inFlight--
      }
    },
  }
}

const questionOf = (request: TeacherRequest) => /Example:\n([\s\S]*)\nLabel:\n$/.exec(request.messages.at(-1)!.content)![1]

const spec = new PromptSpec({
  instruction: "Double it.",
  demonstrations: [
    { input: "1", output: "2" },
    { input: "2", output: "4" },
  ],
})
const double = (input: string) => String(2 * Number(input))
const test = Dataset.from(Array.from({ length: 40 }, (_, index) => ({ input: String(100 + index), output: String(200 + 2 * index) })))
const train = Dataset.from([
  { input: "99", output: "198" },
  { input: "1100", output: "2200" },
  { input: "98", output: "198" },
])
/** Right on all but the rows 3 and 30. */
const student = studentOf("tiny", (input) => (input === "103" || input === "130" ? "0" : double(input)))

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evaluate-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("evaluate", () => {
  it("scores the student by each metric, with intervals, and keeps every row", async () => {
    const report = await evaluate(student, test, { metrics: ["exactMatch", "chrF++"], train })
    expect(report.scores.exactMatch).toBe(0.95)
    expect(report.scores["chrF++"]).toBeCloseTo(
      metrics["chrF++"].corpus(
        report.rows.map((row) => row.predicted),
        test.outputs,
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
      id: test.ids[3],
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
    const { baselines } = await evaluate(student, test, { metrics: ["exactMatch"], train })
    expect(baselines.majority?.note).toBe("198")
    expect(baselines.majority?.scores.exactMatch).toBe(0)
    expect(baselines.copyInput?.scores.exactMatch).toBe(0)
    const bare = await evaluate(student, test, { train, baselines: { majority: false, copyInput: false } })
    expect(bare.systems.map(({ name }) => name)).toEqual(["student"])
    const untrained = await evaluate(student, test, { baselines: { majority: true } })
    expect(untrained.notes).toEqual(["The majority baseline is left out: give train rows."])
  })

  it("compares with the base model and hands decoding on", async () => {
    const base = studentOf("base", () => "200")
    const report = await evaluate(student, test, { baselines: { base }, decoding: { kind: "beam", beams: 3 }, maxNewTokens: 7 })
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
    const grouped = Dataset.from([...test, { input: "7", output: "14", group: "small" }, { input: "103", output: "206", group: "again" }])
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
    const all = await evaluate(student, Dataset.from([...test].map((row) => ({ ...row, group: "only" }))), { metrics: ["exactMatch"] })
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
    await expect(evaluate(silent, test, { metrics: ["exactMatch", "bleurt"] })).rejects.toMatchObject({ code: "metric.unknown" })
    await expect(evaluate(silent, test, { metrics: [] })).rejects.toMatchObject({ code: "evaluate.no-metrics" })
    await expect(evaluate(silent, Dataset.from([]))).rejects.toMatchObject({ code: "evaluate.no-rows" })
  })

  it("stops when it is interrupted", async () => {
    const controller = new AbortController()
    const teacher = teacherOf(() => {
      controller.abort()
      throw new Error("cut off")
    })
    await expect(evaluate(student, test, { baselines: { teacher }, spec, signal: controller.signal })).rejects.toMatchObject({
      code: "run.interrupted",
    })
  })
})

describe("evaluate beside a teacher", () => {
  it("asks few-shot, once a row, at temperature 0, at most 16 at a time", async () => {
    const teacher = teacherOf(async (request) => {
      await new Promise((resolve) => setImmediate(resolve))
      return ` ${double(questionOf(request))}\n`
    })
    const report = await evaluate(student, test, { metrics: ["exactMatch"], baselines: { teacher }, spec })
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
    const report = await evaluate(student, test, { metrics: ["exactMatch"], baselines: { teacher, zeroShot: true }, spec })
    expect(teacher.requests).toHaveLength(80)
    expect(teacher.requests[40].messages).toHaveLength(1)
    expect(report.baselines.teacher?.scores.exactMatch).toBe(1)
    expect(report.baselines.teacherZeroShot).toMatchObject({ label: "teacher, zero-shot", scores: { exactMatch: 0 } })
    expect(report.rows[0].answers).toEqual({ teacher: "200", teacherZeroShot: "?" })
    expect(report.comparison?.mcNemar).toEqual({ onlyFirst: 0, onlySecond: 2, p: 0.5 })
    const soft = await evaluate(student, test, { metrics: ["chrF++"], baselines: { teacher }, spec })
    expect(soft.comparison?.mcNemar).toBeUndefined()
  })

  it("counts a failed request as wrong, shows it, and goes on", async () => {
    const teacher = teacherOf((request) => {
      if (request.index % 10 === 0) throw new ServiceError("teacher.http", "The server answered 500.", { isRetryable: true })
      return double(questionOf(request))
    })
    const empty = Dataset.from([...test].map((row, index) => ({ ...row, output: index === 10 ? "" : row.output })))
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
    const report = await evaluate(student, test, { baselines: { teacher: dead }, spec })
    expect(report.baselines.teacher).toBeUndefined()
    expect(report.notes).toEqual(["The teacher baseline is left out: Nobody listens at localhost:1."])
    expect(report.toPayload().comparison).toContain(report.notes[0])
    expect(dead.requests.length).toBeLessThan(40)
    const recording = teacherOf(() => "", { answers: (purpose) => purpose === "generate" })
    expect((await evaluate(student, test, { baselines: { teacher: recording }, spec })).notes).toEqual([
      "The teacher baseline is left out: mock-teacher does not answer single inputs.",
    ])
    expect(recording.requests).toHaveLength(0)
    expect((await evaluate(student, test, { baselines: { teacher: recording } })).notes).toHaveLength(1)
  })

  it("leaves the teacher out when the money is spent", async () => {
    let spent = 0
    const dear = teacherOf((request) => {
      if (++spent > 10) throw new BudgetError("budget.usd", "The cap of $0.01 is reached.")
      return double(questionOf(request))
    })
    const report = await evaluate(student, test, { baselines: { teacher: dear }, spec })
    expect(report.notes).toEqual(["The teacher baseline is left out: The cap of $0.01 is reached."])
    expect(report.scores.exactMatch).toBe(0.95)
    expect(dear.requests.length).toBeLessThan(30)
  })

  it("asks any teacher behind the run's response store and its cap, zero-shot too", async () => {
    const run = await openRunFolder(join(folder, "capped"), { maxUsd: 0.0601 })
    const teacher = teacherOf((request) => double(questionOf(request)), { identity: "priced", sendsTo: "example.org" })
    const ask = () =>
      evaluate(student, test, { metrics: ["exactMatch"], baselines: { teacher, zeroShot: true, copyInput: false }, spec, run })
    const report = await ask()
    // 40 few-shot answers at $0.001 leave 20 of the zero-shot ones.
    expect(report.baselines.teacher?.scores.exactMatch).toBe(1)
    expect(report.baselines.teacherZeroShot).toBeUndefined()
    expect(report.notes[0]).toMatch(/^The teacher without demonstrations is left out: The cap of \$0\.0601 is reached/)
    expect(teacher.requests).toHaveLength(60)
    expect(run.spending.usd).toBeCloseTo(0.06, 10)
    expect(run.sent()[0]).toMatchObject({ to: "example.org", purpose: "answer", requests: 60 })
    const raised = await openRunFolder(join(folder, "capped"), { maxUsd: 1 })
    const whole = await evaluate(student, test, {
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
    const { baselines } = await evaluate(student, test, { baselines: { teacher }, spec: zeroShot })
    expect(baselines.teacher).toMatchObject({ label: "teacher, zero-shot", note: "grammar, simulated" })
  })
})

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
    const call = async () => evaluate(asked, test, { run: await openRunFolder(join(folder, "again")), train, spec, baselines: { teacher } })
    const [first, second] = [await call(), await call()]
    expect(asked.calls).toHaveLength(1)
    expect(teacher.requests).toHaveLength(40)
    expect(second).toBeInstanceOf(Report)
    expect(JSON.stringify(second)).toBe(JSON.stringify(first))
    expect(second.worst(1)).toEqual(JSON.parse(JSON.stringify(first.worst(1))))
  })

  it("takes prompt and train rows from the run that made the test set", async () => {
    const run = await openRunFolder(join(folder, "splits"))
    const splits = await processDatasets({ own: test }, { run, spec })
    const teacher = teacherOf((request) => double(questionOf(request)))
    const report = await evaluate(student, splits.test, { run, baselines: { teacher } })
    expect(report.systems.map(({ name }) => name)).toEqual(["student", "teacher", "majority", "copyInput"])
    const foreign = await evaluate(student, test, { run, baselines: { teacher } })
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
    await evaluate(student, test, { run, spec, metrics: ["exactMatch"], baselines: { teacher: teacherOf(() => "200") } })
    expect(seen[0]).toBe("evaluate")
    expect(seen).toContainEqual({ done: 40, total: 40, unit: "rows", note: "student" })
    expect(seen).toContainEqual({ done: 40, total: 40, unit: "rows", note: "teacher" })
    expect(seen.at(-1)).toBe("exact match 0.950 (teacher 0.025) on 40 rows")
  })

  it("compares the student with every other system, and any two with each other", async () => {
    const teacher = teacherOf((request) => (request.index === 5 ? "?" : double(questionOf(request))))
    const base = studentOf("base", () => "200")
    const report = await evaluate(student, test, { train, spec, baselines: { teacher, base } })
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
        test.outputs,
      ),
      metrics["chrF++"].statistics(
        test.outputs.map(() => "198"),
        test.outputs,
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

  it("shows how the scores change with the input's length, and by label where the answers are labels", async () => {
    const rows = Dataset.from(Array.from({ length: 12 }, (_, at) => ({ input: "x".repeat(at + 1), output: at % 3 === 0 ? "no" : "yes" })))
    const yes = studentOf("yes", () => "yes")
    const { slices } = (await evaluate(yes, rows, { metrics: ["exactMatch"] })).toPayload()
    expect(slices?.map(({ by }) => by)).toEqual(["length of the input", "expected label"])
    expect(slices?.[1].slices).toEqual([
      { name: "yes", rows: 8, scores: [1] },
      { name: "no", rows: 4, scores: [0] },
    ])
    const hostile = Dataset.from([...rows].map((row) => ({ ...row, output: `<img src=x>${row.output}` })))
    const shown = (await evaluate(yes, hostile)) as unknown as Record<symbol, () => Record<string, string>>
    const html = shown[Symbol.for("Jupyter.display")]()["text/html"]
    expect(html).toContain(">&#60;img src=x&#62;no</td>")
    expect(html).not.toContain("<img src=x")
    const free = (await evaluate(student, test)).toPayload()
    // All inputs are as long, and each answer is another.
    expect(free.slices).toEqual([])
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

  it("becomes CSV that reads back as it was, rows or systems", async () => {
    const odd = Dataset.from([
      { input: 'a, "b"\n', output: "=1+1" },
      { input: "7", output: "14", group: "apart" },
    ])
    const base = studentOf("base", () => " ")
    const lists = Dataset.from([...train, { input: "a, b", output: "a; b" }])
    const report = await evaluate(student, odd, { train: lists, baselines: { base } })
    const read = async (csv: string) => {
      const path = join(folder, "report.csv")
      await writeFile(path, csv)
      return (await readTable(path)).rows
    }
    const rows = await read(report.toCsv())
    expect(rows[0]).toMatchObject({ row: "0", input: 'a, "b"\n', expected: "=1+1", predicted: "NaN", exactMatch: "0", isRight: "false" })
    expect(rows[0]).toMatchObject({ group: "", "base answer": " ", "nearest input": "a, b", "nearest output": "a; b" })
    expect(rows[1]).toMatchObject({ group: "apart", isRight: "true", "chrF++": "100" })
    const systems = await read(report.toCsv("systems"))
    expect(systems.map(({ system, metric }) => `${system} ${metric}`)).toEqual(
      ["student", "base", "majority", "copyInput"].flatMap((name) => [`${name} exactMatch`, `${name} chrF++`]),
    )
    expect(Number(systems[1].score)).toBe(report.scores["chrF++"])
    expect(Number(systems[1].low)).toBe(report.intervals["chrF++"].low)
  })

  it("writes a TensorBoard run for each system", async () => {
    const report = await evaluate(student, test, { train })
    const files = await report.writeTensorBoard(join(folder, "board"), { step: 3 })
    expect(files.map((file) => basename(dirname(file)))).toEqual(["student", "majority", "copyInput"])
    for (const file of files) expect((await readFile(file)).includes("exactMatch/low")).toBe(true)
  })

  it("shows itself with labels, intervals, sizes and costs", async () => {
    const payload = (await evaluate(student, test, { train })).toPayload()
    expect(payload).toMatchObject({ kind: "report", subtitle: "40 unseen rows, 95% bootstrap intervals", numRows: 40, numWrong: 2 })
    expect(payload.metrics).toEqual([
      { name: "exact match", scale: 1 },
      { name: "chrF++", scale: 100 },
    ])
    expect(payload.systems[0]).toMatchObject({ name: "student", note: "tiny", isOurs: true, size: "2.8 MB" })
    expect(payload.systems[0].costPerThousand).toMatch(/^\$0, (under )?\d/)
    expect(payload.systems[0].scores[0]).toMatchObject({ value: 0.95 })
    expect(payload.worst[0]).toMatchObject({ row: 3, input: "103", expected: "206", answer: "0", confidence: 0.03 })
  })

  it("becomes a LaTeX table in which nothing from data acts", async () => {
    const odd = Dataset.from([{ input: "x", output: "50% of $\\alpha_1$ & {#2} ~^" }])
    const latex = (await evaluate(student, test, { train: odd })).toLatex()
    expect(latex).toContain(
      "majority answer (50\\% of \\$\\textbackslash{}alpha\\_1\\$ \\& \\{\\#2\\} \\textasciitilde{}\\textasciicircum{})",
    )
    expect(latex).toMatch(/student \(tiny\) & \\textbf\{0\.950\} \{\\small \[0\.\d{3}, \d\.\d{3}\]\} & \\textbf\{\d\d\.\d\}/)
    expect(latex.split("\n").filter((line) => line.endsWith("\\\\"))).toHaveLength(4)
  })
})
