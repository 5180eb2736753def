// Models that reason before they answer: told not to where that is known to work, as the user wants where the user says, and never in silence.
import dns from "node:dns"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, test, vi } from "vitest"
import { askForObject } from "../../src/core/ask-for-object"
import { type OpenAITeacherOptions, openaiTeacher } from "../../src/services/teachers"
import { exportResponses } from "../../src/store/exported-responses"
import { storeResponses } from "../../src/store/response-store"
import { type Behaviour, completionOf, refuse, reply } from "./teachers-fault-server"
import { closeServers, request, serve } from "./teachers-openai-server"

afterEach(async () => {
  vi.restoreAllMocks()
  await closeServers()
})

const fine: Behaviour = (_, response) => reply(response, completionOf(["fine"]))
const schema = { name: "x", schema: { type: "object", properties: {}, required: [], additionalProperties: false } }
/** Refuses each of the parameters as OpenAI does, one at a time. */
const without =
  (...names: string[]): Behaviour =>
  (seen, response, server) => {
    const name = names.find((name) => seen.body[name] !== undefined)
    if (name === undefined) return fine(seen, response, server)
    const value = JSON.stringify(seen.body[name])
    refuse(response, 400, { message: `Unsupported value: '${name}' does not support ${value} with this model.`, param: name })
  }

/** A server of this machine that is reached by the name of OpenAI's. */
async function serveAsOpenAI(model: string, behave: Behaviour, options: OpenAITeacherOptions = {}) {
  const { server } = await serve(behave)
  const lookup = (_: string, { all }: dns.LookupOptions, done: (...outcome: unknown[]) => void) =>
    all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4)
  vi.spyOn(dns, "lookup").mockImplementation(lookup as unknown as typeof dns.lookup)
  const baseURL = server.baseURL.replace("127.0.0.1", "api.openai.com")
  const notices: string[] = []
  const onNotice = (sentence: string) => void notices.push(sentence)
  return { server, notices, teacher: openaiTeacher(model, { baseURL, apiKey: "k", backOffMilliseconds: 1, onNotice, ...options }) }
}

describe("where nobody says how much to reason", () => {
  const efforts: [model: string, effort: string | undefined][] = [
    ["gpt-6-luna", "none"],
    ["gpt-6.2-astra", "none"],
    ["gpt-5.4-mini-2026-03-17", "none"],
    ["gpt-5", undefined],
    ["gpt-5-mini", undefined],
    ["gpt-4.1", undefined],
    ["o4-mini", undefined],
  ]
  for (const [model, effort] of efforts) {
    test(`OpenAI's ${model} is asked for ${effort ?? "nothing"}`, async () => {
      const { server, teacher } = await serveAsOpenAI(model, fine)
      await teacher.complete(request)
      expect(server.seen[0].body.reasoning_effort).toBe(effort)
      expect(server.seen[0].body.temperature).toBe(0.5)
    })
  }

  test("other servers are asked for nothing", async () => {
    const { server, teacher } = await serve(fine, {}, "gpt-6-luna")
    await teacher.complete(request)
    expect(server.seen[0].body).not.toHaveProperty("reasoning_effort")
  })

  test("a model that cannot stop reasoning is left to reason, then to its own temperature; remembered", async () => {
    const { server, teacher, notices } = await serveAsOpenAI("gpt-6-sol", without("reasoning_effort", "temperature"))
    expect((await teacher.complete(request)).texts).toEqual(["fine"])
    await teacher.complete({ ...request, index: 1 })
    expect(server.seen.map(({ body }) => [body.reasoning_effort, body.temperature])).toEqual([
      ["none", 0.5],
      [undefined, 0.5],
      [undefined, undefined],
      [undefined, undefined],
    ])
    expect(notices).toHaveLength(1)
  })

  test("a refusal that only names the effort, among words of the answer's form, costs neither form nor temperature", async () => {
    const { server, teacher } = await serveAsOpenAI("gpt-6.1-sol", ({ body }, response) =>
      body.reasoning_effort
        ? refuse(response, 422, { message: "the schema of this deployment has no reasoning_effort" })
        : reply(response, completionOf(["fine"])),
    )
    await teacher.complete({ ...request, schema })
    expect(server.seen).toHaveLength(2)
    expect(server.seen[1].body).toMatchObject({ temperature: 0.5, response_format: { type: "json_schema" } })
  })
})

