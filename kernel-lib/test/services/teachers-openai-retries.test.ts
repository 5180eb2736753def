// What is asked again, and what is not, when a server fails, refuses, hangs or answers nonsense.
import { afterEach, describe, expect, test } from "vitest"
import { type Behaviour, completionOf, refuse, reply } from "./teachers-fault-server"
import { closeServers, once, request, serve } from "./teachers-openai-server"

afterEach(closeServers)

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
