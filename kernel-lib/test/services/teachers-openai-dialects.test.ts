// Servers take less than OpenAI's own: what they refuse is left out, and remembered.
import { afterEach, describe, expect, test } from "vitest"
import { type Behaviour, completionOf, refuse, reply } from "./teachers-fault-server"
import { closeServers, request, serve } from "./teachers-openai-server"

afterEach(closeServers)

const schema = {
  name: "generated_example",
  schema: { type: "object", properties: { input: { type: "string" } }, required: ["input"], additionalProperties: false },
}

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
