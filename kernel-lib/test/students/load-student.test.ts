import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createByteTokenizer, createStudent, loadStudent } from "../../src/students"
import { modelOf, type NetworkStudent } from "../../src/students/network-student"
import { goldenFolder, goldenModels } from "./golden"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "students-"))
})
afterAll(() => rm(folder, { recursive: true }))

const tiny = { vocab_size: 264, d_model: 16, d_kv: 4, num_heads: 2, d_ff: 24, num_layers: 1, decoder_start_token_id: 0 }

/** A copy of a golden model's folder with these changes to its config.json. */
async function copyGolden(name: string, changes: Record<string, unknown>): Promise<string> {
  const copy = await mkdtemp(join(folder, `${name}-`))
  await cp(goldenFolder(name), copy, { recursive: true })
  const config = JSON.parse(await readFile(join(copy, "config.json"), "utf8"))
  await writeFile(join(copy, "config.json"), JSON.stringify({ ...config, ...changes }))
  return copy
}

describe.each(goldenModels)("a saved %s", (name) => {
  it("is the same student", async () => {
    const student = await (await loadStudent(goldenFolder(name))).copy({
      template: { kind: "paper", instruction: "Do it." },
      maxInputTokens: 33,
      maxOutputTokens: 7,
    })
    const saved = join(folder, name)
    await student.save(saved)
    const again = await loadStudent(saved)
    expect(again.fingerprint).toBe(student.fingerprint)
    expect(again).toMatchObject({
      name,
      architecture: name === "umt5" ? "umt5" : "t5",
      parameters: student.parameters,
      isPretrained: true,
      maxInputTokens: 33,
      maxOutputTokens: 7,
    })
    expect(again.template).toEqual(student.template)
    expect(modelOf(again).shape).toEqual(modelOf(student).shape)
    expect(again.weights).toEqual(student.weights)
    expect((await readdir(saved)).filter((file) => file.startsWith("."))).toEqual([])
  })
})

describe("loadStudent", () => {
  it("takes the head's own weights for the tied ones only when they are equal", async () => {
    expect(modelOf(await loadStudent(goldenFolder("gated-untied"))).shape).toMatchObject({
      isHeadTied: false,
      isOutputScaled: false,
    })
    expect(modelOf(await loadStudent(goldenFolder("relu-tied"))).shape).toMatchObject({ isHeadTied: true, isOutputScaled: true })
    const unscaled = await copyGolden("relu-tied", { tie_word_embeddings: false, scale_decoder_outputs: false })
    expect(modelOf(await loadStudent(unscaled)).shape).toMatchObject({ isHeadTied: true, isOutputScaled: false })
  })

  it("counts a shared weight once", async () => {
    const student = await loadStudent(goldenFolder("bytes"))
    expect(student.bytes).toBe(student.parameters * 4)
    expect(student.parameters).toBe(Object.values(student.weights).reduce((sum, { data }) => sum + data.length, 0))
    expect(Object.keys(student.weights)).not.toContain("lm_head.weight")
  })

  it("refuses, and says how, what is no T5 or does not fit", async () => {
    await expect(loadStudent(join(folder, "nowhere"))).rejects.toMatchObject({ code: "student.missing" })
    const cases: [Record<string, unknown>, string][] = [
      [{ model_type: "whisper" }, "student.architecture"],
      [{ model_type: undefined }, "student.architecture"],
      [{ architectures: ["T5EncoderModel"] }, "student.architecture"],
      [{ d_model: 25 }, "weights.shape"],
      [{ num_layers: 4 }, "weights.incomplete"],
      [{ feed_forward_proj: "gated-gelu" }, "weights.incomplete"],
      [{ d_kv: -1 }, "student.config"],
      [{ d_ff: "37" }, "student.config"],
      [{ feed_forward_proj: "mish" }, "student.config"],
      [{ decoder_start_token_id: 61 }, "student.config"],
    ]
    for (const [changes, code] of cases) {
      await expect(loadStudent(await copyGolden("relu-tied", changes)), JSON.stringify(changes)).rejects.toMatchObject({ code })
    }
    const broken = await copyGolden("relu-tied", {})
    await writeFile(join(broken, "config.json"), "{")
    await expect(loadStudent(broken)).rejects.toMatchObject({ code: "student.config" })
  })

  it("decodes as config.json says where there is no generation_config.json, and as that file says where there is one", async () => {
    const old = await copyGolden("relu-tied", { num_beams: 3, max_length: 9, decoder_start_token_id: 7, eos_token_id: 5 })
    const { decoding, maxTextLength } = ((await loadStudent(old)) as NetworkStudent).generation
    expect({ decoding, maxTextLength }).toEqual({ decoding: { kind: "greedy" }, maxTextLength: undefined })
    const said = { num_beams: 3, max_length: 9, decoder_start_token_id: 7, eos_token_id: 5 }
    const both = await copyGolden("relu-tied", {})
    await writeFile(join(both, "generation_config.json"), JSON.stringify(said))
    await rm(join(old, "generation_config.json"))
    const students = await Promise.all([old, both].map((path) => loadStudent(path, { engine: "onnx", threads: 1 })))
    const [first, second] = await Promise.all(students.map((student) => student.predict(["3rd of May 1999", "x"])))
    expect((students[0] as NetworkStudent).generation).toMatchObject({ decoding: { kind: "beam", beams: 3 }, maxTextLength: 9 })
    expect(first).toEqual(second)
    const plain = await loadStudent(goldenFolder("relu-tied"), { engine: "onnx", threads: 1 })
    const sameWay = await plain.predict(["3rd of May 1999", "x"], { decoding: { kind: "beam", beams: 3 }, maxNewTokens: 8 })
    expect(first.map(({ tokens }) => tokens)).not.toEqual(sameWay.map(({ tokens }) => tokens))
    for (const student of [...students, plain]) student.dispose()
  })

  it("keeps the tied and unscaled head of an mT5, which old transformers know only as a head of its own", async () => {
    const student = createStudent({ configuration: { ...tiny, model_type: "mt5" }, tokenizer: createByteTokenizer() })
    expect(modelOf(student).shape).toMatchObject({ isHeadTied: true, isOutputScaled: false })
    await student.save(join(folder, "mt5"))
    const again = await loadStudent(join(folder, "mt5"))
    expect(modelOf(again).shape).toEqual(modelOf(student).shape)
    expect(again.fingerprint).toBe(student.fingerprint)
  })

  it("draws the weights of an untrained configuration from the seed", async () => {
    const untrained = join(folder, "untrained")
    await mkdir(untrained)
    await createByteTokenizer().save(untrained)
    await writeFile(join(untrained, "config.json"), JSON.stringify({ model_type: "t5", ...tiny }))
    await expect(loadStudent(untrained)).rejects.toMatchObject({ code: "weights.missing" })
    await writeFile(join(untrained, "prompt2model.json"), JSON.stringify({ version: 1, weights: "untrained" }))
    const [first, same, other] = await Promise.all([7, 7, 8].map((seed) => loadStudent(untrained, { seed })))
    expect(first.isPretrained).toBe(false)
    expect(first.weights).toEqual(same.weights)
    expect(first.fingerprint).toBe(same.fingerprint)
    expect(other.weights["shared.weight"].data).not.toEqual(first.weights["shared.weight"].data)
    expect(other.fingerprint).not.toBe(first.fingerprint)
  })
})