describe("the effort that the user wants", () => {
  test("goes to any server, and before what is known of OpenAI's", async () => {
    const local = await serve(fine, { reasoningEffort: "low" }, "qwen3:8b")
    const own = await serveAsOpenAI("gpt-6-luna", fine, { reasoningEffort: "high" })
    await local.teacher.complete(request)
    await own.teacher.complete(request)
    expect(local.server.seen[0].body.reasoning_effort).toBe("low")
    expect(own.server.seen[0].body.reasoning_effort).toBe("high")
  })

  const refusals: [status: number, error: object][] = [
    [400, { message: "Unsupported value: 'turbo' is not supported with this model.", param: "reasoning_effort" }],
    [422, { message: "body.reasoning_effort: extra inputs are not permitted" }],
    [400, { message: 'invalid reasoning value: "turbo"', param: null }],
    [400, { message: '"m" does not support thinking' }],
  ]
  for (const [status, error] of refusals) {
    test(`is never left out: ${JSON.stringify(error)}`, async () => {
      const { server, teacher } = await serve((_, response) => refuse(response, status, error), { reasoningEffort: "turbo" })
      await expect(teacher.complete({ ...request, schema })).rejects.toMatchObject({
        code: "teacher.effort-refused",
        message: expect.stringMatching(/refused reasoningEffort "turbo" for m \(4\d\d\): give an effort that it takes, or leave it out/),
      })
      expect(server.seen).toHaveLength(1)
    })
  }

  test("may cost the temperature, of the same model with less effort not", async () => {
    const behave: Behaviour = ({ body }, response) =>
      body.reasoning_effort === "high" && body.temperature !== undefined
        ? refuse(response, 400, { message: "temperature is not supported with reasoning_effort 'high'" })
        : reply(response, completionOf(["fine"]))
    const notices: string[] = []
    const { server, teacher } = await serve(behave, { reasoningEffort: "high", onNotice: (sentence) => notices.push(sentence) })
    await teacher.complete(request)
    await openaiTeacher("m", { baseURL: server.baseURL, apiKey: "" }).complete(request)
    expect(server.seen.map(({ body }) => [body.reasoning_effort, body.temperature])).toEqual([
      ["high", 0.5],
      ["high", undefined],
      [undefined, 0.5],
    ])
    expect(notices).toEqual([expect.stringContaining("takes no temperature")])
  })

  test("tells stored answers apart, and those before there was the option keep their place", async () => {
    const folder = await mkdtemp(join(tmpdir(), "prompt2model-efforts-"))
    const { server } = await serve(({ body }, response) => reply(response, completionOf([`effort ${body.reasoning_effort}`])))
    const teacherOf = (options: OpenAITeacherOptions) => openaiTeacher("m", { baseURL: server.baseURL, apiKey: "", ...options })
    expect(teacherOf({}).identity).toBe(`m@${server.baseURL}`)
    const efforts = [undefined, "low", "high"]
    for (const reasoningEffort of [...efforts, ...efforts])
      await storeResponses(teacherOf({ reasoningEffort }), join(folder, "responses")).complete(request)
    expect(server.seen.map(({ body }) => body.reasoning_effort)).toEqual(efforts)
    const responses = join(folder, "answers.jsonl")
    await exportResponses(folder, responses)
    for (const reasoningEffort of efforts) {
      const moved = openaiTeacher("m", { baseURL: "http://127.0.0.1:9/v1", responses, reasoningEffort })
      expect((await moved.complete(request)).texts).toEqual([`effort ${reasoningEffort}`])
    }
    await rm(folder, { recursive: true, force: true })
  })
})

describe("what reasoning takes", () => {
  const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150, completion_tokens_details: { reasoning_tokens: 40 } }
  const choice = (content: string | null, finish_reason: string, index = 0) => ({
    index,
    message: { role: "assistant", content },
    finish_reason,
  })

  test("is counted and paid for once, as the part of the output that it is", async () => {
    const { teacher } = await serve((_, response) => reply(response, completionOf(["fine"], usage)), {
      prices: { m: { input: 1, output: 10 } },
    })
    const answer = await teacher.complete(request)
    expect(answer.usage).toEqual({ inputTokens: 100, outputTokens: 50 })
    expect(answer.usd).toBeCloseTo((100 + 50 * 10) / 1e6, 12)
  })

  test("all of an answer's tokens: paid for, told apart from a cut one, and said once with what helps", async () => {
    const notices: string[] = []
    const { teacher } = await serve(
      (_, response) => reply(response, { choices: [choice(null, "length"), choice("x", "length", 1), choice("", "stop", 2)], usage }),
      { onNotice: (sentence) => notices.push(sentence), prices: { m: { input: 1, output: 10 } } },
    )
    const answer = await teacher.complete({ ...request, numResponses: 3, maxTokens: 50 })
    expect(answer.finishReasons).toEqual(["reasoning", "length", "stop"])
    expect(answer.usd).toBeCloseTo((100 + 50 * 10) / 1e6, 12)
    await teacher.complete({ ...request, numResponses: 3, index: 1 })
    expect(notices).toEqual([expect.stringMatching(/reasoned until the cap .* raise maxAnswerTokens or lower reasoningEffort/)])
  })

  test("an object that never came says why", async () => {
    const { teacher } = await serve((_, response) => reply(response, { choices: [choice("", "length")], usage }), { onNotice: () => {} })
    await expect(askForObject(teacher, { ...request, schema })).rejects.toMatchObject({
      code: "teacher.malformed",
      message: expect.stringMatching(/^m reasoned until the cap .*: lower its reasoningEffort/),
    })
  })

  test("an empty answer of a model that did not reason is one cut by length", async () => {
    const { teacher } = await serve((_, response) =>
      reply(response, { choices: [choice("", "length")], usage: { ...usage, completion_tokens_details: { reasoning_tokens: 0 } } }),
    )
    expect((await teacher.complete(request)).finishReasons).toEqual(["length"])
  })
})
