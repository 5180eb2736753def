// Generation against a server that does everything wrong that servers do, half of the time: it still ends with exactly the rows asked for, the
// ledger adds up, and the rows are those of a server without faults.
import { createHash } from "node:crypto"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import type { ServerResponse } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { PromptSpec } from "../../src/core/prompt-spec"
import { Random } from "../../src/core/random"
import { type OpenAITeacherOptions, openaiTeacher } from "../../src/services/teachers"
import { type GeneratedDataset, generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { openRunFolder } from "../../src/store/run"
import {
  completionOf,
  deferred,
  type FaultServer,
  refuse,
  reply,
  type SeenRequest,
  startFaultServer,
} from "../services/teachers-fault-server"

const spec = new PromptSpec({ instruction: "Add one.", demonstrations: [{ input: "3", output: "4" }] })
const key = "local_key_without_a_known_pattern_77"

let folder: string
const open: FaultServer[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompt2model-faults-"))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(open.splice(0).map((server) => server.close()))
  await rm(folder, { recursive: true, force: true })
})

/** What goes wrong on the way, whatever was asked. */
const transportFaults: Record<string, (response: ServerResponse) => unknown> = {
  "429 without Retry-After": (response) => refuse(response, 429),
  "429 with Retry-After in seconds": (response) => refuse(response, 429, { message: "slow down" }, { "retry-after": "0.002" }),
  "429 with Retry-After as a date, by a clock that is years off": (response) =>
    refuse(
      response,
      429,
      { message: "slow down" },
      { date: "Sun, 03 May 2015 10:00:00 GMT", "retry-after": "Sun, 03 May 2015 10:00:00 GMT" },
    ),
  "500": (response) => refuse(response, 500, { message: `the key was ${key}` }),
  "503": (response) => reply(response, "<h1>busy</h1>", 503, { "content-type": "text/html" }),
  "a hang": () => {},
  "a reset in the middle of the body": (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
    response.write('{"choices": [', () => response.destroy())
  },
  "truncated JSON": (response) => reply(response, '{"choices": [{"message": {"content": "fi'),
  "no choices": (response) => reply(response, completionOf([])),
}

/** What a model says, by the request: rows, some of them the same, and everything that is no row. */
function answersTo(body: { n?: number }): { texts: string[]; isCut: boolean } {
  const draw = new Random(createHash("sha256").update(JSON.stringify(body)).digest("hex"))
  const texts = Array.from({ length: body.n ?? 1 }, () => {
    const number = draw.integer(2000)
    const row = JSON.stringify({ input: String(number), output: String(number + 1) })
    if (draw.next() < 0.6) return row
    return draw.pick([
      row.slice(0, 9),
      JSON.stringify({ question: number }),
      JSON.stringify([number]),
      "I'm sorry, but I cannot help with that.",
      "",
      JSON.stringify({ input: "3", output: "4" }),
      JSON.stringify({ input: "", output: "4" }),
      JSON.stringify({ input: "17", output: "18" }),
      `Here it is:\n\`\`\`json\n${row}\n\`\`\``,
      `{'input': '${number}', 'output': '${number + 1}',}`,
    ])
  })
  return { texts, isCut: draw.next() < 0.1 }
}

/** Faults since the test began. */
let faults = 0

async function serve(rate: number, seed: string): Promise<FaultServer> {
  const luck = new Random(seed)
  const ways = Object.values(transportFaults)
  faults = 0
  const behave = ({ body, number }: SeenRequest, response: ServerResponse) => {
    // A service that cannot be reached at all before its first answer ends the run, so the first ones are answered.
    if (number >= 4 && luck.next() < rate) {
      faults++
      const way = luck.pick(ways)
      // Each hang takes a time-out, so they are few.
      return way === transportFaults["a hang"] && luck.next() < 0.8 ? refuse(response, 502) : way(response)
    }
    const { texts, isCut } = answersTo(body)
    const completion = completionOf(texts)
    if (isCut)
      completion.choices[0] = {
        ...completion.choices[0],
        finish_reason: "length",
        message: { role: "assistant", content: '{"input": "12' },
      }
    reply(response, completion)
  }
  const server = await startFaultServer(behave)
  open.push(server)
  return server
}

async function generate(
  server: FaultServer,
  name: string,
  options: OpenAITeacherOptions = {},
  numExamples = 100,
): Promise<GeneratedDataset> {
  const teacher = openaiTeacher("m", {
    ...{ baseURL: server.baseURL, apiKey: key, timeoutSeconds: 0.25, backOffMilliseconds: 1, maxBackOffMilliseconds: 4, maxTries: 40 },
    ...options,
  })
  const run = await openRunFolder(join(folder, name), { teacher, seed: 3 })
  return generateDataset(spec, { numExamples, run, maxConcurrency: 8 })
}

function expectLedgerAddsUp(made: GeneratedDataset): void {
  expect(made.asked).toBe(made.length + made.rejected.length + made.failed)
  expect(made.rejectedByReason.reduce((sum, { rows }) => sum + rows, 0)).toBe(made.rejected.length)
}

const rowsOf = (made: GeneratedDataset) => [...made].map(({ id, input, output, from }) => ({ id, input, output, from }))

