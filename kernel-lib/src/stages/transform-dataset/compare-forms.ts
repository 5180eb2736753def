// Whether a dataset's columns already have the form of the task's demonstrations, so that nobody has to rewrite them. By rules: which signs,
// scripts and marks the texts have, how long they are, and whether outputs are the task's labels. It errs towards yes.
import type { Example } from "../../core/prompt-spec"

/** How a side of the rows differs from the demonstrations' in form, in a few words; undefined where it does not. */
export function findFormDifference(rows: readonly Example[], demonstrations: readonly Example[]): string | undefined {
  if (demonstrations.length === 0 || rows.length === 0) return undefined
  for (const side of ["output", "input"] as const) {
    const found = rows.map((row) => row[side])
    const shown = demonstrations.map((demonstration) => demonstration[side])
    const difference = (side === "output" ? compareLabels(found, shown) : undefined) ?? compareSide(found, shown)
    if (difference) return `${side}s ${difference}`
  }
  return undefined
}

/** Labels are short, and some of them are demonstrated twice. */
const mostLabelCharacters = 30

function compareLabels(found: readonly string[], shown: readonly string[]): string | undefined {
  const labels = new Set(shown.map((text) => text.trim().toLowerCase()))
  if (labels.size === shown.length || shown.some((text) => text.length > mostLabelCharacters)) return undefined
  const known = found.filter((text) => labels.has(text.trim().toLowerCase())).length
  // A task may have labels that no demonstration shows.
  return known * 2 < found.length ? `are not the labels that the prompt shows, such as ${JSON.stringify(shown[0])}` : undefined
}

/** What texts are made of. */
const kinds: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: "digits", pattern: /\p{N}/u },
  { name: "Latin letters", pattern: /\p{Script=Latin}/u },
  { name: "Chinese characters or kana", pattern: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u },
  { name: "Hangul", pattern: /\p{Script=Hangul}/u },
  { name: "Cyrillic letters", pattern: /\p{Script=Cyrillic}/u },
  { name: "Arabic letters", pattern: /\p{Script=Arabic}/u },
  { name: "Devanagari letters", pattern: /\p{Script=Devanagari}/u },
]

/** Share of rows that must be unlike the demonstrations. */
const most = 0.8
/** Times that texts must be longer or shorter than every demonstration. */
const leastFactor = 5

function compareSide(found: readonly string[], shown: readonly string[]): string | undefined {
  const share = (test: (text: string) => boolean) => found.filter(test).length / found.length
  for (const { name, pattern } of kinds) {
    const has = (text: string) => pattern.test(text)
    if (shown.every(has) && share((text) => !has(text)) >= most) return `have no ${name}`
  }
  const missing = marksOf(shown).find((mark) => share((text) => !text.toLowerCase().includes(mark)) >= most)
  if (missing !== undefined) return `have no ${JSON.stringify(missing)}`
  const lengths = shown.map((text) => text.length)
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)]
  if (share((text) => text.length > leastFactor * longest) >= most) return "are much longer"
  if (share((text) => text.length * leastFactor < shortest) >= most) return "are much shorter"
  return undefined
}

/** Words with a sign of structure that most demonstrations have: `question:`, `[posted:`, `==`. */
function marksOf(shown: readonly string[]): string[] {
  if (shown.length < 2) return []
  const counts = new Map<string, number>()
  for (const text of shown) {
    const marks = new Set(text.toLowerCase().match(/\[?\p{L}+:(?=\s|$)|[=|<>#]{2,}|->|=>/gu) ?? [])
    for (const mark of marks) counts.set(mark, (counts.get(mark) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count > shown.length / 2).map(([mark]) => mark)
}
