// GGUF files: numbers, tensors and tokenizers as ggml defines them, and what llama.cpp could not run is refused.
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createByteTokenizer, createStudent, loadStudent, loadTokenizer, type Tokenizer } from "../../src/students"
import { readGgufTensors, writeGguf } from "../../src/students/export/gguf-format"
import { fromHalf, packNumbers, toHalf, unpackNumbers } from "../../src/students/export/gguf-numbers"
import { describeGgufTokenizer } from "../../src/students/export/gguf-tokenizer"
import { readGgufBundle, writeGgufBundle } from "../../src/students/export/write-gguf"
import type { NetworkStudent } from "../../src/students/network-student"
import { decoderFolder } from "../students/decoder-golden"

const tokenizers = fileURLToPath(new URL("../students/golden-tokenizers", import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gguf-"))
})
afterAll(() => rm(folder, { recursive: true }))

describe("numbers", () => {
  it("are the nearest halves: every half is its own, and what lies between goes to the even one", () => {
    const halves = Array.from({ length: 0x7bff }, (_, half) => half)
    const middle = (half: number) => (fromHalf(half) + fromHalf(half + 1)) / 2
    expect(halves.filter((half) => toHalf(fromHalf(half)) !== half)).toEqual([])
    expect(halves.filter((half) => toHalf(middle(half)) !== half + (half % 2))).toEqual([])
    expect([-0, 65520, -65520, 1e-9, Number.NaN].map(toHalf)).toEqual([0x8000, 0x7c00, 0xfc00, 0, 0x7e00])
  })

  it("of 8 bits differ by at most half a step of their block", () => {
    const data = Float32Array.from({ length: 96 }, (_, i) => (i < 32 ? 0 : Math.sin(i) * (i < 64 ? 1e-3 : 40)))
    const back = unpackNumbers(packNumbers(data, "q8_0"), "q8_0")
    expect(packNumbers(data, "q8_0")).toHaveLength(3 * 34)
    data.forEach((value, i) => {
      const block = data.slice(i - (i % 32), i - (i % 32) + 32)
      const step = Math.max(...block.map(Math.abs)) / 127
      expect(Math.abs(back[i] - value)).toBeLessThanOrEqual(step * 0.57)
    })
  })
})

describe("a file", () => {
  it("gives its tensors back, and is refused when it is cut", async () => {
    const path = join(folder, "file.gguf")
    const tensors = [
      { name: "a", shape: [2, 3], type: "f16" as const, bytes: packNumbers(Float32Array.of(1, 2, 3, 4, 5, 6), "f16") },
      { name: "b", shape: [1, 32], type: "q8_0" as const, bytes: packNumbers(new Float32Array(32).fill(2), "q8_0") },
    ]
    await writeGguf(
      path,
      { text: { type: "string", value: "é" }, list: { type: "strings", value: ["x", "yz"] }, is: { type: "bool", value: true } },
      tensors,
    )
    const bytes = await readFile(path)
    expect(readGgufTensors(bytes)).toEqual(tensors.map((tensor) => ({ ...tensor, bytes: expect.anything() })))
    expect(readGgufTensors(bytes).map((tensor) => [...unpackNumbers(tensor.bytes, tensor.type)].slice(0, 3))).toEqual([
      [1, 2, 3],
      [2, 2, 2].map((value) => expect.closeTo(value, 3)),
    ])
    for (const length of [0, 3, 30, 90, bytes.length - 40]) {
      expect(() => readGgufTensors(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: "export.damaged" }))
    }
  })
})

function llama(tokenizer: Tokenizer, more: object = {}): NetworkStudent {
  const sizes = {
    hidden_size: 32,
    head_dim: 8,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    intermediate_size: 48,
    num_hidden_layers: 2,
  }
  const configuration = {
    model_type: "llama",
    vocab_size: tokenizer.vocabularySize,
    ...sizes,
    eos_token_id: 1,
    initializer_range: 0.5,
    ...more,
  }
  return createStudent({ configuration, tokenizer, maxOutputTokens: 6 }) as NetworkStudent
}

