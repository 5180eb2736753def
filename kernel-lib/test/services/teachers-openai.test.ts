// What a teacher of the chat-completions protocol costs, who it is, and where its key goes.
import { inspect } from "node:util"
import { afterEach, describe, expect, test, vi } from "vitest"
import { openaiTeacher } from "../../src/services/teachers"
import { completionOf, refuse, reply } from "./teachers-fault-server"
import { closeServers, once, request, serve } from "./teachers-openai-server"

afterEach(async () => {
  vi.unstubAllEnvs()
  await closeServers()
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
    vi.stubEnv("OPENAI_BASE_URL", "http://gpu.example:8000/v1")
    expect(openaiTeacher("m", { apiKey: "x" }).identity).toBe("m@http://gpu.example:8000/v1")
  })

  test("a missing key is named before the first request; a server of one's own needs none", async () => {
    vi.stubEnv("OPENAI_API_KEY", undefined)
    vi.stubEnv("OPENAI_BASE_URL", undefined)
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
      if (where === "environment") vi.stubEnv("OPENAI_API_KEY", key)
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
