// The run folder and what wraps every stage, through the functions that a cell calls.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { InterruptedError } from "../../src/core/errors"
import type { Reporter, StageInlineOptions } from "../../src/core/run"
import type { Teacher } from "../../src/core/teacher"
import { placeAtomically, writeFileAtomically } from "../../src/store/atomic"
import { defineStage } from "../../src/store/define-stage"
import { openRunFolder } from "../../src/store/run"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompt2model-run-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const teacherNamed = (name: string): Teacher => ({
  name,
  sendsTo: "https://teacher.example",
  complete: async () => ({ texts: ["yes"], finishReasons: ["stop"], usage: { inputTokens: 100, outputTokens: 1 }, usd: 0.5 }),
})

const request = {
  purpose: "answer" as const,
  messages: [{ role: "user" as const, content: "?" }],
  temperature: 0,
  numResponses: 1,
  index: 0,
}

/** A stage that counts its calls, keeps its result, and can be told to stop in the middle. */
function countingStage(name: string) {
  const calls: number[] = []
  const stage = defineStage<
    number,
    StageInlineOptions & { add?: number; wait?: AbortController },
    { sum: number; status: "done" | "partial" }
  >({
    name,
    version: 1,
    uses: ["seed"],
    key: (subject, { add = 1 }) => ({ subject, add }),
    async work(subject, { add = 1, wait }, { signal }) {
      calls.push(subject)
      wait?.abort()
      return { sum: subject + add, status: signal.aborted ? "partial" : "done" }
    },
    save: (result, path) => writeFileAtomically(join(path, "sum.json"), JSON.stringify(result)),
    load: async (path) => JSON.parse(await readFile(join(path, "sum.json"), "utf8")),
    summarize: ({ sum }) => `sum ${sum}`,
  })
  return { stage, calls }
}

describe("openRunFolder", () => {
  it("goes on with the same settings, and says what differs with others", async () => {
    const path = join(folder, "run")
    await openRunFolder(path, { teacher: teacherNamed("a"), seed: 3 })
    await openRunFolder(path, { teacher: teacherNamed("a"), seed: 3, maxUsd: 9 })
    await expect(openRunFolder(path, { teacher: teacherNamed("b"), seed: 4 })).rejects.toThrow(
      `${path} holds a run with teacher a, not b; seed 3, not 4`,
    )
  })

  it("refuses a folder that holds something else, and leaves it as it is", async () => {
    const path = join(folder, "photos")
    await mkdir(path)
    await writeFile(join(path, "cat.jpg"), "x")
    await expect(openRunFolder(path)).rejects.toMatchObject({ code: "run.not-a-run" })
    expect(await readdir(path)).toEqual(["cat.jpg"])
    await expect(openRunFolder(join(path, "cat.jpg"))).rejects.toMatchObject({ code: "run.not-a-run" })
    await writeFile(join(path, "run.json"), "{ broken")
    await expect(openRunFolder(path)).rejects.toMatchObject({ code: "run.not-a-run" })
    await writeFile(join(path, "run.json"), JSON.stringify({ format: 99 }))
    await expect(openRunFolder(path)).rejects.toMatchObject({ code: "run.newer-format" })
  })

  it("counts what was spent over all its processes, says where it went, and stops at the cap", async () => {
    const path = join(folder, "run")
    const first = await openRunFolder(path, { teacher: teacherNamed("a"), maxUsd: 1 })
    await first.teacher?.complete(request)
    await first.teacher?.complete(request)
    expect(first.spending).toMatchObject({ usd: 0.5, requestsSent: 1, requestsReused: 1 })
    const second = await openRunFolder(path, { teacher: teacherNamed("a"), maxUsd: 1 })
    expect(second.spending.usd).toBe(0.5)
    await second.teacher?.complete({ ...request, index: 1 })
    await expect(second.teacher?.complete({ ...request, index: 2 })).rejects.toMatchObject({ code: "budget.usd" })
    expect(second.sent()).toMatchObject([{ to: "https://teacher.example", purpose: "answer", requests: 2, inputTokens: 200, usd: 1 }])
  })

  it("writes no secret into its files", async () => {
    process.env.TEST_API_KEY = "top-secret-value"
    try {
      const run = await openRunFolder(join(folder, "run"), { teacher: teacherNamed("a") })
      run.record({ type: "note", text: "top-secret-value" })
      await run.write({ note: "top-secret-value" })
      const texts = await Promise.all(["run.json", "events.jsonl"].map((file) => readFile(join(folder, "run", file), "utf8")))
      expect(texts.join("")).not.toContain("top-secret-value")
    } finally {
      delete process.env.TEST_API_KEY
    }
  })
})

