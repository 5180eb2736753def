// Text as the words that are searched for: lower case, without accents, camel case also in its parts, English plurals as singulars.

const wordPattern = /[\p{L}\p{M}\p{N}]+/gu
/** Most words of most texts: nothing to split, no accents. */
const plainPattern = /^[A-Z]?[a-z\d]+$/
/** Scripts that write words without spaces between them. */
const unspacedPattern =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}\p{Script=Myanmar}]/u
const segmenter = new Intl.Segmenter("en", { granularity: "word" })

/** English words that say nothing about what a text is about (those that Lucene leaves out). */
const stopWords = new Set(
  "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with".split(
    " ",
  ),
)

/** The words of `text` in order, each as it is searched for: `SQuAD's date-formats` gives squad, qu, ad, date, format. */
export function wordsOf(text: string): string[] {
  return splitWords(text).flatMap((word) => searchedForm(word) ?? [])
}

/** The words of `text` as they stand, and behind each camel-case word its parts. */
export function splitWords(text: string): string[] {
  const words = text.normalize("NFKC").match(wordPattern) ?? []
  return words.flatMap((word) => {
    if (plainPattern.test(word)) return word
    if (unspacedPattern.test(word)) return Array.from(segmenter.segment(word), ({ segment }) => segment)
    const parts = word
      .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
      .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
      .split(" ")
    return parts.length > 1 ? [word, ...parts] : [word]
  })
}

/** `word` as it is searched for; undefined where it is not. */
export function searchedForm(word: string): string | undefined {
  const lower = plainPattern.test(word) ? word.toLowerCase() : withoutAccents(word.toLowerCase())
  if (stopWords.has(lower) || (lower.length < 2 && !unspacedPattern.test(lower))) return undefined
  return singularOf(lower)
}

function withoutAccents(word: string): string {
  return word
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
}

function singularOf(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`
  return word.endsWith("s") && !/(ss|us|is)$/.test(word) ? word.slice(0, -1) : word
}
