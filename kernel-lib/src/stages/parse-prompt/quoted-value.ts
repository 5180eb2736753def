// Reads a value in quotes where people wrote it by hand: quotes of several scripts, backslashes, line breaks, and quotes inside that nobody escaped.

export interface QuotedValue {
  readonly value: string
  /** Position after the closing quote. */
  readonly end: number
}

/** Closing quote by opening one; the longer ones first, since a triple quote begins like a single one. */
const pairs: readonly (readonly [string, readonly string[]])[] = [
  ['"""', ['"""']],
  ["'''", ["'''"]],
  ["```", ["```"]],
  ['"', ['"']],
  ["'", ["'"]],
  ["`", ["`"]],
  ["“", ["”"]],
  ["”", ["”"]],
  ["„", ["“", "”"]],
  ["‘", ["’"]],
  ["«", ["»"]],
  ["»", ["«"]],
  ["「", ["」"]],
  ["『", ["』"]],
  ["《", ["》"]],
  ["＂", ["＂"]],
]

export const openingQuotes = pairs.map(([opening]) => opening)

/** What stands behind a quoted value. */
export interface Following {
  /** Matches, sticky, what makes a closing quote certain, as the label of the other side. */
  readonly pattern: RegExp
  /** Whether nothing else may follow, so that a quote with anything else behind it stands inside. */
  readonly isRequired: boolean
}

/** The quoted value that begins at `start`; undefined where none does, or it has no end. */
export function readQuotedValue(text: string, start: number, following: Following): QuotedValue | undefined {
  const fence = readFence(text, start)
  if (fence) return fence
  const pair = pairs.find(([opening, closings]) => text.startsWith(opening, start) && isMeant(text, start, opening, closings))
  if (!pair) return undefined
  const [opening, closings] = pair
  const from = start + opening.length
  const end = findEnd(text, from, opening, closings, following)
  return end && { value: unescapeQuoted(text.slice(from, end.at)), end: end.at + end.length }
}

const fencePattern = /(```|~~~)[\w+#.-]*[ \t]*\r?\n(?:([\s\S]*?)\r?\n)??[ \t]*\1(?=[ \t]*(?:\r?\n|$))/y

/** Code between fences, each in a line of its own, is kept as it is. */
function readFence(text: string, start: number): QuotedValue | undefined {
  fencePattern.lastIndex = start
  const match = fencePattern.exec(text)
  return match ? { value: match[2] ?? "", end: fencePattern.lastIndex } : undefined
}

/** `""` with something else behind it is an empty value and no triple quote that was left open. */
function isMeant(text: string, start: number, opening: string, closings: readonly string[]): boolean {
  return opening.length === 1 || text.indexOf(closings[0], start + opening.length) !== -1
}

interface Closing {
  readonly at: number
  readonly length: number
}

function findEnd(text: string, from: number, opening: string, closings: readonly string[], following: Following): Closing | undefined {
  const { pattern, isRequired } = following
  let first: Closing | undefined
  let depth = 0
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\" && opening !== "`" && opening !== "```") {
      at++
      continue
    }
    const closing = closings.find((quote) => text.startsWith(quote, at))
    if (closing === undefined) {
      if (text.startsWith(opening, at)) depth++
      // A mark of the next example: what stands behind it is not this value's.
      if (first && isNextLabel(text, at)) break
      continue
    }
    const found = { at, length: closing.length }
    first ??= found
    pattern.lastIndex = at + closing.length
    if (pattern.test(text)) return found
    if (opening === closing && closing.length === 1 && opensInside(text, at, closing)) depth++
    else if (depth > 0) depth--
    else if (!isRequired && endsBefore(text, at + closing.length)) return found
  }
  return first
}

const nextLabel = /\s+(?:input|output)\s*[=:]/iy

function isNextLabel(text: string, at: number): boolean {
  if (!/\s/.test(text[at])) return false
  nextLabel.lastIndex = at
  return nextLabel.test(text)
}

/** A quote before a word or a bracket begins another quotation; an apostrophe inside of a word is neither. */
function opensInside(text: string, at: number, quote: string): boolean {
  const next = text[at + 1] ?? ""
  if (endsBefore(text, at + 1)) return false
  return quote !== "'" || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? "") || !/[\p{L}\p{N}]/u.test(next)
}

/** Whether what begins at `at` may stand behind a closing quote: white space, punctuation, a closing bracket, the end. */
function endsBefore(text: string, at: number): boolean {
  return at >= text.length || /[\s.,;:!?)\]}，。；、：！？）】]/.test(text[at])
}

/** Backslash before a quote, a backslash or `n` is undone; any other stands for itself. */
function unescapeQuoted(value: string): string {
  return value.replace(/\\(["'\\n])/g, (_, character: string) => (character === "n" ? "\n" : character))
}
