// A grid of 24 cells on a queue with three workers: one is killed in the middle of a training, Redis is started anew, and the submitter is killed
// and started again. The table is that of this machine alone, and no cell was trained more often than there was a reason for.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type RunningProcess, startSubmitter, startWorker, until } from "./processes"
import { hasRedis, RedisServer } from "./redis-server"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-queue-"))
const shared = join(folder, "shared")
const started: RunningProcess[] = []
let redis: RedisServer

const cells = () => (existsSync(join(shared, "cells")) ? readdirSync(join(shared, "cells"), { withFileTypes: true }) : [])
const cellNames = () =>
  cells()
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
const isDone = (cell: string) => existsSync(join(shared, "cells", cell, "result.json"))
const numDone = () => cellNames().filter(isDone).length
const countStarts = (cell: string) =>
  readFileSync(join(shared, "cells", cell, "events.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line.includes('"type":"stage.started"') && line.includes('"stage":"fineTune"')).length
const readTable = (run: string) => JSON.parse(readFileSync(join(folder, run, "table.json"), "utf8"))
const work = () => {
  const worker = startWorker(["--redis", redis.url, "--folder", shared, "--lease", "4"])
  started.push(worker)
  return worker
}
const submit = () => {
  const submitter = startSubmitter({ run: join(folder, "queued"), redis: redis.url, folder: shared })
  started.push(submitter)
  return submitter
}
const everything = () => started.map(({ said }, at) => `--- ${at}\n${said}`).join("\n")
/** Whether what it said last is that a training began. */
const isTraining = ({ said }: RunningProcess) => said.trimEnd().endsWith(": training")

describe.skipIf(!hasRedis)("a grid of 24 cells on a queue (needs redis-server)", () => {
  let survivors: RunningProcess[]

  beforeAll(async () => {
    const local = startSubmitter({ run: join(folder, "local") })
    expect(await local.ended, local.said).toMatchObject({ code: 0 })
    redis = await RedisServer.start(folder)
  })
  afterAll(async () => {
    for (const one of started) one.kill("SIGKILL")
    await redis?.end()
    rmSync(folder, { recursive: true, force: true })
  })

  it("gives the table of the local run, whoever dies meanwhile", async () => {
    const first = submit()
    // Workers come when they come: the submitter made the folder, and waits.
    await until(() => existsSync(join(shared, "prompt2model-shared.json")), everything)
    const [victim, ...others] = [work(), work(), work()]
    survivors = others
    await until(() => numDone() >= 4 && isTraining(victim), everything)
    victim.kill("SIGKILL")
    const before = numDone()
    await until(() => numDone() >= before + 3, everything)
    await redis.end()
    await redis.begin()
    const afterRestart = numDone()
    await until(() => numDone() >= afterRestart + 2, everything)
    first.kill("SIGKILL")
    const withSubmitter = numDone()
    expect(withSubmitter).toBeLessThan(24)
    await until(() => numDone() > withSubmitter || withSubmitter === 23, everything)
    const second = submit()
    expect(await second.ended, everything()).toMatchObject({ code: 0 })
    const [local, queued] = [readTable("local"), readTable("queued")]
    expect(queued.csv).toBe(local.csv)
    expect(queued.payload).toEqual({ ...local.payload, notes: queued.payload.notes })
  })

  it("trained each cell once, and the one whose worker was killed at most twice", () => {
    const starts = cellNames().map(countStarts)
    expect(starts).toHaveLength(24)
    expect(starts.filter((count) => count > 1).length).toBeLessThanOrEqual(1)
    expect(Math.max(...starts)).toBeLessThanOrEqual(2)
  })

  it("left neither inputs nor claims behind, and no password anywhere", async () => {
    expect(existsSync(join(shared, "jobs"))).toBe(false)
    expect(readdirSync(join(shared, "claims"))).toEqual([])
    expect(everything()).not.toContain(redis.password)
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    const texts = files.filter(({ name }) => /\.(jsonl?|html|lock)$/.test(name)).map((file) => join(file.parentPath, file.name))
    expect(texts.length).toBeGreaterThan(24)
    for (const text of texts) expect(readFileSync(text, "utf8").includes(redis.password), text).toBe(false)
  })

  it("lets idle workers go with exit code 0", async () => {
    for (const worker of survivors) worker.kill("SIGTERM")
    for (const worker of survivors) expect(await worker.ended, worker.said).toEqual({ code: 0, signal: null })
  })
})
