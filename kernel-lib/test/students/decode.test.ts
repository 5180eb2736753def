// Decoding against transformers' generate, token for token, and what must hold whatever the batch.
import { describe, expect, it } from "vitest"
import { type Engine, selectEngine } from "../../src/engine"
import type { T5Shape } from "../../src/networks/t5"
import { loadStudent } from "../../src/students"
import { type DecodeOptions, decodeRows } from "../../src/students/decode"
import { DecodingMemory } from "../../src/students/decoding-memory"
import { modelOf } from "../../src/students/network-student"
import { t5Decoder } from "../../src/students/t5-decoder"
import { goldenFolder, goldenModels, readGolden } from "./golden"

const plain = {
  decoding: { kind: "greedy" },
  maxNewTokens: 12,
  startId: 0,
  endIds: [1],
  lengthPenalty: 1,
  stopsEarly: false,
} satisfies DecodeOptions

async function openMemory(name: string, engine: "onnx" | "eager" = "onnx"): Promise<DecodingMemory> {
  const student = await loadStudent(goldenFolder(name))
  const { weights } = student
  const model = modelOf(student)
  return new DecodingMemory(await selectEngine(engine), t5Decoder(model.shape as T5Shape), weights, 1)
}

const tokensOf = (rows: readonly { readonly tokens: readonly number[] }[]) => rows.map((row) => row.tokens)

describe.each(goldenModels)("%s", (name) => {
  const golden = readGolden(name)

  it("answers greedily as transformers does, with the probabilities that its logits give", async () => {
    const memory = await openMemory(name)
    const rows = await decodeRows(memory, golden.questions, plain)
    expect(tokensOf(rows)).toEqual(golden.greedy)
    rows.forEach((row, i) => {
      expect(row.confidence).toBeCloseTo(golden.confidences[i], 4)
    })
    expect(tokensOf(await decodeRows(memory, golden.questions.slice(0, 8), { ...plain, maxNewTokens: 40 }))).toEqual(golden.greedyLong)
    memory.dispose()
  })

  it("finds transformers' beams, past the caches' first size too, and with other lengths and endings", async () => {
    const memory = await openMemory(name)
    const few = golden.questions.slice(0, 8)
    expect(tokensOf(await decodeRows(memory, golden.questions, { ...plain, decoding: { kind: "beam", beams: 4 } }))).toEqual(golden.beam4)
    expect(tokensOf(await decodeRows(memory, few, { ...plain, maxNewTokens: 40, decoding: { kind: "beam", beams: 3 } }))).toEqual(
      golden.beam3Long,
    )
    const early = { ...plain, stopsEarly: true, lengthPenalty: 0.6, decoding: { kind: "beam", beams: 2 } } as const
    expect(tokensOf(await decodeRows(memory, few, early))).toEqual(golden.beam2Early)
    memory.dispose()
  })

  it("answers raw texts", async () => {
    const student = await loadStudent(goldenFolder(name), { engine: "onnx", threads: 1 })
    const answers = await student.predict(
      golden.texts.map(({ text }) => text),
      { maxNewTokens: 10 },
    )
    expect(answers.map(({ output, tokens }) => ({ output, tokens }))).toEqual(
      golden.texts.map(({ output, tokens }) => ({ output, tokens })),
    )
    student.dispose()
  })
})

describe("on the eager engine", () => {
  it("greedy and beams are the same", async () => {
    const { questions, greedy, beam4 } = readGolden("gated-untied")
    const memory = await openMemory("gated-untied", "eager")
    expect(tokensOf(await decodeRows(memory, questions.slice(0, 3), plain))).toEqual(greedy.slice(0, 3))
    expect(tokensOf(await decodeRows(memory, questions.slice(0, 3), { ...plain, decoding: { kind: "beam", beams: 4 } }))).toEqual(
      beam4.slice(0, 3),
    )
    memory.dispose()
  })
})

