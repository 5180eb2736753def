// Tokens that are looked for in the text before anything else: special ones, and those that were added to a vocabulary.
// Source: tokenizers' AddedVocabulary.
import type { AddedTokenDescription } from "./describe"
import type { Normalize } from "./normalizers"
import { escapePattern } from "./pre-tokenizers"
import { TracedText } from "./traced-text"

/** A part of a text: an added token, or text between them. */
export interface TextPart {
  readonly text: TracedText
  readonly token?: AddedTokenDescription
  /** Where it starts in the text that was cut. */
  readonly start: number
}

/** Finds added tokens in a text. */
export class AddedTokenFinder {
  private readonly pattern: RegExp | undefined
  private readonly tokens = new Map<string, AddedTokenDescription>()

  /** `normalize`: the tokens are looked for as the normalizer writes them. */
  constructor(tokens: readonly AddedTokenDescription[], normalize?: Normalize) {
    for (const token of tokens) {
      const content = normalize ? normalize(TracedText.from(token.content, false)).text : token.content
      if (content !== "" && !this.tokens.has(content)) this.tokens.set(content, token)
    }
    // The leftmost and there the longest.
    const contents = [...this.tokens.keys()].sort((a, b) => b.length - a.length)
    if (contents.length > 0) this.pattern = new RegExp(contents.map(escapePattern).join("|"), "gu")
  }

  /** The parts of `text`, in their order. */
  cut(text: TracedText): TextPart[] {
    if (!this.pattern) return text.text === "" ? [] : [{ text, start: 0 }]
    const whole = text.text
    const parts: TextPart[] = []
    let done = 0
    for (const match of whole.matchAll(this.pattern)) {
      const token = this.tokens.get(match[0])!
      let start = match.index
      let end = start + match[0].length
      if (token.single_word && (wordEnd.test(whole.slice(Math.max(0, start - 2), start)) || wordStart.test(whole.slice(end, end + 2))))
        continue
      if (token.lstrip) start = Math.max(done, whole.slice(0, start).search(spaceEnd))
      if (token.rstrip) end += whole.slice(end).match(spaceStart)![0].length
      if (start < done) start = done
      if (start > done) parts.push({ text: text.slice(done, start), start: done })
      parts.push({ text: text.slice(start, end), token, start })
      done = end
    }
    if (done < whole.length) parts.push({ text: text.slice(done, whole.length), start: done })
    return parts
  }
}

const wordEnd = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u
const wordStart = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u
const spaceEnd = /\p{White_Space}*$/u
const spaceStart = /^\p{White_Space}*/u
