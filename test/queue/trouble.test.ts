// What goes wrong with a queue is one sentence with its remedy, nothing is lost by it, and no password is said.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type RunningProcess, startSubmitter, startWorker, until, type WorkerChoices } from "./processes"
import { findPort, hasRedis, RedisServer } from "./redis-server"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-queue-trouble-"))
const started: RunningProcess[] = []
let redis: RedisServer
let shared: string
let count = 0

const work = (words: readonly string[], choices?: WorkerChoices) => {
  const worker = startWorker(words, choices)
  started.push(worker)
  return worker
}
const submit = (word: object = {}) => {
  const submitter = startSubmitter({ run: join(folder, `run-${++count}`), redis: redis.url, folder: shared, epochs: [1], ...word })
  started.push(submitter)
  return submitter
}
/** The last sentence, of a process that has ended. */
async function lastWords(one: RunningProcess): Promise<{ code: number | null; sentence: string }> {
  const { code } = await one.ended
  expect(one.said).not.toContain(redis.password)
  expect(one.said).not.toContain("    at ")
  return { code, sentence: one.said.trimEnd().split("\n").at(-1) ?? "" }
}
const forget = () => {
  for (const name of ["cells", "stages"]) rmSync(join(shared, name), { recursive: true, force: true })
}
const numDone = () =>
  existsSync(join(shared, "cells"))
    ? readdirSync(join(shared, "cells")).filter((cell) => existsSync(join(shared, "cells", cell, "result.json"))).length
    : 0

