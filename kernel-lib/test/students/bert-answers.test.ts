// Encoders' answers and vectors against transformers' and sentence-transformers': labels, spans, embeddings.

import { readFileSync } from "node:fs"
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { loadEmbedder, loadStudent } from "../../src/students"
import { cutSpan, locateAnswer, planWindows, readSpanInput, tokenizeSpanInput, windowAround } from "../../src/students/span-text"
import { encoderFolder, inputOf, labelEncoders, readEncoderGolden, spanEncoders } from "./encoder-golden"
import { largestDifference } from "./golden"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "answers-"))
})
afterAll(() => rm(folder, { recursive: true }))

describe.each(labelEncoders)("%s", (name) => {
  it("answers texts with transformers' labels and probabilities", async () => {
    const { answers } = readEncoderGolden(name)
    const student = await loadStudent(encoderFolder(name), { engine: "onnx", threads: 1 })
    expect(answers.map(({ text }) => student.encodeInput(text!))).toEqual(answers.map(({ ids }) => ids))
    const calls: number[][] = []
    const ours = await student.predict(answers.map(inputOf), { onProgress: (...call) => calls.push(call) })
    expect(ours.map(({ output, tokens }) => ({ output, tokens }))).toEqual(answers.map(({ output }) => ({ output, tokens: [] })))
    expect(
      largestDifference(
        ours.map(({ confidence }) => confidence),
        answers.map(({ confidence }) => confidence),
      ),
    ).toBeLessThan(1e-5)
    expect(calls.at(-1)).toEqual([answers.length, answers.length])
    student.dispose()
  })
})

describe.each(spanEncoders)("%s", (name) => {
  it.each(["onnx", "eager"] as const)("finds transformers' spans, in long contexts too, on %s", async (engine) => {
    const { answers } = readEncoderGolden(name)
    const student = await loadStudent(encoderFolder(name), { engine, threads: 1 })
    const ours = await student.predict(answers.map(inputOf))
    expect(ours.map(({ tokens }) => tokens)).toEqual(answers.map(({ tokens }) => tokens))
    expect(
      largestDifference(
        ours.map(({ confidence }) => confidence),
        answers.map(({ confidence }) => confidence),
      ),
    ).toBeLessThan(1e-5)
    for (const [at, { span, context }] of answers.entries()) {
      expect(ours[at].output).toContain(span)
      expect(context).toContain(ours[at].output)
      expect(ours[at].output).toMatch(new RegExp(`(?<![\\p{L}\\p{N}])${ours[at].output}(?![\\p{L}\\p{N}])`, "u"))
    }
    student.dispose()
  })

  it("keeps to the longest answer, and answers an empty context with nothing", async () => {
    const student = await loadStudent(encoderFolder(name), { engine: "onnx", threads: 1 })
    const inputs = readEncoderGolden(name).answers.map(inputOf)
    const short = await student.predict(inputs, { maxNewTokens: 1 })
    expect(short.map(({ tokens }) => tokens.length)).toEqual(inputs.map(() => 1))
    expect(await student.predict(["question: who? context:"])).toEqual([{ output: "", tokens: [], confidence: 1 }])
    student.dispose()
  })
})

describe("readSpanInput", () => {
  it.each([
    ["Question: Who? Context: The cat.", { question: "Who?", context: "The cat." }],
    ["question: who?\ncontext: a\nb", { question: "who?", context: "a\nb" }],
    ["QUESTION: in what context: this? \n context: c", { question: "in what", context: "this? \n context: c" }],
    ["just a text: context", { context: "just a text: context" }],
    ["question: no more", { context: "question: no more" }],
  ])("%j", (text, expected) => {
    expect(readSpanInput(text)).toEqual(expected)
  })
})

