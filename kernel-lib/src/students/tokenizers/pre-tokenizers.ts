// Pre-tokenizers of `tokenizer.json`: a text is cut into pieces, each of which the model cuts into tokens by itself. The library's,
// with white space as Unicode has it where JavaScript's differs, and with each piece's place in the text.
import {
  BertPreTokenizer,
  ByteLevelPreTokenizer,
  type PreTokenizer,
  SequencePreTokenizer,
  SplitPreTokenizer,
} from "@huggingface/tokenizers"
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
    case "Whitespace":
      return (text) => cutAt(text, text.text.matchAll(wordsAndSigns))
    case "BertPreTokenizer": {
      const library = new BertPreTokenizer()
      library.pattern = /[^\p{White_Space}\p{P}!-/:-@[-`{-~]+|[\p{P}!-/:-@[-`{-~]/gu
      return (text) => locatePieces(text, library)
    }
    case "Split": {
      const { pattern } = new SplitPreTokenizer({ ...part, invert: true } as never)
      if (!pattern) throw new Error("a Split in it has no pattern")
      return cutAs(pattern, part.behavior, part.invert === true)
    }
    case "Punctuation":
      return cutAs(/[\p{P}!-/:-@[-`{-~]/gu, part.behavior ?? "Isolated", false)
    case "Digits":
      return cutAs(/\p{N}/gu, part.individual_digits === true ? "Isolated" : "Contiguous", false)
    default: {
      const library = new SequencePreTokenizer({ type: "Sequence", pretokenizers: [part] } as never)
      return (text) => locatePieces(text, library)
    }
  }
}

/** Words as Unicode has them, and what stands between words and white space. */
const wordsAndSigns =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu

/**
 * Cuts at what a pattern finds, or with `isInverted` at the rest; what is found goes where `behavior` says.
 * Source: tokenizers' SplitDelimiterBehavior.
 */
function cutAs(pattern: RegExp, behavior: unknown, isInverted: boolean): PreTokenize {
  const join = joins[String(behavior)]
  if (!join) throw new Error(`it cuts texts as ${JSON.stringify(behavior)}, which this library does not know`)
  return (text) => {
    const parts: FoundPart[] = []
    let done = 0
    for (const match of text.text.matchAll(pattern)) {
      if (match[0] === "") continue
      if (match.index > done) parts.push({ start: done, end: match.index, isFound: isInverted })
      done = match.index + match[0].length
      parts.push({ start: match.index, end: done, isFound: !isInverted })
    }
    if (done < text.text.length) parts.push({ start: done, end: text.text.length, isFound: isInverted })
    return join(parts).map(({ start, end }) => text.slice(start, end))
  }
}

interface FoundPart {
  readonly start: number
  readonly end: number
  readonly isFound: boolean
}

const joins: Readonly<Record<string, (parts: readonly FoundPart[]) => readonly FoundPart[]>> = {
  Removed: (parts) => parts.filter(({ isFound }) => !isFound),
  Isolated: (parts) => parts,
  Contiguous: (parts) => joinWhere(parts, (before, part) => before.isFound === part.isFound),
  MergedWithPrevious: (parts) => joinWhere(parts, (before, part) => part.isFound && !before.isFound),
  MergedWithNext: (parts) => joinWhere(parts, (before, part) => before.isFound && !part.isFound),
}

/** Neighbours that belong together as one part, which counts as found as its last one does. */
function joinWhere(parts: readonly FoundPart[], belongs: (before: FoundPart, part: FoundPart) => boolean): FoundPart[] {
  const joined: FoundPart[] = []
  for (const part of parts) {
    const before = joined[joined.length - 1]
    if (before && belongs(before, part)) joined[joined.length - 1] = { ...part, start: before.start }
    else joined.push(part)
  }
  return joined
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
    if (text.text === "") return []
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
