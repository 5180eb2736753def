// Every notebook, from its first cell to its last in a real tslab kernel, strictly; what it shows is what is kept in it.
// PROMPT2MODEL_KEEP_OUTPUTS=1 writes the new outputs into the notebooks.
import { copyFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { findPython, type JupyterEnvironment, openJupyterEnvironment, root } from "./jupyter-environment"
import { type Cell, executeNotebook, type Notebook, type Output, readNotebook, textOf } from "./run-notebook"

const folder = join(root, "notebooks")
const names = readdirSync(folder).filter((name) => name.endsWith(".ipynb"))
const keepsOutputs = process.env.PROMPT2MODEL_KEEP_OUTPUTS === "1"
const isRequired = process.env.PROMPT2MODEL_REQUIRE_BROWSER === "1"
const python = findPython()
if ("reason" in python) console.warn(python.reason)

/** How far a score may lie from the kept one: arithmetic differs a little between machines. */
const tolerance = 0.1

function codeCells(notebook: Notebook): Cell[] {
  return notebook.cells.filter((cell) => cell.cell_type === "code")
}

function kindsOf(outputs: readonly Output[] = []): string[][] {
  return outputs.map((output) => Object.keys(output.data ?? { [output.name ?? output.output_type]: 0 }).sort())
}

/** What is said, without what differs from run to run: times, rates, ports. */
function wordsOf(outputs: readonly Output[] = []): string {
  return outputs
    .map((output) => textOf(output.text) || String(output.data?.["text/plain"] ?? ""))
    .join("\n")
    .replace(/\d+(\.\d+)? (s|min)\b/g, "TIME")
    .replace(/127\.0\.0\.1:\d+/g, "ADDRESS")
    .replace(/[ -]+/g, " ")
}

/** Whether what is shown depends on floating-point arithmetic: training, and all that a trained student answers. */
function dependsOnTraining(cell: Cell): boolean {
  return /trained\b/.test(textOf(cell.source))
}

/** The student's scores in the reports of a notebook, as shares. */
function scoresOf(notebook: Notebook): number[] {
  return codeCells(notebook)
    .flatMap(({ outputs = [] }) => outputs)
    .flatMap(({ data }) => {
      const report = data?.["application/vnd.prompt2model.report+json"] as
        | { metrics: { scale: number }[]; systems: { scores: { value: number }[] }[] }
        | undefined
      return report ? report.systems[0].scores.map(({ value }, index) => value / report.metrics[index].scale) : []
    })
}

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
})

describe.skipIf("reason" in python && !isRequired)("in a tslab kernel", () => {
  let environment: JupyterEnvironment
  beforeAll(() => {
    if ("reason" in python) throw new Error(python.reason)
    environment = openJupyterEnvironment(python.command)
  })

  it.each(names)("%s runs to its end and shows what it says", async (name) => {
    const path = join(folder, name)
    const { code, errors, notebook, output } = await executeNotebook(path, environment)
    expect(errors).toBe("")
    expect(code).toBe(0)
    if (keepsOutputs) copyFileSync(output, path)
    const kept = readNotebook(path)
    for (const [index, cell] of codeCells(notebook).entries()) {
      const before = codeCells(kept)[index]
      expect(textOf(cell.source)).toBe(textOf(before.source))
      expect(kindsOf(cell.outputs)).toEqual(kindsOf(before.outputs))
      expect(cell.outputs?.map(({ name: stream }) => stream)).not.toContain("stderr")
      if (!dependsOnTraining(cell)) expect(wordsOf(cell.outputs)).toBe(wordsOf(before.outputs))
    }
    const scores = scoresOf(notebook)
    const keptScores = scoresOf(kept)
    expect(scores.length).toBe(keptScores.length)
    for (const [index, score] of scores.entries()) expect(Math.abs(score - keptScores[index])).toBeLessThanOrEqual(tolerance)
  })
})
