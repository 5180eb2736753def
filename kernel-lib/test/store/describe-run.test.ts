// What a run shows of itself, while a stage runs, after one failed, and when it is opened again.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import type { TablePayload } from "../../src/display/payloads"
import { mimeTypes } from "../../src/display/payloads"
import { bundledHub, Dataset, fineTune, loadModel, openRun, parsePrompt } from "../../src/index"

const parent = mkdtempSync(join(tmpdir(), "prompt2model-shown-"))
afterAll(() => rmSync(parent, { recursive: true, force: true }))

function shown(run: object): TablePayload {
  const bundle = (run as Record<symbol, () => Record<string, unknown>>)[Symbol.for("Jupyter.display")]()
  return bundle[mimeTypes.table] as TablePayload
}

const statesOf = (run: object) => shown(run).rows.map(({ cells }) => cells.slice(0, 2))

it("shows its stages: those that are done, the one that runs and how far it is, and those that failed", async () => {
  const folder = join(parent, "run")
  const run = await openRun(folder, { hub: bundledHub() })
  expect(shown(run).notes).toEqual(["No stage has run in it yet."])
  await parsePrompt('Turn dates into ISO 8601.\ninput="3 May 1999"\noutput="1999-05-03"', { run })
  const base = await loadModel("bundled/byte-t5-tiny", { run })
  const train = Dataset.from(Array.from({ length: 24 }, (_, i) => ({ input: `${i + 1} May 1999`, output: `1999-05-${i + 1}` })))
  const whileRunning: string[][] = []
  const watching = setInterval(() => {
    const row = shown(run).rows.find(({ cells }) => cells[0] === "fineTune")
    if (row) whileRunning.push([...row.cells])
  }, 5)
  await fineTune(base, { train, epochs: 15, batchSize: 8, run })
  clearInterval(watching)
  expect(whileRunning.some(([, state, result]) => state === "begun, not ended" && /^step \d+, epoch \d+\.\d, loss \d/.test(result))).toBe(
    true,
  )
  await expect(fineTune(base, { train, epochs: -1, run })).rejects.toThrow()

  expect(statesOf(run)).toEqual([
    ["parsePrompt", "done"],
    ["loadModel", "done"],
    ["fineTune", "done"],
    ["fineTune", "train.settings"],
  ])
  const again = await openRun(folder, { hub: bundledHub() })
  expect(shown(again).rows).toEqual(shown(run).rows)
  expect(shown(again).subtitle).toContain("4 stages")
})
