// A generation that is killed with -9 twenty times: the rows are those of an undisturbed one, and nothing that had arrived is asked for again.
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { program, root, runCommand } from "../main-job/command"
import { type RowServer, startRowServer } from "./row-server"

const numExamples = 1000
const kills = 20
const concurrency = 16
const key = "sk-test-9876543210zyxwvutsrq"
const folder = mkdtempSync(join(tmpdir(), "prompt2model-killed-"))
let server: RowServer

beforeAll(async () => {
  writeFileSync(join(folder, "sums.txt"), 'Add one to the number.\n\ninput="What is 3 + 1?"\noutput="4"\n')
  server = await startRowServer({ latency: 15 })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const words = (name: string) => [
  ...["generate", join(folder, "sums.txt"), "--num-examples", String(numExamples), "--teacher", "openai:gpt-4o-mini", "--json"],
  ...["--out", join(folder, name), "--rows", join(folder, `${name}.jsonl`)],
]
const env = () => ({ OPENAI_API_KEY: key, OPENAI_BASE_URL: server.baseURL })

/** Hashes of the requests whose answers are on disk. */
function onDisk(name: string): Set<string> {
  const responses = join(folder, name, "responses")
  // Killed early, a process may not have had an answer yet.
  if (!existsSync(responses)) return new Set()
  const lines = readdirSync(responses).flatMap((file) => readFileSync(join(responses, file), "utf8").split("\n"))
  return new Set(lines.flatMap((line) => /\\"request\\":\\"([0-9a-f]{64})\\"/.exec(line)?.[1] ?? []))
}

/** Answers that the run's events say were paid for. */
function paidFor(name: string): number {
  const events = join(folder, name, "events.jsonl")
  return existsSync(events) ? readFileSync(events, "utf8").split('"type":"teacher.response"').length - 1 : 0
}

/** Starts the command and kills it `delay` milliseconds after the server has seen `requests` requests from it. */
function runUntilKilled(requests: number, delay: number): Promise<{ isKilled: boolean }> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, [program, ...words("killed")], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", ...env() },
      stdio: "ignore",
    })
    let seen = 0
    const count = server.onRequest
    server.onRequest = (hash) => {
      count(hash)
      if (++seen === requests) setTimeout(() => child.kill("SIGKILL"), delay)
    }
    child.on("error", reject)
    child.on("exit", (_code, signal) => {
      server.onRequest = count
      resolve({ isKilled: signal === "SIGKILL" })
    })
  })
}

describe("a generation that is killed twenty times", () => {
  let undisturbed: string

  it("is compared with one that is not, which asks nothing twice and keeps to its concurrency", async () => {
    const finished = await runCommand(words("undisturbed"), { env: env() })
    expect(finished.code, finished.stderr).toBe(0)
    undisturbed = readFileSync(join(folder, "undisturbed.jsonl"), "utf8")
    const ledger = JSON.parse(finished.stdout.trimEnd().split("\n").at(-1) ?? "")
    expect(ledger).toMatchObject({ status: "done", accepted: numExamples, failed: 0, requests: { reused: 0 } })
    const rejected = Object.values<number>(ledger.rejected).reduce((sum, rows) => sum + rows, 0)
    expect(ledger.asked).toBe(ledger.accepted + rejected + ledger.failed)
    expect(ledger.rejected.duplicate).toBeGreaterThan(10)
    expect(ledger.usage).toEqual({
      inputTokens: 100 * ledger.requests.sent,
      outputTokens: 80 * ledger.requests.sent,
      usd: expect.closeTo((ledger.requests.sent * (100 * 0.15 + 80 * 0.6)) / 1e6, 9),
    })
    expect([...server.asked.values()].every((times) => times === 1)).toBe(true)
    expect(server.mostInFlight).toBeGreaterThan(concurrency / 2)
    expect(server.mostInFlight).toBeLessThanOrEqual(concurrency)
  })

  it("gives the same rows, and repeats only what was in flight at a kill", async () => {
    server.reset()
    let safe = new Set<string>()
    const askedAgain: string[] = []
    server.onRequest = (hash) => {
      if (safe.has(hash)) askedAgain.push(hash)
    }
    for (let kill = 0; kill < kills; kill++) {
      const before = new Map(server.asked)
      const { isKilled } = await runUntilKilled(1 + Math.floor(Math.random() * 22), Math.random() * 12)
      expect(isKilled).toBe(true)
      safe = onDisk("killed")
      // A cap holds over all processes: no answer is on disk whose price is not.
      expect(paidFor("killed")).toBeGreaterThanOrEqual(safe.size)
      const repeated = [...before].filter(([hash, times]) => (server.asked.get(hash) ?? 0) > times)
      expect(repeated.length).toBeLessThanOrEqual(concurrency)
    }
    expect(safe.size).toBeLessThan(server.asked.size + 1)
    const safeAtLast = safe.size
    const finished = await runCommand(words("killed"), { env: env() })
    expect(finished.code, finished.stderr).toBe(0)
    expect(readFileSync(join(folder, "killed.jsonl"), "utf8")).toBe(undisturbed)
    expect(askedAgain).toEqual([])
    const repeats = [...server.asked.values()].reduce((sum, times) => sum + times - 1, 0)
    expect(repeats).toBeLessThanOrEqual(kills * concurrency)
    const ledger = JSON.parse(finished.stdout.trimEnd().split("\n").at(-1) ?? "")
    expect(ledger).toMatchObject({ status: "done", accepted: numExamples, requests: { reused: safeAtLast } })
  })

  it("gives them once more from an exported file, without a key and without a server", async () => {
    const file = join(folder, "lesson.jsonl.gz")
    const exported = await runCommand([...words("killed"), "--export-responses", file], { env: env() })
    expect(exported.code, exported.stderr).toBe(0)
    const count = [...server.asked.values()].reduce((sum, times) => sum + times, 0)
    const env2 = { OPENAI_API_KEY: undefined, OPENAI_BASE_URL: undefined }
    const replayed = words("replayed").map((word) => (word === "openai:gpt-4o-mini" ? `recorded:${file}` : word))
    const finished = await runCommand(replayed, { env: env2 })
    expect(finished.code, finished.stderr).toBe(0)
    expect(readFileSync(join(folder, "replayed.jsonl"), "utf8")).toBe(undisturbed)
    const sameNotebook = await runCommand(words("same"), { env: { ...env2, PROMPT2MODEL_RESPONSES: file } })
    expect(sameNotebook.code, sameNotebook.stderr).toBe(0)
    expect(readFileSync(join(folder, "same.jsonl"), "utf8")).toBe(undisturbed)
    const ledger = JSON.parse(sameNotebook.stdout.trimEnd().split("\n").at(-1) ?? "")
    expect(ledger.requests.sent).toBe(0)
    expect(ledger.usage.usd).toBe(0)
    expect([...server.asked.values()].reduce((sum, times) => sum + times, 0)).toBe(count)
  })

  it("writes the key into no file", () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    expect(files.length).toBeGreaterThan(10)
    for (const { parentPath, name } of files) expect(readFileSync(join(parentPath, name), "latin1").includes(key), name).toBe(false)
  })
})
