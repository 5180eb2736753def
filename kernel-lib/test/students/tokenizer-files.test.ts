// Tokenizers loaded from the files that models are published with, beside what transformers makes of odd texts with them: see
// make_tokenizer_golden.py. That transformers takes what we save needs PYTHON_WITH_TRANSFORMERS, as transformers.test.ts.
import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { copyFile, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { loadTokenizer, type Tokenizer } from "../../src/students"
import type { PartDescription } from "../../src/students/tokenizers/describe"
import { createPreTokenizer } from "../../src/students/tokenizers/pre-tokenizers"
import { TracedText } from "../../src/students/tokenizers/traced-text"

const python = process.env.PYTHON_WITH_TRANSFORMERS
const script = fileURLToPath(new URL("./make_tokenizer_golden.py", import.meta.url))
const golden = fileURLToPath(new URL("./golden-tokenizers", import.meta.url))
const names = ["t5", "mt5", "llama", "xlm-roberta", "gpt2", "codet5", "qwen2", "bert", "bert-cased", "described"] as const

interface Golden {
  readonly size: number
  readonly roles: Readonly<Record<string, number | null>>
  /** Ids with special tokens; ranges of those without; the text of the ids, null where it is the text that was encoded. */
  readonly rows: readonly (readonly [ids: string, ranges: string, output: string | null])[]
  readonly drawn: readonly (readonly [ids: number[], output: string])[]
  readonly pairs: readonly { ids: number[]; types: number[]; sources: (0 | 1 | null)[]; ranges?: ([number, number] | null)[] }[]
}

const { texts, pairs } = JSON.parse(readFileSync(join(golden, "golden-texts.json"), "utf8")) as {
  texts: string[]
  pairs: [string, string][]
}

function readGolden(name: string): Golden {
  return JSON.parse(readFileSync(join(golden, name, "golden.json"), "utf8"))
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokenizer-files-"))
})
afterAll(() => rm(folder, { recursive: true }))

describe.each(names)("the tokenizer in the files of %s", (name) => {
  const expected = readGolden(name)
  let tokenizer: Tokenizer
  beforeAll(async () => {
    tokenizer = await loadTokenizer(join(golden, name))
  })

  it("gives transformers' ids and texts", () => {
    const ours = texts.map((text) => ({ text, ids: tokenizer.encode(text).join(" ") }))
    expect(ours).toEqual(texts.map((text, i) => ({ text, ids: expected.rows[i][0] })))
    const outputs = expected.rows.map(([ids], i) => ({ text: texts[i], output: tokenizer.decode(readIds(ids)) }))
    expect(outputs).toEqual(expected.rows.map(([, , output], i) => ({ text: texts[i], output: output ?? texts[i] })))
    for (const [ids, output] of expected.drawn) expect(tokenizer.decode(ids), ids.join()).toBe(output)
  })

  it("has transformers' special tokens and number of ids", () => {
    const { pad, end, begin, unknown, separator, classifier, mask } = tokenizer.specialIds
    const roles = { pad, eos: end, bos: begin, unk: unknown, sep: separator, cls: classifier, mask }
    expect(roles).toEqual(Object.fromEntries(Object.entries(expected.roles).map(([role, id]) => [role, id ?? undefined])))
    expect(tokenizer.vocabularySize).toBe(expected.size)
  })

  it("joins two texts, with the special tokens and types of transformers", () => {
    const ours = pairs.map(([first, second]) => tokenizer.encodePair(first, second))
    expect(ours).toMatchObject(
      expected.pairs.map(({ ids, types, sources, ranges }) => ({ ids, typeIds: types, sources, ...(ranges ? { ranges } : {}) })),
    )
  })

  it("knows where each token stands in its text", () => {
    for (const [i, text] of texts.entries()) {
      const { ids, ranges } = tokenizer.tokenize(text)
      expect(ids, text).toEqual(tokenizer.encode(text, { addSpecialTokens: false }))
      if (expected.rows[12][1] !== "") expect(ranges.map((range) => range.join(":")).join(" "), text).toBe(expected.rows[i][1])
      expectOrder(text, ranges)
    }
  })

  it("is saved in files that give the same tokenizer, also without those that it was loaded from", async () => {
    const saved = join(folder, name)
    await tokenizer.save(saved)
    if (existsSync(join(golden, name, "config.json"))) await copyFile(join(golden, name, "config.json"), join(saved, "config.json"))
    for (const file of ["spiece.model", "tokenizer.model", "sentencepiece.bpe.model", "vocab.json", "merges.txt", "vocab.txt"]) {
      expect(existsSync(join(saved, file))).toBe(existsSync(join(golden, name, file)))
      await rm(join(saved, file), { force: true })
    }
    const again = await loadTokenizer(saved)
    expect(again.fingerprint).toBe(tokenizer.fingerprint)
    expect(again.specialIds).toEqual(tokenizer.specialIds)
    for (const text of texts) expect(again.encode(text)).toEqual(tokenizer.encode(text))
  })

  it.skipIf(!python)(
    "is saved in files that transformers loads the same tokenizer from (PYTHON_WITH_TRANSFORMERS)",
    async () => {
      const saved = join(folder, "python", name)
      await tokenizer.save(saved)
      if (existsSync(join(golden, name, "config.json"))) await copyFile(join(golden, name, "config.json"), join(saved, "config.json"))
      const { stdout } = await promisify(execFile)(python!, [script, "--check", saved], { maxBuffer: 2 ** 24 })
      expect(JSON.parse(stdout)).toEqual(expected)
    },
    120_000,
  )
})

