// The main job with teachers that are not the simulated one: a chat-completions server at OPENAI_BASE_URL, and a recording of one's own.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readJson, runCommand } from "./command"

const folder = mkdtempSync(join(tmpdir(), "prompt2model-teachers-"))
const key = "sk-test-0123456789abcdefghij"
let server: Server
let baseURL: string
/** Requests that the server has seen, by their JSON. */
const seen: { authorization?: string; body: { messages: { content: string }[]; n?: number } }[] = []

/** Speaks the protocol; answers from the request: numbers in words, for the generation prompt and for plain questions. */
beforeAll(async () => {
  const words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
  const spell = (digits: string) => [...digits].map((digit) => words[Number(digit)]).join(" ")
  server = createServer(async (request, response) => {
    let text = ""
    for await (const chunk of request) text += chunk
    const body = JSON.parse(text)
    seen.push({ authorization: request.headers.authorization, body })
    const name = body.response_format?.json_schema?.name
    const last: string = body.messages.at(-1).content
    const choices = Array.from({ length: body.n ?? 1 }, (_, index) => {
      const digits = String(((seen.length * 7919 + index * 104729) % 9000) + 1000)
      const content =
        name === "generated_example"
          ? JSON.stringify({ input: digits, output: spell(digits) })
          : name === "dataset_choice"
            ? JSON.stringify({ name: "none" })
            : spell(/Example:\n(\d+)\nLabel/.exec(last)?.[1] ?? "0")
      return { index, message: { role: "assistant", content }, finish_reason: "stop" }
    })
    response.setHeader("content-type", "application/json")
    response.end(
      JSON.stringify({
        id: "x",
        object: "chat.completion",
        created: 0,
        model: body.model,
        choices,
        usage: { prompt_tokens: 50, completion_tokens: 10 * choices.length, total_tokens: 60 },
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

const prompt = () => {
  const path = join(folder, "digits.txt")
  writeFileSync(
    path,
    'Spell each digit of a number as an English word.\n\ninput="4021"\noutput="four zero two one"\n\ninput="77"\noutput="seven seven"\n',
  )
  return path
}

function everyFile(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile())
}

describe("the main job with a chat-completions server", () => {
  const out = join(folder, "digits")
  const words = () => [
    "run",
    prompt(),
    "--teacher",
    "openai:gpt-4o-mini",
    "--num-examples",
    "200",
    "--epochs",
    "2",
    "--max-usd",
    "1",
    "--out",
    out,
  ]
  const env = () => ({ OPENAI_API_KEY: key, OPENAI_BASE_URL: baseURL })

  it("runs to its end, pays by the price table, and asks nothing twice when it is run again", async () => {
    const finished = await runCommand(words(), { env: env() })
    expect(finished.stderr).not.toContain("Error")
    expect(finished.code).toBe(0)
    const run = readJson(join(out, "run.json"))
    expect(run).toMatchObject({ status: "done", teacher: "gpt-4o-mini", isTeacherSimulated: false })
    expect(run.rows.generated).toBe(200)
    expect(run.spending.usd).toBeGreaterThan(0)
    expect(run.baselines.teacher.scores.exactMatch).toBe(1)
    const count = seen.length
    expect(seen.every(({ authorization }) => authorization === `Bearer ${key}`)).toBe(true)
    const again = await runCommand(words(), { env: env() })
    expect(again.code).toBe(0)
    expect(seen.length).toBe(count)
    expect(readJson(join(out, "run.json")).spending).toMatchObject({ usd: run.spending.usd, requestsSent: run.spending.requestsSent })
  })

  it("writes the key into no file and no message, and says soon that nobody is there", async () => {
    for (const file of everyFile(out)) expect(readFileSync(file, "latin1").includes(key), file).toBe(false)
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const refused = await runCommand(
      ["generate", prompt(), "--num-examples", "3", "--teacher", "openai:gpt-4o-mini", "--out", join(folder, "refused")],
      {
        env: { OPENAI_API_KEY: key, OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` },
      },
    )
    expect(refused.code).toBe(1)
    expect(refused.stdout + refused.stderr).not.toContain(key)
    expect(refused.stderr).toContain("Nothing answers at")
  })
})

describe("the main job with a recording of one's own", () => {
  it("trains a classifier of reviews from JSON lines", async () => {
    const file = join(folder, "reviews.jsonl")
    const things = ["film", "book", "meal", "hotel", "phone", "concert", "course", "game", "coat", "trip"]
    const opinions = [
      ["wonderful", "positive"],
      ["a joy", "positive"],
      ["superb", "positive"],
      ["dreadful", "negative"],
      ["a waste", "negative"],
      ["boring", "negative"],
    ]
    const rows = things.flatMap((thing) => opinions.map(([opinion, output]) => ({ input: `The ${thing} was ${opinion}.`, output })))
    writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
    const out = join(folder, "sentiment")
    const finished = await runCommand([
      "run",
      "notebooks/prompts/sentiment.txt",
      "--teacher",
      `recorded:${file}`,
      "--epochs",
      "2",
      "--out",
      out,
    ])
    expect(finished.code).toBe(0)
    expect(readJson(join(out, "run.json"))).toMatchObject({
      status: "done",
      rows: { generated: 60 },
      baselines: { majority: { scores: { exactMatch: expect.any(Number) } } },
    })
    expect(finished.stdout).toContain("majority")
  })
})
