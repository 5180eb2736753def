// What a served student answers to OpenAI's protocols: text in pieces, probabilities, several answers, refusals, and who is answered together.
import { connect } from "node:net"
import OpenAI from "openai"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { InputError } from "../../src/core/errors"
import type { PredictOptions, Student } from "../../src/core/student"
import { AnswerQueue } from "../../src/stages/serve/answer-queue"
import { AnswerText } from "../../src/stages/serve/answer-text"
import { type Demo, serve } from "../../src/stages/serve/serve"

/** How many inputs each call of `predict` had. */
const batches: number[] = []
/** Writes its input backwards, a character a token; each is half as likely as the last. With a seed, what it drew stands before. */
const student: Student = {
  kind: "student",
  name: "backwards",
  architecture: "t5",
  parameters: 1000,
  bytes: 4000,
  isPretrained: false,
  fingerprint: "backwards",
  async predict(inputs, { decoding, maxNewTokens = 100, onToken, signal }: PredictOptions = {}) {
    batches.push(inputs.length)
    const seeds = decoding && "seed" in decoding && Array.isArray(decoding.seed) ? decoding.seed : undefined
    const answers = inputs.map((input, row) => [...(seeds ? `${seeds[row] % 10}${input}` : input)].reverse().slice(0, maxNewTokens))
    for (let at = 0; at < 100; at++) {
      await new Promise((resolve) => setImmediate(resolve))
      signal?.throwIfAborted()
      for (const [row, answer] of answers.entries()) {
        if (inputs[row] === "bad") throw new InputError("student.vocabulary", "That cannot be read.")
        const isEnd = at === answer.length
        if (at > answer.length || (isEnd && at === maxNewTokens)) continue
        onToken?.(row, { id: at, logProbability: -at - 1, isEnd, output: answer.slice(0, at + 1).join("") })
      }
    }
    return answers.map((answer) => ({ output: answer.join(""), tokens: answer.map((_, at) => at), confidence: 0.5 }))
  },
  async save() {},
  dispose() {},
}

let demo: Demo
let client: OpenAI
beforeAll(async () => {
  demo = await serve(student, {})
  client = new OpenAI({ baseURL: `${demo.url}v1`, apiKey: "none", maxRetries: 0 })
})
afterAll(() => demo.close())

const chat = (content: string, more: object = {}) =>
  client.chat.completions.create({ model: "backwards", messages: [{ role: "user", content }], ...more }) as Promise<OpenAI.ChatCompletion>

