import { inspect } from "node:util"
import { afterEach, describe, expect, test } from "vitest"
import type { TeacherRequest } from "../../src/core/teacher"
import { type OpenAITeacherOptions, openaiTeacher } from "../../src/services/teachers"
import { type Behaviour, completionOf, deferred, type FaultServer, refuse, reply, startFaultServer } from "./teachers-fault-server"

const request: TeacherRequest = {
  purpose: "generate",
  messages: [{ role: "user", content: "hello" }],
  temperature: 0.5,
  numResponses: 1,
  index: 0,
}
const schema = {
  name: "generated_example",
  schema: { type: "object", properties: { input: { type: "string" } }, required: ["input"], additionalProperties: false },
}
const open: FaultServer[] = []
const keys = { key: process.env.OPENAI_API_KEY, url: process.env.OPENAI_BASE_URL }

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
  for (const [name, value] of [
    ["OPENAI_API_KEY", keys.key],
    ["OPENAI_BASE_URL", keys.url],
  ] as const) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

async function serve(behave: Behaviour, options: OpenAITeacherOptions = {}, model = "m") {
  const server = await startFaultServer(behave)
  open.push(server)
  return { server, teacher: openaiTeacher(model, { baseURL: server.baseURL, apiKey: "", backOffMilliseconds: 1, ...options }) }
}

/** Fails in this way first, then answers. */
function once(fail: Behaviour): Behaviour {
  return (seen, response, server) => (seen.number === 0 ? fail(seen, response, server) : reply(response, completionOf(["fine"])))
}

describe("what is retried", () => {
  const faults: Record<string, Behaviour> = {
    "429 without Retry-After": (_, response) => refuse(response, 429),
    "429 with Retry-After": (_, response) => refuse(response, 429, { message: "slow down" }, { "retry-after": "0.01" }),
    "429 with retry-after-ms": (_, response) => refuse(response, 429, { message: "slow down" }, { "retry-after-ms": "5" }),
    "408": (_, response) => refuse(response, 408),
    "500": (_, response) => refuse(response, 500),
    "503 in HTML": (_, response) => reply(response, "<h1>Service Unavailable</h1>", 503, { "content-type": "text/html" }),
    "a connection that is closed at once": (_, response) => response.destroy(),
    "a reset in the middle of the body": (_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
      response.write('{"choices": [', () => response.destroy())
    },
    "truncated JSON": (_, response) => reply(response, '{"choices": [{"message": {"content": "fi'),
    "no choices": (_, response) => reply(response, completionOf([])),
    "an answer of another protocol": (_, response) => reply(response, { hello: 1 }),
    "a choice without a message": (_, response) => reply(response, { choices: [{}] }),
    "an HTML page with status 200": (_, response) => reply(response, "<html>", 200, { "content-type": "text/html" }),
  }
  for (const [name, fault] of Object.entries(faults)) {
    test(name, async () => {
      const { server, teacher } = await serve(once(fault))
      expect((await teacher.complete(request)).texts).toEqual(["fine"])
      expect(server.seen).toHaveLength(2)
    })
  }

  test("a server that hangs, after the time-out", async () => {
    const { server, teacher } = await serve(
      once(() => {}),
      { timeoutSeconds: 0.1 },
    )
    expect((await teacher.complete(request)).texts).toEqual(["fine"])
    expect(server.seen).toHaveLength(2)
  })

  test("a body that stalls after its headers, after the time-out", async () => {
    const stall: Behaviour = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" })
      response.write('{"choices"')
    }
    const { teacher } = await serve(once(stall), { timeoutSeconds: 0.1 })
    expect((await teacher.complete(request)).texts).toEqual(["fine"])
  })

  test("until it gives up, with the status and how often it tried", async () => {
    const { server, teacher } = await serve((_, response) => refuse(response, 503, { message: "overloaded" }), { maxTries: 3 })
    const error = await teacher.complete(request).catch((error) => error)
    expect(error).toMatchObject({ code: "teacher.server-error", isRetryable: true, status: 503 })
    expect(error.message).toMatch(/503.*overloaded.*tried 3 times/)
    expect(server.seen).toHaveLength(3)
  })

  test("a Retry-After that is too long ends the request at once", async () => {
    const { server, teacher } = await serve((_, response) => refuse(response, 429, { message: "daily limit" }, { "retry-after": "7200" }))
    await expect(teacher.complete(request)).rejects.toMatchObject({ code: "teacher.rate-limited", isRetryable: true, status: 429 })
    expect(server.seen).toHaveLength(1)
  })

  test("Retry-After holds back every other request too", async () => {
    const arrivals: number[] = []
    const behave: Behaviour = ({ number }, response) => {
      arrivals.push(performance.now())
      if (number === 0) refuse(response, 429, { message: "slow down" }, { "retry-after": "0.1" })
      else reply(response, completionOf(["fine"]))
    }
    const { teacher } = await serve(behave, { maxConcurrency: 1 })
    await Promise.all([0, 1, 2].map((index) => teacher.complete({ ...request, index })))
    expect(arrivals).toHaveLength(4)
    expect(arrivals[1] - arrivals[0]).toBeGreaterThan(95)
  })

  test("more than half of all requests failing still ends with every answer", async () => {
    const faulty = Object.values(faults)
    const failed = new Map<string, number>()
    // One to three faults before each answer; by order of arrival, one request might meet a fault each time.
    const behave: Behaviour = (seen, response, server) => {
      const { content } = seen.body.messages[0]
      const times = failed.get(content) ?? 0
      if (times > Number(content) % 3) return reply(response, completionOf([`echo ${content}`]))
      failed.set(content, times + 1)
      faulty[(Number(content) + times) % faulty.length](seen, response, server)
    }
    const { teacher } = await serve(behave, { maxTries: 12, maxBackOffMilliseconds: 4 })
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => teacher.complete({ ...request, index, messages: [{ role: "user", content: `${index}` }] })),
    )
    expect(answers.map(({ texts }) => texts[0])).toEqual(answers.map((_, index) => `echo ${index}`))
  })
})

