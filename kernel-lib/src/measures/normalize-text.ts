// When two inputs are the same text: whatever differs is case, sentence punctuation or white space.

// Signs that carry meaning stay: operators, paths, currencies, and points and colons between digits (1.5, 12:30).
const sentencePunctuation = /(?<=\p{L})-(?=\p{L})|(?![-*/%&#@\\_.,:])\p{P}|[.,:](?!\p{N})|(?<!\p{N})[.,:]/gu
const apostrophes = /['’]/g

/**
 * `text` in lower case and one Unicode form (NFKC), without sentence punctuation and needless white space. Digits, signs and points
 * between digits stay as they are, so that `3 May 1999` and `3 May 1998`, `1.5` and `15`, `7 - 2` and `7 * 2` differ.
 */
export function normalizeText(text: string): string {
  const normalized = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(apostrophes, "")
    .replace(sentencePunctuation, " ")
    .replace(/\s+/g, " ")
    .trim()
  // A text of nothing but punctuation is what it is.
  return normalized === "" ? text.trim() : normalized
}