describe("createStudent", () => {
  it("draws weights with T5's deviations", () => {
    const { weights } = createStudent({ configuration: { ...tiny, d_model: 64 }, tokenizer: createByteTokenizer(), seed: 1 })
    const deviationOf = (name: string) =>
      Math.sqrt(weights[name].data.reduce((sum, value) => sum + value * value, 0) / weights[name].data.length)
    expect(deviationOf("shared.weight")).toBeCloseTo(1, 1)
    expect(deviationOf("encoder.block.0.layer.0.SelfAttention.q.weight")).toBeCloseTo((64 * 4) ** -0.5, 2)
    expect(weights["decoder.final_layer_norm.weight"].data.every((value) => value === 1)).toBe(true)
  })
})

describe("encodeRow", () => {
  it("fills the template, ends both sides and cuts neither; encodeInput cuts", async () => {
    const base = createStudent({ configuration: tiny, tokenizer: createByteTokenizer() })
    expect(base.encodeRow("ab", "c")).toEqual({ inputIds: [100, 101, 1], labelIds: [102, 1] })
    const student = await base.copy({ template: { kind: "paper", instruction: "Do." }, maxInputTokens: 4 })
    expect(student.tokenizer.decode(student.encodeRow("ab", "").inputIds)).toBe("<task 0>Do.\nExample:\nab\nLabel:\n")
    expect(student.encodeInput("ab")).toEqual([..."<ta"].map((letter) => letter.charCodeAt(0) + 3).concat(1))
  })

  it("refuses ids that the network does not know", () => {
    const student = createStudent({ configuration: { ...tiny, vocab_size: 100 }, tokenizer: createByteTokenizer() })
    expect(() => student.encodeRow("a", "b")).toThrow(/do not belong together/)
  })
})

describe("save", () => {
  it("writes real numbers as Python reads them: 1.0, not 1", async () => {
    const target = join(folder, "real-numbers")
    await (await loadStudent(await copyGolden("relu-tied", { dropout_rate: 0 }))).save(target)
    const config = await readFile(join(target, "config.json"), "utf8")
    expect(config).toMatch(/"initializer_factor": 1\.0,/)
    expect(config).toMatch(/"dropout_rate": 0\.0,/)
    expect(config).toMatch(/"d_model": 24,/)
    expect(JSON.parse(config).initializer_factor).toBe(1)
  })

  it("replaces an older student whole", async () => {
    const target = join(folder, "replaced")
    await (await loadStudent(goldenFolder("relu-tied"))).save(target)
    await writeFile(join(target, "stray"), "")
    await (await loadStudent(goldenFolder("bytes"))).save(target)
    expect(modelOf(await loadStudent(target)).vocabularySize).toBe(259)
    expect(await readdir(target)).not.toContain("stray")
  })
})
