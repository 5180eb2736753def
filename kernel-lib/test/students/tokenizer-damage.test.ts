// Damaged files of tokenizers: each gives a tokenizer that works, or a sentence.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isPrompt2ModelError } from "../../src/core/errors"
import { loadTokenizer } from "../../src/students"

const golden = fileURLToPath(new URL("./golden-tokenizers", import.meta.url))

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tokenizer-damage-"))
})
afterAll(() => rm(root, { recursive: true }))

async function copyTokenizer(name: string): Promise<string> {
  const folder = join(root, name)
  await cp(join(golden, name), folder, { recursive: true })
  return folder
}

/** Whether the folder's tokenizer works; false when it is refused with a sentence, and anything else is thrown. */
async function works(folder: string): Promise<boolean> {
  try {
    const tokenizer = await loadTokenizer(folder)
    tokenizer.decode(tokenizer.encodePair("the quick <mask> 東京 😀", " x\n").ids)
    return true
  } catch (error) {
    if (!isPrompt2ModelError(error) || error.code !== "tokenizer.damaged") throw error
    expect(error.message).toMatch(/^The tokenizer in .* cannot be used: .+\.$|is no JSON/s)
    return false
  }
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The value with one of its members, or members of members, put in place of or taken away. */
function damage(value: Json, path: readonly number[], replacement: Json | undefined): Json {
  const [choice, ...rest] = path
  if (choice === undefined || typeof value !== "object" || value === null) return replacement ?? null
  const keys = Object.keys(value)
  if (keys.length === 0) return replacement ?? null
  const key = keys[choice % keys.length]
  const member = (value as Record<string, Json>)[key]
  const isLeaf = rest.length === 0 || typeof member !== "object" || member === null
  if (Array.isArray(value)) {
    const changed = isLeaf ? replacement : damage(member, rest, replacement)
    return changed === undefined ? value.filter((_, i) => i !== Number(key)) : value.with(Number(key), changed)
  }
  const { [key]: _, ...others } = value
  if (!isLeaf) return { ...others, [key]: damage(member, rest, replacement) }
  return replacement === undefined ? others : { ...others, [key]: replacement }
}

const strange = fc.constantFrom<(Json | undefined)[]>(
  undefined,
  null,
  true,
  -1,
  1e300,
  0.5,
  7,
  "",
  "x",
  "(",
  "Sequence",
  "BPE",
  [],
  [null],
  [["a"]],
  {},
  { type: "Split" },
)

describe.each([
  ["described", "tokenizer.json"],
  ["qwen2", "tokenizer_config.json"],
  ["codet5", "special_tokens_map.json"],
  ["codet5", "added_tokens.json"],
  ["gpt2", "vocab.json"],
])("%s with a damaged %s", (name, file) => {
  it("is refused with a sentence, or works", async () => {
    const folder = await copyTokenizer(name)
    const whole: Json = JSON.parse(await readFile(join(folder, file), "utf8"))
    const seen = { working: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1000), { minLength: 1, maxLength: 6 }), strange, async (path, replacement) => {
        await writeFile(join(folder, file), JSON.stringify(damage(whole, path, replacement)))
        seen[(await works(folder)) ? "working" : "refused"]++
      }),
      { numRuns: 40 },
    )
    expect(seen.working).toBeGreaterThan(0)
  })
})

describe.each([
  ["t5", "spiece.model"],
  ["llama", "tokenizer.model"],
  ["gpt2", "merges.txt"],
  ["bert", "vocab.txt"],
])("%s with flipped and missing bytes in its %s", (name, file) => {
  it("is refused with a sentence, or works", async () => {
    const folder = await copyTokenizer(name)
    const whole = await readFile(join(folder, file))
    const place = fc.nat(whole.length - 1)
    await fc.assert(
      fc.asyncProperty(fc.array(place, { maxLength: 3 }), fc.nat(7), fc.option(place, { freq: 3 }), async (places, bit, length) => {
        const bytes = Buffer.from(whole)
        for (const at of places) bytes[at] ^= 1 << bit
        await writeFile(join(folder, file), length === null ? bytes : bytes.subarray(0, length))
        await works(folder)
      }),
      { numRuns: 40 },
    )
  })
})

describe("a tokenizer of a kind that is not known", () => {
  it("is refused by name", async () => {
    const folder = await copyTokenizer("bert-cased")
    await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ tokenizer_class: "FunnelTokenizer" }))
    await expect(loadTokenizer(folder)).rejects.toThrow(/FunnelTokenizer.*tokenizer\.json/)
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ model: { type: "WordLevel", vocab: {} } }))
    await expect(loadTokenizer(folder)).rejects.toMatchObject({ code: "tokenizer.damaged", message: expect.stringMatching(/"WordLevel"/) })
  })
})
