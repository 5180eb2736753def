// A tokenizer as GGUF's metadata: what llama.cpp calls `gpt2` (pairs of bytes that are merged) and `llama` (sentencepiece's pairs with bytes
// for what is not in the vocabulary). llama.cpp knows ways to cut texts into words by name only, so a way that it has no name for is refused.
import { InputError } from "../../core/errors"
import type { Tokenizer } from "../tokenizer"
import { isRecord, type PartDescription, readDescription, type TokenizerDescription } from "../tokenizers/describe"
import { createModel } from "../tokenizers/models"
import type { Metadata } from "./gguf-format"

/** llama_token_type */
const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/**
 * @param json a parsed `tokenizer.json`
 * @param vocabularySize rows of the embedding, which may be more than there are tokens
 * @throws InputError `export.tokenizer`
 */
export function describeGgufTokenizer(json: Readonly<Record<string, unknown>>, tokenizer: Tokenizer, vocabularySize: number): Metadata {
  const description = readDescription(json)
  const { model, added_tokens: added } = description
  if (model.type !== "BPE") throw refuse(`its tokenizer is of the kind ${model.type}`)
  const isByteLevel = partsOf(description.pre_tokenizer).some(({ type }) => type === "ByteLevel")
  const tokens: string[] = Array.from({ length: vocabularySize }, (_, id) => `[PAD${id}]`)
  const types: number[] = new Array(vocabularySize).fill(tokenTypes.unused)
  for (const [token, id] of createModel(model).ids) {
    if (id >= vocabularySize) continue
    tokens[id] = token
    types[id] = !isByteLevel && /^<0x[0-9A-F]{2}>$/.test(token) ? tokenTypes.byte : tokenTypes.normal
  }
  for (const { id, content, special } of added) {
    if (id >= vocabularySize) continue
    tokens[id] = content
    types[id] = special
      ? id === tokenizer.specialIds.unknown && !isByteLevel
        ? tokenTypes.unknown
        : tokenTypes.control
      : tokenTypes.userDefined
  }
  const merges = listMerges(model)
  const [first] = tokenizer.encode("a")
  return {
    "tokenizer.ggml.model": { type: "string", value: isByteLevel ? "gpt2" : "llama" },
    "tokenizer.ggml.pre": { type: "string", value: isByteLevel ? namePreTokenizer(description, merges.length) : "default" },
    "tokenizer.ggml.tokens": { type: "strings", value: tokens },
    "tokenizer.ggml.token_type": { type: "int32s", value: types },
    ...(isByteLevel
      ? { "tokenizer.ggml.merges": { type: "strings", value: merges.map((pair) => pair.join(" ")) } }
      : describeSentencePiece(description, tokens, merges)),
    "tokenizer.ggml.add_bos_token": {
      type: "bool",
      value: first !== undefined && first === tokenizer.specialIds.begin && tokenizer.encode("a").length > 1,
    },
    "tokenizer.ggml.add_eos_token": { type: "bool", value: false },
    ...describeIds(tokenizer),
  }
}

function describeIds({ specialIds: { begin, end, unknown, pad } }: Tokenizer): Metadata {
  const ids = { bos: begin, eos: end, unknown, padding: pad }
  return Object.fromEntries(
    Object.entries(ids).flatMap(([role, id]) =>
      id === undefined ? [] : [[`tokenizer.ggml.${role}_token_id`, { type: "uint32", value: id } as const]],
    ),
  )
}

/** Pairs are merged in the order of their results' scores; a token that no merge makes is never made. */
function describeSentencePiece(
  description: TokenizerDescription,
  tokens: readonly string[],
  merges: readonly (readonly string[])[],
): Metadata {
  if (description.model.byte_fallback !== true) throw refuse("its tokenizer has no bytes for what is not in its vocabulary")
  const ranks = new Map(merges.map((pair, rank) => [pair.join(""), rank] as const))
  const prepends = partsOf(description.normalizer).some(({ type }) => type === "Prepend")
  const metaspace = partsOf(description.pre_tokenizer).find(({ type }) => type === "Metaspace")
  return {
    "tokenizer.ggml.scores": { type: "float32s", value: tokens.map((token) => -(ranks.get(token) ?? merges.length) - 1) },
    "tokenizer.ggml.add_space_prefix": {
      type: "bool",
      value: prepends || (metaspace !== undefined && metaspace.prepend_scheme !== "never"),
    },
  }
}

function listMerges(model: PartDescription): (readonly [string, string])[] {
  const merges = Array.isArray(model.merges) ? model.merges : []
  return merges.map((merge): readonly [string, string] => {
    const [first, second] = Array.isArray(merge) ? merge.map(String) : String(merge).split(" ")
    return [first, second]
  })
}

/** llama.cpp's name of the way in which a byte-level tokenizer cuts texts into words. @throws InputError `export.tokenizer` */
function namePreTokenizer({ pre_tokenizer: part, normalizer }: TokenizerDescription, numMerges: number): string {
  // Without merges every byte is a token, however texts are cut.
  if (numMerges === 0) return "gpt-2"
  const parts = partsOf(part)
  const byteLevel = parts.find(({ type }) => type === "ByteLevel")
  if (byteLevel?.add_prefix_space === true) throw refuse("its tokenizer puts a space before texts")
  const others = parts.filter((one) => one !== byteLevel)
  const hasWords = byteLevel?.use_regex !== false
  const digits = others.find(({ type }) => type === "Digits")
  if (others.length === 0 && hasWords && normalizer === null) return "gpt-2"
  if (others.length === 1 && digits?.individual_digits === true && hasWords && normalizer === null) return "smollm"
  const [split] = others
  const pattern = isRecord(split?.pattern) ? String(split.pattern.Regex ?? split.pattern.String) : ""
  if (others.length === 1 && !hasWords) {
    if (pattern === words("{1,3}")) return "llama-bpe"
    if (pattern === words("")) return "qwen2"
  }
  throw refuse("llama.cpp has no name for the way in which its tokenizer cuts texts into words")
}

/** Llama 3's and Qwen2's words differ in how many digits stand together. */
function words(digits: string): string {
  const letters = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+`
  return String.raw`${letters}|\p{N}${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
}

/** A part, or the parts of a sequence. */
function partsOf(part: PartDescription | null): PartDescription[] {
  if (part === null) return []
  const inner = part.pretokenizers ?? part.normalizers
  return part.type === "Sequence" && Array.isArray(inner) ? (inner as PartDescription[]) : [part]
}

function refuse(why: string): InputError {
  return new InputError("export.tokenizer", `The student cannot be written as GGUF: ${why}. Export it as huggingface or onnx instead.`)
}