describe("a pre-tokenizer", () => {
  const cuts = JSON.parse(readFileSync(join(golden, "golden-cuts.json"), "utf8")) as {
    description: PartDescription
    texts: Record<string, [number, number][]>
  }[]
  it.each(cuts.map((cut) => [JSON.stringify(cut.description), cut] as const))(
    "cuts as tokenizers does: %s",
    (_, { description, texts }) => {
      const preTokenize = createPreTokenizer(description)
      for (const [text, ranges] of Object.entries(texts)) {
        const pieces = preTokenize(TracedText.from(text, true), true)
        expect(
          pieces.map((piece) => piece.rangeOf(0, piece.text.length)),
          JSON.stringify(text),
        ).toEqual(ranges)
      }
    },
  )
})

/** Ranges lie in the text, one after another; no token stands before the one before it. */
function expectOrder(text: string, ranges: readonly (readonly [number, number])[]): void {
  let last = 0
  for (const [start, end] of ranges) {
    expect(start, text).toBeGreaterThanOrEqual(last)
    expect(end, text).toBeGreaterThanOrEqual(start)
    expect(end, text).toBeLessThanOrEqual(text.length)
    last = start
  }
}

function readIds(ids: string): number[] {
  return ids === "" ? [] : ids.split(" ").map(Number)
}

describe("any text", () => {
  const anyText = fc.string({ unit: "grapheme", maxLength: 60 })

  it.each(names)("is the same tokens each time, with ranges in their order: %s", async (name) => {
    const [one, other] = [await loadTokenizer(join(golden, name)), await loadTokenizer(join(golden, name))]
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = one.encode(text)
        expect(other.encode(text)).toEqual(ids)
        expect(one.encode(text)).toEqual(ids)
        expect(ids.every((id) => id >= 0 && id < one.vocabularySize)).toBe(true)
        const { ids: plain, ranges } = one.tokenize(text)
        expect(plain).toEqual(one.encode(text, { addSpecialTokens: false }))
        expectOrder(text, ranges)
      }),
      { numRuns: 25 },
    )
  })

  it.each(["gpt2", "codet5"])("comes back from the bytes of %s", async (name) => {
    const tokenizer = await loadTokenizer(join(golden, name))
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
      }),
      { numRuns: 200 },
    )
  })

  it("is found in the text again by the ranges of its bytes", async () => {
    const tokenizer = await loadTokenizer(join(golden, "gpt2"))
    fc.assert(
      fc.property(anyText, (text) => {
        const { ids, ranges } = tokenizer.tokenize(text)
        // A token that is a whole text by itself is that text.
        for (const [i, id] of ids.entries()) {
          const part = tokenizer.decode([id])
          if (!part.includes("\ufffd")) expect(text.slice(...ranges[i]).trim(), JSON.stringify(text)).toBe(part.trim())
        }
      }),
      { numRuns: 200 },
    )
  })
})
