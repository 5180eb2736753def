import { describe, expect, it } from "vitest"
import { Random } from "../../src/core/random"
import { bootstrapInterval, pairedBootstrap } from "../../src/measures/bootstrap"
import { metrics } from "../../src/measures/metrics"

const { exactMatch, "chrF++": chrFPlusPlus } = metrics

/** Exact-match statistics with `right` of `rows` rows right, the right ones first. */
function statistics(rows: number, right: number, shift = 0) {
  const answers = Array.from({ length: rows }, (_, row) => ((row + shift) % rows < right ? "yes" : "no"))
  return exactMatch.statistics(
    answers,
    answers.map(() => "yes"),
  )
}

describe("bootstrapInterval", () => {
  it("is as wide as the normal approximation of a share says", () => {
    const { value, low, high } = bootstrapInterval(statistics(400, 280), exactMatch.score, { seed: 3 })
    const halfWidth = 1.96 * Math.sqrt((0.7 * 0.3) / 400)
    expect(value).toBe(0.7)
    expect(Math.abs(low - (0.7 - halfWidth))).toBeLessThan(0.01)
    expect(Math.abs(high - (0.7 + halfWidth))).toBeLessThan(0.01)
  })

  it("answers equally for equal seeds, otherwise for others", () => {
    const rows = statistics(200, 90)
    expect(bootstrapInterval(rows, exactMatch.score, { seed: 1 })).toEqual(bootstrapInterval(rows, exactMatch.score, { seed: 1 }))
    const lows = [1, 2, 3, 4].map((seed) => bootstrapInterval(rows, exactMatch.score, { seed }).low)
    expect(new Set(lows).size).toBeGreaterThan(1)
  })

  it("has no width where all rows are alike", () => {
    expect(bootstrapInterval(statistics(50, 50), exactMatch.score)).toEqual({ value: 1, low: 1, high: 1 })
  })

  it("scores resampled chrF++ statistics as it would score the resampled texts", () => {
    const answers = ["1999-05-03", "3 May", "", "abc def ghi", "x"]
    const references = ["1999-05-04", "3 May", "word", "abc xyz ghi", "y"]
    const { low, high, value } = bootstrapInterval(chrFPlusPlus.statistics(answers, references), chrFPlusPlus.score, {
      seed: 5,
      resamples: 300,
    })
    const random = new Random("bootstrap/5")
    const scores = Array.from({ length: 300 }, () => {
      const drawn = answers.map(() => random.integer(answers.length))
      return chrFPlusPlus.corpus(
        drawn.map((row) => answers[row]),
        drawn.map((row) => references[row]),
      )
    }).sort((a, b) => a - b)
    expect(value).toBeCloseTo(chrFPlusPlus.corpus(answers, references), 10)
    // numpy's linear quantiles: positions 7.475 and 291.525 of 0 to 299.
    expect(low).toBeCloseTo(scores[7] + 0.475 * (scores[8] - scores[7]), 10)
    expect(high).toBeCloseTo(scores[291] + 0.525 * (scores[292] - scores[291]), 10)
  })
})

describe("pairedBootstrap", () => {
  it("finds a clear difference and doubts a small one", () => {
    const clear = pairedBootstrap(statistics(300, 200), statistics(300, 120), exactMatch.score)
    expect(clear.value).toBeCloseTo(80 / 300, 12)
    expect(clear.low).toBeGreaterThan(0)
    expect(clear.p).toBeLessThan(0.01)
    const doubtful = pairedBootstrap(statistics(300, 150), statistics(300, 148, 100), exactMatch.score)
    expect(doubtful.low).toBeLessThan(0)
    expect(doubtful.high).toBeGreaterThan(0)
    expect(doubtful.p).toBeGreaterThan(0.3)
  })

  it("is certain of no difference between equal systems", () => {
    const same = statistics(100, 60)
    expect(pairedBootstrap(same, same, exactMatch.score)).toEqual({ value: 0, low: 0, high: 0, p: 1 })
  })

  it("turns its sign with its systems", () => {
    const [a, b] = [statistics(200, 100), statistics(200, 130, 50)]
    const forth = pairedBootstrap(a, b, exactMatch.score, { seed: 9 })
    const back = pairedBootstrap(b, a, exactMatch.score, { seed: 9 })
    expect(back.value).toBeCloseTo(-forth.value, 12)
    expect(back.low).toBeCloseTo(-forth.high, 12)
    expect(back.p).toBe(forth.p)
  })

  it("refuses systems with different rows", () => {
    expect(() => pairedBootstrap(statistics(3, 1), statistics(4, 1), exactMatch.score)).toThrow(
      expect.objectContaining({ code: "bootstrap.rows-differ" }),
    )
  })
})
