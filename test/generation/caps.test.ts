// Caps on tokens and time end a generation with the rows that are there; the same command with a higher cap goes on from them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { runCommand } from "../main-job/command"
import { type RowServer, startRowServer } from "./row-server"

const numExamples = 200
const folder = mkdtempSync(join(tmpdir(), "prompt2model-caps-"))
let server: RowServer
let undisturbed: string

const generate = async (name: string, ...caps: string[]) => {
  const finished = await runCommand(
    [
      ...["generate", join(folder, "sums.txt"), "--num-examples", String(numExamples), "--teacher", "openai:gpt-4o-mini", "--json"],
      ...["--out", join(folder, name), "--rows", join(folder, `${name}.jsonl`), ...caps],
    ],
    { env: { OPENAI_API_KEY: "sk-test-caps-9876543210", OPENAI_BASE_URL: server.baseURL } },
  )
  expect(finished.code, finished.stderr).toBe(0)
  return { ...JSON.parse(finished.stdout.trimEnd().split("\n").at(-1) ?? ""), rows: readFileSync(join(folder, `${name}.jsonl`), "utf8") }
}

beforeAll(async () => {
  writeFileSync(join(folder, "sums.txt"), 'Add one to the number.\n\ninput="What is 3 + 1?"\noutput="4"\n')
  server = await startRowServer({ latency: 100 })
  undisturbed = (await generate("undisturbed")).rows
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

describe.each([
  { cap: "--max-tokens", low: "6000", high: "1000000", reason: "tokens" },
  { cap: "--max-seconds", low: "0.35", high: "600", reason: "seconds" },
])("$cap", ({ cap, low, high, reason }) => {
  it("ends it as partial with the rows so far, and the same command goes on when it is raised", async () => {
    server.reset()
    const name = `capped${cap}`
    const part = await generate(name, cap, low)
    expect(part).toMatchObject({ status: "partial", reason: expect.stringContaining(reason) })
    expect(part.accepted).toBeGreaterThan(0)
    expect(part.accepted).toBeLessThan(numExamples)
    expect(part.rows.trimEnd().split("\n")).toHaveLength(part.accepted)
    const rejected = Object.values<number>(part.rejected).reduce((sum, rows) => sum + rows, 0)
    expect(part.asked).toBe(part.accepted + rejected + part.failed)
    if (reason === "tokens") expect(part.usage.inputTokens + part.usage.outputTokens).toBeLessThanOrEqual(Number(low))
    const whole = await generate(name, cap, high)
    expect(whole).toMatchObject({ status: "done", accepted: numExamples, requests: { reused: part.requests.sent } })
    expect(whole.rows).toBe(undisturbed)
    expect([...server.asked.values()].every((times) => times === 1)).toBe(true)
  })
})
