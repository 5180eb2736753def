// What a tokenizer is: text to token ids and back, as the model's own tokenizer in transformers does it.

/** Where something stands in a text: from and up to, in UTF-16 code units, as `text.slice(start, end)` wants them. */
export type TextRange = readonly [start: number, end: number]

/** A text's tokens, without special tokens around them. `ids` and `ranges` go together. */
export interface TokenizedText {
  readonly ids: readonly number[]
  readonly ranges: readonly TextRange[]
}

/** What a network reads for a text or for two: all arrays go together, special tokens included. */
export interface EncodedTexts {
  readonly ids: readonly number[]
  /** BERT's token types: which of the two texts a token belongs to; special tokens count with the text before or after them. */
  readonly typeIds: readonly number[]
  /** The text that a token comes from, 0 or 1; null for special tokens that were put around. */
  readonly sources: readonly (0 | 1 | null)[]
  /** Where a token stands in its text; null for special tokens that were put around. */
  readonly ranges: readonly (TextRange | null)[]
}

export interface EncodeOptions {
  /** Whether the special tokens that the model wants around a text are put there. Default true. */
  readonly addSpecialTokens?: boolean
}

/** The ids of special tokens, where the tokenizer has them. */
export interface SpecialIds {
  readonly pad?: number
  /** End of a sequence. */
  readonly end?: number
  /** Begin of a sequence. */
  readonly begin?: number
  readonly unknown?: number
  /** Between and after texts, in BERT's family. */
  readonly separator?: number
  /** Before texts, in BERT's family; its place answers for the whole. */
  readonly classifier?: number
  readonly mask?: number
}

export interface Tokenizer {
  /** Changes with anything that changes ids. */
  readonly fingerprint: string
  readonly specialIds: SpecialIds
  /** Every id is below this. */
  readonly vocabularySize: number
  /** The ids of `text`, those of special tokens included that the model wants around it; for T5 an end of sequence. */
  encode(text: string, options?: EncodeOptions): number[]
  /** The tokens of `text` with where each stands in it, without special tokens around them. */
  tokenize(text: string): TokenizedText
  /** Puts the special tokens around one text's tokens, or around two texts'; cut them before where they are too long. */
  joinTokens(first: TokenizedText, second?: TokenizedText): EncodedTexts
  /** `joinTokens` of two texts: a question and its context, say. */
  encodePair(first: string, second: string): EncodedTexts
  /** The text of `ids`, without special tokens. */
  decode(ids: readonly number[]): string
  /** Writes the files that this and transformers load it from. */
  save(folder: string): Promise<void>
}

/** What `tokenizer_config.json` may say, as far as it matters here. Written by others: every member is checked before use. */
export interface TokenizerConfiguration {
  readonly [key: string]: unknown
}

/** A token is written as its text or as an object with its text. */
export function contentOf(token: unknown): string {
  const content = typeof token === "object" && token !== null ? (token as { content?: unknown }).content : token
  return typeof content === "string" ? content : ""
}
