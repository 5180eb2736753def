// The batch API behind the same call: half the price, found again after a kill, and nothing paid for twice.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { TeacherRequest } from "../../src/core/teacher"
import { type OpenAITeacherOptions, openaiTeacher } from "../../src/services/teachers"
import { generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { openRunFolder } from "../../src/store/run"
import { type BatchLine, type BatchServer, type LineOutcome, startBatchServer } from "./teachers-batch-server"
import { completionOf } from "./teachers-fault-server"

const request = (index: number, changes: Partial<TeacherRequest> = {}): TeacherRequest => ({
  purpose: "generate",
  messages: [{ role: "user", content: `question ${index}` }],
  temperature: 0.5,
  numResponses: 2,
  index,
  ...changes,
})
const usage = { prompt_tokens: 1000, completion_tokens: 200, total_tokens: 1200 }
const echo = ({ body }: BatchLine): LineOutcome => ({
  status: 200,
  body: completionOf(
    Array.from({ length: body.n ?? 1 }, (_, sample) => `${body.messages.at(-1).content}, ${sample}`),
    usage,
  ),
})

let folder: string
const open: BatchServer[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompt2model-batches-"))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
  await rm(folder, { recursive: true, force: true })
})

/** A server that ends a batch when it is looked at for the second time. */
async function serve(answer: (line: BatchLine) => LineOutcome = echo, status?: string): Promise<BatchServer> {
  const seen = new Set<string>()
  const server = await startBatchServer((batch, own) => {
    if (batch.outputFile === undefined && batch.errorFile === undefined && seen.has(batch.id)) own.end(batch, answer, status)
    seen.add(batch.id)
  })
  open.push(server)
  return server
}

function batchTeacher(server: BatchServer, options: OpenAITeacherOptions = {}, model = "gpt-4o-mini") {
  return openaiTeacher(model, {
    ...{ baseURL: server.baseURL, apiKey: "some-key", backOffMilliseconds: 1 },
    ...{ batch: { folder, gatherMilliseconds: 5, pollSeconds: 0.005 } },
    ...options,
  })
}

const ask = (server: BatchServer, indices: number[], signal?: AbortSignal) => {
  const teacher = batchTeacher(server)
  return Promise.all(indices.map((index) => teacher.complete(request(index), { signal })))
}

test("requests that are asked together go up together, and each gets its own answers at half the price", async () => {
  const server = await serve()
  const answers = await ask(server, [0, 1, 2, 3])
  expect(server.batches).toHaveLength(1)
  expect(server.batches[0].lines[1]).toMatchObject({
    method: "POST",
    url: "/v1/chat/completions",
    body: { model: "gpt-4o-mini", n: 2, temperature: 0.5, messages: [{ role: "user", content: "question 1" }] },
  })
  expect(answers.map(({ texts }) => texts)).toEqual([0, 1, 2, 3].map((index) => [`question ${index}, 0`, `question ${index}, 1`]))
  expect(answers[0].usd).toBeCloseTo((1000 * 0.15 + 200 * 0.6) / 1e6 / 2, 12)
})

test("a process that was killed finds its batch again, whose answers are not paid for twice", async () => {
  const server = await startBatchServer()
  open.push(server)
  // What a killed process leaves is what one leaves that is stopped while it polls: the file is written before the first look.
  const stopped = new AbortController()
  const first = ask(server, [0, 1, 2], stopped.signal).catch((error) => error.code)
  while (server.polls === 0) await new Promise(setImmediate)
  const [file] = await readdir(folder)
  expect(JSON.parse(await readFile(join(folder, file), "utf8"))).toMatchObject({ id: "batch-0", customIds: { length: 3 } })
  expect(await readFile(join(folder, file), "utf8")).not.toContain("some-key")
  stopped.abort()
  expect(await first).toBe("run.interrupted")
  server.end(server.batches[0], echo)
  const answers = await ask(server, [2, 1, 0])
  expect(answers.map(({ texts }) => texts[0])).toEqual(["question 2, 0", "question 1, 0", "question 0, 0"])
  expect(server.batches).toHaveLength(1)
  await ask(server, [1])
  expect(server.batches).toHaveLength(1)
})

test("a batch whose id never arrived is looked for at the server, by this process and by the next", async () => {
  const server = await serve()
  server.losesAnswersTo.add("POST /v1/batches")
  expect((await ask(server, [0, 1])).map(({ texts }) => texts[0])).toEqual(["question 0, 0", "question 1, 0"])
  expect(server.batches).toHaveLength(1)

  const other = await startBatchServer()
  open.push(other)
  other.losesAnswersTo.add("POST /v1/batches")
  const teacher = batchTeacher(other, { maxTries: 1 })
  await expect(teacher.complete(request(0))).rejects.toMatchObject({ code: "teacher.connection-lost" })
  const made = other.batches.length
  for (const batch of other.batches) other.end(batch, echo)
  expect((await ask(other, [0]))[0].texts[0]).toBe("question 0, 0")
  expect(other.batches).toHaveLength(made)
})