describe("a server with faults", () => {
  for (const rate of [0.1, 0.5]) {
    it(`at a rate of ${rate} gives the rows of one without`, async () => {
      const [calm, faulty] = [await serve(0, "calm"), await serve(rate, `faulty ${rate}`)]
      const without = await generate(calm, "without")
      const made = await generate(faulty, "with")
      expect(made).toMatchObject({ status: "done", length: 100, failed: 0 })
      expectLedgerAddsUp(made)
      expect(rowsOf(made)).toEqual(rowsOf(without))
      expect(made.rejectedByReason).toEqual(without.rejectedByReason)
      const reasons = made.rejectedByReason.map(({ reason }) => reason)
      for (const reason of ["malformed", "empty", "refusal", "cut by length", "duplicate", "copies a demonstration"]) {
        expect(reasons).toContain(reason)
      }
      expect(faults).toBeGreaterThan(faulty.seen.length * rate * 0.5)
      expect(faulty.mostInFlight).toBeLessThanOrEqual(8)
    })
  }

  it("gives them too while the clock jumps", async () => {
    const server = await serve(0.3, "jumping")
    const now = Date.now
    const jumps = new Random("jumps")
    vi.spyOn(Date, "now").mockImplementation(() => now() + (jumps.integer(3) - 1) * 86_400_000)
    const made = await generate(server, "jumping")
    expect(made).toMatchObject({ status: "done", length: 100, failed: 0 })
    expectLedgerAddsUp(made)
  })

  it("leaves requests failed for good, in the ledger; another process replays them as failed, and gets the same rows", async () => {
    const server = await serve(0.4, "giving up")
    const made = await generate(server, "first", { maxTries: 2 })
    expect(made).toMatchObject({ status: "done", length: 100 })
    expect(made.failed).toBeGreaterThan(0)
    expect(made.failed % 4).toBe(0)
    expectLedgerAddsUp(made)
    const asked = server.seen.length
    await rm(join(folder, "first", "stages"), { recursive: true })
    const again = await generate(server, "first", { maxTries: 2 })
    // Requests beyond the last one that counted were broken off, and may be begun again.
    expect(server.seen.length - asked).toBeLessThanOrEqual(2 * 16)
    expect(rowsOf(again)).toEqual(rowsOf(made))
    expect(again).toMatchObject({ asked: made.asked, failed: made.failed })
  })

  it("that is gone for good ends it with the error, and the rows come when it is back, without asking twice", async () => {
    let isGone = false
    const answers = new Map<string, number>()
    const server = await startFaultServer(({ body, number }, response) => {
      if (number === 40) isGone = true
      if (isGone) return refuse(response, 503)
      const id = JSON.stringify(body)
      answers.set(id, (answers.get(id) ?? 0) + 1)
      reply(response, completionOf(answersTo(body).texts))
    })
    open.push(server)
    await expect(generate(server, "gone", { maxTries: 2 }, 160)).rejects.toMatchObject({
      code: "teacher.mostly-failing",
      isRetryable: true,
    })
    isGone = false
    const before = new Map(answers)
    const made = await generate(server, "gone", { maxTries: 2 }, 160)
    expect(made).toMatchObject({ status: "done", length: 160, failed: 0 })
    expect([...before.keys()].filter((id) => answers.get(id) !== before.get(id))).toEqual([])
  })

  it("and quotes the key gets it into no file", async () => {
    const server = await serve(0.5, "quoting")
    await generate(server, "quoting", { maxTries: 2 }, 60)
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    expect(files.length).toBeGreaterThan(3)
    for (const { parentPath, name } of files) expect((await readFile(join(parentPath, name), "latin1")).includes(key), name).toBe(false)
  })
})

describe("rows as they come", () => {
  it("stream while the others are being made, and the promise brings all", async () => {
    const first = deferred()
    // All answers but the first request's wait until a row was seen.
    const server = await startFaultServer(async ({ number, body }, response) => {
      if (number > 0) await first.promise
      reply(response, completionOf([0, 1, 2, 3].map((sample) => JSON.stringify({ input: `${body.seed} ${sample}`, output: "x" }))))
    })
    open.push(server)
    const teacher = openaiTeacher("m", { baseURL: server.baseURL, apiKey: "" })
    const run = await openRunFolder(join(folder, "streaming"), { teacher })
    const told: string[] = []
    const generating = generateDataset(spec, { numExamples: 80, run, onRow: ({ input }) => told.push(input) })
    const streamed: string[] = []
    for await (const { input } of generating.stream()) {
      first.resolve()
      streamed.push(input)
    }
    const made = await generating
    expect(streamed).toEqual([...made.inputs])
    expect(told).toEqual(streamed)
    const again: string[] = []
    for await (const { input } of generateDataset(spec, { numExamples: 80, run }).stream()) again.push(input)
    expect(again).toEqual(streamed)
  })

  it("reject the stream where they reject the promise", async () => {
    const server = await startFaultServer((_, response) => refuse(response, 401))
    open.push(server)
    const teacher = openaiTeacher("m", { baseURL: server.baseURL, apiKey: key })
    const run = await openRunFolder(join(folder, "refused"), { teacher })
    const generating = generateDataset(spec, { numExamples: 5, run })
    const taking = async () => {
      for await (const _ of generating.stream()) throw new Error("no row should come")
    }
    await expect(taking()).rejects.toMatchObject({ code: "teacher.key-refused" })
    await expect(generating).rejects.toMatchObject({ code: "teacher.key-refused" })
  })
})
