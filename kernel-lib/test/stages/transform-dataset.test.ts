// transformDataset: columns as they stand, and rows that a teacher rewrites one by one, in odd orders, badly, and within a cap.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { SourceDataset } from "../../src/core/candidates"
import { InterruptedError, ServiceError } from "../../src/core/errors"
import { PromptSpec } from "../../src/core/prompt-spec"
import { Random } from "../../src/core/random"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"
import { openaiTeacher } from "../../src/services/teachers"
import { findFormDifference } from "../../src/stages/transform-dataset/compare-forms"
import { transformDataset } from "../../src/stages/transform-dataset/transform-dataset"
import { openRunFolder } from "../../src/store/run"
import { completionOf, reply, startFaultServer } from "../services/teachers-fault-server"

const spec = new PromptSpec({
  instruction: "Answer the question about the passage.",
  demonstrations: [
    { input: "Question: Where is it? Context: It is in Oslo.", output: "Oslo" },
    { input: "Question: Who came? Context: Ada came late.", output: "Ada" },
  ],
})

function sourceOf(count: number, change: Partial<SourceDataset> = {}): SourceDataset {
  return {
    kind: "source",
    id: "hub/capitals",
    configuration: "default",
    split: "train",
    license: "cc0-1.0",
    columns: ["country", "capital", "area"],
    inputColumns: ["country"],
    outputColumn: "capital",
    rows: Array.from({ length: count }, (_, index) => ({ country: `Land ${index}`, capital: `City ${index}`, area: index * 10 })),
    fingerprint: `capitals ${count} ${JSON.stringify(change)}`,
    ...change,
  }
}

const usage = { inputTokens: 10, outputTokens: 5 }