describe("what is not retried", () => {
  const refusals = [
    { status: 400, error: { message: "bad request" }, expected: { code: "teacher.request-refused", isRetryable: false, status: 400 } },
    { status: 401, error: { message: "bad key" }, expected: { code: "teacher.key-refused" } },
    { status: 403, error: { message: "not yours" }, expected: { code: "teacher.key-refused" } },
    { status: 404, error: { message: "no model" }, expected: { code: "teacher.no-such-model" } },
    { status: 429, error: { message: "quota", code: "insufficient_quota" }, expected: { code: "teacher.out-of-credit" } },
  ]
  for (const { status, error, expected } of refusals) {
    test(`${status} ${expected.code}`, async () => {
      const { server, teacher } = await serve((_, response) => refuse(response, status, error), { apiKey: "some-key-or-other" })
      await expect(teacher.complete(request)).rejects.toMatchObject(expected)
      expect(server.seen).toHaveLength(1)
    })
  }

  test("a port where nobody listens is tried three times, and the remedy named", async () => {
    const { server, teacher } = await serve(() => {})
    await server.close()
    await expect(teacher.complete(request)).rejects.toMatchObject({
      code: "teacher.unreachable",
      message: expect.stringMatching(/start the server.*tried 3 times/),
    })
  })

  test("a filter that refuses a prompt is an empty answer, so that the next prompt is tried", async () => {
    const { teacher } = await serve((_, response) => refuse(response, 400, { message: "filtered", code: "content_filter" }))
    expect(await teacher.complete(request)).toMatchObject({ texts: [""], finishReasons: ["content_filter"] })
  })
})

