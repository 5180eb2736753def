// An ablation of 2 x 2 cells and 3 seeds on the quickstart's task in a notebook's cell: its kernel is killed, or the cell interrupted, and the
// same cell run again gives the table of one that was left alone.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createByteTokenizer, createStudent } from "../../kernel-lib/src/students"
import { findPython, openJupyterEnvironment, root } from "../notebooks/jupyter-environment"
import { type CellResult, TslabKernel, textOf } from "../notebooks/kernel"

const isRequired = process.env.PROMPT2MODEL_REQUIRE_BROWSER === "1"
const python = findPython()
if ("reason" in python) console.warn(python.reason)

const folder = mkdtempSync(join(tmpdir(), "prompt2model-cell-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const model = join(folder, "tiny")
const configuration = {
  ...{ model_type: "t5", vocab_size: 259, d_model: 16, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2, feed_forward_proj: "gated-gelu" },
  ...{ decoder_start_token_id: 0, eos_token_id: 1, pad_token_id: 0 },
}

const imports = `import { ablate, bundledHub, Dataset, openRun, simulatedTeacher } from "prompt2model"
const { readFileSync } = require("node:fs") as typeof import("node:fs")
const text = readFileSync(${JSON.stringify(join(root, "notebooks/prompts/dates.txt"))}, "utf8")
const test = (await Dataset.from(${JSON.stringify(join(root, "notebooks/prompts/dates.test.jsonl"))})).take(20)
console.log("process " + process.pid)`
const cell = (
  name: string,
) => `const run = await openRun(${JSON.stringify(join(folder, name))}, { teacher: simulatedTeacher(), hub: bundledHub(), seed: 7 })
const ablation = await ablate(text, {
  run,
  test,
  grid: { source: ["both", "generated"], numExamples: [40, 80], maxRows: [80], model: [${JSON.stringify(model)}] },
  seeds: [1, 2, 3],
  training: { epochs: 2, batchSize: 16 },
})
console.log("table " + JSON.stringify({ csv: ablation.toCsv(), payload: ablation.toPayload(), found: ablation.reuse.found }))
ablation`

interface Table {
  readonly csv: string
  readonly payload: unknown
  readonly found: number
}

function readTable({ status, outputs }: CellResult): Table {
  const line = textOf(outputs)
    .split("\n")
    .find((one) => one.startsWith("table "))
  if (!line) throw new Error(`The cell ended with "${status}": ${textOf(outputs, "stderr")}`)
  return JSON.parse(line.slice("table ".length)) as Table
}

function countTrainings(name: string, type: "stage.started" | "stage.ended"): number {
  const events = join(folder, name, "events.jsonl")
  const lines = existsSync(events) ? readFileSync(events, "utf8").split("\n") : []
  return lines.filter((line) => line.includes('"stage":"fineTune"') && line.includes(`"type":"${type}"`)).length
}

describe.skipIf("reason" in python && !isRequired)("an ablation in a notebook's cell", () => {
  const kernels: TslabKernel[] = []
  let kernel: TslabKernel
  let undisturbed: Table
  let kernelId: number

  /** A kernel that has run the import cell; one thread, so that sums are in one order. */
  async function start(name: string): Promise<TslabKernel> {
    if ("reason" in python) throw new Error(python.reason)
    const { python: command, variables } = openJupyterEnvironment(python.command)
    const started = await TslabKernel.start({ python: command, variables: { ...variables, PROMPT2MODEL_THREADS: "1" } }, name)
    kernels.push(started)
    kernelId = Number((await started.print(imports)).match(/process (\d+)/)?.[1])
    return started
  }

  beforeAll(async () => {
    await createStudent({ name: "tiny", configuration, tokenizer: createByteTokenizer(), seed: 1, engine: "onnx" }).save(model)
    kernel = await start("ablation")
  })
  afterAll(async () => {
    for (const one of kernels) await one.close()
  })

  it("shows its table", async () => {
    const result = await kernel.run(cell("undisturbed"), { seconds: 300 })
    undisturbed = readTable(result)
    expect(undisturbed.found).toBe(0)
    expect(countTrainings("undisturbed", "stage.ended")).toBe(12)
    // Before it, the cells are shown as they run.
    const shown = result.outputs.findLast(({ data }) => data && "application/vnd.prompt2model.table+json" in data)
    expect(shown?.data?.["application/vnd.prompt2model.table+json"]).toEqual(undisturbed.payload)
    expect(String(shown?.data?.["text/html"])).toContain("data:image/svg+xml;base64,")
  })

  it("gives the same one when the cell is interrupted and run again in the same kernel", async () => {
    const cut = await kernel.run(cell("interrupted"), { seconds: 300, interruptAt: "4 of 12 runs" })
    expect([cut.status, cut.isAlive]).toEqual(["error", true])
    expect(countTrainings("interrupted", "stage.ended")).toBeLessThan(12)
    const table = readTable(await kernel.run(cell("interrupted"), { seconds: 300 }))
    expect(table.found).toBeGreaterThanOrEqual(4)
    expect([table.csv, table.payload]).toEqual([undisturbed.csv, undisturbed.payload])
  })

  it("gives the same one when the kernel is killed in the middle of a training, and the cell run in a new one", async () => {
    const running = kernel.run(cell("killed"), { seconds: 300 })
    const watch = setInterval(() => {
      const [started, ended] = [countTrainings("killed", "stage.started"), countTrainings("killed", "stage.ended")]
      if (ended < 5 || started === ended) return
      clearInterval(watch)
      process.kill(kernelId, "SIGKILL")
    }, 5)
    const cut = await running
    clearInterval(watch)
    expect([cut.status, cut.isAlive]).toEqual(["no answer", false])
    expect(countTrainings("killed", "stage.ended")).toBeLessThan(12)
    const table = readTable(await (await start("ablation-again")).run(cell("killed"), { seconds: 300 }))
    expect(table.found).toBeGreaterThanOrEqual(5)
    expect([table.csv, table.payload]).toEqual([undisturbed.csv, undisturbed.payload])
    expect(countTrainings("killed", "stage.ended")).toBe(12)
  })
})
