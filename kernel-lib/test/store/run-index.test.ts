import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type RunIndexEntry, runIndexFile } from "../../src/display/payloads"
import { summarizeRun } from "../../src/display/run-summary"
import { openRunFolder, readRunFile } from "../../src/store/run"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-index-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function readIndex(): Promise<RunIndexEntry[]> {
  const text = await readFile(join(folder, runIndexFile), "utf8")
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
}

const evaluation = {
  type: "evaluation.done",
  systems: [
    { name: "student", scores: { exactMatch: 0.9 }, intervals: { exactMatch: { low: 0.8, high: 0.95 } } },
    { name: "teacher", scores: { exactMatch: 0.99 } },
  ],
}

describe("the index of runs", () => {
  it("has a run's last word: what was chosen, what the student scored, how it ended", async () => {
    const run = await openRunFolder(join(folder, "first"), { seed: 7 })
    await openRunFolder(join(folder, "second"), { seed: 8 })
    run.record({ type: "training.started", settings: { learningRate: 0.002, epochs: 3 } })
    run.record(evaluation)
    await run.write({ status: "done", seconds: 12, training: { learningRate: 0.002, epochs: 3, tokensPerSecond: 99 } })
    const entries = await readIndex()
    expect(new Set(entries.map((entry) => entry.run))).toEqual(new Set(["first", "second"]))
    const last = entries.filter((entry) => entry.run === "first").at(-1)
    expect(last).toMatchObject({ version: 1, status: "done", seconds: 12, usd: 0 })
    expect(last?.settings).toEqual({ seed: 7, engine: "auto", "training.learningRate": 0.002, "training.epochs": 3 })
    expect(last?.scores).toEqual({ exactMatch: { value: 0.9, low: 0.8, high: 0.95 } })
  })

  it("keeps what a run scored when the run is opened again", async () => {
    const run = await openRunFolder(join(folder, "first"))
    run.record(evaluation)
    const before = await readIndex()
    await openRunFolder(join(folder, "first"))
    expect(await readIndex()).toEqual(before)
  })

  it("grows only where there is something new to tell", async () => {
    const run = await openRunFolder(join(folder, "first"))
    const before = (await readIndex()).length
    for (let step = 0; step < 50; step++) run.record({ type: "training.step", step })
    await run.write({ prompt: undefined })
    expect(await readIndex()).toHaveLength(before)
    run.record(evaluation)
    run.record(evaluation)
    expect(await readIndex()).toHaveLength(before + 1)
  })

  it("is no reason to fail where it cannot be written", async () => {
    await mkdir(join(folder, runIndexFile))
    const run = await openRunFolder(join(folder, "first"))
    await run.write({ status: "done" })
    expect((await readRunFile(join(folder, "first"))).status).toBe("done")
  })

  it("takes run.json as it comes, and leaves out what is no setting and no score", () => {
    const content = {
      status: 7,
      configuration: "all",
      training: { a: { b: 1 }, c: Number.NaN, d: "x".repeat(500) },
      scores: { f1: "high", exactMatch: 1 },
    }
    const entry = summarizeRun("odd", content, "")
    expect(entry).toMatchObject({ run: "odd", status: "started", usd: 0, scores: { exactMatch: { value: 1 } } })
    expect(Object.keys(entry.settings)).toEqual(["training.d"])
    expect(String(entry.settings["training.d"]).length).toBeLessThan(200)
  })
})
