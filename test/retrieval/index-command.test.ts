// prompt2model index in real processes, killed with -9 again and again while a server lists what it has slowly and sends some away.
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HubServer, startHubServer } from "../../kernel-lib/test/services/hub-server"
import { program, root, runCommand } from "../main-job/command"

const count = 60
const kills = 4
const folder = mkdtempSync(join(tmpdir(), "prompt2model-index-"))
const index = join(folder, "hub")
let server: HubServer

beforeAll(async () => {
  const day = (row: number) => new Date(Date.UTC(2026, 0, 1 + row)).toISOString()
  const datasets = Array.from({ length: count }, (_, row) => ({
    id: `acme/set-${row}`,
    info: {
      description: `Set ${row} of questions about passages`,
      lastModified: day(row),
      downloads: 10 + row,
      gated: row === 7 ? "auto" : false,
    },
  }))
  const models = [{ id: "acme/reader-t5", info: { tags: ["t5"], config: { model_type: "t5" } } }]
  server = await startHubServer({ datasets, models })
  writeFileSync(
    join(folder, "task.txt"),
    'Answer questions about passages in set 7.\n\ninput="It is in Oslo. Where is it?"\noutput="Oslo"\n',
  )
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const env = () => ({ HF_ENDPOINT: server.endpoint, HF_TOKEN: "", HF_HOME: folder })
const listed = () => server.requests.filter(({ line }) => line.startsWith("GET /api/datasets?"))

/** Starts the command and kills it when the server has seen so many more requests. */
function runUntilKilled(requests: number): Promise<void> {
  return new Promise((resolve) => {
    const until = server.requests.length + requests
    const child: ChildProcess = spawn(process.execPath, [program, "index", index, "--hub", "huggingface"], {
      ...{ cwd: root, env: { ...process.env, ...env() }, stdio: "ignore" },
    })
    const watch = setInterval(() => server.requests.length >= until && child.kill("SIGKILL"), 1)
    child.on("close", () => {
      clearInterval(watch)
      resolve()
    })
  })
}

test("what was listed is not listed again, the index is whole in the end, and is searched without a word leaving", async () => {
  server.faults.push({ on: "cursor=9&", status: 429, headers: { RateLimit: '"api";r=0;t=1' } }, { on: "cursor=30&", truncateAt: 9 })
  for (let kill = 0; kill < kills; kill++) await runUntilKilled(10)
  const done = await runCommand(["index", index, "--hub", "huggingface", "--json"], { env: env() })
  expect(done.code, done.stderr).toBe(0)
  const [datasets, models] = done.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
  expect(datasets).toMatchObject({ kind: "datasets", cards: count, listed: count, isFull: true })
  expect(models).toMatchObject({ kind: "models", cards: 1 })
  expect(readdirSync(index).sort()).toEqual(["datasets", "hub.json", "models"])
  // Each kill may lose the page that was on its way and the one before it; the faults ask for two once more.
  expect(listed().length).toBeLessThanOrEqual(count + 2 * kills + 2)

  server.requests.length = 0
  const again = await runCommand(["index", index, "--hub", "huggingface"], { env: env() })
  expect(again.stdout).toMatch(/60 datasets in .*, 1 listed/)
  expect(listed()).toHaveLength(2)

  server.requests.length = 0
  const found = await runCommand(["retrieve", join(folder, "task.txt"), "--index", index, "--json"], { env: env() })
  expect(found.code, found.stderr).toBe(0)
  const lines = found.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
  expect(lines.filter(({ kind }) => kind === "dataset")).toHaveLength(5)
  expect(lines.find(({ id }) => id === "acme/set-7")).toMatchObject({ access: "gated", isChosen: false })
  expect(lines.find(({ kind }) => kind === "model")).toMatchObject({ id: "acme/reader-t5", isChosen: true })
  expect(server.requests.some(({ line }) => /search=|passage/.test(line))).toBe(false)
})

test("a folder without an index, and the bundled hub, which needs none", async () => {
  const missing = await runCommand(["retrieve", join(folder, "task.txt"), "--index", join(folder, "none")], { env: env() })
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining("make one with indexHub, or with prompt2model index")])
  const bundled = await runCommand(["retrieve", join(folder, "task.txt"), "--hub", "bundled", "--index", index], { env: env() })
  expect([bundled.code, bundled.stderr]).toEqual([2, expect.stringContaining("--index is for --hub huggingface")])
})
