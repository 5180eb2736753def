// Pre-tokenizers of `tokenizer.json`: a text is cut into pieces, each of which the model cuts into tokens by itself. The library's,
// with white space as Unicode has it where JavaScript's differs, and with each piece's place in the text.
import { BertPreTokenizer, ByteLevelPreTokenizer, type PreTokenizer, SequencePreTokenizer } from "@huggingface/tokenizers"
import { type PartDescription, readParts } from "./describe"
import type { TracedText } from "./traced-text"

/** `isFirst`: the text stands at the begin of what is encoded. */
export type PreTokenize = (text: TracedText, isFirst: boolean) => TracedText[]

/**
 * The pre-tokenizer that a description asks for.
 * @throws Error with a clause of a sentence
 */
export function createPreTokenizer(part: PartDescription | null): PreTokenize {
  if (!part) return (text) => [text]
  switch (part.type) {
    case "Sequence": {
      const steps = readParts(part.pretokenizers, "pre_tokenizer").map(createPreTokenizer)
      return (text, isFirst) =>
        steps.reduce<TracedText[]>((pieces, step) => pieces.flatMap((piece, i) => step(piece, isFirst && i === 0)), [text])
    }
    case "Metaspace":
      return createMetaspace(part)
    case "ByteLevel":
      return createByteLevel(part)
    case "WhitespaceSplit":
      return (text) => cutAt(text, text.text.matchAll(/\P{White_Space}+/gu))
    case "BertPreTokenizer": {
      const library = new BertPreTokenizer()
      library.pattern = /[^\p{White_Space}\p{P}!-/:-@[-`{-~]+|[\p{P}!-/:-@[-`{-~]/gu
      return (text) => locatePieces(text, library)
    }
    default: {
      const library = new SequencePreTokenizer({ type: "Sequence", pretokenizers: [part] } as never)
      return (text) => locatePieces(text, library)
    }
  }
}

function cutAt(text: TracedText, matches: Iterable<RegExpMatchArray>): TracedText[] {
  return Array.from(matches, (match) => text.slice(match.index!, match.index! + match[0].length))
}

/** The library answers with parts of the text, in their order. */
function locatePieces(text: TracedText, library: PreTokenizer): TracedText[] {
  let at = 0
  return library.pre_tokenize_text(text.text).map((piece) => {
    const start = text.text.indexOf(piece, at)
    // A pre-tokenizer that changes its text has no places to tell.
    if (start < 0) return text.become(piece, () => ({ from: Array.from(piece, () => 0), to: Array.from(piece, () => text.text.length) }))
    at = start + piece.length
    return text.slice(start, at)
  })
}

/** sentencepiece's words: a space is written as a letter, and one is put before the text. */
function createMetaspace(part: PartDescription): PreTokenize {
  const mark = typeof part.replacement === "string" ? part.replacement : "▁"
  const scheme = part.prepend_scheme ?? (part.add_prefix_space === false ? "never" : "always")
  const isSplit = part.split !== false
  const words = new RegExp(`${escapePattern(mark)}?[^${escapePattern(mark)}]*`, "gu")
  return (text, isFirst) => {
    let marked = text.replaceAll(/ /g, mark)
    if ((scheme === "always" || (scheme === "first" && isFirst)) && !marked.text.startsWith(mark)) marked = marked.prepend(mark)
    return isSplit
      ? cutAt(
          marked,
          [...marked.text.matchAll(words)].filter(([word]) => word !== ""),
        )
      : [marked]
  }
}

/** GPT-2's words, and their UTF-8 with a visible letter for each byte. */
function createByteLevel(part: PartDescription): PreTokenize {
  const library = new ByteLevelPreTokenizer({ ...part, add_prefix_space: false } as never)
  library.pattern =
    /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu
  const hasPrefix = part.add_prefix_space === true
  return (text) => {
    const whole = hasPrefix && !text.text.startsWith(" ") ? text.prepend(" ") : text
    const words = library.pre_tokenize_text(whole.text)
    if (words.length === 1) return [toBytes(whole, words[0])]
    let at = 0
    return words.map((word) => {
      const start = at
      at += countUnits(whole.text, start, word.length)
      return toBytes(whole.slice(start, at), word)
    })
  }
}

/** How many code units from `start` have `bytes` bytes of UTF-8. */
function countUnits(text: string, start: number, bytes: number): number {
  let at = start
  for (let left = bytes; left > 0; ) {
    const character = String.fromCodePoint(text.codePointAt(at)!)
    left -= Buffer.byteLength(character)
    at += character.length
  }
  return at - start
}

/** `bytes` has a letter for each byte of the word. */
function toBytes(word: TracedText, bytes: string): TracedText {
  return word.become(bytes, () => {
    const from: number[] = []
    const to: number[] = []
    let at = 0
    for (const character of word.text) {
      for (let k = Buffer.byteLength(character); k > 0; k--) {
        from.push(at)
        to.push(at + character.length)
      }
      at += character.length
    }
    return { from, to }
  })
}

export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")
}