describe("span-text", () => {
  it("finds the tokens of an answer's first occurrence, and cuts whole words out again", async () => {
    const { tokenizer } = await loadStudent(encoderFolder("bert-span"))
    const input = tokenizeSpanInput(tokenizer, "question: two? context: Zürich: twenty-two, ＴＷＯ; two cats", 48)
    const answer = locateAnswer(input, " two ")!
    expect(cutSpan(input, answer)).toBe("two")
    expect(input.tokens.ranges[answer[0]][0]).toBe("Zürich: twenty-".length)
    const inside = locateAnswer(input, "wen")!
    expect(cutSpan(input, inside)).toBe("twenty")
    expect(locateAnswer(input, "three")).toBeUndefined()
    expect(locateAnswer(input, "")).toBeUndefined()
  })

  it("divides a long context into parts that overlap and cover it", () => {
    expect(planWindows(10, 4, 2)).toEqual([
      [0, 4],
      [2, 6],
      [4, 8],
      [6, 10],
    ])
    expect(planWindows(4, 4, 2)).toEqual([[0, 4]])
    expect(planWindows(0, 4, 2)).toEqual([[0, 0]])
    expect(planWindows(3, 1, 0)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
  })

  it("keeps an answer in the part of a context that is trained on", () => {
    expect(windowAround(100, 10, [3, 5])).toEqual([0, 10])
    expect(windowAround(100, 10, [50, 53])).toEqual([43, 53])
    expect(windowAround(100, 10, [50, 70])).toEqual([50, 60])
    expect(windowAround(5, 10, [4, 5])).toEqual([0, 5])
  })
})

describe("embed", () => {
  const golden: { texts: string[]; vectors: number[][]; queries: number[][] } = JSON.parse(
    readFileSync(join(encoderFolder("bert-sentences"), "golden.json"), "utf8"),
  )

  it.each(["onnx", "eager"] as const)("gives sentence-transformers' vectors on %s", async (engine) => {
    const embedder = await loadEmbedder(encoderFolder("bert-sentences"), { engine, threads: 1 })
    expect(embedder).toMatchObject({ architecture: "bert", dimensions: 10, maxTokens: 24 })
    const vectors = await embedder.embed(golden.texts)
    expect(largestDifference(vectors, golden.vectors.flat())).toBeLessThan(1e-5)
    const queries = await embedder.embed(golden.texts.slice(0, 3), { use: "query" })
    expect(largestDifference(queries, golden.queries.flat())).toBeLessThan(1e-5)
    expect(await embedder.embed([])).toEqual(new Float32Array(0))
    embedder.dispose()
    await expect(embedder.embed(["x"])).rejects.toMatchObject({ code: "student.disposed" })
  })

  it("gives many texts the vectors that each has alone, in their order, and stops when it is told", async () => {
    const embedder = await loadEmbedder(encoderFolder("bert-sentences"), { engine: "onnx", threads: 1 })
    const texts = Array.from({ length: 150 }, (_, at) => golden.texts[at % golden.texts.length])
    const progress: number[] = []
    const vectors = await embedder.embed(texts, { onProgress: (done) => progress.push(done) })
    expect(progress.length).toBeGreaterThan(1)
    expect(progress.at(-1)).toBe(150)
    expect(
      largestDifference(
        vectors,
        texts.flatMap((_, at) => golden.vectors[at % golden.texts.length]),
      ),
    ).toBeLessThan(1e-5)
    const signal = AbortSignal.abort()
    await expect(embedder.embed(texts, { signal })).rejects.toMatchObject({ code: "engine.cancelled" })
    embedder.dispose()
  })

  it("averages and normalizes the states of a bare encoder, and knows it by its fingerprint", async () => {
    const bare = join(folder, "bare")
    await cp(encoderFolder("bert-sentences"), bare, { recursive: true })
    await rm(join(bare, "modules.json"))
    const [one, same, other] = await Promise.all([bare, bare, encoderFolder("bert-sentences")].map((path) => loadEmbedder(path)))
    expect(one.dimensions).toBe(12)
    const [vector] = [await one.embed(["the cat"])]
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
    expect(same.fingerprint).toBe(one.fingerprint)
    expect(other.fingerprint).not.toBe(one.fingerprint)
    for (const embedder of [one, same, other]) embedder.dispose()
  })

  it("refuses what it does not know to do", async () => {
    const change = async (file: string, changes: (json: never) => unknown) => {
      const copy = await mkdtemp(join(folder, "changed-"))
      await cp(encoderFolder("bert-sentences"), copy, { recursive: true })
      await writeFile(join(copy, file), JSON.stringify(changes(JSON.parse(await readFile(join(copy, file), "utf8")) as never)))
      return loadEmbedder(copy)
    }
    const refused = { code: "student.config" }
    await expect(change("1_Pooling/config.json", (json: object) => ({ ...json, pooling_mode: "lasttoken" }))).rejects.toMatchObject(refused)
    await expect(
      change("2_Dense/config.json", (json: object) => ({ ...json, activation_function: "torch.nn.GELU" })),
    ).rejects.toMatchObject(refused)
    await expect(change("modules.json", (json: object[]) => json.slice(1))).rejects.toMatchObject(refused)
    await expect(change("modules.json", (json: object[]) => [...json, { type: "other.Rotate", path: "x" }])).rejects.toMatchObject(refused)
    await expect(change("modules.json", (json: object[]) => [{ ...json[0], path: "../.." }, ...json.slice(1)])).rejects.toMatchObject(
      refused,
    )
    await expect(loadEmbedder(join(folder, "nowhere"))).rejects.toMatchObject({ code: "student.missing" })
  })
})
