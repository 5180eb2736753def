import { describe, expect, it } from "vitest"
import { NearestTexts } from "../../src/measures/nearest-texts"

describe("NearestTexts", () => {
  const texts = new NearestTexts(["June 2, 2002", "21st Sept. 1974", "Christmas Day 1984", ""])

  it("finds the text that shares most", () => {
    expect(texts.nearest("21st Sept. '47")).toMatchObject({ position: 1 })
    expect(texts.nearest("CHRISTMAS  day 1984")).toEqual({ position: 2, similarity: 1 })
  })

  it("measures with Dice's coefficient over three-character pieces", () => {
    // " ab", "abc", "bc " against " ab", "abd", "bd ": 2 * 1 / 6.
    expect(new NearestTexts(["abc"]).nearest("abd")?.similarity).toBeCloseTo(1 / 3, 12)
  })

  it("finds nothing where nothing is shared", () => {
    expect(texts.nearest("日付")).toBeUndefined()
    expect(new NearestTexts([]).nearest("June")).toBeUndefined()
  })
})
