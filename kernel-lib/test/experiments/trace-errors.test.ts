// From errors back to training rows: a student that is a function, and training rows some of which taught it something wrong.
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { Dataset, type Provenance } from "../../src/core/dataset"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Student } from "../../src/core/student"
import { compareReports, traceErrors } from "../../src/experiments"
import { fisherExact } from "../../src/experiments/trace-errors/fisher-exact"
import { simulatedTeacher } from "../../src/services/teachers"
import { evaluate } from "../../src/stages/evaluate/evaluate"
import { generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { openRunFolder } from "../../src/store/run"
import { makeFolder, removeFolders } from "../store/folders"

afterAll(removeFolders)

const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
const two = (number: number) => String(number).padStart(2, "0")
const iso = (day: number, month: number, year: number) => `${year}-${two(month)}-${two(day)}`
const dayFirst = (day: number, month: number, year: number) => `${two(day)}/${two(month)}/${year}`
const dates = (years: readonly number[]) =>
  years.flatMap((year) => months.map((_, at) => [(at * 5 + year) % 28 || 28, at + 1, year] as const))
const write = (day: number, month: number, year: number) => `${day} ${months[month - 1]} ${year}`

/** Good rows of a teacher, and a sheet whose dates have the day first; the two have months in common, and no date. */
const generated = (call: number): Provenance => ({
  ...{ kind: "generated", teacher: "teacher", isSimulated: true, call, response: 0, temperature: 0.5 + call / 100, votes: 2 },
  voters: call % 3 === 0 ? 3 : 2,
})
const good = dates([1991, 1992, 1993]).map((date, call) => ({ input: write(...date), output: iso(...date), from: generated(call) }))
const bad = dates([2011, 2012]).map((date, row) => ({
  ...{ input: write(...date), output: dayFirst(...date) },
  from: { kind: "annotated" as const, source: "old sheet", row },
}))
const train = Dataset.from([...good, ...bad], { name: "train" })
const test = Dataset.from(dates([1995, 2015]).map((date) => ({ input: write(...date), output: iso(...date) })))

/** Answers as if it had learned years before 2000 from the good rows, and later ones from the sheet. */
const answer = (input: string, isGood: boolean) => {
  const [day, month, year] = input.split(" ")
  const date = [Number(day), months.indexOf(month) + 1, Number(year)] as const
  return isGood ? iso(...date) : dayFirst(...date)
}
const studentThat = (name: string, isGood: (input: string) => boolean): Student => ({
  ...{ kind: "student", name, architecture: "t5", parameters: 1, bytes: 4, isPretrained: false, fingerprint: name },
  predict: async (inputs) => inputs.map((input) => ({ output: answer(input, isGood(input)), tokens: [], confidence: 0.9 })),
  save: async () => {},
  dispose() {},
})
const spoilt = studentThat("spoilt", (input) => !input.endsWith("2015"))
const cured = studentThat("cured", (input) => !input.startsWith("1 ") && !input.startsWith("5 "))

describe("traceErrors", () => {
  it("finds the rows that taught the errors, and the group that they share", async () => {
    const report = await evaluate(spoilt, test, { train })
    const trace = await traceErrors(report, { train, count: 4 })
    expect([trace.numErrors, trace.numRows, trace.errors.length]).toEqual([12, 24, 4])
    for (const { row, nearest } of trace.errors) {
      expect(row.isRight).toBe(false)
      expect(nearest).toHaveLength(3)
      expect(nearest[0].from).toMatchObject({ source: "old sheet" })
      expect(train.row(nearest[0].position).id).toBe(nearest[0].id)
      expect(nearest.map(({ similarity }) => similarity)).toEqual(nearest.map(({ similarity }) => similarity).sort((a, b) => b - a))
    }
    expect(trace.suspects[0]).toMatchObject({ name: "source: old sheet", nearErrors: 12, nearRight: 0 })
    expect(trace.suspects[0].positions).toHaveLength(24)
    // All 12 of 24 answers on one side: one division of the 24 over 12 in 2,704,156.
    expect(trace.suspects[0].p).toBeCloseTo(1 / 2_704_156, 12)
  })

  it("gives training sets without the group, or with its outputs put right, and keeps what was", async () => {
    const trace = await traceErrors(await evaluate(spoilt, test), { train })
    const dropped = trace.dropGroup("source: old sheet")
    expect(dropped.ids).toEqual(train.ids.slice(0, good.length))
    expect(dropped.rejectedByReason).toEqual([{ reason: "dropped: source: old sheet", rows: 24 }])
    const relabelled = trace.relabel(trace.groups[0], ({ input }) => (input.endsWith("2011") ? answer(input, true) : undefined))
    expect(relabelled.ids).toEqual(train.ids)
    expect(relabelled.fingerprint).not.toBe(train.fingerprint)
    const changed = [...relabelled].filter(({ output }, at) => output !== train.outputs[at])
    expect(changed).toHaveLength(12)
    expect(changed[0].output).toMatch(/^2011-01-/)
    expect(changed[0].from).toMatchObject({ kind: "annotated", source: "relabelled, old sheet row 0" })
    expect(relabelled.rejected[0]).toMatchObject({ output: train.outputs[good.length], reason: "relabelled" })
    expect(trace.dropGroup(({ from }) => from.kind === "annotated").fingerprint).toBe(dropped.fingerprint)
    expect(trace.rowsOf([train.ids[3]]).inputs).toEqual([train.inputs[3]])
    expect(() => trace.dropGroup("source: new sheet")).toThrow(/choose from source: old sheet/)
    expect(() => trace.dropGroup(["nothing"])).toThrow(/None of the 60/)
    await expect(traceErrors(await evaluate(spoilt, test), { train: train.take(0) })).rejects.toMatchObject({ code: "trace.no-rows" })
  })

  it("groups as it is told too, and blames nobody where errors are as others", async () => {
    const everySecond = studentThat("every second", (input) => Number(input.split(" ")[0]) % 2 === 0)
    const report = await evaluate(everySecond, test)
    const alike = Dataset.from(good)
    const trace = await traceErrors(report, { train: alike, groupBy: { month: ({ output }) => output.slice(5, 7) } })
    expect(trace.groups.some(({ name }) => name.startsWith("month: "))).toBe(true)
    expect(trace.suspects).toEqual([])
    expect(trace.toPayload().notes[0]).toMatch(/^No group of training rows stands near errors more than near right answers/)
  })

  it("has the teacher's request and the answers that votes took out", async () => {
    const run = await openRunFolder(join(await makeFolder(), "run"), { teacher: simulatedTeacher({ seed: 4 }), seed: 2 })
    const spec = new PromptSpec({
      instruction: "Turn dates into ISO 8601.",
      demonstrations: [{ input: "3rd of May 1999", output: "1999-05-03" }],
    })
    const rows = await generateDataset(spec, { run, numExamples: 80 })
    const trace = await traceErrors(await evaluate(spoilt, test), { train: Dataset.from(rows), run, count: 12, rowsPerError: 8 })
    const traced = trace.errors.flatMap(({ nearest }) => nearest)
    expect(traced.length).toBeGreaterThan(50)
    for (const { from, call, input } of traced) {
      if (from.kind !== "generated") throw new Error("every row is generated")
      expect(call?.temperature).toBe(from.temperature)
      expect(call?.messages.at(-1)?.content).toContain("Turn dates into ISO 8601.")
      expect(call?.answers[from.response]).toContain(input)
    }
    const twice = rows.rejected.filter(({ input }) => rows.inputs.includes(input))
    expect(twice.length).toBeGreaterThan(0)
    const asked = Dataset.from(twice.map(({ input }) => ({ input, output: "unlike any answer" })))
    const again = await traceErrors(
      await evaluate(
        studentThat("wrong", () => true),
        asked,
      ),
      { train: Dataset.from(rows), run },
    )
    for (const { row, nearest } of again.errors) {
      const same = nearest.find(({ input }) => input === row.input)
      expect(same?.rejected.map(({ id }) => id)).toEqual(twice.filter(({ input }) => input === row.input).map(({ id }) => id))
    }
  })

  it("shows itself in three forms, with markup in rows as text", async () => {
    const hostile = Dataset.from([...bad, { input: "1 May 2015 <script>alert(1)</script>", output: "01/05/2015" }])
    const trace = await traceErrors(await evaluate(spoilt, test), { train: hostile })
    for (const shown of [trace, trace.groups]) {
      const bundle = (shown as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]()
      expect(Object.keys(bundle)).toEqual(["application/vnd.prompt2model.table+json", "text/html", "text/plain"])
      expect(bundle["text/html"]).not.toContain("<script")
    }
    expect(trace.toPayload().rows).toHaveLength(30)
    expect(JSON.parse(JSON.stringify(trace)).errors[0].nearest[0].input).toBe(trace.errors[0].nearest[0].input)
  })
})

describe("fisherExact", () => {
  it("gives what scipy.stats.fisher_exact(alternative='greater') gives", () => {
    expect(fisherExact(3, 4, 1, 4)).toBeCloseTo(0.2428571428571429, 12)
    expect(fisherExact(10, 12, 5, 30)).toBeCloseTo(9.869338613921874e-5, 14)
    expect(fisherExact(0, 5, 3, 9)).toBeCloseTo(1, 12)
    expect(fisherExact(900, 1000, 100, 1000)).toBeLessThan(1e-300)
  })
})

describe("compareReports", () => {
  it("sets scores and rows side by side, with paired tests", async () => {
    const [before, after] = [await evaluate(spoilt, test), await evaluate(cured, test)]
    const comparison = compareReports(before, after)
    expect(comparison.scores.map(({ metric }) => metric)).toEqual(["exactMatch", "chrF++"])
    const [exactMatch, chrf] = comparison.scores
    expect([exactMatch.before, exactMatch.after]).toEqual([before.scores.exactMatch, after.scores.exactMatch])
    expect([chrf.before, chrf.after]).toEqual([before.scores["chrF++"], after.scores["chrF++"]])
    expect(exactMatch.difference).toBeCloseTo(after.scores.exactMatch - before.scores.exactMatch, 12)
    expect(exactMatch.low).toBeLessThan(exactMatch.difference)
    const { fixed, broken } = comparison
    expect((fixed.length - broken.length) / 24).toBeCloseTo(exactMatch.difference, 12)
    expect(fixed.every(({ before: was, after: now, expected }) => was !== expected && now === expected)).toBe(true)
    expect(broken.every(({ before: was, after: now, expected }) => was === expected && now !== expected)).toBe(true)
    expect(broken.length).toBeGreaterThan(0)
    expect(comparison.p).toBeLessThan(0.05)
    expect(comparison.toCsv().split("\r\n")).toHaveLength(26)
    expect(comparison.toPayload().rows).toHaveLength(3 + Math.min(10, fixed.length) + broken.length)
    expect(comparison.toLatex()).not.toContain("row 0")
  })

  it("says that nothing changed where nothing did", async () => {
    const report = await evaluate(spoilt, test)
    const comparison = compareReports(report, report)
    expect(comparison).toMatchObject({
      p: 1,
      fixed: [],
      broken: [],
      scores: [
        { difference: 0, p: 1 },
        { difference: 0, p: 1 },
      ],
    })
  })

  it("refuses reports of other rows", async () => {
    const [all, some] = [await evaluate(spoilt, test), await evaluate(spoilt, test.take(5))]
    expect(() => compareReports(all, some)).toThrow(expect.objectContaining({ code: "compare.other-rows" }))
    const accuracy = await evaluate(spoilt, test, { metrics: ["accuracy"] })
    expect(() => compareReports(all, accuracy)).toThrow(expect.objectContaining({ code: "compare.no-metric" }))
  })
})