describe("requests in flight, as the server sees them", () => {
  test("rise to maxConcurrency and never above", async () => {
    const full = deferred()
    // From the ninth on, answers wait for each other: they come only if eight requests really are in flight at once.
    const behave: Behaviour = async ({ number }, response, server) => {
      if (server.inFlight === 8) full.resolve()
      if (number >= 8) await full.promise
      reply(response, completionOf(["fine"]))
    }
    const { server, teacher } = await serve(behave, { maxConcurrency: 8 })
    await Promise.all(Array.from({ length: 40 }, (_, index) => teacher.complete({ ...request, index })))
    expect(server.mostInFlight).toBe(8)
    expect(server.seen).toHaveLength(40)
  })

  test("a slow answer does not hold up the others", async () => {
    const slow = deferred()
    const behave: Behaviour = async ({ number }, response) => {
      if (number === 0) await slow.promise
      reply(response, completionOf([String(number)]))
    }
    const { server, teacher } = await serve(behave, { maxConcurrency: 4 })
    const first = teacher.complete(request)
    await Promise.all(Array.from({ length: 30 }, (_, index) => teacher.complete({ ...request, index: index + 1 })))
    expect(server.inFlight).toBe(1)
    slow.resolve()
    expect((await first).texts).toEqual(["0"])
  })

  test("an abort ends what is in flight and what waits", async () => {
    const closed = deferred()
    const arrived = deferred()
    const behave: Behaviour = (_, response) => {
      response.once("close", closed.resolve)
      arrived.resolve()
    }
    const { server, teacher } = await serve(behave, { maxConcurrency: 1 })
    const controller = new AbortController()
    const answers = [0, 1, 2].map((index) =>
      teacher.complete({ ...request, index }, { signal: controller.signal }).catch((error) => error.code),
    )
    await arrived.promise
    controller.abort()
    expect(await Promise.all(answers)).toEqual(["run.interrupted", "run.interrupted", "run.interrupted"])
    await closed.promise
    expect(server.seen).toHaveLength(1)
    await expect(teacher.complete(request, { signal: controller.signal })).rejects.toMatchObject({ code: "run.interrupted" })
  })

  test("an abort ends the wait before another try", async () => {
    const controller = new AbortController()
    const behave: Behaviour = (_, response) => {
      response.once("close", () => controller.abort())
      refuse(response, 503)
    }
    const { server, teacher } = await serve(behave, { backOffMilliseconds: 60_000 })
    await expect(teacher.complete(request, { signal: controller.signal })).rejects.toMatchObject({ code: "run.interrupted" })
    expect(server.seen).toHaveLength(1)
  })
})

describe("several answers", () => {
  test("in one exchange where the server takes n", async () => {
    const { server, teacher } = await serve(({ body }, response) =>
      reply(response, completionOf(Array.from({ length: body.n }, (_, index) => `${index}`))),
    )
    expect((await teacher.complete({ ...request, numResponses: 3 })).texts).toEqual(["0", "1", "2"])
    expect(server.seen).toHaveLength(1)
  })

  test("in several where it ignores n, each with a seed of its own; the next request knows", async () => {
    const { server, teacher } = await serve(({ number }, response) => reply(response, completionOf([`${number}`])))
    const answer = await teacher.complete({ ...request, numResponses: 3, seed: 7 })
    expect([...answer.texts].sort()).toEqual(["0", "1", "2"])
    expect(answer.usage).toEqual({ inputTokens: 30, outputTokens: 15 })
    expect(new Set(server.seen.map(({ body }) => body.seed)).size).toBe(3)
    await teacher.complete({ ...request, numResponses: 2, seed: 7, index: 1 })
    expect(server.seen.slice(3).map(({ body }) => body.n)).toEqual([undefined, undefined])
  })

  test("in several where it refuses n", async () => {
    const behave: Behaviour = ({ body }, response) =>
      body.n ? refuse(response, 400, { message: "Only one completion choice is allowed" }) : reply(response, completionOf(["fine"]))
    const { server, teacher } = await serve(behave)
    expect((await teacher.complete({ ...request, numResponses: 3 })).texts).toEqual(["fine", "fine", "fine"])
    expect(server.seen).toHaveLength(4)
  })

  test("those that arrived are kept when one of several fails for good", async () => {
    const behave: Behaviour = ({ number }, response) =>
      number === 1 ? refuse(response, 400, { message: "no" }) : reply(response, completionOf([`${number}`]))
    const { teacher } = await serve(behave, { maxConcurrency: 1 })
    expect((await teacher.complete({ ...request, numResponses: 3 })).texts).toEqual(["0", "2"])
  })

  test("equal requests of one stage get different seeds, and the same one again the same", async () => {
    const { server, teacher } = await serve((_, response) => reply(response, completionOf(["fine"])))
    for (const index of [0, 1, 0]) await teacher.complete({ ...request, seed: 7, index })
    const [first, second, again] = server.seen.map(({ body }) => body.seed)
    expect(first).toBe(again)
    expect(first).not.toBe(second)
  })
})

