// Tables of the paper from stored predictions: from artefacts made here, whose scores are known, and from the authors' own (PAPER_ARTIFACTS).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { tableFromArrays, tableToIPC } from "apache-arrow"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ReproducedCell, reproduceTable, type TableName } from "../../src/experiments"

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "artefacts-"))
  const predictions = (name: string, output: string[], expected: string[]) =>
    writeArrow(`generation/generated_dataset/${name}_dataset_without_post_filter`, { output, model_output: expected })
  const expected = ["one", "two", "three", "four"]
  predictions("a_normalization_0.3_1.4_with_filtering_real", ["one", "two", "x", "x"], expected)
  predictions("a_normalization_1.4_1.4_with_filtering_real", ["one", "two", "three", "x"], expected)
  predictions("b_normalization_real", ["x", "x", "x", "x"], expected)
  predictions("a_normalization_1.4_1.4_with_filtering_generated_test", ["one", "two"], ["one", "two"])
  predictions("b_normalization_generated_test", ["one", "x"], ["one", "two"])
  writeArrow("generation/generated_dataset/normalization", { input_col: ["training rows are no predictions"], output_col: ["x"] })
  writeArrow("baseline/real_datasets/datasets/normalization", {
    input_col: ["1", "2", "3", "4"],
    output_col: ["one", "one", "three", "four"],
  })
  writeArrow("baseline/gpt_baseline/results/normalization_gpt_results", { output: ["one", "x", "x", "x"], model_output: expected })
  writeFileSync(join(folder, "baseline/gpt_baseline/results/normalization.txt"), "chr_f++: 1\nexact_match: 0.5\n")
})
afterAll(() => rmSync(folder, { recursive: true }))

function writeArrow(path: string, columns: Record<string, string[]>): void {
  mkdirSync(join(folder, path), { recursive: true })
  writeFileSync(join(folder, path, "data-00000-of-00001.arrow"), tableToIPC(tableFromArrays(columns), "stream"))
  writeFileSync(join(folder, path, "state.json"), JSON.stringify({ _data_files: [{ filename: "data-00000-of-00001.arrow" }] }))
}

const find = (cells: readonly ReproducedCell[], system: string, metric = "exact match", test = "real test") =>
  cells.find((cell) => cell.system === system && cell.metric === metric && cell.test === test)

describe("reproduceTable", () => {
  it("sets the teacher beside what was published, and the students and answers that cost nothing below", async () => {
    const { cells } = await reproduceTable("temporal", { artifacts: folder })
    expect(find(cells, "gpt-3.5-turbo")).toMatchObject({ published: 0.5, recomputed: 0.25, difference: -0.25, rows: 4 })
    expect(find(cells, "gpt-3.5-turbo", "chrF++")).toMatchObject({ published: 30.7 })
    expect(find(cells, "a, T 0.3-1.4, voting")?.recomputed).toBe(0.5)
    expect(find(cells, "a, T 1.4, voting")?.recomputed).toBe(0.75)
    expect(find(cells, "b")).toMatchObject({ recomputed: 0, published: undefined })
    expect(find(cells, 'always "one"')?.recomputed).toBe(0.5)
    expect(find(cells, "copy the input")?.recomputed).toBe(0)
    const absent = find(cells, "Prompt2Model", "chrF++")
    expect(absent?.published).toBe(55.2)
    expect(absent).not.toHaveProperty("recomputed")
    expect(absent?.remark).toMatch(/do not say which of their predictions it is; nearest is a, T 0\.3-1\.4, voting: \d/)
    expect(find(cells, "without data retrieval", "chrF++")?.remark).toMatch(/the paper has no number here/)
    expect(new Set(cells.map(({ protocol }) => protocol))).toEqual(new Set(["sacrebleu 2", "any gold"]))
    for (const { recomputed, low, high } of cells.filter((cell) => cell.recomputed !== undefined)) {
      expect(low).toBeLessThanOrEqual(recomputed!)
      expect(high).toBeGreaterThanOrEqual(recomputed!)
    }
  })

  it("says what annealing changes on the same rows", async () => {
    const { cells, notes } = await reproduceTable("annealing", { artifacts: folder })
    expect(new Set(cells.map(({ system }) => system))).toEqual(new Set(["a, T 0.3-1.4, voting", "a, T 1.4, voting"]))
    expect(notes.join("\n")).toMatch(/Annealing with voting: -/)
  })

  it("compares the orders of generated and real tests, and warns that few students say little", async () => {
    const { cells, notes } = await reproduceTable("ranking", { artifacts: folder })
    expect(cells.find(({ system }) => system === "Kendall's tau of exact match")).toMatchObject({ recomputed: 1, rows: 2 })
    expect(find(cells, "b", "exact match", "generated test")?.recomputed).toBe(0.5)
    expect(notes.join("\n")).toMatch(/\+0\.375 exact match/)
    expect(notes.join("\n")).toMatch(/Too few to be sure: with 2 students/)
  })

  it("gives published numbers that the artefacts cannot give, each with why", async () => {
    for (const name of ["mconala", "squad"] as const) {
      const { cells } = await reproduceTable(name, { artifacts: folder })
      expect(cells.length).toBeGreaterThan(3)
      for (const cell of cells) {
        expect(cell).not.toHaveProperty("recomputed")
        expect(cell.remark).toMatch(/^not recomputed, since/)
      }
    }
  })

  it("shows itself as text and as JSON", async () => {
    const table = await reproduceTable("temporal", { artifacts: folder })
    expect(inspect(table)).toMatch(/gpt-3\.5-turbo +exact match +any gold +0\.5 +0\.250 .*-0\.250/)
    expect(table.toCsv().split("\r\n")).toHaveLength(table.cells.length + 2)
    expect(table.toLatex()).toContain("gpt-3.5-turbo & exact match & any gold & 0.5 & 0.250")
    expect(JSON.parse(JSON.stringify(table))).toMatchObject({ table: "temporal", rows: { length: table.cells.length } })
  })

  it("refuses other folders and other names in a sentence", async () => {
    await expect(reproduceTable("temporal", { artifacts: tmpdir() })).rejects.toMatchObject({ code: "reproduce.no-artifacts" })
    await expect(reproduceTable("toString" as TableName, { artifacts: folder })).rejects.toThrow(/toString.*temporal/)
  })
})

const paper = process.env.PAPER_ARTIFACTS

describe.skipIf(!paper)("the authors' own artefacts (PAPER_ARTIFACTS)", () => {
  it("give the teacher's published scores, and the ten students'", async () => {
    const { cells } = await reproduceTable("temporal", { artifacts: paper! })
    expect(Math.abs(find(cells, "gpt-3.5-turbo", "chrF++")!.difference!)).toBeLessThan(0.05)
    expect(find(cells, "gpt-3.5-turbo")?.difference).toBe(0)
    expect(find(cells, "flan-t5-base, T 1.4, voting", "chrF++")?.recomputed).toBeCloseTo(63.5177, 4)
    expect(find(cells, "mt5-base")?.recomputed).toBeCloseTo(0.4802, 4)
    expect(new Set(cells.filter(({ rows, published }) => rows === 860 && published === undefined).map(({ system }) => system)).size).toBe(
      12,
    )
  })
})
