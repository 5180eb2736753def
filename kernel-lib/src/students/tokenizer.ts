// What a tokenizer is: text to token ids and back, as the model's own tokenizer in transformers does it.

export interface Tokenizer {
  /** Changes with anything that changes ids. */
  readonly fingerprint: string
  /** The ids of `text`, those of special tokens included that the model wants around it; for T5 an end of sequence. */
  encode(text: string): number[]
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
