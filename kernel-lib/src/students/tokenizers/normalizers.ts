// Normalizers of `tokenizer.json`: the library's, except sentencepiece's rules, which it only comes near to, and those that need to
// know where in the text they are.
import { ReplaceNormalizer, SequenceNormalizer } from "@huggingface/tokenizers"
import { type PartDescription, readParts } from "./describe"
import { PrecompiledNormalizer } from "./precompiled-normalizer"
import type { TracedText } from "./traced-text"

export type Normalize = (text: TracedText) => TracedText

/**
 * The normalizer that a description asks for.
 * @throws Error with a clause of a sentence
 */
export function createNormalizer(part: PartDescription | null): Normalize {
  if (!part) return (text) => text
  switch (part.type) {
    case "Sequence": {
      const steps = readParts(part.normalizers, "normalizer").map(createNormalizer)
      return (text) => steps.reduce((done, step) => step(done), text)
    }
    case "Precompiled": {
      if (typeof part.precompiled_charsmap !== "string") return (text) => text
      const rules = new PrecompiledNormalizer(Buffer.from(part.precompiled_charsmap, "base64"))
      return (text) => text.rewrite((one) => rules.normalize(one))
    }
    case "Strip":
      return (text) => stripText(text, part.strip_left === true, part.strip_right === true)
    case "Prepend": {
      const prefix = String(part.prepend)
      return (text) => (text.text === "" ? text : text.prepend(prefix))
    }
    case "Lowercase":
      return (text) => text.rewrite(lowerCase)
    case "StripAccents":
      return (text) => text.rewrite((one) => one.replace(/\p{Mn}/gu, ""))
    case "BertNormalizer":
      return createBertNormalizer(part)
    case "Replace": {
      const { pattern } = new ReplaceNormalizer(part as never)
      if (!pattern) throw new Error("a Replace in it has no pattern")
      const content = String(part.content ?? "")
      return (text) => text.replaceAll(pattern, content)
    }
    default: {
      const library = new SequenceNormalizer({ type: "Sequence", normalizers: [part] } as never)
      return (text) => text.rewrite((one) => library.normalize(one))
    }
  }
}

/** Character by character: a Greek sigma at the end of a word is the same letter for Rust. */
function lowerCase(text: string): string {
  return text.includes("Σ") ? Array.from(text, (character) => character.toLowerCase()).join("") : text.toLowerCase()
}

function stripText(text: TracedText, isLeft: boolean, isRight: boolean): TracedText {
  const left = isLeft ? /^\p{White_Space}*/u.exec(text.text)![0].length : 0
  let right = text.text.length
  while (isRight && right > left && /\p{White_Space}/u.test(text.text[right - 1])) right--
  return text.slice(left, right)
}

/** Source: tokenizers' BertNormalizer, in its order. */
function createBertNormalizer(part: PartDescription): Normalize {
  const steps: ((text: string) => string)[] = []
  if (part.clean_text !== false) steps.push(cleanText)
  if (part.handle_chinese_chars !== false) steps.push((text) => text.replace(ideograph, " $& "))
  const isLowered = part.lowercase !== false
  if (part.strip_accents ?? isLowered) steps.push((text) => text.normalize("NFD").replace(/\p{Mn}/gu, ""))
  if (isLowered) steps.push(lowerCase)
  return (text) => steps.reduce((done, step) => done.rewrite(step), text)
}

function cleanText(text: string): string {
  return text.replace(/[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, "").replace(/\p{White_Space}/gu, " ")
}

/** The blocks of Chinese characters, as BERT counts them. */
const ideograph =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu
