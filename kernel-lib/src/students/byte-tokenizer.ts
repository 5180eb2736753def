// ByT5's tokenizer: a token is a byte of UTF-8, its id three above it, since 0, 1 and 2 are padding, end and unknown.
// Source: transformers' ByT5Tokenizer, whose ids and texts it gives.
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fingerprintOf } from "../core/fingerprint"
import {
  contentOf,
  type EncodedTexts,
  type EncodeOptions,
  type TextRange,
  type TokenizedText,
  type Tokenizer,
  type TokenizerConfiguration,
} from "./tokenizer"
import { fillTemplate } from "./tokenizers/templates"

const offset = 3
const endId = 1
/** Ids from here on are extra tokens. */
const firstExtraId = offset + 256
const basicTokens: readonly string[] = ["<pad>", "</s>", "<unk>"]

/**
 * A byte-level tokenizer. `extraIds` is how many sentinels `<extra_id_0>` ... follow the bytes: 125 in Google's ByT5, none by default.
 */
export function createByteTokenizer(options: { extraIds?: number } = {}): Tokenizer {
  return byteTokenizerFrom({ extra_ids: options.extraIds ?? 0 })
}

/** The byte-level tokenizer that a `tokenizer_config.json` asks for. */
export function byteTokenizerFrom(configuration: TokenizerConfiguration): Tokenizer {
  return new ByteTokenizer(readExtraTokens(configuration))
}

/** What Python takes for white space: some control characters, too, and no byte order mark. */
const space = "[\\u001c-\\u001f\\p{White_Space}]"
const surroundings = new RegExp(`^${space}+|${space}+$`, "gu")

class ByteTokenizer implements Tokenizer {
  readonly fingerprint: string
  readonly specialIds = { pad: 0, end: endId, unknown: 2 }
  readonly vocabularySize: number
  private readonly special: ReadonlyMap<string, number>
  private readonly pattern: RegExp

  constructor(private readonly extraTokens: readonly string[]) {
    this.fingerprint = fingerprintOf(["byte", extraTokens])
    this.vocabularySize = firstExtraId + extraTokens.length
    this.special = new Map([
      ...basicTokens.map((token, id) => [token, id] as const),
      ...extraTokens.map((token, i) => [token, firstExtraId + i] as const),
    ])
    // Space around the three basic tokens belongs to them, as in transformers.
    const alternatives = [`${space}*(?:${basicTokens.map(escapePattern).join("|")})${space}*`, ...extraTokens.map(escapePattern)]
    this.pattern = new RegExp(`(${alternatives.sort((a, b) => b.length - a.length).join("|")})`, "u")
  }

  encode(text: string, { addSpecialTokens = true }: EncodeOptions = {}): number[] {
    const ids: number[] = []
    for (const [part, special] of this.cut(text)) {
      if (special !== undefined) ids.push(special)
      else for (const byte of Buffer.from(part, "utf8")) ids.push(byte + offset)
    }
    if (addSpecialTokens && ids[ids.length - 1] !== endId) ids.push(endId)
    return ids
  }

  tokenize(text: string): TokenizedText {
    const ids: number[] = []
    const ranges: TextRange[] = []
    let at = 0
    for (const [part, special] of this.cut(text)) {
      for (const character of special === undefined ? part : [part]) {
        const range: TextRange = [at, at + character.length]
        at += character.length
        for (const id of special === undefined ? Array.from(Buffer.from(character, "utf8"), (byte) => byte + offset) : [special]) {
          ids.push(id)
          ranges.push(range)
        }
      }
    }
    return { ids, ranges }
  }

  joinTokens(first: TokenizedText, second?: TokenizedText): EncodedTexts {
    const texts = second ? [first, second] : [first]
    const places = texts.flatMap(({ ids }, source) => [
      { source: source as 0 | 1, typeId: 0 },
      // A text that ends itself is not ended again.
      { ids: ids[ids.length - 1] === endId ? [] : [endId], typeId: 0 },
    ])
    return fillTemplate(places, texts)
  }

  encodePair(first: string, second: string): EncodedTexts {
    return this.joinTokens(this.tokenize(first), this.tokenize(second))
  }

  decode(ids: readonly number[]): string {
    return decodeUtf8(
      Uint8Array.from(
        ids.filter((id) => id >= offset && id < firstExtraId),
        (id) => id - offset,
      ),
    )
  }

  /** Parts of the text in their order, with their ids where they are special tokens. */
  private *cut(text: string): Generator<[part: string, special: number | undefined]> {
    for (const [i, part] of text.split(this.pattern).entries()) {
      if (part !== "") yield [part, i % 2 === 1 ? (this.special.get(part) ?? this.special.get(part.replace(surroundings, ""))) : undefined]
    }
  }

  async save(folder: string): Promise<void> {
    const configuration = {
      added_tokens_decoder: Object.fromEntries([...this.special].map(([content, id]) => [id, describeToken(content, id)])),
      additional_special_tokens: this.extraTokens,
      clean_up_tokenization_spaces: false,
      eos_token: "</s>",
      extra_ids: this.extraTokens.length,
      pad_token: "<pad>",
      tokenizer_class: "ByT5Tokenizer",
      unk_token: "<unk>",
    }
    await writeFile(join(folder, "tokenizer_config.json"), `${JSON.stringify(configuration, null, 2)}\n`)
  }
}

function describeToken(content: string, id: number) {
  const isBasic = id < offset
  return { content, lstrip: isBasic, normalized: false, rstrip: isBasic, single_word: false, special: true }
}

function readExtraTokens(configuration: TokenizerConfiguration): string[] {
  const { added_tokens_decoder: added, extra_ids: count } = configuration
  if (typeof added === "object" && added !== null) {
    const extra = Object.entries(added).filter(([id]) => Number(id) >= firstExtraId)
    if (extra.length > 0) return extra.sort(([a], [b]) => Number(a) - Number(b)).map(([, token]) => contentOf(token))
  }
  const listed = configuration.additional_special_tokens ?? configuration.extra_special_tokens
  if (Array.isArray(listed) && listed.length > 0) return listed.map(contentOf)
  const extraIds = typeof count === "number" && count >= 0 && count <= 1000 ? count : 125
  return Array.from({ length: extraIds }, (_, i) => `<extra_id_${i}>`)
}

/** UTF-8 to text; bytes that belong to no character are left out, as Python's `errors="ignore"` does. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const kept: number[] = []
    for (let i = 0; i < bytes.length; ) {
      const length = characterLength(bytes, i)
      for (let k = 0; k < length; k++) kept.push(bytes[i + k])
      i += Math.max(1, length)
    }
    return Buffer.from(kept).toString("utf8")
  }
}

/** Bytes of the character that starts at `i`; 0 when none does. */
function characterLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i]
  if (first < 0x80) return 1
  const length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0
  if (length === 0 || i + length > bytes.length) return 0
  for (let k = 1; k < length; k++) if (bytes[i + k] >> 6 !== 2) return 0
  // Overlong forms, surrogates, and code points above U+10FFFF.
  const second = bytes[i + 1]
  if (
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f)
  )
    return 0
  return length
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
}
