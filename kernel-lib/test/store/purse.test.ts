// The purse: no cap is passed, whatever is in flight, and none stops a run before it must.
import { describe, expect, test } from "vitest"
import type { Limits } from "../../src/core/run"
import type { RequestEstimate, Teacher, TeacherRequest } from "../../src/core/teacher"
import { meterTeacher, Purse } from "../../src/store/purse"

const request = (index: number): TeacherRequest => ({
  purpose: "generate",
  messages: [{ role: "user", content: "x".repeat(400) }],
  temperature: 0,
  numResponses: 1,
  maxTokens: 100,
  index,
})

/** Answers when it is let; each answer costs `usd` and takes `tokens`. */
function meteredTeacher(
  limits: Limits,
  { usd = 0.01, tokens = 50, estimate }: { usd?: number; tokens?: number; estimate?: RequestEstimate } = {},
) {
  const inFlight: (() => void)[] = []
  let sent = 0
  let most = 0
  const teacher: Teacher = {
    name: "metered",
    estimate: estimate && (async () => estimate),
    async complete() {
      sent++
      await new Promise<void>((resolve) => inFlight.push(resolve))
      return { texts: ["x"], finishReasons: ["stop"], usage: { inputTokens: tokens, outputTokens: 0 }, usd }
    },
  }
  const purse = new Purse(limits, [])
  const metered = meterTeacher(teacher, purse, () => {})
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return {
    purse,
    metered,
    get sent() {
      return sent
    },
    get most() {
      return most
    },
    turn,
    /** Answers whatever is in flight until nothing is. */
    async answerAll() {
      for (await turn(); inFlight.length > 0; await turn()) {
        most = Math.max(most, inFlight.length)
        inFlight.shift()?.()
      }
    },
  }
}

test("a cap in dollars is refused where nobody knows the price, before anything is sent; one in tokens is kept", async () => {
  const estimate = { inputTokens: 100, outputTokens: 100, isBounded: true, isCounted: false }
  const priceless = meteredTeacher({ maxUsd: 1 }, { estimate })
  await expect(priceless.metered.complete(request(0))).rejects.toMatchObject({
    code: "teacher.price-unknown",
    message: expect.stringContaining("maxTokens"),
  })
  expect(priceless.sent).toBe(0)
  const counted = meteredTeacher({ maxTokens: 1000 }, { estimate })
  const answered = counted.metered.complete(request(0))
  await counted.answerAll()
  expect((await answered).texts).toEqual(["x"])
})

describe("the cap in dollars", () => {
  const estimate = { inputTokens: 100, outputTokens: 100, usd: 0.03, isBounded: true, isCounted: true }

  test("is used up to where another request might pass it, though what is in flight might cost three times as much", async () => {
    const { metered, purse, answerAll } = meteredTeacher({ maxUsd: 0.1 }, { usd: 0.01, estimate })
    const asked = Promise.allSettled(Array.from({ length: 20 }, (_, index) => metered.complete(request(index))))
    await answerAll()
    const outcomes = await asked
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(8)
    expect(purse.spending.usd).toBeCloseTo(0.08, 9)
    expect(outcomes.find((outcome) => outcome.status === "rejected")).toMatchObject({ reason: { code: "budget.usd" } })
  })

  test("holds three at most where three might cost all of it", async () => {
    const teacher = meteredTeacher({ maxUsd: 0.1 }, { estimate })
    const asked = Promise.allSettled(Array.from({ length: 20 }, (_, index) => teacher.metered.complete(request(index))))
    await teacher.answerAll()
    await asked
    expect(teacher.most).toBe(3)
  })

  test("at a teacher that cannot say what it costs is learnt from one request", async () => {
    const teacher = meteredTeacher({ maxUsd: 0.035 }, { usd: 0.01 })
    const asked = Promise.allSettled(Array.from({ length: 16 }, (_, index) => teacher.metered.complete(request(index))))
    await teacher.turn()
    expect(teacher.sent).toBe(1)
    await teacher.answerAll()
    await asked
    expect(teacher.sent).toBe(3)
    expect(teacher.purse.spending.usd).toBeCloseTo(0.03, 9)
  })

  test("of zero lets a free teacher answer", async () => {
    const teacher = meteredTeacher({ maxUsd: 0 }, { usd: 0, estimate: { ...estimate, usd: 0 } })
    const asked = Promise.all([0, 1, 2].map((index) => teacher.metered.complete(request(index))))
    await teacher.answerAll()
    expect(await asked).toHaveLength(3)
  })
})

describe("the cap in tokens", () => {
  test("counts prompts and the answers that may come", async () => {
    const teacher = meteredTeacher({ maxTokens: 450 }, { tokens: 120 })
    const asked = Promise.allSettled(Array.from({ length: 8 }, (_, index) => teacher.metered.complete(request(index))))
    await teacher.answerAll()
    const outcomes = await asked
    expect(teacher.sent).toBe(3)
    expect(teacher.most).toBe(2)
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: "budget.tokens" } })
  })
})

test("who waits for money can be interrupted", async () => {
  const teacher = meteredTeacher(
    { maxUsd: 0.1 },
    { usd: 0.1, estimate: { inputTokens: 1, outputTokens: 1, usd: 0.1, isBounded: true, isCounted: true } },
  )
  const controller = new AbortController()
  const first = teacher.metered.complete(request(0))
  const second = teacher.metered.complete(request(1), { signal: controller.signal }).catch((error) => error.code)
  await teacher.turn()
  controller.abort()
  expect(await second).toBe("run.interrupted")
  await teacher.answerAll()
  await first
})

test("an answer that was on this machine already costs nothing and counts as reused", async () => {
  const purse = new Purse({ maxUsd: 1 }, [])
  const teacher: Teacher = {
    name: "replayed",
    complete: async () => ({ texts: ["x"], finishReasons: ["stop"], usage: { inputTokens: 5, outputTokens: 5 }, usd: 3, isReused: true }),
  }
  await meterTeacher(teacher, purse, () => {}).complete(request(0))
  expect(purse.spending).toEqual({ usd: 0, inputTokens: 0, outputTokens: 0, requestsSent: 0, requestsReused: 1 })
})
