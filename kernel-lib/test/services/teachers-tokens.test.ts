// Tokens and money before anything is sent: counted with the model's own tokenizer where it is known, called a rule of thumb where not.
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { Reporter } from "../../src/core/run"
import type { TeacherRequest } from "../../src/core/teacher"
import { openaiTeacher } from "../../src/services/teachers"
import { countMessages, guessTokens, tokenCounterOf } from "../../src/services/teachers/count-tokens"
import { generateDataset } from "../../src/stages/generate-dataset/generate-dataset"
import { openRunFolder } from "../../src/store/run"
import { completionOf, reply, startFaultServer } from "./teachers-fault-server"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "prompt2model-tokens-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("tokens", () => {
  test("of known models are counted as OpenAI's tiktoken counts them", async () => {
    // Counted with js-tiktoken 1.0.21, another port of tiktoken: new Tiktoken(ranks).encode(text).length
    const text = "Prompt2Model turns a prompt into a small, deployable model. 提示词变成模型。 naïve café 12345"
    const counts = await Promise.all(["gpt-4o-mini", "gpt-3.5-turbo"].map(async (model) => (await tokenCounterOf(model))?.(text)))
    expect(counts).toEqual([27, 29])
    expect((await tokenCounterOf("openai/gpt-5-mini"))?.(text)).toBe(27)
  })

  test("that look special in a text are text", async () => {
    const count = await tokenCounterOf("gpt-4o")
    expect(count?.("<|endoftext|>")).toBeGreaterThan(1)
  })

  test("of other models are guessed, and of scripts without an alphabet not by four", async () => {
    expect(tokenCounterOf("llama-3.1-8b")).toBeUndefined()
    expect(guessTokens("four letters")).toBe(3)
    expect(guessTokens("提示词变成模型")).toBe(7)
  })

  test("of a request hold what the protocol adds", async () => {
    const count = await tokenCounterOf("gpt-4o-mini")
    if (!count) throw new Error("the tokenizer is known")
    expect(countMessages([{ role: "user", content: "hello" }], undefined, count)).toBe(1 + 3 + 3)
  })
})

describe("an estimate", () => {
  const request: TeacherRequest = {
    purpose: "generate",
    messages: [{ role: "user", content: "hello" }],
    temperature: 0,
    numResponses: 3,
    maxTokens: 100,
    index: 0,
  }

  test("of a request with a cap on its answers is the most it can cost; half of it in a batch", async () => {
    const teacher = openaiTeacher("gpt-4o-mini", { apiKey: "x", baseURL: "https://models.example/v1" })
    const usd = (7 * 0.15 + 300 * 0.6) / 1e6
    expect(await teacher.estimate?.(request)).toEqual({
      ...{ inputTokens: 7, outputTokens: 300, isBounded: true, isCounted: true },
      usd: expect.closeTo(usd, 12),
    })
    const batch = openaiTeacher("gpt-4o-mini", { apiKey: "x", baseURL: "https://models.example/v1", batch: { folder } })
    expect((await batch.estimate?.(request))?.usd).toBeCloseTo(usd / 2, 12)
  })

  test("of an unknown model says that it is a guess, and that its price is not known", async () => {
    const teacher = openaiTeacher("nobody-knows", { apiKey: "x", baseURL: "https://models.example/v1" })
    expect(await teacher.estimate?.({ ...request, maxTokens: undefined })).toMatchObject({
      isBounded: false,
      isCounted: false,
      usd: undefined,
    })
  })

  test("of a generation comes before the first request, and the cost so far and in all while it runs", async () => {
    const events: string[] = []
    const reporter: Reporter = {
      stageStarted() {},
      stageProgress: (_stage, { note }) => events.push(`progress ${note}`),
      stageEnded() {},
      notice: (sentence) => events.push(`notice ${sentence}`),
    }
    const usage = { prompt_tokens: 1e6, completion_tokens: 0, total_tokens: 1e6 }
    const server = await startFaultServer(({ body }, response) => {
      events.push("request")
      reply(
        response,
        completionOf(
          [0, 1, 2, 3].map((sample) => JSON.stringify({ input: `${body.seed} ${sample}`, output: "x" })),
          usage,
        ),
      )
    })
    // The real service is elsewhere: a price of one's own makes the local server one that costs something.
    const teacher = { ...openaiTeacher("gpt-4o-mini", { baseURL: server.baseURL, apiKey: "" }), sendsTo: "https://models.example" }
    const spec = new PromptSpec({ instruction: "Say x.", demonstrations: [{ input: "1", output: "x" }] })
    const run = await openRunFolder(join(folder, "run"), { teacher, reporter, maxUsd: 100 })
    const made = await generateDataset(spec, { numExamples: 40, run })
    await server.close()
    expect(events[0]).toMatch(/^notice gpt-4o-mini: about 13 requests, [\d,]+ tokens, \$0\.00\.$/)
    expect(events[1]).toBe("request")
    expect(events.filter((event) => event.startsWith("progress 4")).at(-1)).toMatch(
      /^progress 40 of 40 rows, \$1\.\d\d of about \$1\.\d\d$/,
    )
    expect(made.estimate).toMatchObject({ requests: 13, isCounted: true })
  })
})
