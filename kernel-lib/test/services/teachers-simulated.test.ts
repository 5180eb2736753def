// What the simulated teacher makes: rows that are wrong now and then, the same for the same request, and answers to single inputs.
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { simulatedTeacher } from "../../src/services/teachers"
import { toIso } from "../../src/services/teachers/simulated/calendar"
import { readDate } from "../../src/services/teachers/simulated/read-date"
import { generation, question, readPrompt } from "./simulated-requests"

const teacher = simulatedTeacher({ seed: 1 })
afterAll(() => teacher.close?.())

/** Rows made at one temperature: how many, how many are well-formed, and how many of those are wrong. */
async function measure(temperature: number) {
  const dates = readPrompt("dates.txt")
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => teacher.complete(generation(dates, { temperature, index, numResponses: 100 }))),
  )
  const texts = answers.flatMap(({ texts }) => texts)
  const rows = texts.flatMap((text) => {
    try {
      const { input, output } = JSON.parse(text)
      return typeof input === "string" && typeof output === "string" ? [{ input, output }] : []
    } catch {
      return []
    }
  })
  const wrong = rows.filter(({ input, output }) => {
    const date = readDate(input)
    return date === undefined || toIso(date) !== output
  })
  return {
    texts,
    rows,
    wrongShare: wrong.length / rows.length,
    malformedShare: 1 - rows.length / texts.length,
    inputs: new Set(rows.map(({ input }) => input)),
  }
}

describe("what it makes", () => {
  const temperatures = [0.5, 1.1, 1.7]
  let measured: Awaited<ReturnType<typeof measure>>[]
  beforeAll(async () => {
    measured = await Promise.all(temperatures.map(measure))
  })

  test("at least one row in twenty is wrong, and more as temperature rises", () => {
    const shares = measured.map(({ wrongShare }) => wrongShare)
    for (const [index, temperature] of temperatures.entries()) {
      expect(shares[index]).toBeGreaterThan(0.05)
      expect(Math.abs(shares[index] - (0.05 + 0.06 * temperature))).toBeLessThan(0.025)
    }
    expect(shares[2]).toBeGreaterThan(shares[0])
  })

  test("some answers are no JSON or decline, few", () => {
    for (const { malformedShare, texts } of measured) {
      expect(malformedShare).toBeGreaterThan(0)
      expect(malformedShare).toBeLessThan(0.06)
      expect(texts).toHaveLength(1200)
    }
  })

  test("repeats itself when careful, hardly when daring", () => {
    const different = measured.map(({ inputs, rows }) => inputs.size / rows.length)
    expect(different[0]).toBeLessThan(0.85)
    expect(different[2]).toBeGreaterThan(0.95)
  })

  test("never the two ways that only the test has", () => {
    for (const { rows } of measured) expect(rows.filter(({ input }) => /\)$|^\d{4} [A-Za-z]/.test(input))).toEqual([])
  })
})

describe("its answers follow from the request alone", () => {
  test("the same request, the same answers, from another server of the same seed too", async () => {
    const request = generation(readPrompt("dates.txt"), { numResponses: 5 })
    const { seconds: _, ...first } = await teacher.complete(request)
    expect(await teacher.complete(request)).toMatchObject(first)
    const twin = simulatedTeacher({ seed: 1 })
    expect(await twin.complete(request)).toMatchObject(first)
    await twin.close?.()
    expect(new Set(first.texts).size).toBeGreaterThan(1)
  })

  test("another index, seed, temperature, prompt or teacher's seed, other answers", async () => {
    const dates = readPrompt("dates.txt")
    const other = simulatedTeacher({ seed: 2 })
    const base = generation(dates, { numResponses: 5 })
    const answers = await Promise.all([
      teacher.complete(base),
      teacher.complete({ ...base, index: 1 }),
      teacher.complete({ ...base, seed: 2 }),
      teacher.complete({ ...base, temperature: 1.01 }),
      teacher.complete({ ...base, messages: [...base.messages, { role: "user", content: "Please." }] }),
      other.complete(base),
    ])
    await other.close?.()
    expect(new Set(answers.map(({ texts }) => texts.join("\n"))).size).toBe(answers.length)
    expect(other.identity).not.toBe(teacher.identity)
  })
})

describe("plain answers", () => {
  test("read the date, in ways that it never writes too, and are wrong for about one input in twenty at temperature 0", async () => {
    const rows = readPrompt("dates.test.jsonl")
      .trim()
      .split("\n")
      .filter((_, index) => index % 2 === 0)
      .map((line) => JSON.parse(line))
    const answers = await Promise.all(rows.map(({ input }, index) => teacher.complete(question(input, { index }))))
    const wrong = rows.filter(({ output }, index) => answers[index].texts[0] !== output).length
    expect(wrong / rows.length).toBeGreaterThan(0.01)
    expect(wrong / rows.length).toBeLessThan(0.1)
    const again = await teacher.complete(question(rows[0].input, { index: 999, seed: 5 }))
    expect(again.texts).toEqual(answers[0].texts)
  })

  test("follow few-shot turns", async () => {
    const turns = [
      { role: "user" as const, content: "<task 0>Normalise.\nExample:\n3 May 1999\nLabel:\n" },
      { role: "assistant" as const, content: "1999-05-03" },
      { role: "user" as const, content: "<task 0>Normalise.\nExample:\n4 June 2000\nLabel:\n" },
    ]
    expect((await teacher.complete({ ...question(""), messages: turns })).texts[0]).toMatch(/2000/)
  })

  test("a question that is no date gets no date", async () => {
    expect((await teacher.complete(question("next Tuesday, perhaps"))).texts).toEqual(["I cannot tell which day that is."])
  })
})
