// The arithmetic of hybrid ranking and of the best rows, beside plain formulas.
import { expect, test } from "vitest"
import { Random } from "../../src/core/random"
import { countFeedback, fuseRankings, moveQuery, scaleScores } from "../../src/search/fusion"
import { TopRows } from "../../src/search/top-rows"

test("scores are scaled over the ranking's own best and worst", () => {
  expect(scaleScores([9, 5, 1])).toEqual([1, 0.5, 0])
  expect(scaleScores([3, 3])).toEqual([1, 1])
  expect(scaleScores([])).toEqual([])
})

test("a tenth of the words' score joins the dense one, whoever is absent counts as 0, ties go to the lower row", () => {
  const fused = fuseRankings({ rows: [4, 7, 2], scores: [0.9, 0.6, 0.5] }, { rows: [7, 9, 1], scores: [20, 10, 0] })
  expect(fused.rows).toEqual([4, 7, 9, 1, 2])
  fused.scores.forEach((score, place) => {
    expect(score).toBeCloseTo([1, 0.35, 0.05, 0, 0][place], 12)
  })
})

test("Rocchio's query", () => {
  const moved = moveQuery(Float32Array.of(1, 0), [Float32Array.of(0, 1), Float32Array.of(1, 1)])
  expect([...moved]).toEqual([1.375, 0.75])
  expect([12, 99, 100, 250, 1000, 1e6].map(countFeedback)).toEqual([0, 0, 1, 2, 3, 3])
})

test("the best rows are those of a sort", () => {
  const random = new Random("rows")
  const scores = Array.from({ length: 500 }, () => random.integer(40))
  const sorted = scores.map((_, row) => row).sort((one, other) => scores[other] - scores[one] || one - other)
  for (const limit of [0, 1, 7, 100, 500, 600]) {
    const top = new TopRows(limit)
    scores.forEach((score, row) => {
      top.offer(row, score)
    })
    expect(top.rank().rows).toEqual(sorted.slice(0, limit))
    expect(top.rank().scores).toEqual(sorted.slice(0, limit).map((row) => scores[row]))
  }
})
