// Reads the examples of a prompt without a model: input="..." output="...", JSON objects, lines "Input: ..." and "Output: ...".
import type { Example } from "../../core/prompt-spec"
import { guessExamples } from "./guess-examples"
import { findLabelledExamples, type Span } from "./labelled-examples"
import { inputLabel, outputLabel } from "./labels"
import { openingQuotes, type QuotedValue, readQuotedValue } from "./quoted-value"

export interface ReadPrompt {
  readonly instruction: string
  readonly demonstrations: Example[]
}

/** The marked examples of `text`, and the text without them as the instruction. */
export function readMarkedExamples(text: string): ReadPrompt {
  const quoted = findQuotedExamples(text)
  return cutOut(text, quoted.length > 0 ? quoted : findLabelledExamples(text))
}

/** Examples that only their arrangement tells, for when there is no teacher to ask. */
export function readArrangedExamples(text: string): ReadPrompt {
  return cutOut(text, guessExamples(text))
}

function cutOut(text: string, spans: readonly Span[]): ReadPrompt {
  let instruction = ""
  let from = 0
  for (const { start, end } of spans) {
    instruction += text.slice(from, start)
    from = end
  }
  instruction += text.slice(from)
  return { instruction: tidy(instruction, spans.length > 0), demonstrations: spans.map(({ example }) => example) }
}

const quote = `(?:${openingQuotes.join("|")})`
const key = (words: string) => String.raw`(?:["'“\x60])?(?<![\p{L}\p{N}_])${words}(?:["'”\x60])?\s*[=:：＝]\s*`
const opening = new RegExp(String.raw`(?:\{\s*)?${key(inputLabel)}(?=${quote})`, "giu")
const between = new RegExp(String.raw`[\s,，;；、|]*(?:->|=>|→)?\s*${key(outputLabel)}(?=${quote})`, "iuy")
const afterOutput = new RegExp(String.raw`[\s,，;；、.。]*(?:\}[\s,]*)?(?:\{\s*)?(?:${key(inputLabel)}(?=${quote})|\s*$)`, "iuy")
const ending = /[ \t]*\}?[.,;，。；、]?/y

function findQuotedExamples(text: string): Span[] {
  const spans: Span[] = []
  opening.lastIndex = 0
  for (let match = opening.exec(text); match; match = opening.exec(text)) {
    const input = readValue(text, opening.lastIndex, between, match[0])
    between.lastIndex = input?.end ?? 0
    const middle = input && between.exec(text)
    const output = middle && readValue(text, between.lastIndex, afterOutput, middle[0])
    if (!input || !output) continue
    ending.lastIndex = output.end
    ending.exec(text)
    const end = Math.max(output.end, ending.lastIndex)
    const lineStart = text.lastIndexOf("\n", match.index) + 1
    const start = text.slice(lineStart, match.index).trim() === "" ? lineStart : match.index
    spans.push({ start, end, example: { input: input.value, output: output.value } })
    opening.lastIndex = end
  }
  return spans
}

/** A value by its quotes; behind a key in quotes it is JSON, with JSON's escapes, where it can be read as that. */
function readValue(text: string, start: number, mayFollow: RegExp, label: string): QuotedValue | undefined {
  if (/["]\s*:\s*$/.test(label)) {
    const json = /"(?:[^"\\\n]|\\.)*"/y
    json.lastIndex = start
    const match = json.exec(text)
    try {
      if (match) return { value: JSON.parse(match[0]), end: json.lastIndex }
    } catch {
      // Written by hand: read as any other value in quotes.
    }
  }
  return readQuotedValue(text, start, mayFollow)
}

const announcement =
  /^[ \t#*>_]*(?:for |here (?:are|is) |see )?(?:some |a few |two |three |four |five |an |the )?(?:(?:more )?(?:examples?|instances?|demonstrations?|few-shot examples)|beispiele?|exemples?|ejemplos?|exemplos?|примеры?|例|示例|例子|例如|예시|예|أمثلة|مثال)[ \t]*(?:\d{1,3})?[ \t*_]*[:：.]?[ \t*_]*$/gimu

/** Lines that only announced the examples go, numbers and brackets that stood around them too, and no more than one empty line stays. */
function tidy(instruction: string, hasExamples: boolean): string {
  const left = hasExamples ? instruction.replace(/^[ \t]*(?:\(?\d{1,3}[.)]|[-*•+]|[[\]{},]+|```\w*|-{3,}|={3,})[ \t]*$/gm, "") : instruction
  return left
    .replace(announcement, "")
    .replace(/\n[ \t]*\n(?:[ \t]*\n)+/g, "\n\n")
    .trim()
}
