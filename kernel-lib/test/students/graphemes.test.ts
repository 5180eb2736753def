import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { segmentGraphemes } from "../../src/students/tokenizers/graphemes"

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })
const segmentWhole = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment)

describe("segmentGraphemes", () => {
  it("finds in parts what Intl.Segmenter finds in the whole", () => {
    const unit = fc.constantFrom(
      "a",
      "\r",
      "\n",
      "é",
      "e\u0301",
      "🇫",
      "🇷",
      "👩",
      "\u200d",
      "👍🏽",
      "각",
      "\u1100",
      "\u1161",
      "क्",
      "ष",
      "\u0301",
      "\ud83d",
    )
    fc.assert(
      fc.property(fc.array(unit, { minLength: 200, maxLength: 900 }), (units) => {
        const text = units.join("")
        expect([...segmentGraphemes(text)]).toEqual(segmentWhole(text))
      }),
      { numRuns: 60 },
    )
  })

  it("keeps one together that is longer than a part", () => {
    const text = `a${"\u0301".repeat(2000)}b`
    expect([...segmentGraphemes(text)]).toEqual(segmentWhole(text))
    expect([...segmentGraphemes("")]).toEqual([])
  })
})