describe("decodeRows", () => {
  it("gives a row the same answer alone, in any order and in any company", async () => {
    const memory = await openMemory("bytes")
    const { questions, greedy, beam4 } = readGolden("bytes")
    for (const i of [0, 5, 11]) {
      expect(tokensOf(await decodeRows(memory, [questions[i]], plain))).toEqual([greedy[i]])
      expect(tokensOf(await decodeRows(memory, [questions[i]], { ...plain, decoding: { kind: "beam", beams: 4 } }))).toEqual([beam4[i]])
    }
    expect(tokensOf(await decodeRows(memory, [...questions].reverse(), plain))).toEqual([...greedy].reverse())
    memory.dispose()
  })

  it("samples by seed; from one candidate, or a nucleus of next to nothing, it is greedy", async () => {
    const memory = await openMemory("relu-tied")
    const { questions, greedy } = readGolden("relu-tied")
    const sample = async (decoding: DecodeOptions["decoding"]) => tokensOf(await decodeRows(memory, questions, { ...plain, decoding }))
    expect(await sample({ kind: "top-k", k: 1 })).toEqual(greedy)
    expect(await sample({ kind: "top-p", p: 1e-6 })).toEqual(greedy)
    expect(await sample({ kind: "top-k", k: 5, temperature: 1e-4 })).toEqual(greedy)
    const drawn = await sample({ kind: "top-p", p: 0.9, seed: 3 })
    expect(drawn).not.toEqual(greedy)
    expect(await sample({ kind: "top-p", p: 0.9, seed: 3 })).toEqual(drawn)
    expect(await sample({ kind: "top-p", p: 0.9, seed: 4 })).not.toEqual(drawn)
    memory.dispose()
  })

  it("draws tokens as often as the network's probabilities say", async () => {
    const memory = await openMemory("gated-untied")
    const { questions } = readGolden("gated-untied")
    const once = { ...plain, maxNewTokens: 1 }
    const rows = await decodeRows(memory, new Array(2000).fill(questions[0]), { ...once, decoding: { kind: "top-k", k: 3, seed: 1 } })
    const counts = new Map<string, { drawn: number; probability: number }>()
    for (const { tokens, confidence } of rows) {
      const count = counts.get(String(tokens)) ?? { drawn: 0, probability: confidence }
      count.drawn++
      counts.set(String(tokens), count)
    }
    expect(counts.size).toBe(3)
    const total = [...counts.values()].reduce((sum, { probability }) => sum + probability, 0)
    // Four standard deviations of a share of 2000.
    for (const { drawn, probability } of counts.values()) expect(Math.abs(drawn / 2000 - probability / total)).toBeLessThan(0.045)
    memory.dispose()
  })

  it("tells how far it is, row by row, and ends at one", async () => {
    const memory = await openMemory("bytes")
    const { questions } = readGolden("bytes")
    const seen: number[] = []
    await decodeRows(memory, questions, { ...plain, onProgress: (done, total) => seen.push(done / total) })
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.at(-1)).toBe(1)
    expect(await decodeRows(memory, [], plain)).toEqual([])
    memory.dispose()
  })

  it("answers a thousand rows of all lengths, empty ones too, as it answers each alone", async () => {
    const memory = await openMemory("gated-untied")
    const sources = Array.from({ length: 1000 }, (_, i) => Array.from({ length: (i * 7) % 40 }, (_, at) => 2 + ((i * 5 + at * 3) % 40)))
    const short = { ...plain, maxNewTokens: 5 }
    const together = await decodeRows(memory, sources, short)
    for (const i of [0, 1, 40, 333, 999]) {
      const [alone] = await decodeRows(memory, [sources[i]], short)
      expect(together[i].tokens).toEqual(alone.tokens)
      expect(together[i].confidence).toBeCloseTo(alone.confidence, 4)
    }
    expect(sources[0]).toEqual([])
    memory.dispose()
  })

  it("hands the signal to each step, and can go on afterwards", async () => {
    const { questions, greedy } = readGolden("gated-untied")
    const student = await loadStudent(goldenFolder("gated-untied"))
    const engine = await selectEngine("onnx")
    const controller = new AbortController()
    const stoppable: Engine = {
      ...engine,
      compileFlexible(definition) {
        const session = engine.compileFlexible!(definition)
        return {
          run(inputs, options) {
            if (definition.name === "t5 step") controller.abort()
            return session.run(inputs, options)
          },
          dispose: () => session.dispose(),
        }
      },
    }
    const memory = new DecodingMemory(stoppable, t5Decoder(modelOf(student).shape as T5Shape), student.weights, 1)
    const stopped = decodeRows(memory, questions, { ...plain, signal: controller.signal })
    await expect(stopped).rejects.toMatchObject({ code: "run.interrupted", cause: { code: "engine.cancelled" } })
    expect(tokensOf(await decodeRows(memory, questions, plain))).toEqual(greedy)
    memory.dispose()
  })

  it("reads weights that lie in their own order for products as the others", async () => {
    const { questions, greedy, beam4 } = readGolden("relu-tied")
    const student = await loadStudent(goldenFolder("relu-tied"))
    const memory = new DecodingMemory(await selectEngine("onnx"), t5Decoder(modelOf(student).shape as T5Shape), student.weights, 1, true)
    expect(tokensOf(await decodeRows(memory, questions, plain))).toEqual(greedy)
    expect(tokensOf(await decodeRows(memory, questions, { ...plain, decoding: { kind: "beam", beams: 4 } }))).toEqual(beam4)
    memory.dispose()
  })

  it("compiles for rounded sizes on an engine that knows fixed ones only", async () => {
    const { questions, greedy, beam4 } = readGolden("relu-tied")
    const student = await loadStudent(goldenFolder("relu-tied"))
    const { compileFlexible: _, ...rigid } = await selectEngine("onnx")
    const memory = new DecodingMemory(rigid, t5Decoder(modelOf(student).shape as T5Shape), student.weights, 1)
    expect(tokensOf(await decodeRows(memory, questions, plain))).toEqual(greedy)
    expect(tokensOf(await decodeRows(memory, questions, { ...plain, decoding: { kind: "beam", beams: 4 } }))).toEqual(beam4)
    memory.dispose()
  })

  it("stops when it is told to, and can go on afterwards", async () => {
    const memory = await openMemory("bytes")
    const { questions, greedy } = readGolden("bytes")
    const controller = new AbortController()
    const stopped = decodeRows(memory, questions, { ...plain, signal: controller.signal, onProgress: () => controller.abort() })
    await expect(stopped).rejects.toMatchObject({ code: "run.interrupted" })
    expect(tokensOf(await decodeRows(memory, questions, plain))).toEqual(greedy)
    memory.dispose()
  })

  it("says so when the weights are no numbers, and forgets them", async () => {
    const memory = await openMemory("bytes")
    const { questions, greedy } = readGolden("bytes")
    const { data } = memory.weights["decoder.final_layer_norm.weight"]
    const before = data[0]
    data[0] = Number.NaN
    await expect(decodeRows(memory, questions, plain)).rejects.toMatchObject({ code: "student.not-finite" })
    data[0] = before
    expect(tokensOf(await decodeRows(memory, questions, plain))).toEqual(greedy)
    memory.dispose()
  })
})
