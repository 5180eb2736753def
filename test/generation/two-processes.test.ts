// Two processes on one response store: nothing is damaged, both get the same answers, and nothing that one has is asked by the other.
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { type RowServer, startRowServer } from "./row-server"

const numRequests = 400
const concurrency = 8
const folder = mkdtempSync(join(tmpdir(), "prompt2model-two-"))
let server: RowServer
let sent = 0

beforeAll(async () => {
  // No two answers are the same, so that equal ones come from the store.
  server = await startRowServer({ latency: 5, answer: () => `answer ${sent++}` })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Asks requests `numbers` of the store in `folder`, so many at once, and resolves with their answers. */
function askInProcess(numbers: readonly number[]): Promise<Record<string, string>> {
  const child: ChildProcess = spawn(process.execPath, [join(__dirname, "ask-requests.mjs")], {
    env: { ...process.env, OPENAI_BASE_URL: server.baseURL, OPENAI_API_KEY: "none" },
    stdio: ["pipe", "pipe", "inherit"],
  })
  return new Promise((resolve, reject) => {
    let text = ""
    child.stdout?.setEncoding("utf8").on("data", (piece) => {
      text += piece
    })
    child.on("error", reject)
    child.on("close", (code) => (code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`ended with ${code}`))))
    child.stdin?.end(JSON.stringify({ folder: join(folder, "run"), numbers, concurrency }))
  })
}

/** The answers on disk, by request; throws at a line that is not whole. */
function readStore(): Map<number, string[]> {
  const responses = join(folder, "run", "responses")
  const answers = new Map<number, string[]>()
  for (const file of readdirSync(responses)) {
    for (const line of readFileSync(join(responses, file), "utf8").split("\n").filter(Boolean)) {
      const { request, completion } = JSON.parse(line)
      answers.set(request.index, [...(answers.get(request.index) ?? []), completion.texts[0]])
    }
  }
  return answers
}

it("meet in the middle, where only what is in flight is asked by both", async () => {
  const numbers = Array.from({ length: numRequests }, (_, number) => number)
  // The folder is made by one alone: two that open a new run at once would both be right to make it.
  expect(await askInProcess([0])).toEqual({ 0: "answer 0" })
  const [forth, back] = await Promise.all([askInProcess(numbers), askInProcess([...numbers].reverse())])
  expect(Object.keys(forth)).toHaveLength(numRequests)
  expect(back).toEqual(forth)
  expect(sent).toBeLessThanOrEqual(numRequests + 4 * concurrency)
  const onDisk = readStore()
  expect(onDisk.size).toBe(numRequests)
  for (const [number, texts] of onDisk) expect(forth[number]).toBe(texts[0])

  const before = sent
  expect(await askInProcess(numbers)).toEqual(forth)
  expect(sent).toBe(before)
})
