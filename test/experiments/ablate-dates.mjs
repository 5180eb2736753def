// A process that ablates the quickstart's task in the run folder that it is given, as a notebook's cell would, and writes the table beside it.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ablate, bundledHub, Dataset, openRun, simulatedTeacher } from "prompt2model"

const [folder, parallel] = process.argv.slice(2)
const text = readFileSync(join(import.meta.dirname, "../../notebooks/prompts/dates.txt"), "utf8")
const day = (index) => String(index + 1).padStart(2, "0")
const test = Dataset.from(
  Array.from({ length: 28 }, (_, index) => ({ input: `${index + 1} March ${1960 + index}`, output: `${1960 + index}-03-${day(index)}` })),
)
const run = await openRun(folder, { teacher: simulatedTeacher(), hub: bundledHub(), seed: 7 })
const ablation = await ablate(text, {
  run,
  test,
  grid: { source: ["both", "generated"], numExamples: [80, 160], maxRows: [160] },
  seeds: [1, 2, 3],
  training: { epochs: 1 },
  parallel: Number(parallel),
})
writeFileSync(join(folder, "table.json"), JSON.stringify({ csv: ablation.toCsv(), payload: ablation.toPayload(), reuse: ablation.reuse }))