describe.skipIf(!hasRedis)("trouble with a queue (needs redis-server)", () => {
  beforeAll(async () => {
    redis = await RedisServer.start(folder)
    shared = join(folder, "shared")
    mkdirSync(shared)
  })
  afterAll(async () => {
    for (const one of started) one.kill("SIGKILL")
    await redis?.end()
    rmSync(folder, { recursive: true, force: true })
  })

  it("says where no Redis is", async () => {
    const nowhere = `127.0.0.1:${await findPort()}`
    const sentence = `No Redis answers at ${nowhere}: start redis-server there, or correct the address (redis, --redis).`
    const address = `redis://:${redis.password}@${nowhere}`
    expect(await lastWords(work(["--redis", address, "--folder", shared]))).toEqual({ code: 1, sentence })
    expect(await lastWords(submit({ redis: address }))).toEqual({ code: 1, sentence: `queue.unreachable: ${sentence}` })
  })

  it("says that a password is wrong or missing, and takes one from the environment", async () => {
    for (const address of [redis.url.replace(redis.password, "wrong-one"), `redis://127.0.0.1:${redis.port}`]) {
      const { code, sentence } = await lastWords(work(["--redis", address, "--folder", shared]))
      expect(code).toBe(1)
      expect(sentence).toMatch(/^Redis at 127\.0\.0\.1:\d+ refuses the password: give the right one/)
    }
    const worker = work(["--folder", shared], {
      environment: { PROMPT2MODEL_REDIS: `redis://127.0.0.1:${redis.port}`, REDIS_PASSWORD: redis.password },
    })
    await until(
      () => worker.said.includes("takes cells"),
      () => worker.said,
    )
    worker.kill("SIGTERM")
    expect((await lastWords(worker)).code).toBe(0)
  })

  it("says what is wrong with an address, a folder and words", async () => {
    expect(await lastWords(work(["--redis", "127.0.0.1", "--folder", shared]))).toMatchObject({
      code: 1,
      sentence: "The address of Redis must look like redis://:PASSWORD@HOST:6379.",
    })
    expect((await lastWords(work(["--redis", redis.url, "--folder", join(folder, "nowhere")]))).sentence).toMatch(
      /is no folder of this machine/,
    )
    expect((await lastWords(work(["--folder", shared]))).code).toBe(2)
    expect((await lastWords(work(["--redis", redis.url]))).code).toBe(2)
  })

  it("names what cannot travel", async () => {
    const { sentence } = await lastWords(submit({ distillFrom: true }))
    const table = readFileSync(join(folder, `run-${count}`, "table.json"), "utf8")
    expect(sentence).toContain("8 failed")
    expect(table).toContain("training.distillFrom is a function, which cannot go to another one")
  })

  it("sends a worker home whose folder is another, or whose version is, and loses no cell", async () => {
    const submitter = submit()
    const elsewhere = join(folder, "elsewhere")
    mkdirSync(elsewhere)
    const lost = await lastWords(work(["--redis", redis.url, "--folder", elsewhere]))
    expect(lost).toMatchObject({ code: 1, sentence: expect.stringContaining("is not the submitter's folder: give --folder the one") })
    const older = join(folder, "older", "kernel-lib")
    cpSync(join(__dirname, "../../kernel-lib/dist"), join(older, "dist"), { recursive: true })
    cpSync(join(__dirname, "../../kernel-lib/bin"), join(older, "bin"), { recursive: true })
    writeFileSync(join(older, "package.json"), JSON.stringify({ name: "prompt2model", version: "0.0.1", type: "module" }))
    // Packages are found beside the copy as they are beside the original.
    symlinkSync(join(__dirname, "../../node_modules"), join(folder, "node_modules"))
    const old = await lastWords(work(["--redis", redis.url, "--folder", shared], { program: join(older, "bin/prompt2model.mjs") }))
    expect(old).toMatchObject({ code: 1, sentence: expect.stringMatching(/^The submitter has prompt2model \S+ and this worker 0\.0\.1/) })
    const worker = work(["--redis", redis.url, "--folder", shared, "--devices", "2", "--lease", "4"])
    expect((await lastWords(submitter)).code).toBe(0)
    expect(numDone()).toBe(8)
    const { notices } = JSON.parse(readFileSync(join(folder, `run-${count}`, "table.json"), "utf8"))
    expect(notices).toContainEqual(expect.stringContaining("takes no cells"))
    worker.kill("SIGTERM")
    expect((await lastWords(worker)).code).toBe(0)
  })

  it("says why cells failed where no more can be written, and trains them in the same call again", async () => {
    forget()
    const word = { run: join(folder, "full"), epochs: [1], learningRate: [1e-3] }
    const full = work(["--redis", redis.url, "--folder", shared, "--lease", "4"], { mostBlocks: 20 })
    expect((await lastWords(submit(word))).code).toBe(0)
    const { payload } = JSON.parse(readFileSync(join(folder, "full", "table.json"), "utf8"))
    expect(JSON.stringify(payload)).toMatch(/student may not grow any more: raise the limit on the size of a file/)
    expect(numDone()).toBe(0)
    full.kill("SIGTERM")
    expect((await lastWords(full)).code).toBe(0)
    const worker = work(["--redis", redis.url, "--folder", shared, "--lease", "4"])
    expect((await lastWords(submit(word))).code).toBe(0)
    expect(numDone()).toBe(2)
    worker.kill("SIGTERM")
    await worker.ended
  })

  it("takes back what an interrupted submitter does not want any more, and goes on from what was done", async () => {
    forget()
    const worker = work(["--redis", redis.url, "--folder", shared, "--lease", "4"])
    const word = { run: join(folder, "interrupted"), epochs: [3] }
    const interrupted = submit(word)
    await until(
      () => numDone() >= 2 && worker.said.trimEnd().endsWith(": training"),
      () => worker.said,
    )
    interrupted.kill("SIGINT")
    expect(await lastWords(interrupted)).toMatchObject({
      code: 130,
      sentence: expect.stringContaining("Interrupted. What was done is saved"),
    })
    const done = numDone()
    expect(done).toBeLessThan(8)
    expect(existsSync(join(shared, "jobs"))).toBe(false)
    const again = submit(word)
    expect((await lastWords(again)).code).toBe(0)
    expect(numDone()).toBe(8)
    worker.kill("SIGTERM")
    expect((await lastWords(worker)).code).toBe(0)
  })
})