describe("lines that are not answered", () => {
  test("are asked again in another batch where that may help", async () => {
    const tries = new Map<string, number>()
    const failures: LineOutcome[] = [
      { status: 500, body: { error: { message: "oops" } } },
      { status: 429, body: { error: { message: "busy" } } },
      { error: { code: "batch_expired", message: "This request could not be executed before the completion window expired." } },
      undefined,
    ]
    const server = await serve((line) => {
      const question = line.body.messages[0].content
      tries.set(question, (tries.get(question) ?? 0) + 1)
      const number = Number(question.at(-1))
      return tries.get(question) === 1 && number < failures.length ? failures[number] : echo(line)
    }, "expired")
    const answers = await ask(server, [0, 1, 2, 3, 4])
    expect(answers.map(({ texts }) => texts[0])).toEqual([0, 1, 2, 3, 4].map((index) => `question ${index}, 0`))
    expect(server.batches.map(({ lines }) => lines.length)).toEqual([5, 4])
  })

  test("fail where the request itself is wrong, and leave the others alone", async () => {
    const server = await serve((line) =>
      line.body.messages[0].content === "question 1"
        ? { status: 400, body: { error: { message: "too long", code: "context_length_exceeded" } } }
        : echo(line),
    )
    const teacher = batchTeacher(server)
    const [good, bad] = await Promise.allSettled([0, 1].map((index) => teacher.complete(request(index))))
    expect(good).toMatchObject({ status: "fulfilled" })
    expect(bad).toMatchObject({ reason: { code: "teacher.request-refused", status: 400, isRetryable: false } })
    expect(server.batches).toHaveLength(1)
  })

  test("are asked in another way where the server does not take the first", async () => {
    const server = await serve((line) =>
      line.body.temperature !== undefined
        ? { status: 400, body: { error: { message: "Unsupported value: 'temperature'", param: "temperature", code: "unsupported_value" } } }
        : echo(line),
    )
    const notices: string[] = []
    const teacher = batchTeacher(server, { onNotice: (sentence) => notices.push(sentence) }, "gpt-5-mini")
    expect((await teacher.complete(request(0))).texts).toHaveLength(2)
    expect(notices).toHaveLength(1)
  })
})

test("the effort of reasoning goes up with each line, and its refusal is an error", async () => {
  const server = await serve((line) =>
    line.body.reasoning_effort === "turbo"
      ? { status: 400, body: { error: { message: "Unsupported value: 'turbo'", param: "reasoning_effort", code: "unsupported_value" } } }
      : echo(line),
  )
  await batchTeacher(server, { reasoningEffort: "low" }).complete(request(0))
  await expect(batchTeacher(server, { reasoningEffort: "turbo" }).complete(request(0))).rejects.toMatchObject({
    code: "teacher.effort-refused",
  })
  expect(server.batches.map(({ lines }) => lines[0].body.reasoning_effort)).toEqual(["low", "turbo"])
})

test("a batch that is refused as a whole says why", async () => {
  const server = await startBatchServer((batch) => {
    batch.status = "failed"
    batch.errors = { data: [{ message: "Enqueued token limit reached for gpt-4o-mini." }] }
  })
  open.push(server)
  await expect(batchTeacher(server).complete(request(0))).rejects.toMatchObject({
    code: "teacher.batch-refused",
    message: expect.stringContaining("Enqueued token limit"),
  })
  expect(await readdir(folder)).toEqual([])
})

test("a server without batches is named", async () => {
  const server = createServer((_, response) => response.writeHead(404, { "content-type": "application/json" }).end("{}"))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const teacher = openaiTeacher("m", { baseURL, apiKey: "", batch: { folder, gatherMilliseconds: 1 } })
  await expect(teacher.complete(request(0))).rejects.toMatchObject({ code: "teacher.no-batches" })
  server.closeAllConnections()
  server.close()
})

test("a whole dataset comes in a few batches, and the same one from the store", async () => {
  const row = (line: BatchLine, sample: number) => JSON.stringify({ input: `${line.body.seed} ${sample}`, output: "x" })
  const server = await serve((line) => ({
    status: 200,
    body: completionOf(
      [0, 1, 2, 3].map((sample) => row(line, sample)),
      usage,
    ),
  }))
  const spec = new PromptSpec({ instruction: "Say x.", demonstrations: [{ input: "1", output: "x" }] })
  const runFolder = join(folder, "run")
  const open = () => openRunFolder(runFolder, { teacher: batchTeacher(server), maxUsd: 1 })
  const made = await generateDataset(spec, { numExamples: 200, run: await open() })
  expect(made).toMatchObject({ status: "done", length: 200, requests: { reused: 0 } })
  expect(server.batches.length).toBeLessThanOrEqual(2)
  expect(server.batches[0].lines.length).toBeGreaterThanOrEqual(50)
  expect(made.usd).toBeCloseTo((made.requests.sent * (1000 * 0.15 + 200 * 0.6)) / 1e6 / 2, 9)
  await rm(join(runFolder, "stages"), { recursive: true })
  const batches = server.batches.length
  const again = await generateDataset(spec, { numExamples: 200, run: await open() })
  expect([...again]).toEqual([...made])
  expect(server.batches.length).toBe(batches)
})
