// The simulated teacher's server: the protocol as the official client speaks it, and its end.
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import OpenAI from "openai"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { simulatedTeacher } from "../../src/services/teachers"
import { type ProtocolServer, startProtocolServer } from "../../src/services/teachers/simulated/protocol-server"
import { question } from "./simulated-requests"

describe("the protocol, with the official client", () => {
  let server: ProtocolServer
  let client: OpenAI
  const body = { model: "simulated", messages: question("3 May 1999").messages as { role: "user"; content: string }[], temperature: 0 }
  beforeAll(async () => {
    server = await startProtocolServer(0)
    client = new OpenAI({ baseURL: server.baseURL, apiKey: "none", maxRetries: 0 })
  })
  afterAll(() => server.close())

  test("lists its model", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["simulated"])
  })

  test("answers at once and streamed are the same", async () => {
    const whole = await client.chat.completions.create(body)
    let streamed = ""
    let finish: string | null = null
    for await (const { choices } of await client.chat.completions.create({ ...body, stream: true })) {
      streamed += choices[0].delta.content ?? ""
      finish = choices[0].finish_reason ?? finish
    }
    expect(streamed).toBe(whole.choices[0].message.content)
    expect(finish).toBe("stop")
  })

  test("counts tokens and cuts by length", async () => {
    const { choices, usage } = await client.chat.completions.create({ ...body, n: 3, max_tokens: 1 })
    expect(choices.map(({ finish_reason, index }) => [finish_reason, index])).toEqual([0, 1, 2].map((index) => ["length", index]))
    expect(usage).toMatchObject({ completion_tokens: 3 })
    expect(usage!.total_tokens).toBe(usage!.prompt_tokens + 3)
  })

  test("refuses what is malformed, and what is not there", async () => {
    await expect(client.chat.completions.create({ ...body, temperature: 3 })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("temperature"),
    })
    await expect(client.chat.completions.create({ ...body, n: 1000 })).rejects.toMatchObject({ status: 400 })
    await expect(client.embeddings.create({ model: "simulated", input: "x" })).rejects.toMatchObject({ status: 404 })
    expect((await fetch(`${server.baseURL}/chat/completions`, { method: "POST", body: "{" })).status).toBe(400)
  })
})

test("closing twice is fine, and it starts again when asked again", async () => {
  const own = simulatedTeacher()
  const { texts } = await own.complete(question("3 May 1999"))
  await own.close?.()
  await own.close?.()
  expect(await own.complete(question("3 May 1999"))).toMatchObject({ texts })
  await own.close?.()
})

test("a process that leaves it open ends by itself", async () => {
  const folder = mkdtempSync(join(tmpdir(), "simulated-"))
  const script = join(folder, "ask.ts")
  const library = join(import.meta.dirname, "../../src/services/teachers/simulated/simulated-teacher")
  writeFileSync(
    script,
    `import { simulatedTeacher } from ${JSON.stringify(library)}
const { texts } = await simulatedTeacher().complete(${JSON.stringify(question("3 May 1999"))})
console.log(texts[0])`,
  )
  const unrun = join(import.meta.dirname, "../../../node_modules/unrun/dist/cli.mjs")
  const { stdout } = await promisify(execFile)(process.execPath, [unrun, script], { timeout: 20_000 })
  rmSync(folder, { recursive: true })
  expect(stdout).toMatch(/\d/)
})
