// Words that cards have in place of words that they do not have: another form of the word (correct, correction), or its right spelling. It is
// what finds a set for a prompt that was typed in haste, and often for one in a language that shares its learned words with English.

/** Letters that two forms of a word share at their start, at least; and the least share of the shorter one. */
const leastShared = 4
const leastShare = 2 / 3
/** Words shorter than this are a slip away from too many others. */
const leastLetters = 5

/** For each of `words` that `known` does not have, those of `known` that stand for it: its forms, else those a slip away. None for the others. */
export function findNearWords(words: readonly string[], known: ReadonlySet<string>): Map<string, string[]> {
  const near = new Map<string, string[]>()
  for (const word of words) {
    if (known.has(word) || word.length < leastLetters || !/^\p{L}+$/u.test(word)) continue
    const forms = [...known].filter((other) => areForms(word, other))
    const meant = forms.length > 0 ? forms : [...known].filter((other) => other.length >= leastLetters && isOneSlipAway(word, other))
    if (meant.length > 0) near.set(word, meant)
  }
  return near
}

function areForms(one: string, other: string): boolean {
  const shared = countShared(one, other)
  return (
    shared >= leastShared && shared >= leastShare * Math.min(one.length, other.length) && shared * 2 >= Math.max(one.length, other.length)
  )
}

/** Whether one letter more, less, or other, or two that changed places, make one word of the other. */
export function isOneSlipAway(one: string, other: string): boolean {
  const start = countShared(one, other)
  const rest = countShared([...one.slice(start)].reverse().join(""), [...other.slice(start)].reverse().join(""))
  const [mine, theirs] = [one, other].map((word) => word.slice(start, word.length - rest))
  if (mine.length <= 1 && theirs.length <= 1) return true
  return mine.length === 2 && theirs.length === 2 && mine[0] === theirs[1] && mine[1] === theirs[0]
}

function countShared(one: string, other: string): number {
  let shared = 0
  while (shared < one.length && one[shared] === other[shared]) shared++
  return shared
}
