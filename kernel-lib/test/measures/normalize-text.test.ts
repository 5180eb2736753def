import { describe, expect, it } from "vitest"
import { normalizeText } from "../../src/measures/normalize-text"

describe("normalizeText", () => {
  it.each([
    ["The 3rd of May, 1999!", "the 3rd of may 1999"],
    ["  twenty-first\tof   June ", "twenty first of june"],
    ["“Don’t stop”", "dont stop"],
    ["日付は、３日です。", "日付は 3日です"],
    ["ﬁne CAFÉ", "fine café"],
    ["", ""],
    ["?!", "?!"],
  ])("%j becomes %j", (text, normalized) => {
    expect(normalizeText(text)).toBe(normalized)
  })

  it.each([
    ["3 May 1999", "3 May 1998"],
    ["3/5/1999", "35/1999"],
    ["1.5", "15"],
    ["12:30", "1230"],
    ["7 - 2", "7 * 2"],
    ["x < 5", "x > 5"],
    ["-5", "5"],
    ["$10", "10"],
    ["?", "!"],
  ])("keeps %j and %j apart", (one, other) => {
    expect(normalizeText(one)).not.toBe(normalizeText(other))
  })

  it("changes nothing the second time", () => {
    for (const text of ["It's 3.5, isn't it?", "a-b-c", "(1) . 2", "½ İstanbul"])
      expect(normalizeText(normalizeText(text))).toBe(normalizeText(text))
  })
})
