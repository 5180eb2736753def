// Every notebook, from its first cell to its last in a real tslab kernel, strictly; what it shows is what is kept in it.
// PROMPT2MODEL_KEEP_OUTPUTS=1 writes the new outputs into the notebooks.
import { copyFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { findPython, type JupyterEnvironment, openJupyterEnvironment, root } from "./jupyter-environment"
import { type Cell, executeNotebook, exercisesOf, hasTag, type Notebook, type Output, readNotebook, textOf } from "./run-notebook"

const folder = join(root, "notebooks")
const names = readdirSync(folder).filter((name) => name.endsWith(".ipynb"))
const keepsOutputs = process.env.PROMPT2MODEL_KEEP_OUTPUTS === "1"
const isRequired = process.env.PROMPT2MODEL_REQUIRE_BROWSER === "1"
const python = findPython()
if ("reason" in python) console.warn(python.reason)

/**
 * How far a score may lie from the kept one, of 1: arithmetic differs a little between machines, and a training carries it on. Students that are
 * trained to compare ways of training get a few hundred steps, and differ more.
 */
const tolerances: Readonly<Record<string, number>> = { "06-ablations.ipynb": 0.25, "08-distillation.ipynb": 0.25 }
const usualTolerance = 0.1

function codeCells(notebook: Notebook): Cell[] {
  return notebook.cells.filter((cell) => cell.cell_type === "code")
}

function kindsOf(outputs: readonly Output[] = []): string[][] {
  return outputs.map((output) => Object.keys(output.data ?? { [output.name ?? output.output_type]: 0 }).sort())
}

/** What each output says, without what differs from run to run: times, rates, ports, ids. */
function wordsOf(outputs: readonly Output[] = []): string[] {
  return outputs.map((output) =>
    (textOf(output.text) || textOf(output.data?.["text/plain"] as string))
      .replace(/\d+(\.\d+)? (s|min)\b/g, "TIME")
      .replace(/127\.0\.0\.1:\d+/g, "ADDRESS")
      .replace(/\b[0-9a-f]{16}\b/g, "ID")
      .replace(/[ ─┌┬┐├┼┤└┴┘-]+/g, " "),
  )
}

/** Of what depends on floating-point arithmetic (tag `trained`): how each output begins, without its figures. */
function beginningsOf(outputs: readonly Output[] = []): string[] {
  return wordsOf(outputs).map((words) =>
    words
      .trim()
      .split("\n")[0]
      .replace(/[\d.,]+/g, "#")
      .slice(0, 24),
  )
}

/** The student's scores that a notebook shows, as shares: in reports, in ablations, and in tables with a column `exact match`. */
function scoresOf(notebook: Notebook): number[] {
  return codeCells(notebook)
    .flatMap(({ outputs = [] }) => outputs)
    .flatMap(({ data = {}, text }) => [
      ...scoresOfReport(data["application/vnd.prompt2model.report+json"]),
      ...scoresOfTable(data["application/vnd.prompt2model.table+json"]),
      ...scoresOfText(textOf(text)),
    ])
}

function scoresOfReport(payload: unknown): number[] {
  if (!payload) return []
  const report = payload as { metrics: { scale: number }[]; systems: { scores: { value: number }[] }[] }
  return report.systems[0].scores.map(({ value }, index) => value / report.metrics[index].scale)
}

function scoresOfTable(payload: unknown): number[] {
  if (!payload) return []
  const { columns, rows } = payload as { columns: { name: string }[]; rows: { cells: (string | number)[] }[] }
  const column = columns.findIndex(({ name }) => name === "exact match")
  return column < 0 ? [] : rows.map(({ cells }) => Number(cells[column]))
}

function scoresOfText(text: string): number[] {
  const lines = text.split("\n").map((line) => line.split("│").map((cell) => cell.trim().replaceAll("'", "")))
  const column = lines.find((cells) => cells.includes("exact match"))?.indexOf("exact match")
  return column === undefined ? [] : lines.map((cells) => Number.parseFloat(cells[column])).filter((score) => !Number.isNaN(score))
}

describe.skipIf("reason" in python && !isRequired)("in a tslab kernel", () => {
  let environment: JupyterEnvironment
  beforeAll(() => {
    if ("reason" in python) throw new Error(python.reason)
    environment = openJupyterEnvironment(python.command)
  })

  it.each(names)("%s runs to its end, shows what it says, and finds its own solutions right", async (name) => {
    const path = join(folder, name)
    const { code, errors, notebook, output, checkedSolutions } = await executeNotebook(path, environment)
    expect(errors).toBe("")
    expect(code).toBe(0)
    if (keepsOutputs) copyFileSync(output, path)
    const kept = readNotebook(path)
    for (const [index, cell] of codeCells(notebook).entries()) {
      const before = codeCells(kept)[index]
      expect(textOf(cell.source)).toBe(textOf(before.source))
      expect(cell.outputs?.map(({ name: stream }) => stream)).not.toContain("stderr")
      expect(kindsOf(cell.outputs)).toEqual(kindsOf(before.outputs))
      if (hasTag(cell, "trained")) expect(beginningsOf(cell.outputs)).toEqual(beginningsOf(before.outputs))
      else if (!hasTag(cell, "machine")) expect(wordsOf(cell.outputs)).toEqual(wordsOf(before.outputs))
      if (hasTag(cell, "check")) expect(wordsOf(cell.outputs).join()).toMatch(/(Not|No answer) yet/)
    }
    for (const said of checkedSolutions) expect(said).toMatch(/^Right/)
    const [scores, keptScores] = [notebook, kept].map(scoresOf)
    expect(scores.length).toBe(keptScores.length)
    for (const [index, score] of scores.entries())
      expect(Math.abs(score - keptScores[index])).toBeLessThanOrEqual(tolerances[name] ?? usualTolerance)
  })
})

describe.each(names)("%s", (name) => {
  it("names the TypeScript kernel, keeps its outputs, and holds nothing of the machine that it ran on", () => {
    const notebook = readNotebook(join(folder, name))
    expect(notebook.metadata.kernelspec?.name).toBe("tslab")
    expect(codeCells(notebook).some(({ outputs = [] }) => outputs.length > 0)).toBe(true)
    for (const { outputs = [] } of codeCells(notebook)) {
      expect(outputs.map(({ output_type, name: stream }) => stream ?? output_type)).not.toContain("error")
      expect(outputs.map(({ name: stream }) => stream)).not.toContain("stderr")
      expect(JSON.stringify(outputs)).not.toMatch(/\/(home|root|Users|work|tmp)\//)
    }
  })

  it("says what is learnt and how to go online, asks for predictions, and has exercises with a folded check and a folded solution", () => {
    const notebook = readNotebook(join(folder, name))
    const text = notebook.cells.map(({ cell_type, source }) => (cell_type === "markdown" ? textOf(source) : "")).join("\n")
    expect(text).toContain("**What you will learn**")
    expect(text).toContain("**Predict**")
    for (const word of ["openaiTeacher", "huggingFaceHub", "GPU"]) expect(text).toContain(word)
    const exercises = exercisesOf(notebook)
    expect(exercises.length).toBeGreaterThanOrEqual(2)
    for (const { check, solution } of exercises) {
      expect(hasTag(check, "check") && check.metadata?.jupyter?.source_hidden).toBe(true)
      expect(solution).toBeTruthy()
    }
  })
})
