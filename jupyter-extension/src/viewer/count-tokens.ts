// How many tokens a text has, as the teachers that bill by them count: o200k, the vocabulary since GPT-4o. A chunk of its own, for its size.
import { countTokens as countAll } from "gpt-tokenizer/encoding/o200k_base"

/** What looks like a mark of the vocabulary is text here. */
export function countTokens(text: string): number {
  return countAll(text, { disallowedSpecial: new Set() })
}
