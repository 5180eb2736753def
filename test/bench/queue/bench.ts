// npm run bench -- queue [--quick]: what a queue costs a cell. A thousand trainings of one step through four workers beside as many jobs that do
// nothing through BullMQ alone, and two dozen through one worker beside the same trainings in one process.
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Queue, QueueEvents } from "bullmq"
import { ablate, Dataset, openRun, queue, type Runner } from "prompt2model"
import { hasRedis, RedisServer, withoutRedis } from "../../queue/redis-server"
import { writeSmallModel } from "../../queue/small-model.mjs"
import { compare, type ResultRow, root, writeResults } from "../harness/results"
import { median } from "../harness/rounds"

if (!hasRedis) throw new Error(`npm run bench -- queue ${withoutRedis}.`)

const isQuick = process.argv.includes("--quick")
const [many, few] = isQuick ? [100, 12] : [1000, 24]
const rounds = isQuick ? 1 : 3
const folder = mkdtempSync(join(tmpdir(), "prompt2model-bench-queue-"))
const model = writeSmallModel(join(folder, "small"))
const rows = (count: number, word: string) =>
  Dataset.from(Array.from({ length: count }, (_, index) => ({ input: `${word} ${index}`, output: String(index % 3) })))
const [own, test] = [rows(10, "row"), rows(4, "test")]
const redis = await RedisServer.start(folder)
let count = 0

/** Milliseconds a cell. Nothing is found from an earlier call: the learning rates are new. */
async function timeCells(cells: number, runOn?: Runner): Promise<number> {
  count++
  const run = await openRun(join(folder, `run-${count}`), { seed: 1, engine: "onnx" })
  const learningRate = Array.from({ length: cells }, (_, index) => 1e-3 * (count + index / cells))
  const started = performance.now()
  await ablate('Copy the digit.\n\ninput="digit 3"\noutput="3"', {
    ...{ run, own, test, metrics: ["exactMatch"], runOn, training: { epochs: 1, maxOutputTokens: 2 } },
    grid: { source: ["own"], model: [model], learningRate },
  })
  return (performance.now() - started) / cells
}

/** Milliseconds a job of BullMQ. */
async function timeJobs(jobs: number, name: string): Promise<number> {
  const connection = { host: "127.0.0.1", port: redis.port, password: redis.password }
  const [submitter, events] = [new Queue(name, { connection }), new QueueEvents(name, { connection, lastEventId: "0" })]
  await events.waitUntilReady()
  const started = performance.now()
  let done = 0
  const ended = new Promise<void>((resolve) => {
    events.on("completed", () => {
      if (++done === jobs) resolve()
    })
  })
  for (let job = 0; job < jobs; job++) await submitter.add("nothing", { job })
  await ended
  const milliseconds = (performance.now() - started) / jobs
  await Promise.all([submitter.close(), events.close()])
  return milliseconds
}

/** Does `body` while so many processes are there, each of which has said `word`. */
async function withProcesses<Result>(many: number, words: readonly string[], word: string, body: () => Promise<Result>): Promise<Result> {
  const env = { ...process.env, PROMPT2MODEL_THREADS: "1" }
  const all: ChildProcess[] = Array.from({ length: many }, () => spawn(process.execPath, words, { env, stdio: ["ignore", "pipe", "pipe"] }))
  try {
    await Promise.all(
      all.map(
        (one) =>
          new Promise<void>((resolve, reject) => {
            const hear = (text: Buffer) => text.includes(word) && resolve()
            one.stdout?.on("data", hear)
            one.stderr?.on("data", hear)
            one.on("close", () => reject(new Error(`${words.join(" ")} ended.`)))
          }),
      ),
    )
    return await body()
  } finally {
    for (const one of all) one.kill("SIGKILL")
  }
}

let numShared = 0

interface QueueTimes {
  /** Milliseconds a cell, as the submitter waits for it. */
  readonly whole: number
  /** Milliseconds of it in which a worker trains and scores. */
  readonly computing: number
}

/** Cells through workers of a folder and a queue of their own. */
function timeQueue(cells: number, workers: number): Promise<QueueTimes> {
  const shared = join(folder, `shared-${++numShared}`)
  mkdirSync(shared)
  const name = `cells-${numShared}`
  const program = join(root, "kernel-lib/bin/prompt2model.mjs")
  const words = [program, "worker", "--redis", redis.url, "--folder", shared, "--queue", name]
  return withProcesses(workers, words, "takes cells", async () => {
    // The processes that compute are started by the first cells, which are not timed.
    const runOn = queue({ redis: redis.url, folder: shared, name })
    await timeCells(4 * workers, runOn)
    const since = Date.now()
    const whole = await timeCells(cells, runOn)
    return { whole, computing: sumComputing(shared, since) / cells }
  })
}

/** Milliseconds from the first to the last event of each cell that began after `since`. */
function sumComputing(shared: string, since: number): number {
  const folders = readdirSync(join(shared, "cells"), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.reduce((sum, { name }) => {
    const lines = readFileSync(join(shared, "cells", name, "events.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
    const [first, last] = [lines[0], lines[lines.length - 1]].map((line) => Date.parse(JSON.parse(line).at))
    return first < since ? sum : sum + last - first
  }, 0)
}

function timeBare(jobs: number, workers: number): Promise<number> {
  const name = `bare-${++numShared}`
  const word = JSON.stringify({ port: redis.port, password: redis.password, name })
  return withProcesses(workers, [join(root, "test/bench/queue/bare-worker.mjs"), word], "ready", () => timeJobs(jobs, name))
}

try {
  process.env.PROMPT2MODEL_THREADS = "1"
  const times: Record<"local" | "one" | "added" | "oneBare" | "four" | "fourBare", number[]> = {
    ...{ local: [], one: [], added: [], oneBare: [], four: [], fourBare: [] },
  }
  for (let round = 0; round < rounds; round++) {
    console.error(`Round ${round + 1} of ${rounds} ...`)
    if (round === 0) await timeCells(4)
    times.local.push(await timeCells(few))
    const one = await timeQueue(few, 1)
    times.one.push(one.whole)
    times.added.push(one.whole - one.computing)
    times.oneBare.push(await timeBare(few, 1))
    times.four.push((await timeQueue(many, 4)).whole)
    times.fourBare.push(await timeBare(many, 4))
  }
  const row = (name: string, metric: string, ours: readonly number[], peer: readonly number[], peerName: string): ResultRow =>
    compare({ case: name, metric, unit: "ms", ours: median(ours), peer: median(peer), peerName }, "less")
  const nothing = "BullMQ alone, jobs that do nothing"
  const results: ResultRow[] = [
    row(`${many.toLocaleString("en")} trainings of one step, 4 workers`, "time a cell", times.four, times.fourBare, nothing),
    row(`${few} trainings of one step, 1 worker`, "time a cell", times.one, times.local, "the same in one process, without a queue"),
    row(`${few} trainings of one step, 1 worker`, "beside training and scoring", times.added, times.oneBare, nothing),
  ]
  writeResults("queue", results, { rounds, redis: "7", bullmq: "6" })
} finally {
  await redis.end()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
