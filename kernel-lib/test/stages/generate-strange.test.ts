// Teachers that answer in ways of their own: each still gives exactly the rows asked for, or a reason, and the ledger adds up.
import { mkdtemp, rm } from "node:fs/promises"
import type { ServerResponse } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Example } from "../../src/core/prompt-spec"
import { PromptSpec } from "../../src/core/prompt-spec"
import { openaiTeacher } from "../../src/services/teachers"
import { generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { openRunFolder } from "../../src/store/run"
import { type Behaviour, completionOf, type FaultServer, refuse, reply, startFaultServer } from "../services/teachers-fault-server"

const spec = new PromptSpec({ instruction: "Add one.", demonstrations: [{ input: "3", output: "4" }] })
const json = JSON.stringify

let folder: string
let server: FaultServer
let made = 0
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompt2model-strange-"))
  made = 100
})
afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

function newRow(): Example {
  made++
  return { input: String(made), output: String(made + 1) }
}

async function generate(behave: Behaviour) {
  server = await startFaultServer(behave)
  const teacher = openaiTeacher("m", {
    ...{ baseURL: server.baseURL, apiKey: "", timeoutSeconds: 10, backOffMilliseconds: 1, maxBackOffMilliseconds: 2, maxTries: 3 },
    onNotice: () => {},
  })
  const run = await openRunFolder(join(folder, "run"), { teacher, seed: 3 })
  const rows = await generateDataset(spec, { numExamples: 10, run, maxConcurrency: 4, responsesPerRequest: 2 })
  expect(rows.asked).toBe(rows.length + rows.rejected.length + rows.failed)
  return rows
}

const each = (body: { n?: number }, make: (index: number) => string) => Array.from({ length: body.n ?? 1 }, (_, index) => make(index))
const say =
  (text: () => string): Behaviour =>
  ({ body }, response) =>
    reply(response, completionOf(each(body, text)))
const send =
  (message: () => object, finish_reason = "stop"): Behaviour =>
  ({ body }, response) =>
    reply(response, { choices: Array.from({ length: body.n ?? 1 }, (_, index) => ({ index, message: message(), finish_reason })) })

/** An answer's events, two for each of its pieces, as servers stream them. */
function stream(response: ServerResponse, body: { n?: number }): void {
  const events = each(body, () => json(newRow())).flatMap((text, index) => [
    { choices: [{ index, delta: { role: "assistant", content: "" } }] },
    ...(text.match(/.{1,7}/gu) ?? []).map((content) => ({ choices: [{ index, delta: { content } }] })),
    { choices: [{ index, delta: {}, finish_reason: "stop" }] },
  ])
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.write(": keep-alive\n\n")
  for (const event of [...events, { choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } }])
    response.write(`data: ${json({ object: "chat.completion.chunk", ...event })}\n\n`)
  response.end("data: [DONE]\n\n")
}

describe("a teacher gives its rows that", () => {
  const ways: Record<string, Behaviour> = {
    "writes them in a fence, in an array": say(() => `\`\`\`json\n${json([newRow()])}\n\`\`\``),
    "talks before and after": say(() => `Sure {really}! ${json(newRow())} Hope {that} helps.`),
    "wraps them in another object": say(() => json({ example: newRow() })),
    "names a member twice": say(() => json(newRow()).replace("{", '{"input": "x", ')),
    "thinks beside its answer": send(() => ({ content: json(newRow()), reasoning_content: json({ input: "bad", output: "bad" }) })),
    "thinks before it, and says only where that ends": say(() => `a draft: ${json({ input: "1", output: "2" })}</think>${json(newRow())}`),
    "answers in parts": send(() => ({
      content: [
        { type: "thinking", text: "{" },
        { type: "text", text: json(newRow()) },
      ],
    })),
    "calls a tool": send(() => ({ content: null, tool_calls: [{ function: { arguments: json(newRow()) } }] }), "tool_calls"),
    "streams unasked": ({ body }, response) => stream(response, body),
    "only streams": ({ body }, response) =>
      body.stream ? stream(response, body) : refuse(response, 400, { message: "This model only supports stream mode." }),
    "calls its answer a plain text, with a byte order mark": ({ body }, response) =>
      reply(response, `\ufeff${json(completionOf(each(body, () => json(newRow()))))}`, 200, { "content-type": "text/plain" }),
    "gives fewer answers than asked for": (_, response) => reply(response, completionOf([json(newRow())])),
    "gives numbers": say(() => json({ input: made++, output: made })),
    "writes from right to left": say(() => json({ input: `\u202e${made++} שלום`, output: "مرحبا" })),
    "writes control characters": say(() => json({ input: `${made++}\u0000\u0001\u2028`, output: "\u0007x" })),
  }
  for (const [name, behave] of Object.entries(ways)) {
    it(name, async () => {
      const rows = await generate(behave)
      expect(rows).toMatchObject({ status: "done", length: 10, failed: 0 })
      expect([...rows.inputs]).not.toContain("bad")
    })
  }
})

