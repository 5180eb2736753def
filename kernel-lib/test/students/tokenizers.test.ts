import { cp, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createByteTokenizer, loadTokenizer } from "../../src/students"
import { goldenFolder, goldenModels, readGolden } from "./golden"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokenizers-"))
})
afterAll(() => rm(folder, { recursive: true }))

describe.each(goldenModels)("the tokenizer of %s", (name) => {
  it("gives transformers' ids and texts", async () => {
    const tokenizer = await loadTokenizer(goldenFolder(name))
    for (const { text, ids, tokens, output } of readGolden(name).texts) {
      expect(tokenizer.encode(text), text).toEqual(ids)
      expect(tokenizer.decode(tokens)).toBe(output)
    }
  })

  it("is the same after it was saved", async () => {
    const tokenizer = await loadTokenizer(goldenFolder(name))
    await tokenizer.save(folder)
    const again = await loadTokenizer(folder)
    expect(again.fingerprint).toBe(tokenizer.fingerprint)
    expect(again.encode("3rd of May 1999")).toEqual(tokenizer.encode("3rd of May 1999"))
    await rm(join(folder, "tokenizer.json"), { force: true })
  })
})

describe("createByteTokenizer", () => {
  it("is three above the bytes and ends with 1", () => {
    const tokenizer = createByteTokenizer()
    expect(tokenizer.encode("é")).toEqual([198, 172, 1])
    expect(tokenizer.decode([198, 172, 1, 0])).toBe("é")
    expect(tokenizer.encode("a<extra_id_0>")).toHaveLength(14)
  })

  it("knows special tokens in a text, with the space around the basic ones, as ByT5Tokenizer", () => {
    const tokenizer = createByteTokenizer({ extraIds: 125 })
    expect(tokenizer.encode("a </s> b")).toEqual([100, 1, 101, 1])
    expect(tokenizer.encode("a</s>")).toEqual([100, 1])
    expect(tokenizer.encode("x <extra_id_0>  y")).toEqual([123, 35, 259, 35, 35, 124, 1])
    expect(tokenizer.encode("<extra_id_124>")).toEqual([383, 1])
    expect(tokenizer.encode("\ufeff</s>\u001f")).toEqual([242, 190, 194, 1])
  })

  it("leaves out bytes that are no text, and keeps a replacement character that is", () => {
    const bytes = (...values: number[]) => values.map((value) => value + 3)
    const tokenizer = createByteTokenizer()
    expect(tokenizer.decode([...bytes(0x61, 0xc5, 0xf7, 0x62, 0xe2, 0x82, 0x62, 0xef, 0xbf, 0xbd), 0, 1, 2, ...bytes(0x62)])).toBe(
      "abb\ufffdb",
    )
    expect(tokenizer.decode(bytes(0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98, 0x80, 0xc0, 0xaf, 0xf4, 0x90, 0x80, 0x80))).toBe("😀")
    expect(tokenizer.decode([300, 100])).toBe("a")
  })
})

describe("the byte tokenizer's places and pairs", () => {
  const tokenizer = createByteTokenizer({ extraIds: 2 })

  it("knows the character of each byte, and special tokens with the space that belongs to them", () => {
    const { ids, ranges } = tokenizer.tokenize("a😀 </s> <extra_id_0>b")
    expect(ids).toEqual(tokenizer.encode("a😀 </s> <extra_id_0>b", { addSpecialTokens: false }))
    const character = [1, 3]
    expect(ranges).toEqual([[0, 1], character, character, character, character, [3, 9], [9, 21], [21, 22]])
  })

  it("ends each of two texts once", () => {
    const { ids, typeIds, sources, ranges } = tokenizer.encodePair("a", "b</s>")
    expect(ids).toEqual([100, 1, 101, 1])
    expect(typeIds).toEqual([0, 0, 0, 0])
    expect(sources).toEqual([0, null, 1, 1])
    expect(ranges).toEqual([[0, 1], null, [0, 1], [1, 5]])
  })

  it("has ids for its roles, and none beyond its vocabulary", () => {
    expect(tokenizer.specialIds).toEqual({ pad: 0, end: 1, unknown: 2 })
    expect(tokenizer.vocabularySize).toBe(261)
    expect(tokenizer.encode("ÿ<extra_id_1>").every((id) => id < 261)).toBe(true)
  })
})

describe("loadTokenizer", () => {
  it("takes the space before signs out of a WordPiece's words, and leaves a BPE's own, whatever its configuration says", async () => {
    const decoded = async (name: string) => {
      const copy = await mkdtemp(join(folder, `${name}-`))
      await cp(fileURLToPath(new URL(`./golden-tokenizers/${name}`, import.meta.url)), copy, { recursive: true })
      await writeFile(join(copy, "tokenizer_config.json"), JSON.stringify({ clean_up_tokenization_spaces: true }))
      const tokenizer = await loadTokenizer(copy)
      return tokenizer.decode(tokenizer.encode("no , it is n't .", { addSpecialTokens: false }))
    }
    expect(await decoded("bert")).toBe("no, it isn't.")
    expect(await decoded("gpt2")).toBe("no , it is n't .")
  })

  it("says what is missing or damaged", async () => {
    const empty = await mkdtemp(join(folder, "empty-"))
    await expect(loadTokenizer(empty)).rejects.toMatchObject({ code: "tokenizer.missing" })
    await writeFile(join(empty, "spiece.model"), "")
    await expect(loadTokenizer(empty)).rejects.toThrow(/cannot be used: it has no pieces/)
    await writeFile(join(empty, "tokenizer.json"), "{}")
    await expect(loadTokenizer(empty)).rejects.toMatchObject({ code: "tokenizer.damaged" })
    await writeFile(join(empty, "tokenizer.json"), "[")
    await expect(loadTokenizer(empty)).rejects.toMatchObject({ code: "tokenizer.damaged" })
  })
})
