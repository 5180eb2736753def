import { readFileSync } from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { demonstrationInputs, makeDatesTest, type TestRow, toJsonLines } from "../../scripts/make-dates-test"
import { Random } from "../../src/core/random"
import { addDays, daysInMonth, fromIso, ordinal, toIso, weekdayOf } from "../../src/services/teachers/simulated/calendar"
import { daringAt, dateWays, drawDate, unseenDateWays, unseenGroup, writeDate } from "../../src/services/teachers/simulated/date-ways"
import { makeMistake } from "../../src/services/teachers/simulated/mistakes"
import { readDate } from "../../src/services/teachers/simulated/read-date"

const prompts = join(import.meta.dirname, "../../../notebooks/prompts")
const anyDate = fc
  .record({ year: fc.integer({ min: 1900, max: 2099 }), month: fc.integer({ min: 1, max: 12 }), day: fc.integer({ min: 1, max: 31 }) })
  .filter(({ year, month, day }) => day <= daysInMonth(year, month))
const iso = (text: string) => {
  const date = readDate(text)
  return date && toIso(date)
}

describe("the calendar", () => {
  test("leap years", () => {
    expect([1900, 1996, 2000, 2023, 2100].map((year) => daysInMonth(year, 2))).toEqual([28, 29, 29, 28, 28])
    expect(fromIso("1900-02-29")).toBeUndefined()
    expect(fromIso("2000-02-29")).toEqual({ year: 2000, month: 2, day: 29 })
    expect(toIso(addDays({ year: 1999, month: 12, day: 31 }, 1))).toBe("2000-01-01")
  })

  test("weekdays and ordinals", () => {
    expect(weekdayOf({ year: 1999, month: 5, day: 3 })).toBe("Monday")
    expect(weekdayOf({ year: 1900, month: 1, day: 1 })).toBe("Monday")
    expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 30, 31].map(ordinal).join(" ")).toBe(
      "1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 23rd 30th 31st",
    )
  })
})

describe("the grammar", () => {
  test("each way is named by what it writes, and there are at least fourteen", () => {
    expect(dateWays.length).toBeGreaterThanOrEqual(14)
    for (const { name, write } of [...dateWays, ...unseenDateWays]) {
      expect(write({ year: 1999, month: name.startsWith("Sept") ? 9 : 5, day: 3 })).toBe(name)
    }
  })

  test("whatever it writes, its reader reads", () => {
    fc.assert(
      fc.property(anyDate, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (date, seed, daring) => {
        expect(iso(writeDate(date, new Random(seed), daring))).toBe(toIso(date))
        for (const { write } of [...dateWays, ...unseenDateWays]) expect(iso(write(date))).toBe(toIso(date))
      }),
      { numRuns: 300 },
    )
  })

  test("dates are real and between 1900 and 2099", () => {
    const random = new Random(3)
    const years = new Set<number>()
    for (let count = 0; count < 5000; count++) {
      const date = drawDate(random, 1)
      expect(fromIso(toIso(date))).toEqual(date)
      years.add(date.year)
    }
    expect([...years].every((year) => year >= 1900 && year <= 2099)).toBe(true)
    expect(years.size).toBeGreaterThan(190)
  })

  test("never writes in the ways that only the test has", () => {
    const random = new Random(4)
    for (let count = 0; count < 5000; count++) {
      const text = writeDate(drawDate(random, 1), random, random.next())
      expect(text).not.toMatch(/\)$|^\d{4} [A-Za-z]/)
    }
  })

  test("a careful writer knows fewer ways and years than a daring one", () => {
    const variety = (daring: number) => {
      const random = new Random(5)
      const forms = new Set<string>()
      for (let count = 0; count < 3000; count++) {
        const text = writeDate(drawDate(random, daring), random, daring)
        forms.add(text.replace(/\d/g, "0").replace(/[A-Z]?[a-z]+/g, (word) => (/^[A-Z]/.test(word) ? "A" : "a")))
      }
      return forms.size
    }
    expect(variety(daringAt(0.5)) * 2).toBeLessThan(variety(daringAt(1.5)))
  })
})

describe("the reader", () => {
  const read: Record<string, string | undefined> = {
    "3 May 1999": "1999-05-03",
    "  Since the TWENTY-FIRST of march, 2001. ": "2001-03-21",
    "Tues 4 Sept '07": "2007-09-04",
    "3/5/1999": "1999-03-05",
    "23/5/1999": "1999-05-23",
    "3.5.1999": "1999-05-03",
    "1999-5-3": "1999-05-03",
    "1999 May 3rd": "1999-05-03",
    "3 May 1999 (Monday)": "1999-05-03",
    "29 February 2000": "2000-02-29",
    "29 February 1900": undefined,
    "31.04.2000": undefined,
    "32 May 1999": undefined,
    "May 1999": undefined,
    "3 May 4 June 1999": undefined,
    "We met on 3 May 1999": undefined,
    "[Posted: 2013-03-22] early August": undefined,
    "": undefined,
  }
  for (const [text, expected] of Object.entries(read))
    test(`${JSON.stringify(text)} is ${expected}`, () => expect(iso(text)).toBe(expected))

  test("answers something or nothing for any text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (text) => readDate(text) === undefined || fromIso(toIso(readDate(text)!)) !== undefined),
    )
  })
})

test("a mistake is never the right answer, and there are many kinds", () => {
  const forms = new Set<string>()
  fc.assert(
    fc.property(anyDate, fc.nat(), (date, seed) => {
      const answer = makeMistake(date, new Random(seed))
      forms.add(answer.replace(/\d/g, "0"))
      return answer !== toIso(date)
    }),
    { numRuns: 500 },
  )
  expect(forms.size).toBeGreaterThan(6)
})

describe("the test set of the default task", () => {
  const file = readFileSync(join(prompts, "dates.test.jsonl"), "utf8")
  const rows: TestRow[] = file
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
  const taken = demonstrationInputs(readFileSync(join(prompts, "dates.txt"), "utf8"))

  test("is what the script prints", () => {
    expect(file).toBe(toJsonLines(makeDatesTest(taken)))
  })

  test("has 256 rows of ways that training may have, and 64 of two others", () => {
    const isUnseen = ({ input }: TestRow) =>
      /^\d{1,2} [A-Z][a-z]+ \d{4} \([A-Z][a-z]+day\)$|^\d{4} [A-Z][a-z]+ \d{1,2}(?:st|nd|rd|th)$/.test(input)
    const unseen = rows.filter(({ group }) => group === unseenGroup)
    expect(rows).toHaveLength(320)
    expect(unseen).toHaveLength(64)
    expect(rows.filter(isUnseen)).toEqual(unseen)
    expect(rows.filter(({ group }) => group === undefined)).toHaveLength(256)
  })

  test("every reference is right, no input twice, none of the prompt's own", () => {
    for (const { input, output } of rows) expect(iso(input)).toBe(output)
    expect(new Set(rows.map(({ input }) => input)).size).toBe(320)
    expect(taken).toHaveLength(4)
    expect(rows.filter(({ input }) => taken.includes(input))).toEqual([])
  })
})