/** Explains, plans, and rewrites each row by its own content; `answer` may put another answer in. */
function rewriter(
  shuffle: number,
  answer: (row: { country: string; capital: string }, request: TeacherRequest, attempt: number) => string | undefined = () => undefined,
): Teacher & { requests: TeacherRequest[] } {
  const waits = new Random(`waits ${shuffle}`)
  const requests: TeacherRequest[] = []
  return {
    name: "rewriter",
    requests,
    async complete(request) {
      requests.push(request)
      for (let turns = waits.integer(15); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      return { texts: [textFor(request)], finishReasons: ["stop"], usage, usd: 0.001 }
    },
  }
  function textFor(request: TeacherRequest): string {
    if (request.schema?.name === "task_explanation") return '{"explanation": "A question and its context; the answer alone."}'
    if (request.schema?.name === "transformation_plan") return '{"columns": ["country", "capital"], "plan": "Ask for the capital."}'
    const row = JSON.parse(/# The row\n(.*)$/.exec(request.messages[1].content)![1])
    const made = {
      usable: true,
      input: `Question: What is the capital of ${row.country}? Context: ${row.country}, ${row.capital}.`,
      output: row.capital,
    }
    return answer(row, request, request.messages.length > 2 ? 1 : 0) ?? JSON.stringify(made)
  }
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "transform-dataset-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const openRun = (name: string, options: object) => openRunFolder(join(folder, name), { seed: 3, ...options })

describe("which way", () => {
  const named = (how: string, why: string) => ({ how, why: expect.stringContaining(why) })

  it("is the columns where they have the demonstrations' form, and says so", async () => {
    const dates = new PromptSpec({ instruction: "Capital?", demonstrations: [{ input: "Land 7", output: "City 7" }] })
    const made = await transformDataset(sourceOf(5), { spec: dates, run: await openRun("a", { teacher: rewriter(1) }) })
    expect(made).toMatchObject(named("columns", "country and capital as they stand, since they have the form"))
    expect(made.toPayload().subtitle).toContain("they have the form of the demonstrations")
    expect(made.inputs[4]).toBe("Land 4")
    expect(made.provenance[4]).toEqual({ kind: "retrieved", dataset: "hub/capitals", configuration: "default", split: "train", row: 4 })
  })

  it("is the teacher where they have not and it can, and else the columns with a warning", async () => {
    const teacher = rewriter(1)
    expect(await transformDataset(sourceOf(5), { spec, run: await openRun("a", { teacher }) })).toMatchObject(
      named("teacher", 'rewritten, since inputs have no "question:"'),
    )
    const unable = { ...teacher, answers: (purpose: string) => purpose !== "transform" }
    expect(await transformDataset(sourceOf(5), { spec, run: await openRun("b", { teacher: unable }) })).toMatchObject(
      named("columns", 'although inputs have no "question:", since rewriter cannot rewrite rows'),
    )
    expect(await transformDataset(sourceOf(5), { spec, run: await openRun("c", {}) })).toMatchObject(
      named("columns", "there is no teacher"),
    )
    expect(await transformDataset(sourceOf(5), { spec, outputColumn: "area", run: await openRun("d", { teacher }) })).toMatchObject({
      ...named("columns", "you named columns"),
      outputs: ["0", "10", "20", "30", "40"],
    })
    await expect(
      transformDataset(sourceOf(5), { spec, how: "teacher", run: await openRun("e", { teacher: unable }) }),
    ).rejects.toMatchObject({
      code: "transform.needs-teacher",
    })
  })

  it("compares forms by labels, scripts, marks and lengths", () => {
    const rows = (...pairs: [string, string][]) => pairs.map(([input, output]) => ({ input, output }))
    const reviews = rows(["Good film.", "positive"], ["Bad film.", "negative"], ["Fine film.", "positive"])
    expect(findFormDifference(rows(["What a film!", "negative"], ["Yes.", "Positive"]), reviews)).toBeUndefined()
    expect(findFormDifference(rows(["What a film!", "0"], ["Yes.", "1"]), reviews)).toBe(
      'outputs are not the labels that the prompt shows, such as "positive"',
    )
    const dates = rows(["3 May 1999", "1999-05-03"], ["the 2nd of June 2001", "2001-06-02"])
    expect(findFormDifference(rows(["May 5, 2020", "2020-05-05"]), dates)).toBeUndefined()
    expect(findFormDifference(rows(["May 5, 2020", "a Tuesday"]), dates)).toBe("outputs have no digits")
    const code = rows(["リストを並べ替える", "xs.sort()"], ["文字列を分割する", "s.split()"])
    expect(findFormDifference(rows(["sort a list", "xs.sort()"]), code)).toBe("inputs have no Chinese characters or kana")
    expect(findFormDifference(rows(["Oslo is where?", "Oslo"]), [...spec.demonstrations])).toBe('inputs have no "question:"')
    expect(findFormDifference(rows(["question: a?\ncontext: b", "Oslo"]), [...spec.demonstrations])).toBeUndefined()
    expect(findFormDifference(rows(["Question: a? Context: b", "Oslo ".repeat(20)]), [...spec.demonstrations])).toBe(
      "outputs are much longer",
    )
  })
})

describe("rows that the teacher rewrites", () => {
  it("are the same in whatever order answers come, and lead back to their source", async () => {
    const made = await Promise.all(
      [1, 2].map(async (shuffle) =>
        transformDataset(sourceOf(80), { spec, run: await openRun(String(shuffle), { teacher: rewriter(shuffle) }) }),
      ),
    )
    expect(made[0]).toHaveLength(80)
    expect([...made[1]]).toEqual([...made[0]])
    expect(made[0].row(7)).toMatchObject({
      input: "Question: What is the capital of Land 7? Context: Land 7, City 7.",
      output: "City 7",
      from: { kind: "retrieved", dataset: "hub/capitals", row: 7, transformedBy: "rewriter" },
    })
    expect(made[0].plan).toMatchObject({ plan: "Ask for the capital.", columns: ["country", "capital"] })
    expect(made[0].toPayload().sources).toEqual([{ name: "retrieved from hub/capitals, transformed by rewriter", rows: 80 }])
  })

  it("keep at most maxConcurrency in flight, see the plan's columns only, and stop at maxRows", async () => {
    const teacher = rewriter(1)
    let [inFlight, most] = [0, 0]
    const counted: Teacher = {
      ...teacher,
      async complete(request) {
        most = Math.max(most, ++inFlight)
        return teacher.complete(request).finally(() => inFlight--)
      },
    }
    const made = await transformDataset(sourceOf(50), {
      spec,
      maxRows: 30,
      maxConcurrency: 4,
      run: await openRun("a", { teacher: counted }),
    })
    expect(made).toHaveLength(30)
    expect(most).toBe(4)
    const rows = teacher.requests.filter(({ schema }) => schema?.name === "transformed_row")
    expect(rows).toHaveLength(30)
    expect(
      rows.every(({ messages }) => !messages[1].content.includes('"area"') && messages[1].content.includes("Ask for the capital.")),
    ).toBe(true)
  })

  it("are rejected with a reason, and what is wrong is said to the teacher once", async () => {
    const teacher = rewriter(1, ({ country }, _, attempt) => {
      const number = Number(country.slice(5))
      if (number % 10 === 1) return '{"usable": false, "input": "", "output": ""}'
      if (number % 10 === 2) return attempt === 0 ? '{"usable": true, "input": "x"}' : undefined
      if (number % 10 === 3) return "no"
      if (number % 10 === 4) return JSON.stringify({ usable: true, ...spec.demonstrations[0] })
      if (number % 10 === 5) return '{"usable": true, "input": "same", "output": "same"}'
      return undefined
    })
    const failing: Teacher = {
      ...teacher,
      complete: (request) =>
        request.messages[1].content.includes("Land 8")
          ? Promise.reject(new ServiceError("teacher.unavailable", "down", { isRetryable: true }))
          : teacher.complete(request),
    }
    const source = sourceOf(40, { rows: sourceOf(40).rows })
    const made = await transformDataset(source, { spec, how: "teacher", run: await openRun("a", { teacher: failing }) })
    const reasons = Object.fromEntries(made.rejectedByReason.map(({ reason, rows }) => [reason, rows]))
    // The plan's sample may hold Land 8; it does not with this seed, or nothing would be made.
    expect(reasons).toEqual({ unusable: 4, malformed: 4, "copies a demonstration": 4, duplicate: 3, failed: 1 })
    expect(made.status).toBe("done")
    expect(made.asked).toBe(made.length + made.rejected.length)
    expect(made.rejected.find(({ reason }) => reason === "unusable")?.from).toMatchObject({ row: 1 })
  })

  it("stop where too many fail, at the same row whatever the order, and are few but usable", async () => {
    const made = await Promise.all(
      [1, 2, 3].map(async (shuffle) => {
        const teacher = rewriter(shuffle, ({ country }) => (Number(country.slice(5)) >= 25 ? "no" : undefined))
        const result = await transformDataset(sourceOf(200), {
          spec,
          maxFailureShare: 0.2,
          run: await openRun(String(shuffle), { teacher }),
        })
        expect(teacher.requests.length).toBeLessThan(100)
        return result
      }),
    )
    for (const result of made) {
      expect(result).toMatchObject({ status: "partial", length: 25, asked: 32 })
      expect(result.reason).toMatch(/^7 of the first 32 rows could not be transformed, more than maxFailureShare 0.2 allows; the last: /)
      expect(result.toPayload().subtitle).toContain("7 of the first 32 rows")
    }
  })

  it("that all fail make way for the columns, or for an error where the teacher was asked for", async () => {
    const hopeless = () => rewriter(1, () => "no")
    expect(await transformDataset(sourceOf(60), { spec, run: await openRun("a", { teacher: hopeless() }) })).toMatchObject({
      how: "columns",
      length: 60,
      status: "partial",
      reason: expect.stringContaining("rewriter made no row of hub/capitals"),
    })
    await expect(
      transformDataset(sourceOf(60), { spec, how: "teacher", run: await openRun("b", { teacher: hopeless() }) }),
    ).rejects.toMatchObject({ code: "transform.no-rows", message: expect.stringContaining('how: "columns"') })
  })

  it("end at the cap with what there is, and go on without asking again when it is raised", async () => {
    const first = rewriter(1)
    const part = await transformDataset(sourceOf(60), { spec, run: await openRun("a", { teacher: first, maxUsd: 0.02 }) })
    expect(part).toMatchObject({ status: "partial", how: "teacher", reason: expect.stringContaining("$0.02") })
    expect(part.length).toBeGreaterThan(0)
    expect(first.requests.length).toBeLessThanOrEqual(20)
    const second = rewriter(2)
    const whole = await transformDataset(sourceOf(60), { spec, run: await openRun("a", { teacher: second, maxUsd: 1 }) })
    expect(whole).toMatchObject({ status: "done", length: 60 })
    expect(first.requests.length + second.requests.length).toBe(62)
    const third = rewriter(3)
    expect([...(await transformDataset(sourceOf(60), { spec, run: await openRun("a", { teacher: third, maxUsd: 1 }) }))]).toEqual([
      ...whole,
    ])
    expect(third.requests).toEqual([])
  })

  it("are kept when the call is interrupted", async () => {
    const controller = new AbortController()
    const teacher = rewriter(1, (_, { index }) => {
      if (index === 20) controller.abort()
      return undefined
    })
    const run = await openRun("a", { teacher })
    await expect(transformDataset(sourceOf(60), { spec, run, signal: controller.signal })).rejects.toBeInstanceOf(InterruptedError)
    const asked = teacher.requests.length
    expect(asked).toBeLessThan(60)
    expect(await transformDataset(sourceOf(60), { spec, run })).toHaveLength(60)
    expect(teacher.requests.length).toBeLessThanOrEqual(62 + 16)
  })

  it("come from a server that answers as OpenAI's does, and come back from the run", async () => {
    const model = rewriter(1)
    const server = await startFaultServer(async ({ body }, response) => {
      const schema = { name: body.response_format.json_schema.name, schema: {} }
      const { texts } = await model.complete({
        purpose: "transform",
        messages: body.messages,
        temperature: 0,
        numResponses: 1,
        index: 0,
        schema,
      })
      reply(response, completionOf(texts))
    })
    try {
      const teacher = openaiTeacher("local", { baseURL: server.baseURL, apiKey: "k-local-test" })
      const run = await openRun("a", { teacher })
      const made = await transformDataset(sourceOf(40), { spec, run })
      expect(made).toMatchObject({ how: "teacher", length: 40, status: "done" })
      expect(server.seen).toHaveLength(42)
      expect(server.mostInFlight).toBeLessThanOrEqual(16)
      const again = await transformDataset(sourceOf(40), { spec, run })
      expect(again).toMatchObject({ how: "teacher", why: made.why, plan: made.plan, note: made.note })
      expect([...again]).toEqual([...made])
      expect(server.seen).toHaveLength(42)
    } finally {
      await server.close()
    }
  })
})