describe("what a server does not take", () => {
  test("JSON schema, then JSON mode, then words; remembered", async () => {
    const behave: Behaviour = ({ body }, response) => {
      if (body.response_format?.type === "json_schema")
        return refuse(response, 400, { message: "response_format.type must be text or json_object" })
      if (body.response_format) return refuse(response, 422, { detail: "extra fields not permitted" })
      reply(response, completionOf(["fine"]))
    }
    const { server, teacher } = await serve(behave)
    await teacher.complete({ ...request, schema })
    await teacher.complete({ ...request, schema, index: 1 })
    expect(server.seen.map(({ body }) => body.response_format?.type)).toEqual(["json_schema", "json_object", undefined, undefined])
    expect(server.seen[0].body.response_format.json_schema).toEqual({ ...schema, strict: true })
    expect(server.seen[0].body.messages).toEqual(request.messages)
    expect(server.seen[3].body.messages[0].content).toContain(JSON.stringify(schema.schema))
  })

  test("a schema with optional members is not called strict", async () => {
    const { server, teacher } = await serve((_, response) => reply(response, completionOf(["fine"])))
    await teacher.complete({ ...request, schema: { name: "loose", schema: { type: "object", properties: { input: { type: "string" } } } } })
    expect(server.seen[0].body.response_format.json_schema.strict).toBe(false)
  })

  test("a refusal for another reason is not taken for one of the form", async () => {
    const { server, teacher } = await serve(({ number }, response) =>
      number < 3 ? refuse(response, 400, { message: "no" }) : reply(response, completionOf(["fine"])),
    )
    await expect(teacher.complete({ ...request, schema })).rejects.toMatchObject({ code: "teacher.request-refused" })
    await teacher.complete({ ...request, schema, index: 1 })
    expect(server.seen[3].body.response_format.type).toBe("json_schema")
  })

  test("answers that are no stream; what lies upstream is none", async () => {
    const behave: Behaviour = ({ body, number }, response) => {
      if (number === 0) return refuse(response, 400, { message: "the upstream said no" })
      if (!body.stream) return refuse(response, 400, { message: "set stream to true", param: "stream" })
      response.writeHead(200, { "content-type": "text/event-stream" })
      for (const delta of [{ content: "fi" }, { content: "ne" }])
        response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`)
      const usage = { prompt_tokens: 7, completion_tokens: 2 }
      response.end(
        `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: "length" }], usage })}\r\n\r\ndata: [DONE]\n\n`,
      )
    }
    const { server, teacher } = await serve(behave)
    await expect(teacher.complete(request)).rejects.toMatchObject({ code: "teacher.request-refused" })
    const answer = await teacher.complete({ ...request, index: 1 })
    expect(answer).toMatchObject({ texts: ["fine"], finishReasons: ["length"], usage: { inputTokens: 7, outputTokens: 2 } })
    expect(answer.seconds).toBeGreaterThan(0)
    expect(server.seen.map(({ body }) => body.stream)).toEqual([false, false, true])
  })

  test("max_tokens by its old name, temperature, seed", async () => {
    const behave: Behaviour = ({ body }, response) => {
      for (const name of ["max_tokens", "temperature", "seed"]) {
        if (body[name] !== undefined) return refuse(response, 400, { message: `Unsupported parameter: '${name}'`, param: name })
      }
      reply(response, completionOf(["fine"]))
    }
    const notices: string[] = []
    const { server, teacher } = await serve(behave, { onNotice: (sentence) => notices.push(sentence) })
    await teacher.complete({ ...request, maxTokens: 9, seed: 1 })
    expect(server.seen.at(-1)?.body).toEqual({ model: "m", messages: request.messages, max_completion_tokens: 9, stream: false })
    expect(notices).toEqual([expect.stringContaining("takes no temperature")])
    await teacher.complete({ ...request, maxTokens: 9, seed: 1, index: 1 })
    expect(server.seen).toHaveLength(5)
  })
})

describe("usage and price", () => {
  test("tokens as the server counts them, dollars from the table", async () => {
    const usage = { prompt_tokens: 1000, completion_tokens: 200, total_tokens: 1200 }
    const { teacher } = await serve((_, response) => reply(response, completionOf(["fine"], usage)), {}, "gpt-4o-mini-2024-07-18")
    const answer = await teacher.complete(request)
    expect(answer.usage).toEqual({ inputTokens: 1000, outputTokens: 200 })
    expect(answer.usd).toBeCloseTo((1000 * 0.15 + 200 * 0.6) / 1e6, 12)
  })

  test("prices of one's own come first; an unknown model elsewhere has no known price", async () => {
    const { teacher } = await serve((_, response) => reply(response, completionOf(["fine"])), { prices: { m: { input: 1, output: 2 } } })
    expect((await teacher.complete(request)).usd).toBeCloseTo(20 / 1e6, 12)
    expect(teacher.isPriceKnown).toBe(true)
    expect(openaiTeacher("no-such", { apiKey: "x", baseURL: "https://models.example/v1" }).isPriceKnown).toBe(false)
    expect(openaiTeacher("llama", { baseURL: "http://localhost:11434/v1" }).isPriceKnown).toBe(true)
  })

  test("tokens are guessed where the server does not count", async () => {
    const { teacher } = await serve((_, response) => reply(response, { ...completionOf(["x".repeat(40)]), usage: null }))
    expect((await teacher.complete(request)).usage).toEqual({ inputTokens: 2, outputTokens: 10 })
  })
})

describe("who it is, and its key", () => {
  test("identity and where it sends", () => {
    const remote = openaiTeacher("gpt-4o", { apiKey: "x", baseURL: "https://models.example/v1/" })
    expect(remote).toMatchObject({ name: "gpt-4o", identity: "gpt-4o@https://models.example/v1", sendsTo: "https://models.example" })
    for (const local of ["http://localhost:1/v1", "http://127.0.0.1:1/v1", "http://[::1]:1/v1"])
      expect(openaiTeacher("m", { baseURL: local }).sendsTo).toBeUndefined()
    process.env.OPENAI_BASE_URL = "http://gpu.example:8000/v1"
    expect(openaiTeacher("m", { apiKey: "x" }).identity).toBe("m@http://gpu.example:8000/v1")
  })

  test("a missing key is named before the first request; a server of one's own needs none", async () => {
    delete process.env.OPENAI_API_KEY
    delete process.env.OPENAI_BASE_URL
    expect(() => openaiTeacher("gpt-4o")).toThrowError(
      expect.objectContaining({ code: "teacher.no-key", message: expect.stringContaining("OPENAI_API_KEY") }),
    )
    const { server, teacher } = await serve(once((_, response) => refuse(response, 401, { message: "who are you" })))
    await expect(teacher.complete(request)).rejects.toMatchObject({ code: "teacher.no-key" })
    await teacher.complete(request)
    expect(server.seen[1].authorization).toBeUndefined()
  })

  test("an address with a password, a query or none at all is refused", () => {
    for (const baseURL of ["http://me:secret@host/v1", "http://host/v1?key=secret", "host:80/v1", "ftp://host/"]) {
      expect(() => openaiTeacher("m", { baseURL, apiKey: "x" })).toThrowError(
        expect.objectContaining({ code: "teacher.bad-address", message: expect.not.stringContaining("secret") }),
      )
    }
  })

  for (const where of ["option", "environment"] as const) {
    test(`a key from the ${where} goes to the server and into no error, though the server quotes it`, async () => {
      const key = "local_key_without_a_known_pattern_42"
      if (where === "environment") process.env.OPENAI_API_KEY = key
      for (const status of [400, 401, 404, 429, 500]) {
        const { server, teacher } = await serve(
          ({ authorization }, response) => refuse(response, status, { message: `Incorrect: ${authorization}, ${key}` }),
          {
            ...{ maxTries: 2, apiKey: where === "option" ? key : undefined },
          },
        )
        const error = await teacher.complete(request).catch((error) => error)
        expect(server.seen[0].authorization).toBe(`Bearer ${key}`)
        expect(error.message).toContain("[redacted]")
        expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(key)
        expect(JSON.stringify(teacher)).not.toContain(key)
      }
    })
  }
})
