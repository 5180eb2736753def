// The gate that all requests pass: so many a minute, tries after failures, and any teacher behind it.
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { ServiceError } from "../../src/core/errors"
import { fingerprintOf } from "../../src/core/fingerprint"
import { Random } from "../../src/core/random"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"
import { RateControl, withRateControl } from "../../src/services/teachers"
import { MinuteBudget } from "../../src/services/teachers/minute-budget"
import { planRetry, readRetryAfter, withRetryHints } from "../../src/services/teachers/retry"
import { meterTeacher, Purse } from "../../src/store/purse"
import { ResponseLog } from "../../src/store/response-log"
import { storeResponses } from "../../src/store/response-store"
import { deferred } from "./teachers-fault-server"

const busy = (code = "teacher.rate-limited", status?: number) => new ServiceError(code, "busy", { isRetryable: true, status })

describe("the minute's budget", () => {
  test("no window of a minute has more than the budget", () => {
    const budget = new MinuteBudget(5, 60_000)
    const random = new Random(2)
    const at: number[] = []
    for (let now = 0; at.length < 60; now += random.integer(4000)) {
      now += budget.waitFor(1, now)
      expect(budget.waitFor(1, now)).toBe(0)
      budget.spend(1, now)
      at.push(now)
    }
    expect(at.at(-1)).toBeLessThan(13 * 60_000)
    for (let index = 5; index < at.length; index++) expect(at[index] - at[index - 5]).toBeGreaterThanOrEqual(60_000)
  })

  test("amounts are corrected, and one above the whole budget waits for an empty window", () => {
    const budget = new MinuteBudget(100, 60_000)
    const correct = budget.spend(90, 0)
    expect(budget.waitFor(50, 10)).toBe(59_990)
    correct(40)
    expect(budget.waitFor(50, 10)).toBe(0)
    expect(budget.waitFor(500, 10)).toBe(59_990)
    expect(budget.waitFor(500, 60_000)).toBe(0)
    correct(1_000_000)
    expect(budget.waitFor(100, 60_001)).toBe(0)
  })
})

describe("what comes before another try", () => {
  test("Retry-After in seconds and as a date", () => {
    const now = Date.parse("2026-05-03T10:00:00Z")
    expect(readRetryAfter("2", now)).toBe(2000)
    expect(readRetryAfter("0.5", now)).toBe(500)
    expect(readRetryAfter("Sun, 03 May 2026 10:00:07 GMT", now)).toBe(7000)
    expect(readRetryAfter("Sun, 03 May 2026 09:00:00 GMT", now)).toBe(0)
    expect(readRetryAfter("-3", now)).toBe(0)
    for (const useless of [undefined, null, "", " ", "soon"]) expect(readRetryAfter(useless, now)).toBeUndefined()
  })

  test("the wait doubles with jitter up to its maximum, then it is given up", () => {
    const options = { maxTries: 6, backOffMilliseconds: 100, maxBackOffMilliseconds: 500 }
    for (const [tries, most] of [100, 200, 400, 500, 500].entries()) {
      const wait = planRetry(
        Array.from({ length: tries + 1 }, () => busy()),
        options,
      )
      expect(wait).toBeGreaterThanOrEqual(most / 2)
      expect(wait).toBeLessThanOrEqual(most)
    }
    expect(
      planRetry(
        Array.from({ length: 6 }, () => busy()),
        options,
      ),
    ).toBeUndefined()
  })

  test("an error that waiting hardly helps is given up when it comes several times in a row", () => {
    const gone = () => withRetryHints(busy("teacher.unreachable"), { mostInARow: 2 })
    expect(planRetry([gone()])).toBeDefined()
    expect(planRetry([gone(), busy(), gone()])).toBeDefined()
    expect(planRetry([busy(), gone(), gone()])).toBeUndefined()
  })
})

describe("the gate, on a clock of its own", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test("lets no more requests through a minute than allowed, whatever stage they come from", async () => {
    const control = new RateControl({ requestsPerMinute: 10, maxConcurrency: 4 })
    const at: number[] = []
    const start = performance.now()
    const work = Array.from({ length: 35 }, () =>
      control.run({
        attempt: async () => {
          at.push(performance.now() - start)
        },
      }),
    )
    await vi.advanceTimersByTimeAsync(59_000)
    expect(at).toHaveLength(10)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(at).toHaveLength(20)
    await vi.advanceTimersByTimeAsync(120_000)
    await Promise.all(work)
    for (let index = 10; index < at.length; index++) expect(at[index] - at[index - 10]).toBeGreaterThanOrEqual(60_000)
  })

  test("counts the tokens that were used, not those that were feared", async () => {
    const control = new RateControl({ tokensPerMinute: 1000 })
    let done = 0
    const work = Array.from({ length: 10 }, () => control.run({ attempt: async () => done++, tokens: 600, tokensUsed: () => 100 }))
    await vi.advanceTimersByTimeAsync(1)
    expect(done).toBe(5)
    await vi.advanceTimersByTimeAsync(60_000)
    await Promise.all(work)
    expect(done).toBe(10)
  })

  test("who waits for the minute can be aborted, and leaves no alarm behind", async () => {
    const control = new RateControl({ requestsPerMinute: 1 })
    await control.run({ attempt: async () => {} })
    const controller = new AbortController()
    const waiting = control.run({ attempt: async () => {}, signal: controller.signal }).catch((error) => error.code)
    expect(vi.getTimerCount()).toBe(1)
    controller.abort()
    expect(await waiting).toBe("run.interrupted")
    expect(vi.getTimerCount()).toBe(0)
  })
})