describe("a teacher still ends with the rows that at times", () => {
  const row: Behaviour = ({ body }, response) => reply(response, completionOf(each(body, () => json(newRow()))))
  /** Every second request meets the fault when it comes for the first time, so that none meets it until its tries are used up. */
  const atTimes = (fault: Behaviour): Behaviour => {
    const known = new Set<string>()
    return (seen, response, at) => {
      const before = known.size
      known.add(json([seen.body.messages, seen.body.seed]))
      return (known.size > before && before % 2 === 0 ? fault : row)(seen, response, at)
    }
  }
  const faults: Record<string, Behaviour> = {
    "answers 529": atTimes((_, response) => refuse(response, 529, { type: "overloaded_error", message: "Overloaded" })),
    "answers 200 with an error": atTimes((_, response) => reply(response, { error: { code: 429, message: "Rate limited upstream" } })),
    "sends an error in its stream": atTimes((_, response) =>
      reply(response, 'data: {"error": {"message": "overloaded"}}\n\n', 200, { "content-type": "text/event-stream" }),
    ),
    "breaks off its stream": atTimes((_, response) =>
      reply(response, 'data: {"choices": [{"index": 0, "delta": {"content": "{"}}]}\n\n', 200, { "content-type": "text/event-stream" }),
    ),
    "promises more bytes than it sends": atTimes((_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
      response.write(json(completionOf(["x"])), () => response.socket?.end())
    }),
    "closes a connection that was to stay open": atTimes((_, response) => response.socket?.destroy()),
    "answers with ten megabytes": say(() => (made % 4 === 0 ? `${made++}${"x".repeat(1e6)}` : json(newRow()))),
    "answers with brackets that never close": say(() => (made % 8 === 0 ? `${made++}${'{"a":'.repeat(1e5)}` : json(newRow()))),
    "writes NaN": say(() => (made % 4 === 0 ? `{"input": "${made++}", "output": NaN}` : json(newRow()))),
  }
  for (const [name, behave] of Object.entries(faults)) {
    it(name, async () => {
      expect(await generate(behave)).toMatchObject({ status: "done", length: 10, failed: 0 })
    })
  }
})

describe("a teacher gives a reason that", () => {
  const ways: [name: string, behave: Behaviour, reason: string][] = [
    ["refuses in a field of its own", send(() => ({ content: "", refusal: "Not going to." })), "refusal"],
    ["is filtered", send(() => ({ content: "" }), "content_filter"), "content filter"],
    ["thinks until it is cut", send(() => ({ content: null, reasoning_content: "hm" }), "length"), "cut by length"],
    ["says nothing", send(() => ({ content: null })), "empty"],
    ["answers something else", say(() => "[1, 2]"), "malformed"],
    ["repeats itself", say(() => json({ input: "1", output: "2" })), "duplicate"],
  ]
  for (const [name, behave, reason] of ways) {
    it(`${name}: ${reason}`, async () => {
      const rows = await generate(behave)
      expect(rows.status).toBe("partial")
      expect(rows.rejectedByReason.map((known) => known.reason)).toEqual([reason])
      expect(rows.reason).toMatch(new RegExp(`nothing new in 60 requests: \\d+ answers ${reason}`))
    })
  }

  it("thinks in hiding until it is cut, with what helps", async () => {
    const usage = { prompt_tokens: 9, completion_tokens: 9, completion_tokens_details: { reasoning_tokens: 9 } }
    const rows = await generate((_, response) =>
      reply(response, { choices: [{ index: 0, message: { content: "" }, finish_reason: "length" }], usage }),
    )
    expect(rows.rejectedByReason.map((known) => known.reason)).toEqual(["cut while reasoning"])
    expect(rows.reason).toMatch(/\d+ answers cut while reasoning \(raise maxAnswerTokens or lower reasoningEffort\)/)
  })

  const errors: [name: string, behave: Behaviour, sentence: RegExp][] = [
    [
      "sends a web page",
      (_, response) => reply(response, "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><hr>nginx</html>", 502),
      /failed \(502\): try again later\. It sent a web page \("502 Bad Gateway"\)\. It was tried 3 times\./,
    ],
    ["answers 200 with a sentence", (_, response) => reply(response, { error: "model 'x' is not loaded" }), /model 'x' is not loaded/],
    [
      "answers 200 and wants a key",
      (_, response) => reply(response, { error: { code: 401, message: "No auth credentials" } }),
      /wants a key: set OPENAI_API_KEY/,
    ],
    ["answers nothing", (_, response) => reply(response, ""), /broke off/],
    ["answers null", (_, response) => reply(response, "null"), /is no chat completion/],
  ]
  for (const [name, behave, sentence] of errors) {
    it(name, async () => {
      await expect(generate(behave)).rejects.toThrowError(sentence)
    })
  }
})

it("half a character in a row is none, since no file could keep it", async () => {
  const rows = await generate(say(() => `{"input": "${made++} \\ud83d", "output": "\\udc00"}`))
  expect(rows.length).toBe(10)
  expect(rows.outputs[0]).toBe("\ufffd")
  expect([...rows.inputs].every((input) => input.isWellFormed())).toBe(true)
})