describe("a served student", () => {
  it("answers the last message of the user", async () => {
    const answer = await client.chat.completions.create({
      model: "backwards",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "first" },
        { role: "assistant", content: "tsrif" },
        {
          role: "user",
          content: [
            { type: "text", text: "sec" },
            { type: "text", text: "ond" },
          ],
        },
      ],
    })
    expect(answer.choices[0].message.content).toBe("dnoces")
    expect(answer.choices[0].finish_reason).toBe("stop")
    expect((await chat("abc", { max_completion_tokens: 2 })).choices[0]).toMatchObject({
      message: { content: "cb" },
      finish_reason: "length",
    })
  })

  it("writes pieces as tokens come, which together are the answer, with the usage at the end", async () => {
    const stream = await client.chat.completions.create({
      model: "backwards",
      messages: [{ role: "user", content: "abc" }],
      stream: true,
      stream_options: { include_usage: true },
    })
    const pieces: string[] = []
    let last: OpenAI.ChatCompletionChunk | undefined
    let reason: string | null = null
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content)
      reason = chunk.choices[0]?.finish_reason ?? reason
      last = chunk
    }
    expect(pieces).toEqual(["c", "b", "a"])
    expect(reason).toBe("stop")
    expect(last?.usage?.completion_tokens).toBe(4)
  })

  it("gives several answers, each of its own seed and the same each time, and the probability of each token", async () => {
    const options = { n: 3, seed: 5, logprobs: true, temperature: 1 }
    const texts = async () => (await chat("ab", options)).choices.map(({ message }) => message.content)
    expect(await texts()).toEqual(["ba5", "ba8", "ba1"])
    expect(await texts()).toEqual(["ba5", "ba8", "ba1"])
    const { choices } = await chat("ab", { logprobs: true })
    expect(choices[0].logprobs?.content?.map(({ token, logprob }) => [token, logprob])).toEqual([
      ["b", -1],
      ["a", -2],
    ])
  })

  it("gives a character of several tokens to the one that completes it, so that the tokens' texts are the answer", async () => {
    const written = ["\uFFFD", "é", "éa", "éa\uFFFD"]
    const bytes: Student = {
      ...{ ...student, name: "bytes" },
      async predict(_inputs, { onToken } = {}) {
        for (const [id, output] of written.entries()) onToken?.(0, { id, logProbability: -1, isEnd: false, output })
        return [{ output: written[3], tokens: [0, 1, 2, 3], confidence: 0.5 }]
      },
    }
    const opened = await serve(bytes, {})
    const asker = new OpenAI({ baseURL: `${opened.url}v1`, apiKey: "none", maxRetries: 0 })
    const { choices } = await asker.completions.create({ model: "bytes", prompt: "x", logprobs: 1 })
    await opened.close()
    expect(choices[0].text).toBe("éa\uFFFD")
    expect(choices[0].logprobs).toMatchObject({ tokens: ["", "é", "a", "\uFFFD"], text_offset: [0, 0, 1, 2] })
  })

  it("completes one prompt or several", async () => {
    const { choices, usage } = await client.completions.create({ model: "backwards", prompt: ["ab", "cd"], logprobs: 1 })
    expect(choices.map(({ text }) => text)).toEqual(["ba", "dc"])
    expect(choices[1].logprobs).toMatchObject({ tokens: ["d", "c"], token_logprobs: [-1, -2], text_offset: [0, 1] })
    expect(usage?.completion_tokens).toBe(6)
  })

  it("ends before a stop text, which no piece shows the beginning of", async () => {
    const stream = await client.completions.create({ model: "backwards", prompt: "fedcba", stop: ["de", "x"], stream: true })
    let text = ""
    for await (const { choices } of stream) text += choices[0]?.text ?? ""
    expect(text).toBe("abc")
  })

  it.each([
    [{ temperature: 3 }, "temperature must be a number from 0 to 2"],
    [{ n: 0 }, "n must be a whole number from 1 to 16"],
    [{ tools: [{ type: "function", function: { name: "f" } }] }, "cannot do tools"],
    [{ presence_penalty: 1 }, "presence_penalty is not supported"],
    [{ response_format: { type: "json_object" } }, "leave response_format out"],
    [{ logprobs: true, top_logprobs: 5 }, "at most one"],
    [{ messages: [] }, "a message of the user"],
    [{ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] }] }, "parts of the type text"],
    [{ stop: [""] }, "stop is a text"],
  ])("refuses %o in a sentence", async (more, sentence) => {
    const error = await chat("abc", more).catch((caught) => caught)
    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error.message).toContain(sentence)
  })

  it("names its model, and knows no other", async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["backwards"])
    const error = await chat("abc", { model: "gpt-4o" }).catch((caught) => caught)
    expect(error).toBeInstanceOf(OpenAI.NotFoundError)
    expect(error.message).toContain("there is backwards")
  })

  it("answers together who asks together, and an input that cannot be read spoils no other's answer", async () => {
    batches.length = 0
    const answers = await Promise.all([..."abcdefgh"].map((letter) => chat(letter)))
    expect(answers.map(({ choices }) => choices[0].message.content).join("")).toBe("abcdefgh")
    expect(batches.length).toBeLessThan(8)
    const [good, bad] = await Promise.allSettled([chat("good"), chat("bad")])
    expect(good).toMatchObject({ status: "fulfilled", value: { choices: [{ message: { content: "doog" } }] } })
    expect(bad).toMatchObject({ status: "rejected", reason: { status: 400 } })
  })

  it("counts what it does, for Prometheus", async () => {
    const text = await (await fetch(`${demo.url}metrics`)).text()
    expect(text).toMatch(/prompt2model_request_seconds_count\{path="\/v1\/chat\/completions",status="200"\} [1-9]/)
    expect(text).toMatch(/prompt2model_generated_tokens_total [1-9]/)
    expect(text).toContain("prompt2model_waiting_inputs 0")
  })
})

