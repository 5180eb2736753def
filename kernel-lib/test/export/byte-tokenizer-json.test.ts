// The byte-level tokenizer as tokenizer.json: the ids of ByT5's own class, for the reader that pages and transformers.js have.
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Tokenizer } from "@huggingface/tokenizers"
import { expect, it } from "vitest"
import { createByteTokenizer } from "../../src/students"
import { describeByteTokenizer } from "../../src/students/export/byte-tokenizer-json"

const texts = [
  "",
  "a",
  "3rd of May",
  "é 😀\n\t x",
  "\u0000\u007f\u0080 \u00a0\u00ad\u0100",
  "بحث 日本語",
  "</s>a",
  "x <extra_id_1> y",
  "a\u0301\ufb01",
]

it.each([0, 3])("gives the ids and texts of the class with %i extra tokens", async (extraIds) => {
  const folder = await mkdtemp(join(tmpdir(), "bytes-"))
  try {
    const ours = createByteTokenizer({ extraIds })
    await ours.save(folder)
    const configuration = JSON.parse(await readFile(join(folder, "tokenizer_config.json"), "utf8"))
    const theirs = new Tokenizer(describeByteTokenizer(configuration), configuration)
    for (const text of texts) {
      const ids = ours.encode(text, { addSpecialTokens: false })
      expect(theirs.encode(text, { add_special_tokens: false }).ids).toEqual(ids)
      expect(theirs.encode(text.replace("</s>", "")).ids).toEqual(ours.encode(text.replace("</s>", "")))
      if (ids.length > 0) expect(theirs.decode(ids, { skip_special_tokens: true })).toBe(ours.decode(ids))
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
