// Tokens of long texts are counted in parts: of words the same number, and of what has no end soon.
import { countTokens as countAll } from "gpt-tokenizer/encoding/o200k_base"
import { describe, expect, it } from "vitest"
import { countTokens } from "../../jupyter-extension/src/viewer/count-tokens"

describe("countTokens", () => {
  it("finds in the parts of a text what is in the whole", () => {
    const text = Array.from(
      { length: 300 },
      (_none, row) => `Row ${row * 37}: it's the day after ${row} May, give or take (a moment).\n`,
    ).join("")
    expect(countTokens(text)).toBe(countAll(text))
    expect(countTokens("")).toBe(0)
    expect(countTokens("<|endoftext|>")).toBe(countAll("<|endoftext|>", { disallowedSpecial: new Set() }))
  })

  it("counts a word without end, a token too many for each part at most", () => {
    const word = "ab".repeat(1500)
    const tokens = countAll(word)
    expect(countTokens(word)).toBeGreaterThanOrEqual(tokens)
    expect(countTokens(word)).toBeLessThanOrEqual(tokens + word.length / 500)
    expect(countTokens("\u6f22".repeat(20_000))).toBe(20_000)
  })
})
