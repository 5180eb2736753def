// Tests of significance and of order, and macro F1, against scipy's and scikit-learn's numbers (golden/make_golden.py).
import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { kendallTau, macroF1, mcNemar, spearmanRho } from "../../src/measures"
import { sumStatistics } from "../../src/measures/metric"

interface Golden {
  readonly macroF1: readonly { readonly answers: string[]; readonly references: string[]; readonly score: number }[]
  readonly mcNemar: readonly { readonly onlyFirst: number; readonly onlySecond: number; readonly p: number }[]
  readonly ranks: readonly { readonly x: number[]; readonly y: number[]; readonly tau: number; readonly rho: number }[]
}
const golden = JSON.parse(readFileSync(new URL("golden/scores.json", import.meta.url), "utf8")) as Golden

describe("macroF1", () => {
  it.each(golden.macroF1)("is scikit-learn's $score", ({ answers, references, score }) => {
    expect(macroF1.corpus(answers, references)).toBeCloseTo(score, 10)
  })

  it("scores any number of different texts, but has no statistics of thousands of them", () => {
    const answers = Array.from({ length: 6000 }, (_, row) => `answer ${row}`)
    const references = answers.map((answer, row) => (row % 2 === 0 ? answer : `else ${row}`))
    // Half of them are right; each wrong row adds two labels without any right answer.
    expect(macroF1.corpus(answers, references)).toBeCloseTo(3000 / 9000, 12)
    expect(macroF1.perRow(answers, references).subarray(0, 3)).toEqual(Float64Array.of(1, 0, 1))
    expect(() => macroF1.statistics(answers, references)).toThrow(expect.objectContaining({ code: "metric.too-many-labels" }))
    const few = [answers.slice(0, 50), references.slice(0, 50)] as const
    expect(macroF1.score(sumStatistics(macroF1.statistics(...few)))).toBe(macroF1.corpus(...few))
  })

  it("counts a missing answer against the label that was expected, and against no other", () => {
    expect(macroF1.corpus(["yes", undefined, "no"], ["yes", "yes", "no"])).toBeCloseTo((2 / 3 + 1) / 2, 12)
    expect([...macroF1.perRow(["yes", " no ", undefined], ["yes", "yes", "no"])]).toEqual([1, 0, 0])
  })

  it("takes any of several references", () => {
    expect(macroF1.corpus(["b", "c"], [["a", "b"], "c"])).toBe(1)
  })
})

describe("mcNemar", () => {
  it.each(golden.mcNemar)("is scipy's exact test for $onlyFirst against $onlySecond", ({ onlyFirst, onlySecond, p }) => {
    const first = [...Array(onlyFirst).fill(1), ...Array(onlySecond).fill(0), 1, 0]
    const second = [...Array(onlyFirst).fill(0), ...Array(onlySecond).fill(1), 1, 0]
    const result = mcNemar(first, second)
    expect(result).toMatchObject({ onlyFirst, onlySecond })
    expect(result.p).toBeCloseTo(p, 9)
    expect(mcNemar(second, first).p).toBeCloseTo(p, 9)
  })

  it("refuses scores that are neither right nor wrong, and rows that differ", () => {
    expect(() => mcNemar([0.5], [1])).toThrow(expect.objectContaining({ code: "mcnemar.not-binary" }))
    expect(() => mcNemar([1], [1, 0])).toThrow(expect.objectContaining({ code: "mcnemar.rows-differ" }))
  })
})

describe("kendallTau and spearmanRho", () => {
  it.each(golden.ranks)("are scipy's $tau and $rho", ({ x, y, tau, rho }) => {
    expect(kendallTau(x, y, { resamples: 50 }).value).toBeCloseTo(tau, 10)
    expect(spearmanRho(x, y, { resamples: 50 }).value).toBeCloseTo(rho, 10)
  })

  it("look at every order of few systems", () => {
    // Of the 24 orders of four, the same one and the opposite one are as far from chance.
    expect(kendallTau([1, 2, 3, 4], [10, 20, 30, 40]).p).toBeCloseTo(2 / 24, 12)
    expect(kendallTau([1, 2, 3], [7, 7, 7])).toMatchObject({ value: Number.NaN, p: 1 })
    expect(() => kendallTau([1], [1])).toThrow(expect.objectContaining({ code: "rank.lengths" }))
  })

  it("do not change with the scale of either side, and turn their sign with its order", () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 })), { minLength: 3, maxLength: 6 })
    fc.assert(
      fc.property(pairs, (values) => {
        const [x, y] = [values.map(([a]) => a), values.map(([, b]) => b)]
        for (const correlation of [kendallTau, spearmanRho]) {
          const { value } = correlation(x, y, { resamples: 20 })
          fc.pre(!Number.isNaN(value))
          const grown = correlation(
            x.map((one) => one ** 3 + 5),
            y,
            { resamples: 20 },
          )
          const turned = correlation(
            x,
            y.map((one) => -one),
            { resamples: 20 },
          )
          expect(grown.value).toBeCloseTo(value, 10)
          expect(turned.value).toBeCloseTo(-value, 10)
          expect(grown.low).toBeLessThanOrEqual(grown.high)
        }
      }),
      { numRuns: 30 },
    )
  })
})