test("the gate lets hardly any through while all are refused, more again after, and every one arrives", async () => {
  const control = new RateControl({ maxConcurrency: 64, maxTries: 100, backOffMilliseconds: 1, maxBackOffMilliseconds: 2 })
  let now = 0
  const seen: number[] = []
  const attempt = async () => {
    const number = seen.push(++now) - 1
    await new Promise(setImmediate)
    now--
    if (number >= 60 && number < 300) throw busy("own.busy", 503)
    return number
  }
  const answers = await Promise.all(Array.from({ length: 400 }, () => control.run({ attempt })))
  expect(answers).toHaveLength(400)
  expect(Math.max(...seen.slice(0, 60))).toBeGreaterThanOrEqual(8)
  expect(Math.max(...seen.slice(280, 301))).toBeLessThanOrEqual(2)
  expect(Math.max(...seen.slice(400))).toBeGreaterThanOrEqual(8)
})

describe("a teacher of one's own behind the gate", () => {
  const request: TeacherRequest = {
    purpose: "generate",
    messages: [{ role: "user", content: "x" }],
    temperature: 0,
    numResponses: 1,
    index: 0,
  }
  const completion = { texts: ["fine"], finishReasons: ["stop"], usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }

  test("is retried where it says so, keeps its name, and never has more requests than allowed", async () => {
    let now = 0
    let most = 0
    let calls = 0
    const own: Teacher = {
      name: "own",
      identity: "own@1",
      answers: (purpose) => purpose === "generate",
      async complete() {
        most = Math.max(most, ++now)
        await new Promise(setImmediate)
        now--
        if (++calls % 3 === 0) throw busy("own.busy", 503)
        return completion
      },
    }
    const teacher = withRateControl(own, { maxConcurrency: 3, backOffMilliseconds: 1 })
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => teacher.complete({ ...request, index })))
    expect(answers).toEqual(Array.from({ length: 30 }, () => completion))
    expect(most).toBe(3)
    expect(calls).toBeGreaterThan(30)
    expect([teacher.name, teacher.identity, teacher.answers?.("answer")]).toEqual(["own", "own@1", false])
  })

  test("gives a place to the next request only when the answer before it is written, through store and purse", async () => {
    const folder = await mkdtemp(join(tmpdir(), "prompt2model-places-"))
    const store = ResponseLog.at(join(folder, `${fingerprintOf("own").slice(0, 16)}.jsonl`))
    const unwritten: number[] = []
    const own: Teacher = {
      name: "own",
      complete: async ({ index }) => {
        const lines = await readFile(store.path, "utf8").catch(() => "")
        unwritten.push(index - (lines.match(/"kind":"answer"/g)?.length ?? 0))
        return { texts: [`${index}`], finishReasons: ["stop"], usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }
      },
    }
    const purse = new Purse({ maxTokens: 1000 }, [])
    const gated = withRateControl(own, { maxConcurrency: 1 })
    const teacher = storeResponses(
      meterTeacher(gated, purse, () => {}),
      folder,
    )
    await Promise.all(Array.from({ length: 20 }, (_, index) => teacher.complete({ ...request, index })))
    expect(unwritten).toEqual(unwritten.map(() => 0))
    expect(purse.spending).toMatchObject({ requestsSent: 20, inputTokens: 20 })
    await rm(folder, { recursive: true })
  })

  test("an error that cannot be helped comes through as it is, at once", async () => {
    const broken = new ServiceError("own.broken", "no", { isRetryable: false })
    const complete = vi.fn(() => Promise.reject(broken))
    await expect(withRateControl({ name: "own", complete }).complete(request)).rejects.toBe(broken)
    expect(complete).toHaveBeenCalledTimes(1)
  })

  test("one that does not listen to its signal is still left after the time-out", async () => {
    const never = deferred<never>()
    const teacher = withRateControl(
      { name: "own", complete: () => never.promise },
      { timeoutSeconds: 0.02, maxTries: 2, backOffMilliseconds: 1 },
    )
    await expect(teacher.complete(request)).rejects.toMatchObject({ code: "teacher.timeout", message: expect.stringContaining("2 times") })
  })
})
