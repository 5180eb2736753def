// The window in which a search by words gathers scores, against a Map.
import { expect, test } from "vitest"
import { Random } from "../../src/core/random"
import { ScoreWindow } from "../../src/search/disk/score-window"

test("gathers sums above the floor, by row, window after window", () => {
  const random = new Random("window")
  const window = new ScoreWindow()
  for (const start of [0, 5, 70_000]) {
    window.moveTo(start)
    const sums = new Map<number, number>()
    for (let i = 0; i < 3000; i++) {
      const row = start + random.integer(window.end - start)
      const score = random.next()
      window.add(row, score)
      sums.set(row, (sums.get(row) ?? 0) + score)
    }
    window.add(window.end - 1, 9)
    sums.set(window.end - 1, (sums.get(window.end - 1) ?? 0) + 9)
    const expected = [...sums].filter(([, sum]) => sum > 0.5).sort(([one], [other]) => one - other)
    const count = window.gather(0.5)
    expect(Array.from({ length: count }, (_, place) => [window.rows[place], window.scores[place]])).toEqual(expected)
    expect(window.gather(Number.NEGATIVE_INFINITY)).toBe(0)
  }
})
