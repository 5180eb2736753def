// A search on a queue tries what the same search tries in processes of this machine, and stops the same trials: what a trial learns from does not
// depend on who is faster. Workers that are told to go hand back what they have.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { RunningProcess, startWorker, until } from "./processes"
import { hasRedis, RedisServer } from "./redis-server"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-search-queue-"))
const shared = join(folder, "shared")
const started: RunningProcess[] = []
let redis: RedisServer

const search = (word: object) => {
  const one = new RunningProcess([join(__dirname, "search-digits.mjs"), JSON.stringify(word)])
  started.push(one)
  return one
}
const work = () => {
  const worker = startWorker(["--folder", shared, "--lease", "4"], { environment: { PROMPT2MODEL_REDIS: redis.url } })
  started.push(worker)
  return worker
}
const found = (run: string) => JSON.parse(readFileSync(join(folder, run, "search.json"), "utf8"))

describe.skipIf(!hasRedis)("a search on a queue (needs redis-server)", () => {
  beforeAll(async () => {
    redis = await RedisServer.start(folder)
  })
  afterAll(async () => {
    for (const one of started) one.kill("SIGKILL")
    await redis?.end()
    rmSync(folder, { recursive: true, force: true })
  })

  it("finds what processes of this machine find, though a worker is told to go in the middle of a trial", async () => {
    const local = search({ run: join(folder, "local"), parallel: 2 })
    expect(await local.ended, local.said).toMatchObject({ code: 0 })
    const queued = search({ run: join(folder, "queued"), parallel: 2, redis: redis.url, folder: shared })
    await until(() => existsSync(join(shared, "prompt2model-shared.json")))
    const leaving = work()
    await until(
      () => leaving.said.trimEnd().endsWith(": training"),
      () => leaving.said,
    )
    leaving.kill("SIGTERM")
    expect(await leaving.ended, leaving.said).toEqual({ code: 130, signal: null })
    work()
    expect(await queued.ended, queued.said).toMatchObject({ code: 0 })
    expect(found("local").statuses).toContain("stopped")
    expect(found("queued")).toEqual(found("local"))
  })
})
