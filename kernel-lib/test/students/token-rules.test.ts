// Rules of generation configurations against transformers' generate, token for token; the golden file is made by make_rules_golden.py.
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { selectEngine } from "../../src/engine"
import type { T5Shape } from "../../src/networks/t5"
import { loadStudent } from "../../src/students"
import { decodeRows } from "../../src/students/decode"
import { DecodingMemory } from "../../src/students/decoding-memory"
import { readGenerationConfiguration } from "../../src/students/generation-configuration"
import { gpt2Decoder } from "../../src/students/gpt2-architecture"
import { modelOf } from "../../src/students/network-student"
import { t5Decoder } from "../../src/students/t5-decoder"
import { readDecoderGolden, readDecoderModel } from "./decoder-golden"
import { goldenFolder, readGolden } from "./golden"

interface RulesGolden {
  readonly endIds: number[]
  readonly answers: Record<string, { readonly configuration: Record<string, unknown>; readonly tokens: number[][] }>
}

const golden: Record<string, RulesGolden> = JSON.parse(readFileSync(new URL("./golden-rules.json", import.meta.url), "utf8"))

async function openMemory(folder: string): Promise<DecodingMemory> {
  const engine = await selectEngine("onnx")
  if (folder.startsWith("golden-decoders")) {
    const { architecture, weights } = await readDecoderModel("gpt2-untied")
    return new DecodingMemory(engine, gpt2Decoder(architecture.shape as never), weights, 1)
  }
  const student = await loadStudent(goldenFolder("gated-untied"))
  return new DecodingMemory(engine, t5Decoder(modelOf(student).shape as T5Shape), student.weights, 1)
}

describe.each(Object.keys(golden))("%s", (folder) => {
  it("obeys each rule as transformers does", async () => {
    const memory = await openMemory(folder)
    const { endIds, answers } = golden[folder]
    const { questions } = folder.startsWith("golden-decoders") ? readDecoderGolden("gpt2-untied") : readGolden("gated-untied")
    for (const [name, { configuration, tokens }] of Object.entries(answers)) {
      const { decoding, lengthPenalty, stopsEarly, rules } = readGenerationConfiguration(configuration)
      const options = { decoding, lengthPenalty, stopsEarly, rules, endIds, startId: 0, maxNewTokens: 12 }
      const rows = await decodeRows(memory, questions.slice(0, tokens.length), options)
      expect({ name, tokens: rows.map((row) => row.tokens) }).toEqual({ name, tokens })
    }
    memory.dispose()
  })
})

describe("readGenerationConfiguration", () => {
  it("has transformers' defaults where nothing is said, and samples where it is asked to", () => {
    expect(readGenerationConfiguration({})).toMatchObject({ decoding: { kind: "greedy" }, maxNewTokens: 20, stopsEarly: false })
    expect(readGenerationConfiguration({ num_beams: 4, early_stopping: "never" })).toMatchObject({
      decoding: { kind: "beam", beams: 4 },
      stopsEarly: "never",
    })
    const sampled = { do_sample: true, temperature: 0.6, top_p: 0.9 }
    expect(readGenerationConfiguration(sampled).decoding).toEqual({ kind: "top-k", k: 50, p: 0.9, temperature: 0.6 })
    expect(readGenerationConfiguration({ ...sampled, top_k: 0 }).decoding).toEqual({ kind: "top-p", p: 0.9, temperature: 0.6 })
  })

  it.each([
    ["penalty_alpha", 0.6],
    ["encoder_repetition_penalty", 1.2],
    ["sequence_bias", [[[5], 4]]],
    ["num_beam_groups", 2],
  ])("refuses %s, which would change answers and is not obeyed", (name, value) => {
    const message = new RegExp(`^${name} in folder/generation_config\\.json is .* take it out of the file`)
    expect(() => readGenerationConfiguration({ [name]: value }, "folder/generation_config.json")).toThrow(
      expect.objectContaining({ code: "student.config", message: expect.stringMatching(message) }),
    )
  })

  it("lets what changes nothing stand: nulls, transformers' defaults, ways to draw where nothing is drawn", () => {
    const idle = { penalty_alpha: null, encoder_repetition_penalty: 1, diversity_penalty: 0, num_beam_groups: 1, renormalize_logits: false }
    expect(readGenerationConfiguration({ ...idle, do_sample: true, typical_p: 1 }).decoding.kind).toBe("top-k")
    expect(readGenerationConfiguration({ min_p: 0.1, typical_p: 0.5 }).decoding).toEqual({ kind: "greedy" })
    expect(() => readGenerationConfiguration({ min_p: 0.1, do_sample: true })).toThrow(/min_p/)
  })
})
