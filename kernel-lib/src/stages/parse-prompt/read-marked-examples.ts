// Reads the examples that a prompt marks, without a model: input="..." output="...", or lines "Input: ..." and "Output: ...".
import type { Example } from "../../core/prompt-spec"

interface Span {
  readonly start: number
  readonly end: number
  readonly example: Example
}

/** The marked examples of `text`, and the text without them as the instruction. */
export function readMarkedExamples(text: string): { instruction: string; demonstrations: Example[] } {
  const quoted = findSpans(text, quotedPair)
  const spans = quoted.length > 0 ? quoted : findSpans(text, labelledPair)
  let instruction = ""
  let from = 0
  for (const { start, end } of spans) {
    instruction += text.slice(from, start)
    from = end
  }
  instruction += text.slice(from)
  return { instruction: tidy(instruction), demonstrations: spans.map(({ example }) => example) }
}

/** A quoted value: straight or curly quotes; a backslash keeps the next character. It may run over lines. */
const quotedValue = String.raw`(?:"((?:[^"\\]|\\[\s\S])*)"|“([^”]*)”)`
const quotedPair = new RegExp(String.raw`[ \t]*\binput\s*[=:]\s*${quotedValue}[\s,;]*\boutput\s*[=:]\s*${quotedValue}[.,;]?`, "gi")
const labelledPair =
  /^[ \t]*(?:\d+[.)]\s*|[-*]\s*)?input\s*:[ \t]*([^\n]*(?:\n(?![ \t]*(?:input|output)\s*:)(?!\s*\n)[^\n]*)*)\n\s*(?:[-*]\s*)?output\s*:[ \t]*([^\n]*)/gim

function findSpans(text: string, pattern: RegExp): Span[] {
  return [...text.matchAll(pattern)].map((match) => {
    const [input, output] =
      match.length > 3 ? [unescapeQuoted(match[1]) ?? match[2], unescapeQuoted(match[3]) ?? match[4]] : [match[1].trim(), match[2].trim()]
    return { start: match.index ?? 0, end: (match.index ?? 0) + match[0].length, example: { input, output } }
  })
}

/** Backslash before a quote, a backslash or `n` is undone; any other stands for itself. */
function unescapeQuoted(value: string | undefined): string | undefined {
  return value?.replace(/\\(["\\n])/g, (_, character: string) => (character === "n" ? "\n" : character))
}

/** Lines that only announced the examples go, and no more than one empty line stays. */
function tidy(instruction: string): string {
  return instruction
    .replace(/^[#*\s]*(?:for |here (?:are|is) )?(?:some |a few |an |the )?(?:examples?|instance|demonstrations?)[*\s]*:?[*\s]*$/gim, "")
    .replace(/^\s*(\d+[.)]|[-*])\s*$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim()
}