describe("a client that reads nothing", () => {
  /** Writes 200 KB a token, more than a connection holds that nobody reads. */
  const wordy: Student = {
    ...student,
    name: "wordy",
    async predict(inputs, { onToken } = {}) {
      let output = ""
      for (let at = 0; at < 60; at++) {
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
        output += "x".repeat(200_000)
        for (const row of inputs.keys()) onToken?.(row, { id: at, logProbability: -1, isEnd: false, output })
      }
      return inputs.map(() => ({ output, tokens: [1], confidence: 0.5 }))
    },
  }

  it("is cut off, and one that reads gets all", async () => {
    const served = await serve(wordy, {})
    const body = JSON.stringify({ prompt: "a", stream: true })
    const head = `POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
    const idle = connect(served.port, "127.0.0.1")
    idle.pause()
    idle.write(head + body)
    const reading = new OpenAI({ baseURL: `${served.url}v1`, apiKey: "none" })
    let length = 0
    for await (const { choices } of await reading.completions.create({ model: "wordy", prompt: "a", stream: true }))
      length += choices[0]?.text.length ?? 0
    expect(length).toBe(12_000_000)
    await new Promise<void>((resolve) => {
      idle.on("error", () => {})
      idle.on("close", () => resolve())
      idle.resume()
    })
    expect(idle.bytesRead).toBeLessThan(length)
    await served.close()
  })
})

describe("a served student with a key", () => {
  it("answers who has it, and tells others so", async () => {
    const closed = await serve(student, { apiKey: "open-sesame" })
    const ask = (key: string) => new OpenAI({ baseURL: `${closed.url}v1`, apiKey: key, maxRetries: 0 }).models.list()
    expect((await ask("open-sesame")).data).toHaveLength(1)
    await expect(ask("open-sesam")).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
    expect((await fetch(`${closed.url}health`)).status).toBe(200)
    expect((await fetch(`${closed.url}metrics`)).status).toBe(401)
    expect(await (await fetch(closed.url)).text()).toContain("Key of this server")
    await closed.close()
  })

  it("is needed where others than this machine can ask", async () => {
    await expect(serve(student, { host: "0.0.0.0" })).rejects.toMatchObject({ code: "serve.needs-key" })
    await expect(serve(student, { host: "203.0.113.7", apiKey: "k" })).rejects.toMatchObject({ code: "serve.no-such-address" })
  })
})

describe("AnswerQueue", () => {
  it("answers only what somebody waits for, and stops when nobody does", async () => {
    const queue = new AnswerQueue(student)
    const [first, second] = [new AbortController(), new AbortController()]
    let written = 0
    const answers = [
      queue.ask({ input: "a".repeat(90), signal: first.signal, onToken: () => ++written === 3 && first.abort() }),
      queue.ask({ input: "xyz", decoding: { kind: "greedy" }, signal: second.signal }),
    ]
    second.abort()
    const settled = await Promise.allSettled(answers)
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"])
    expect(written).toBe(3)
    expect(queue.length).toBe(0)
    expect((await queue.ask({ input: "abc" })).output).toBe("cba")
  })
})

describe("AnswerText", () => {
  it("keeps back half a character and what may begin a stop text, and gives all that is left at the end", () => {
    const text = new AnswerText(["END"])
    expect(text.take("a\uFFFD", false)).toBe("a")
    expect(text.take("aé E", false)).toBe("é ")
    expect(text.take("aé EN", false)).toBe("")
    expect(text.take("aé ENd", false)).toBe("ENd")
    expect(text.take("aé ENdEN", true)).toBe("EN")
    expect(text.text).toBe("aé ENdEN")
    const stopped = new AnswerText(["END"])
    expect(stopped.take("ab END cd", true)).toBe("ab ")
    expect(stopped.isStopped).toBe(true)
  })
})
