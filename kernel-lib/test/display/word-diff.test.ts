import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type DiffPart, diffWords } from "../../src/display/word-diff"

const written = (parts: readonly DiffPart[]) =>
  parts.map(({ kind, text }) => ({ same: text, removed: `[-${text}]`, added: `[+${text}]` })[kind]).join("")

describe("diffWords", () => {
  it("shows words that changed, and inside a word only its middle", () => {
    expect(written(diffWords("1977-09-21", "1947-09-21"))).toBe("19[-7][+4]7-09-21")
    expect(written(diffWords("the quick red fox", "the quick brown fox"))).toBe("the quick [-red][+brown] fox")
    expect(written(diffWords("a b", "a b c"))).toBe("a b[+ c]")
    expect(written(diffWords("same", "same"))).toBe("same")
    expect(diffWords("", "")).toEqual([])
  })

  it("keeps letters with their marks and does not cut characters", () => {
    expect(written(diffWords("naïve 🎉", "naïve 🎈"))).toBe("naïve [-🎉][+🎈]")
  })

  it("gives back both texts, whatever they are", () => {
    const text = fc
      .array(fc.constantFrom("the", "then", "cat", " ", "\n", "1999", "-", "🎉", "日本", "\ud800"))
      .map((words) => words.join(""))
    fc.assert(
      fc.property(text, text, (before, after) => {
        const parts = diffWords(before, after)
        expect(
          parts
            .filter(({ kind }) => kind !== "added")
            .map((part) => part.text)
            .join(""),
        ).toBe(before)
        expect(
          parts
            .filter(({ kind }) => kind !== "removed")
            .map((part) => part.text)
            .join(""),
        ).toBe(after)
      }),
    )
  })

  it("does not align what nobody would read", () => {
    const before = "a ".repeat(2000)
    expect(diffWords(before, "b")).toEqual([
      { kind: "removed", text: before },
      { kind: "added", text: "b" },
    ])
  })
})
