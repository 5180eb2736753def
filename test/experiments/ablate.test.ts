// An ablation of 2 x 2 cells and 3 seeds that is killed with -9 and run again gives the table of one that was left alone.
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-ablate-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Table {
  readonly csv: string
  readonly payload: unknown
  readonly reuse: { readonly stages: number; readonly different: number; readonly found: number }
}

const finishedTrainings = (run: string) => countEvents(run, "stage.ended")
const startedTrainings = (run: string) => countEvents(run, "stage.started")

function countEvents(run: string, type: string): number {
  const events = join(run, "events.jsonl")
  if (!existsSync(events)) return 0
  const lines = readFileSync(events, "utf8").split("\n")
  return lines.filter((line) => line.includes('"stage":"fineTune"') && line.includes(`"type":"${type}"`)).length
}

/** Runs the ablation in `name`, to its end or until so many trainings are done and the next one has begun. */
function ablateDates(
  name: string,
  { parallel = 1, killAfter }: { parallel?: number; killAfter?: number } = {},
): Promise<{ isKilled: boolean; stderr: string }> {
  const run = join(folder, name)
  return new Promise((resolve, reject) => {
    // One thread everywhere, so that sums are in one order.
    const child: ChildProcess = spawn(process.execPath, [join(__dirname, "ablate-dates.mjs"), run, String(parallel)], {
      env: { ...process.env, PROMPT2MODEL_THREADS: "1" },
      stdio: ["ignore", "ignore", "pipe"],
    })
    let stderr = ""
    child.stderr?.setEncoding("utf8").on("data", (said) => {
      stderr += said
    })
    const watch = setInterval(() => {
      if (killAfter !== undefined && finishedTrainings(run) >= killAfter && startedTrainings(run) > finishedTrainings(run))
        child.kill("SIGKILL")
    }, 5)
    child.on("error", reject)
    child.on("close", (_code, signal) => {
      clearInterval(watch)
      resolve({ isKilled: signal === "SIGKILL", stderr })
    })
  })
}

const readTable = (name: string) => JSON.parse(readFileSync(join(folder, name, "table.json"), "utf8")) as Table

describe("an ablation of 2 x 2 x 3", () => {
  let undisturbed: Table

  beforeAll(async () => {
    const { stderr } = await ablateDates("undisturbed")
    expect(existsSync(join(folder, "undisturbed", "table.json")), stderr).toBe(true)
    undisturbed = readTable("undisturbed")
  })

  it("trains each of its twelve students once, and shares what does not depend on a switch", () => {
    expect(finishedTrainings(join(folder, "undisturbed"))).toBe(12)
    expect(undisturbed.reuse.found).toBe(0)
    // Rows are retrieved once in all; prompt, model and datasets are shared between cells.
    expect(undisturbed.reuse.different).toBeLessThan(undisturbed.reuse.stages / 2)
    expect(undisturbed.csv.split("\r\n")).toHaveLength(1 + 4 * 2 + 1)
  })

  it("gives the same table when it was killed twice in the middle of a training and run again", async () => {
    for (const killAfter of [3, 7]) expect(await ablateDates("killed", { killAfter })).toMatchObject({ isKilled: true })
    expect(existsSync(join(folder, "killed", "table.json"))).toBe(false)
    const { stderr } = await ablateDates("killed")
    expect(existsSync(join(folder, "killed", "table.json")), stderr).toBe(true)
    const table = readTable("killed")
    expect(table.csv).toBe(undisturbed.csv)
    expect(table.payload).toEqual(undisturbed.payload)
    expect(table.reuse.found).toBeGreaterThanOrEqual(7)
    expect(finishedTrainings(join(folder, "killed"))).toBe(12)
  })

  it("gives it from two processes at once too, killed and run again, and trains nothing twice", async () => {
    expect(await ablateDates("parallel", { parallel: 2, killAfter: 5 })).toMatchObject({ isKilled: true })
    const { stderr } = await ablateDates("parallel", { parallel: 2 })
    expect(existsSync(join(folder, "parallel", "table.json")), stderr).toBe(true)
    expect(readTable("parallel").csv).toBe(undisturbed.csv)
    expect(readdirSync(join(folder, "parallel", "stages")).filter((name) => name.startsWith("fineTune"))).toHaveLength(12)
    expect(existsSync(join(folder, "parallel", "jobs"))).toBe(false)
  })

  it("finds all of it in the folder when it is run once more", async () => {
    const started = startedTrainings(join(folder, "undisturbed"))
    await ablateDates("undisturbed")
    expect(readTable("undisturbed").reuse.found).toBe(12)
    expect(startedTrainings(join(folder, "undisturbed"))).toBe(started)
  })
})
