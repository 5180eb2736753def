// The batch API through a process that is killed with -9 while it waits: another finds the batch again, and nothing is paid for twice.
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type BatchServer, startBatchServer } from "../../kernel-lib/test/services/teachers-batch-server"
import { completionOf } from "../../kernel-lib/test/services/teachers-fault-server"

const key = "sk-test-batch-9876543210"
const numbers = [0, 1, 2, 3, 4]
const folder = mkdtempSync(join(tmpdir(), "prompt2model-batch-killed-"))
let onPoll = () => {}
let server: BatchServer

beforeAll(async () => {
  server = await startBatchServer(() => onPoll())
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a process that asks all numbers through the batch API. */
function startAsking(): { child: ChildProcess; ended: Promise<{ signal: string | null; text: string }> } {
  const child = spawn(process.execPath, [join(__dirname, "ask-requests.mjs")], {
    env: { ...process.env, OPENAI_BASE_URL: server.baseURL, OPENAI_API_KEY: key },
    stdio: ["pipe", "pipe", "inherit"],
  })
  const batch = { folder: join(folder, "batches"), gatherMilliseconds: 50, pollSeconds: 0.02 }
  child.stdin.end(JSON.stringify({ folder: join(folder, "run"), numbers, concurrency: numbers.length, batch }))
  let text = ""
  child.stdout.setEncoding("utf8").on("data", (piece) => {
    text += piece
  })
  const ended = new Promise<{ signal: string | null; text: string }>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (_code, signal) => resolve({ signal, text }))
  })
  return { child, ended }
}

it("is found again by another process, which sends nothing and gets its answers", async () => {
  const first = startAsking()
  onPoll = () => {
    if (server.polls >= 3) first.child.kill("SIGKILL")
  }
  expect(await first.ended).toEqual({ signal: "SIGKILL", text: "" })
  expect(server.batches.map(({ lines }) => lines.length)).toEqual([numbers.length])
  expect(readdirSync(join(folder, "run"))).not.toContain("responses")

  onPoll = () => {}
  server.end(server.batches[0], ({ body }) => ({ status: 200, body: completionOf([`re: ${body.messages[0].content}`]) }))
  const polls = server.polls
  const second = await startAsking().ended
  expect(JSON.parse(second.text)).toEqual(Object.fromEntries(numbers.map((number) => [number, `re: question ${number}`])))
  expect(server.polls).toBeGreaterThan(polls)
  expect(server.batches).toHaveLength(1)

  const third = await startAsking().ended
  expect(third.text).toBe(second.text)
  expect(server.batches).toHaveLength(1)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of files) expect(readFileSync(join(parentPath, name), "latin1").includes(key), name).toBe(false)
})
