// The generation recipe against teachers that are real objects answering in odd orders, badly, dearly, or not at all.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { InterruptedError, ServiceError } from "../../src/core/errors"
import { PromptSpec } from "../../src/core/prompt-spec"
import { Random } from "../../src/core/random"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"
import { vote } from "../../src/stages/generate-dataset/collect-rows"
import { generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { readRow } from "../../src/stages/generate-dataset/read-row"
import { createRowFilters } from "../../src/stages/generate-dataset/row-filters"
import { openRunFolder } from "../../src/store/run"

const spec = new PromptSpec({ instruction: "Square the number.", demonstrations: [{ input: "3", output: "9" }] })

/** Answers from the request alone, after a wait that `shuffle` decides: the order of answers is another in each test. */
function squaringTeacher(
  shuffle: number,
  change: Partial<Teacher> & { answer?: (number: number, draw: Random, request: TeacherRequest) => string } = {},
): Teacher & { requests: TeacherRequest[] } {
  const waits = new Random(`waits ${shuffle}`)
  const requests: TeacherRequest[] = []
  return {
    name: "squares",
    requests,
    async complete(request) {
      requests.push(request)
      for (let turns = waits.integer(20); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      const draw = new Random(`${request.seed} ${request.index} ${JSON.stringify(request.messages)}`)
      const texts = Array.from({ length: request.numResponses }, () => {
        const number = draw.integer(500)
        return (
          change.answer?.(number, draw, request) ??
          JSON.stringify({ input: String(number), output: String(draw.next() < 0.1 ? number : number * number) })
        )
      })
      return { texts, finishReasons: texts.map(() => "stop"), usage: { inputTokens: 10, outputTokens: 5 }, usd: 0.001 }
    },
    ...change,
  }
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompt2model-generate-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe("generateDataset", () => {
  it("gives the same rows in whatever order the answers arrive, exactly as many as asked, and the ledger adds up", async () => {
    const runs = await Promise.all(
      [1, 2, 3].map(async (shuffle) =>
        generateDataset(spec, {
          numExamples: 150,
          run: await openRunFolder(join(folder, String(shuffle)), { teacher: squaringTeacher(shuffle), seed: 5 }),
        }),
      ),
    )
    for (const made of runs) {
      expect(made.length).toBe(150)
      expect(new Set(made.inputs).size).toBe(150)
      expect(made.asked).toBe(made.length + made.rejected.length + made.failed)
      expect([...made]).toEqual([...runs[0]])
      expect(made.rejected).toEqual(runs[0].rejected)
    }
    const other = await generateDataset(spec, {
      numExamples: 150,
      run: await openRunFolder(join(folder, "other"), { teacher: squaringTeacher(1), seed: 6 }),
    })
    expect(other.inputs).not.toEqual(runs[0].inputs)
  })

  it("anneals the temperature with progress, and shows earlier rows to later requests only", async () => {
    const teacher = squaringTeacher(1)
    await generateDataset(spec, { numExamples: 300, responsesPerRequest: 2, run: await openRunFolder(join(folder, "run"), { teacher }) })
    const byIndex = [...teacher.requests].sort((a, b) => a.index - b.index)
    expect(byIndex[0].temperature).toBe(0.5)
    const temperatures = byIndex.map((request) => request.temperature)
    expect(temperatures).toEqual([...temperatures].sort((a, b) => a - b))
    expect(Math.max(...temperatures)).toBeGreaterThan(0.9)
    expect(Math.max(...temperatures)).toBeLessThanOrEqual(1.7)
    expect(byIndex.slice(0, 60).every((request) => !request.messages[1].content.includes("made earlier"))).toBe(true)
    expect(byIndex.slice(70).some((request) => request.messages[1].content.includes("made earlier"))).toBe(true)
    expect(new Set(byIndex.map((request) => request.messages[0].content)).size).toBe(3)
  })

  it("lets the majority of answers to one input decide, and says which were outvoted", async () => {
    const teacher = squaringTeacher(1, {
      answer: (number, draw) => JSON.stringify({ input: String(number % 20), output: draw.next() < 0.7 ? "right" : "wrong!" }),
    })
    const made = await generateDataset(spec, {
      numExamples: 19,
      responsesPerRequest: 8,
      run: await openRunFolder(join(folder, "run"), { teacher }),
    })
    for (const row of made) {
      if (row.from.kind !== "generated") throw new Error("a generated row")
      expect(row.from.votes * 2).toBeGreaterThanOrEqual(row.from.voters)
    }
    expect(made.inputs).not.toContain("3")
    expect(made.rejectedByReason.map(({ reason }) => reason)).toEqual(expect.arrayContaining(["duplicate", "copies a demonstration"]))
  })

  it("survives answers that are no rows, and counts each by its reason", async () => {
    const bad = [
      "",
      "no json",
      "I'm sorry, I cannot do that",
      '{"input": "1"}',
      '{"input": "", "output": "x"}',
      '{"input": [1], "output": "x"}',
    ]
    const teacher = squaringTeacher(1, {
      answer: (number, draw) =>
        draw.next() < 0.5 ? draw.pick(bad) : `Sure:\n\`\`\`json\n{"input": "${number}", "output": ${number * number}}\n\`\`\``,
    })
    const made = await generateDataset(spec, { numExamples: 100, run: await openRunFolder(join(folder, "run"), { teacher }) })
    expect(made.length).toBe(100)
    expect(made.asked).toBe(made.length + made.rejected.length + made.failed)
    const reasons = Object.fromEntries(made.rejectedByReason.map(({ reason, rows }) => [reason, rows]))
    for (const reason of ["empty", "malformed", "refusal"]) expect(reasons[reason]).toBeGreaterThan(0)
  })

  it("counts requests that fail for good, and goes on", async () => {
    const working = squaringTeacher(1)
    const teacher: Teacher = {
      ...working,
      complete: (request) =>
        request.index % 5 === 2
          ? Promise.reject(new ServiceError("teacher.unavailable", "down", { isRetryable: true, status: 503 }))
          : working.complete(request),
    }
    const made = await generateDataset(spec, { numExamples: 100, run: await openRunFolder(join(folder, "run"), { teacher }) })
    expect(made.length).toBe(100)
    expect(made.failed).toBeGreaterThan(0)
    expect(made.asked).toBe(made.length + made.rejected.length + made.failed)
  })

  it("throws the service's error when no request can succeed, and when most fail", async () => {
    const refuse = (isRetryable: boolean, status: number): Teacher => ({
      name: "none",
      complete: () => Promise.reject(new ServiceError("teacher.refused", "wrong key", { isRetryable, status })),
    })
    await expect(
      generateDataset(spec, { numExamples: 10, run: await openRunFolder(join(folder, "a"), { teacher: refuse(false, 401) }) }),
    ).rejects.toThrow("wrong key")
    await expect(
      generateDataset(spec, { numExamples: 10, run: await openRunFolder(join(folder, "b"), { teacher: refuse(true, 503) }) }),
    ).rejects.toThrow("wrong key")
  })

  it("ends with a usable part at the cap, and goes on when it is raised, without asking again", async () => {
    const first = squaringTeacher(1)
    const part = await generateDataset(spec, {
      numExamples: 200,
      run: await openRunFolder(join(folder, "run"), { teacher: first, maxUsd: 0.02 }),
    })
    expect(part.status).toBe("partial")
    expect(part.reason).toContain("$0.02")
    expect(part.length).toBeGreaterThan(0)
    expect(first.requests.length).toBeLessThanOrEqual(20)
    const second = squaringTeacher(2)
    const run = await openRunFolder(join(folder, "run"), { teacher: second, maxUsd: 10 })
    const whole = await generateDataset(spec, { numExamples: 200, run })
    expect(whole.status).toBe("done")
    expect(whole.length).toBe(200)
    const asked = new Set(first.requests.map((request) => request.index))
    expect(second.requests.filter((request) => asked.has(request.index))).toEqual([])
    const undisturbed = await generateDataset(spec, {
      numExamples: 200,
      run: await openRunFolder(join(folder, "undisturbed"), { teacher: squaringTeacher(3) }),
    })
    expect([...whole].map(({ input, output }) => [input, output])).toEqual([...undisturbed].map(({ input, output }) => [input, output]))
    expect(run.spending.usd).toBeCloseTo((first.requests.length + second.requests.length) * 0.001, 6)
  })

  it("answers from the run when it is asked again", async () => {
    const teacher = squaringTeacher(1)
    const made = await generateDataset(spec, { numExamples: 50, run: await openRunFolder(join(folder, "run"), { teacher }) })
    const count = teacher.requests.length
    const again = await generateDataset(spec, { numExamples: 50, run: await openRunFolder(join(folder, "run"), { teacher }) })
    expect(teacher.requests.length).toBe(count)
    expect([...again]).toEqual([...made])
    expect(again.rejected.map(({ reason }) => reason).sort()).toEqual(made.rejected.map(({ reason }) => reason).sort())
    expect(again.asked).toBe(made.asked)
  })

  it("rejects with InterruptedError after its work is saved", async () => {
    const controller = new AbortController()
    const working = squaringTeacher(1)
    const teacher: Teacher = {
      ...working,
      complete(request) {
        if (request.index === 30) controller.abort()
        return working.complete(request)
      },
    }
    const run = await openRunFolder(join(folder, "run"), { teacher })
    await expect(generateDataset(spec, { numExamples: 500, run, signal: controller.signal })).rejects.toBeInstanceOf(InterruptedError)
    const kept = (await run.latest("generateDataset")) as { length: number; status: string }
    expect(kept.status).toBe("partial")
    expect(kept.length).toBeGreaterThan(0)
  })

  it("gives up on a teacher that has nothing new to say", async () => {
    const teacher = squaringTeacher(1, { answer: (number) => JSON.stringify({ input: String(number % 2), output: "x" }) })
    const made = await generateDataset(spec, { numExamples: 50, run: await openRunFolder(join(folder, "run"), { teacher }) })
    expect(made).toMatchObject({ status: "partial", length: 2 })
    expect(made.reason).toContain("nothing new")
  })
})

describe("vote", () => {
  it("takes the most frequent, of equally frequent ones the shortest, then the first", () => {
    expect(vote(["a", "bb", "bb"])).toBe("bb")
    expect(vote(["long", "no"])).toBe("no")
    expect(vote(["ab", "cd"])).toBe("ab")
  })
})

describe("readRow", () => {
  it("names the reason of each answer that is no row", () => {
    const filters = createRowFilters({ spec, labels: new Set(["9", "16"]) })
    const reason = (text: string, finish = "stop") => readRow(text, finish, filters)
    expect(reason('{"input": "4", "output": 16}')).toEqual({ row: { input: "4", output: "16" } })
    expect(reason('{"input": "4", "ou', "length")).toMatchObject({ reason: "cut by length" })
    expect(reason('{"input": "3", "output": "9"}')).toMatchObject({ reason: "copies a demonstration" })
    expect(reason('{"input": "5", "output": "25"}')).toMatchObject({ reason: "outside the labels" })
    expect(reason('{"__proto__": {"input": "5"}, "output": "9"}')).toMatchObject({ reason: "malformed" })
  })
})
