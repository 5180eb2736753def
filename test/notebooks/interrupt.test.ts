// Interrupting a training in a notebook, as the stop button does: the kernel lives, nothing runs on, the next cell works, and the same cell goes
// on from where it stood.
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { findPython, openJupyterEnvironment } from "./jupyter-environment"
import { TslabKernel, textOf } from "./kernel"

const isRequired = process.env.PROMPT2MODEL_REQUIRE_BROWSER === "1"
const python = findPython()
if ("reason" in python) console.warn(python.reason)

const setUp = `import { bundledHub, Dataset, fineTune, loadModel, openRun, type Reporter, type TrainedStudent } from "prompt2model"
const reporter: Reporter = {
  stageStarted: () => console.log("started"),
  stageProgress: (_, { done }) => console.log("step " + done + "."),
  stageEnded: () => {},
  notice: () => {},
}
const run = await openRun("runs/interrupted", { reporter })
const base = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
const train = Dataset.from(Array.from({ length: 64 }, (_, number) => ({ input: "in " + number, output: "out " + number })))
let training: Promise<TrainedStudent> | undefined
console.log(process.listenerCount("SIGINT"))`

/** The cell that is interrupted: it keeps its promise, so that the next cell can ask what became of it. */
const train = (epochs: number) => `training = fineTune(base, { train, epochs: ${epochs}, batchSize: 8, run })
console.log("steps " + (await training).steps)`

/** Resolves when the stage is over; what tslab dropped is asked for here. */
const ask = `const outcome = await training!.then(({ status }) => status, (error) => error.code)
const saved = await run.latest("fineTune") as TrainedStudent | undefined
console.log(outcome, process.listenerCount("SIGINT"), saved?.steps ?? 0)`

describe.skipIf("reason" in python && !isRequired)("interrupting a training", () => {
  let kernel: TslabKernel
  let listeners = ""
  beforeAll(async () => {
    if ("reason" in python) throw new Error(python.reason)
    kernel = await TslabKernel.start(openJupyterEnvironment(python.command), "interrupt")
    listeners = (await kernel.print(setUp)).split("\n").at(-1)!
  })
  afterAll(() => kernel?.close())

  it("works fifty times in a row in one kernel, each time going on from the last", async () => {
    let before = 0
    for (let time = 0; time < 50; time++) {
      // Every fifth time it comes before the first step, when the model is still being made ready.
      const interruptAt = time % 5 === 4 ? "started" : `step ${before + 1 + (time % 3)}.`
      const cell = await kernel.run(train(100_000), { interruptAt })
      expect([time, cell.status, cell.isAlive]).toEqual([time, "error", true])
      expect(textOf(cell.outputs, "stderr")).toContain("Interrupted asynchronously")
      const [outcome, heard, steps] = (await kernel.print(ask)).split("\n").at(-1)!.split(" ")
      expect([time, outcome, heard]).toEqual([time, "run.interrupted", listeners])
      const first = textOf(cell.outputs).match(/step (\d+)\./)
      if (first) expect(Number(first[1])).toBe(before + 1)
      expect(Number(steps)).toBeGreaterThanOrEqual(before)
      before = Number(steps)
    }
    expect(before).toBeGreaterThan(40)
  })

  it("leaves nothing running: what was saved stays as it is, and no file is written", async () => {
    const look = `const { readFileSync, readdirSync } = require("node:fs") as typeof import("node:fs")
console.log(readFileSync("runs/interrupted/events.jsonl").length, (await run.latest("fineTune") as TrainedStudent).steps, readdirSync("runs/interrupted/stages").length)`
    const first = await kernel.print(look)
    expect(await kernel.print("await new Promise((resolve) => setTimeout(resolve, 300)); console.log(1 + 1)")).toBe("2")
    expect(await kernel.print(look)).toBe(first)
  })

  it("lets the same cell run to the end", async () => {
    const cell = await kernel.run(train(5), { interruptAt: "step 7." })
    expect([cell.status, cell.isAlive]).toEqual(["error", true])
    const again = (await kernel.print(train(5))).split("\n")
    expect(Number(again[1].match(/step (\d+)\./)?.[1])).toBeGreaterThan(7)
    expect(again.at(-1)).toBe("steps 40")
  })
})
