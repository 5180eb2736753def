// How many requests may be in flight: the limit finds what a server takes, and what refusals and slow answers do to it.
import { describe, expect, test } from "vitest"
import { Random } from "../../src/core/random"
import { ConcurrencyLimit, type Ticket } from "../../src/services/teachers/concurrency-limit"

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
