import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { ServiceError } from "../../src/core/errors"
import { fingerprintOf } from "../../src/core/fingerprint"
import { Random } from "../../src/core/random"
import type { Teacher, TeacherRequest } from "../../src/core/teacher"
import { RateControl, withRateControl } from "../../src/services/teachers"
import { ConcurrencyLimit, type Ticket } from "../../src/services/teachers/concurrency-limit"
import { MinuteBudget } from "../../src/services/teachers/minute-budget"
import { planRetry, readRetryAfter, withRetryHints } from "../../src/services/teachers/retry"
import { meterTeacher, Purse } from "../../src/store/purse"
import { ResponseLog } from "../../src/store/response-log"
import { storeResponses } from "../../src/store/response-store"
import { deferred } from "./teachers-fault-server"

const busy = (code = "teacher.rate-limited", status?: number) => new ServiceError(code, "busy", { isRetryable: true, status })

/** So many answers, one after the other, each after `latency` milliseconds. */
function answer(limit: ConcurrencyLimit, count: number, latency: (index: number) => number = () => 100) {
  for (let index = 0; index < count; index++) limit.succeeded(limit.issue(), latency(index))
}

interface Model {
  readonly max: number
  readonly requests: number
  /** Milliseconds that an answer takes which finds so many requests in flight, itself included; undefined refuses it. */
  serve(inFlight: number, random: Random): number | undefined
}

/** Runs a limit against a server that is a function; answers the limit's mean over time, after a time to settle. */
function simulate({ max, requests, serve }: Model, seed = 0): number {
  const random = new Random(`simulate ${seed}`)
  const limit = new ConcurrencyLimit(max)
  const inFlight: { end: number; begin: number; ticket: Ticket; isRefused: boolean }[] = []
  let [now, area, from] = [0, 0, 0]
  for (let done = 0; done < requests; done++) {
    while (inFlight.length < limit.limit) {
      const latency = serve(inFlight.length + 1, random)
      inFlight.push({ begin: now, end: now + (latency ?? 20), ticket: limit.issue(), isRefused: latency === undefined })
    }
    inFlight.sort((a, b) => a.end - b.end)
    const { begin, end, ticket, isRefused } = inFlight.shift()!
    if (done > requests / 4) area += limit.limit * (end - now)
    else from = end
    now = end
    if (isRefused) limit.refused(ticket)
    else limit.succeeded(ticket, end - begin)
  }
  return area / (now - from)
}

const spread = (random: Random, sigma: number) => Math.exp(sigma * random.normal())

describe("the concurrency limit", () => {
  test("starts at 4, doubles, and stops at its maximum", () => {
    const limit = new ConcurrencyLimit(16)
    const seen = [limit.limit]
    for (let index = 0; index < 40; index++) {
      limit.succeeded(limit.issue(), 100)
      if (limit.limit !== seen.at(-1)) seen.push(limit.limit)
    }
    expect(seen).toEqual([4, 8, 16])
    expect(new ConcurrencyLimit(2).limit).toBe(2)
  })

  test("doubles on though one of its first requests is refused, and not where several are", () => {
    const lucky = new ConcurrencyLimit(16)
    lucky.refused(lucky.issue())
    answer(lucky, 32)
    expect(lucky.limit).toBe(16)
    const unlucky = new ConcurrencyLimit(16)
    for (let index = 0; index < 3; index++) unlucky.refused(unlucky.issue())
    expect(unlucky.limit).toBeLessThan(4)
    answer(unlucky, 8)
    expect(unlucky.limit).toBeLessThan(8)
  })

  test("falls far when many are refused, once for all that were sent before", () => {
    const limit = new ConcurrencyLimit(64)
    answer(limit, 100)
    expect(limit.limit).toBe(64)
    const tickets = Array.from({ length: 64 }, () => limit.issue())
    for (const ticket of tickets) limit.refused(ticket)
    expect(limit.limit).toBeGreaterThan(32)
    expect(limit.limit).toBeLessThan(50)
    for (let round = 0; round < 20; round++) {
      const later = Array.from({ length: limit.limit }, () => limit.issue())
      for (const ticket of later) limit.refused(ticket)
    }
    expect(limit.limit).toBe(1)
    answer(limit, 2000)
    expect(limit.limit).toBe(64)
  })

  for (const { max, refused, sigma } of [
    { max: 16, refused: 0.05, sigma: 0.5 },
    { max: 16, refused: 0, sigma: 1 },
    { max: 64, refused: 0.05, sigma: 0.5 },
  ]) {
    test(`stays near ${max} when ${refused * 100} in a hundred are refused at random and latencies spread by ${sigma}`, () => {
      const serve: Model["serve"] = (_, random) => (random.next() < refused ? undefined : 400 * spread(random, sigma))
      for (let seed = 0; seed < 5; seed++) expect(simulate({ max, requests: 4000, serve }, seed)).toBeGreaterThan(0.9 * max)
      expect(simulate({ max, requests: 4000, serve })).toBeGreaterThan(0.95 * max)
    })
  }

  test("settles at what a server takes before it refuses", () => {
    const mean = simulate({ max: 64, requests: 4000, serve: (inFlight, random) => (inFlight > 6 ? undefined : 200 * spread(random, 0.3)) })
    expect(mean).toBeGreaterThan(4)
    expect(mean).toBeLessThan(8)
  })

  test("settles where a server begins to queue, since latency rises there", () => {
    const mean = simulate({ max: 64, requests: 6000, serve: (inFlight, random) => 100 * Math.max(1, inFlight / 8) * spread(random, 0.2) })
    expect(mean).toBeGreaterThan(8)
    expect(mean).toBeLessThan(20)
  })

  test("does not fall for good when answers become longer", () => {
    const limit = new ConcurrencyLimit(16)
    answer(limit, 200, () => 100)
    answer(limit, 600, () => 900)
    expect(limit.limit).toBe(16)
  })
})

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
