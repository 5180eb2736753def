// Tokens as OpenAI's models count them, by the package gpt-tokenizer, which is loaded when the first text is counted (about 0.3 s).
// For models whose tokenizer nobody published here there is a rule of thumb, and it is called so.
import type { ChatMessage, ResponseSchema } from "../../core/teacher"

export type TokenCounter = (text: string) => number

/** Characters that a token has, roughly, in English; of scripts without an alphabet a token has about one. */
const charactersPerToken = 4
/** Tokens that the protocol adds to a message, and to the whole. From OpenAI's cookbook, "How to count tokens with tiktoken". */
const tokensPerMessage = 3
const tokensPerRequest = 3

/** The newer vocabulary, of every model since gpt-4o; the older one of gpt-4 and gpt-3.5. */
const newerModels = /^(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-[56]|o[1-9]|chatgpt-4o|gpt-oss)/
const olderModels = /^(gpt-4|gpt-3\.5|text-embedding)/

const loading = new Map<string, Promise<TokenCounter>>()

/** Counts as `model` does; undefined where its tokenizer is not known. */
export function tokenCounterOf(model: string): Promise<TokenCounter> | undefined {
  const name = model.split("/").at(-1) ?? model
  const vocabulary = newerModels.test(name) ? "o200k_base" : olderModels.test(name) ? "cl100k_base" : undefined
  if (!vocabulary) return undefined
  const counter = loading.get(vocabulary) ?? load(vocabulary)
  loading.set(vocabulary, counter)
  return counter
}

async function load(vocabulary: "o200k_base" | "cl100k_base"): Promise<TokenCounter> {
  const { countTokens } =
    vocabulary === "o200k_base" ? await import("gpt-tokenizer/encoding/o200k_base") : await import("gpt-tokenizer/encoding/cl100k_base")
  // Special tokens in a text are text: they stand in data, and the server escapes them.
  return (text) => countTokens(text, { allowedSpecial: new Set(), disallowedSpecial: new Set() })
}

/** Tokens of a text whose model's tokenizer is not known: a rule of thumb. */
export function guessTokens(text: string): number {
  // Each Han character, kana or Hangul syllable is about one token.
  const dense = text.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0
  return dense + Math.ceil((text.length - dense) / charactersPerToken)
}

/** Tokens of a request's messages, with what the protocol adds and the schema beside them. */
export function countMessages(messages: readonly ChatMessage[], schema: ResponseSchema | undefined, count: TokenCounter): number {
  const texts = messages.reduce((sum, { content }) => sum + count(content) + tokensPerMessage, tokensPerRequest)
  return texts + (schema ? count(JSON.stringify(schema.schema)) : 0)
}
