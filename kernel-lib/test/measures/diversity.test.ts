import { describe, expect, it } from "vitest"
import { measureDiversity } from "../../src/measures"

describe("measureDiversity", () => {
  it("counts distinct word pairs, in scripts without spaces too", () => {
    // Pairs: the cat, cat sat | the cat, cat ran: three of four.
    expect(measureDiversity(["The cat sat", "the cat ran"]).distinct2).toBe(0.75)
    // 今日, 日雨 | 今日, 日雪
    expect(measureDiversity(["今日雨", "今日雪"]).distinct2).toBe(0.75)
    expect(measureDiversity(["one", "two"]).distinct2).toBeUndefined()
  })

  it("tells equal texts from unlike ones", () => {
    const equal = measureDiversity(Array(50).fill("the quick brown fox"))
    expect(equal).toMatchObject({ texts: 50, nearDuplicates: 0.98, similarity: 1 })
    const unlike = measureDiversity(["abcdefgh", "ijklmnop", "qrstuvwx"])
    expect(unlike).toMatchObject({ nearDuplicates: 0, similarity: 0 })
    expect(measureDiversity([])).toEqual({ texts: 0, nearDuplicates: 0 })
  })

  it("looks at a sample of a large set, the same one each time", () => {
    const texts = Array.from({ length: 5000 }, (_, index) => `row ${index} of ${index % 7}`)
    expect(measureDiversity(texts)).toEqual(measureDiversity(texts))
    expect(measureDiversity(texts).texts).toBe(2000)
  })
})
