import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { firstCharacters, fitTo, makeVisible, onOneLine, padTo, widthOf } from "../../src/display/plain-text"
import { countOf, describeRejected, formatScore, formatSeconds, formatUsd } from "../../src/display/wording"

describe("text from data", () => {
  it("shows what would act on a terminal or on the direction of writing", () => {
    expect(makeVisible("\u001b[31mred\u0007 a\u202eb \u009b2J \ud800.")).toBe("␛[31mred␇ a[U+202E]b \ufffd2J \ufffd.")
    expect(makeVisible("emoji 👩‍👩‍👧, line\r\nbreak\ttab")).toBe("emoji 👩‍👩‍👧, line\nbreak\ttab")
    expect(onOneLine("a\nb\tc")).toBe("a ↵ b c")
  })

  it("knows the columns of wide and combining characters", () => {
    expect(widthOf("日本")).toBe(4)
    expect(widthOf("e\u0301")).toBe(1)
    expect(widthOf("🎉")).toBe(2)
    expect(padTo("日本", 6)).toBe("日本  ")
    expect(padTo("7", 3, true)).toBe("  7")
  })

  it("never makes a text wider than asked, and leaves what fits", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }).map(onOneLine), fc.integer({ min: 1, max: 30 }), (text, columns) => {
        const fitted = fitTo(text, columns)
        expect(widthOf(fitted)).toBeLessThanOrEqual(columns)
        if (widthOf(text) <= columns) expect(fitted).toBe(text)
      }),
    )
    expect(fitTo("the best of times", 8)).toBe("the bes…")
    expect(fitTo("日本語", 4)).toBe("日…")
  })

  it("cuts between characters", () => {
    expect(firstCharacters("a🎉b", 2)).toBe("a")
    expect(firstCharacters("a🎉b", 3)).toBe("a🎉")
  })
})

describe("figures", () => {
  it("are written as people read them", () => {
    expect([0, 9.94, 59.4, 192, 7501].map(formatSeconds)).toEqual(["0.0 s", "9.9 s", "59 s", "3 min 12 s", "2 h 05 min"])
    expect([0, 0.0004, 0.42, 12.5].map(formatUsd)).toEqual(["$0", "$0.0004", "$0.42", "$12.50"])
    expect([formatScore(0.97741, 1), formatScore(98.92, 100), formatScore(undefined, 1), formatScore(Number.NaN, 1)]).toEqual([
      "0.977",
      "98.9",
      "-",
      "-",
    ])
    expect([countOf(1, "row"), countOf(12000, "row")]).toEqual(["1 row", "12,000 rows"])
  })

  it("sum up the reasons that have no room", () => {
    const rejected = [
      { reason: "duplicate", rows: 31 },
      { reason: "malformed", rows: 12 },
      { reason: "too long", rows: 3 },
      { reason: "empty", rows: 1 },
    ]
    expect(describeRejected(rejected, 2)).toBe("31 duplicate, 12 malformed, 4 for other reasons")
  })
})
