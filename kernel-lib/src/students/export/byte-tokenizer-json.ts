// ByT5's tokenizer in the form of `tokenizer.json`, which ByT5 itself never had: for programs that read nothing else. Bytes stand as the
// characters that GPT-2 writes them with, and nothing is merged.
import { contentOf } from "../tokenizer"

const offset = 3
const end = "</s>"

/** @param configuration `tokenizer_config.json` of a byte-level tokenizer */
export function describeByteTokenizer(configuration: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const added = Object.entries(configuration.added_tokens_decoder as Record<string, Record<string, unknown>>)
  const tokens = added.map(([id, token]) => ({ id: Number(id), ...token, content: contentOf(token) }))
  const vocabulary = [
    ...tokens.map(({ id, content }) => [content, id] as const),
    ...listByteCharacters().map((character, byte) => [character, byte + offset] as const),
  ].sort(([, a], [, b]) => a - b)
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false }
  const text = (id: "A" | "B") => ({ Sequence: { id, type_id: 0 } })
  const ending = { SpecialToken: { id: end, type_id: 0 } }
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: tokens,
    normalizer: null,
    pre_tokenizer: bytes,
    post_processor: {
      type: "TemplateProcessing",
      single: [text("A"), ending],
      pair: [text("A"), ending, text("B"), ending],
      special_tokens: { [end]: { id: end, ids: [1], tokens: [end] } },
    },
    decoder: bytes,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary),
      merges: [],
    },
  }
}

/** A printable character for each byte: its own in Latin-1, else one from U+0100 on. Source: GPT-2's `bytes_to_unicode`. */
export function listByteCharacters(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCharCode(isPrintable ? byte : next++)
  })
}
