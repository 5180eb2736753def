// SQuAD's normalisation of an answer, as its evaluation script has it (Rajpurkar et al., 2016).
import { splitAtWhitespace } from "./whitespace"

const punctuation = /[!-/:-@[-`{-~]/g
// Python's \b knows all letters, JavaScript's only ASCII ones.
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu

/** `text` in lower case without ASCII punctuation, English articles and needless white space. */
export function normalizeAnswer(text: string): string {
  return splitAtWhitespace(text.toLowerCase().replace(punctuation, "").replace(articles, " ")).join(" ")
}
