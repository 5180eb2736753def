// How a report is shown and handed on: as HTML, CSV, LaTeX and TensorBoard.
import { readFile, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Dataset } from "../../src/core/dataset"
import { evaluate } from "../../src/stages/evaluate/evaluate"
import { readTable } from "../../src/store/tables"
import { makeFolder, removeFolders } from "../store/folders"
import { student, studentOf, testSet, train } from "./evaluated"

let folder = ""
beforeAll(async () => {
  folder = await makeFolder()
})
afterAll(removeFolders)

describe("a report", () => {
  it("becomes CSV that reads back as it was, rows or systems", async () => {
    const odd = Dataset.from([
      { input: 'a, "b"\n', output: "=1+1" },
      { input: "7", output: "14", group: "apart" },
    ])
    const base = studentOf("base", () => " ")
    const lists = Dataset.from([...train, { input: "a, b", output: "a; b" }])
    const report = await evaluate(student, odd, { train: lists, baselines: { base } })
    const read = async (csv: string) => {
      const path = join(folder, "report.csv")
      await writeFile(path, csv)
      return (await readTable(path)).rows
    }
    const rows = await read(report.toCsv())
    expect(rows[0]).toMatchObject({ row: "0", input: 'a, "b"\n', expected: "=1+1", predicted: "NaN", exactMatch: "0", isRight: "false" })
    expect(rows[0]).toMatchObject({ group: "", "base answer": " ", "nearest input": "a, b", "nearest output": "a; b" })
    expect(rows[1]).toMatchObject({ group: "apart", isRight: "true", "chrF++": "100" })
    const systems = await read(report.toCsv("systems"))
    expect(systems.map(({ system, metric }) => `${system} ${metric}`)).toEqual(
      ["student", "base", "majority", "copyInput"].flatMap((name) => [`${name} exactMatch`, `${name} chrF++`]),
    )
    expect(Number(systems[1].score)).toBe(report.scores["chrF++"])
    expect(Number(systems[1].low)).toBe(report.intervals["chrF++"].low)
  })

  it("writes a TensorBoard run for each system", async () => {
    const report = await evaluate(student, testSet, { train })
    const files = await report.writeTensorBoard(join(folder, "board"), { step: 3 })
    expect(files.map((file) => basename(dirname(file)))).toEqual(["student", "majority", "copyInput"])
    for (const file of files) expect((await readFile(file)).includes("exactMatch/low")).toBe(true)
  })

  it("shows itself with labels, intervals, sizes and costs", async () => {
    const payload = (await evaluate(student, testSet, { train })).toPayload()
    expect(payload).toMatchObject({ kind: "report", subtitle: "40 unseen rows, 95% bootstrap intervals", numRows: 40, numWrong: 2 })
    expect(payload.metrics).toEqual([
      { name: "exact match", scale: 1 },
      { name: "chrF++", scale: 100 },
    ])
    expect(payload.systems[0]).toMatchObject({ name: "student", note: "tiny", isOurs: true, size: "2.8 MB" })
    expect(payload.systems[0].costPerThousand).toMatch(/^\$0, (under )?\d/)
    expect(payload.systems[0].scores[0]).toMatchObject({ value: 0.95 })
    expect(payload.worst[0]).toMatchObject({ row: 3, input: "103", expected: "206", answer: "0", confidence: 0.03 })
  })

  it("becomes a LaTeX table in which nothing from data acts", async () => {
    const odd = Dataset.from([{ input: "x", output: "50% of $\\alpha_1$ & {#2} ~^" }])
    const latex = (await evaluate(student, testSet, { train: odd })).toLatex()
    expect(latex).toContain(
      "majority answer (50\\% of \\$\\textbackslash{}alpha\\_1\\$ \\& \\{\\#2\\} \\textasciitilde{}\\textasciicircum{})",
    )
    expect(latex).toMatch(/student \(tiny\) & \\textbf\{0\.950\} \{\\small \[0\.\d{3}, \d\.\d{3}\]\} & \\textbf\{\d\d\.\d\}/)
    expect(latex.split("\n").filter((line) => line.endsWith("\\\\"))).toHaveLength(4)
  })

  it("shows how the scores change with the input's length, and by label where the answers are labels", async () => {
    const rows = Dataset.from(Array.from({ length: 12 }, (_, at) => ({ input: "x".repeat(at + 1), output: at % 3 === 0 ? "no" : "yes" })))
    const yes = studentOf("yes", () => "yes")
    const { slices } = (await evaluate(yes, rows, { metrics: ["exactMatch"] })).toPayload()
    expect(slices?.map(({ by }) => by)).toEqual(["length of the input", "expected label"])
    expect(slices?.[1].slices).toEqual([
      { name: "yes", rows: 8, scores: [1] },
      { name: "no", rows: 4, scores: [0] },
    ])
    const hostile = Dataset.from([...rows].map((row) => ({ ...row, output: `<img src=x>${row.output}` })))
    const shown = (await evaluate(yes, hostile)) as unknown as Record<symbol, () => Record<string, string>>
    const html = shown[Symbol.for("Jupyter.display")]()["text/html"]
    expect(html).toContain(">&#60;img src=x&#62;no</td>")
    expect(html).not.toContain("<img src=x")
    const free = (await evaluate(student, testSet)).toPayload()
    // All inputs are as long, and each answer is another.
    expect(free.slices).toEqual([])
  })
})