describe("a bundle", () => {
  it.each([
    ["llama", { attention_bias: true }],
    ["qwen2", {}],
  ])("holds the weights of a %s as halves, rows of heads back in their places", async (model_type, more) => {
    const student = llama(createByteTokenizer(), { model_type, ...more })
    const bundle = await mkdtemp(join(folder, "bundle-"))
    await writeGgufBundle(student, "f16", bundle)
    const back = await readGgufBundle(student, bundle)
    for (const [name, { data }] of Object.entries(student.weights)) {
      const isMatrix = !/norm|bias/.test(name)
      expect([...back.weights[name].data]).toEqual([...data].map((value) => (isMatrix ? fromHalf(toHalf(value)) : value)))
    }
    expect(await readFile(join(bundle, "Modelfile"), "utf8")).toContain("FROM ./model.gguf")
  })

  it("writes the template for Ollama, whatever the instruction says", async () => {
    const student = await llama(createByteTokenizer()).copy({ template: { kind: "paper", instruction: 'A {{ "x" }} and """ here' } })
    const bundle = await mkdtemp(join(folder, "template-"))
    await writeGgufBundle(student, "q8_0", bundle)
    const text = await readFile(join(bundle, "Modelfile"), "utf8")
    expect(text).toContain('A {{ "{{" }} "x" }} and {{ "\\"\\"\\"" }} here')
    expect(text).toContain("Example:\n{{ .Prompt }}\nLabel:\n")
    expect(text.split('"""')).toHaveLength(3)
  })

  it("is refused for other families, activations and tokenizers", async () => {
    const write = async (student: NetworkStudent) => writeGgufBundle(student, "f16", await mkdtemp(join(folder, "refused-")))
    const gpt2 = (await loadStudent(decoderFolder("gpt2"))) as NetworkStudent
    await expect(write(gpt2)).rejects.toMatchObject({ code: "export.family", message: expect.stringContaining("it is a gpt2") })
    await expect(write(llama(createByteTokenizer(), { hidden_act: "gelu" }))).rejects.toMatchObject({ code: "export.family" })
    const unigram = (await loadStudent(decoderFolder("llama3"))) as NetworkStudent
    await expect(write(unigram)).rejects.toMatchObject({ code: "export.tokenizer", message: expect.stringContaining("Unigram") })
  })
})

/** A tokenizer that was published without tokenizer.json, and the one that is written for it. */
async function readTokenizer(name: string) {
  const tokenizer = await loadTokenizer(join(tokenizers, name))
  const saved = join(folder, `tokenizer-${name}`)
  await tokenizer.save(saved)
  return { tokenizer, json: JSON.parse(await readFile(join(saved, "tokenizer.json"), "utf8")) }
}

describe("a tokenizer", () => {
  it.each([
    ["gpt2", "gpt2", "gpt-2"],
    ["qwen2", "gpt2", "qwen2"],
    ["llama", "llama", "default"],
  ])("of the kind of %s is llama.cpp's %s, with words cut as %s", async (name, kind, words) => {
    const { tokenizer, json } = await readTokenizer(name)
    const metadata = describeGgufTokenizer(json, tokenizer, tokenizer.vocabularySize + 2)
    expect(metadata["tokenizer.ggml.model"].value).toBe(kind)
    expect(metadata["tokenizer.ggml.pre"].value).toBe(words)
    const tokens = metadata["tokenizer.ggml.tokens"].value as readonly string[]
    expect(new Set(tokens).size).toBe(tokenizer.vocabularySize + 2)
  })

  it("is refused where llama.cpp has no name for how it cuts words", async () => {
    const { tokenizer, json } = await readTokenizer("qwen2")
    const other = JSON.parse(JSON.stringify(json).replaceAll("'re|", ""))
    expect(() => describeGgufTokenizer(other, tokenizer, tokenizer.vocabularySize)).toThrow(
      expect.objectContaining({ code: "export.tokenizer" }),
    )
  })
})
