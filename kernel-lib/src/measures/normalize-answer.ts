// SQuAD's normalisation of an answer, as its evaluation script has it (Rajpurkar et al., 2016).
import { splitAtWhitespace } from "./whitespace"

const punctuation = /[!-/:-@[-`{-~]/g
// Python's \b knows all letters, JavaScript's only ASCII ones: it finds every article, and some that are none.
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu
const maybeArticle = /\b(?:a|an|the)\b/

/** `text` in lower case without ASCII punctuation, English articles and needless white space. */
export function normalizeAnswer(text: string): string {
  return normalizedWords(text).join(" ")
}

/** The words of `normalizeAnswer(text)`. */
export function normalizedWords(text: string): string[] {
  const words: string[] = []
  for (const word of splitAtWhitespace(text.toLowerCase().replace(punctuation, ""))) {
    if (!maybeArticle.test(word)) words.push(word)
    // The rare case: an article beside a sign that is neither ASCII nor a letter.
    else if (word !== "a" && word !== "an" && word !== "the") words.push(...splitAtWhitespace(word.replace(articles, " ")))
  }
  return words
}