describe("defineStage", () => {
  it("answers from the run what it did before, and does again what changed", async () => {
    const { stage, calls } = countingStage("testReuse")
    const run = await openRunFolder(join(folder, "run"), { seed: 1 })
    expect(await stage(1, { run })).toEqual({ sum: 2, status: "done" })
    expect(await stage(1, { run: await openRunFolder(join(folder, "run"), { seed: 1 }) })).toEqual({ sum: 2, status: "done" })
    expect(calls).toEqual([1])
    await stage(1, { run, add: 2 })
    await stage(2, { run })
    expect(calls).toEqual([1, 1, 2])
    expect(await run.latest("testReuse")).toEqual({ sum: 3, status: "done" })
  })

  it("keeps nothing without a run, and needs none", async () => {
    const { stage, calls } = countingStage("testInline")
    await stage(1)
    await stage(1, { seed: 2 })
    expect(calls).toEqual([1, 1])
  })

  it("saves what there is when it is interrupted, and does not take it for the whole", async () => {
    const { stage, calls } = countingStage("testInterrupt")
    const run = await openRunFolder(join(folder, "run"))
    const controller = new AbortController()
    await expect(stage(1, { run, wait: controller, signal: controller.signal })).rejects.toBeInstanceOf(InterruptedError)
    expect(await run.latest("testInterrupt")).toEqual({ sum: 2, status: "partial" })
    expect(await stage(1, { run })).toEqual({ sum: 2, status: "done" })
    expect(calls).toEqual([1, 1])
  })

  it("listens to SIGINT while it works, and not after", async () => {
    const { stage } = countingStage("testSigint")
    const before = process.listenerCount("SIGINT")
    let during = 0
    const reporter: Reporter = {
      stageStarted: () => (during = process.listenerCount("SIGINT")),
      stageProgress() {},
      stageEnded() {},
      notice() {},
    }
    await stage(1, { run: await openRunFolder(join(folder, "run"), { reporter }) })
    expect(during).toBe(before + 1)
    expect(process.listenerCount("SIGINT")).toBe(before)
  })

  it("writes events, and one for the error that ended a stage", async () => {
    const failing = defineStage<number, StageInlineOptions, object>({
      name: "testFailing",
      version: 1,
      uses: [],
      key: () => 1,
      work: () => Promise.reject(new Error("no luck")),
      summarize: () => "",
    })
    const run = await openRunFolder(join(folder, "run"))
    await expect(failing(1, { run })).rejects.toThrow("no luck")
    const events = (await readFile(join(folder, "run", "events.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(events.map((event) => event.type)).toEqual(["stage.started", "stage.failed"])
    expect(events[1]).toMatchObject({ stage: "testFailing", code: "unexpected", message: "no luck" })
  })
})

describe("placeAtomically", () => {
  it("replaces a file or a folder as a whole, and leaves the old one when writing fails", async () => {
    const path = join(folder, "thing")
    const write = (text: string) =>
      placeAtomically(path, async (temporary) => {
        await mkdir(temporary)
        await writeFile(join(temporary, "a"), text)
        if (text === "bad") throw new Error("failed")
      })
    await write("one")
    await write("two")
    await expect(write("bad")).rejects.toThrow("failed")
    expect(await readFile(join(path, "a"), "utf8")).toBe("two")
    expect(await readdir(folder)).toEqual(["thing"])
  })
})
