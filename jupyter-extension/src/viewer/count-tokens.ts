// How many tokens a text has, as the teachers that bill by them count: o200k, the vocabulary since GPT-4o. A chunk of its own, for its size.
import { countTokens as countAll } from "gpt-tokenizer/encoding/o200k_base"

/** What looks like a mark of the vocabulary is text here. */
const options = { disallowedSpecial: new Set<string>() }

/**
 * Long texts are counted in parts, since the time that one word takes grows with its length squared, and somebody waits: between words nothing is lost,
 * and a word of hundreds of letters counts a token too many at most.
 */
export function countTokens(text: string): number {
  let tokens = 0
  for (const [part] of text.matchAll(/[\s\S]{1,500}?(?=$)|[\s\S]{1,500}(?<=\S)(?= \S)|[\s\S]{1,500}/g)) tokens += countAll(part, options)
  return tokens
}
