// Reads the examples of a prompt without a model: input="..." output="...", JSON objects, lines "Input: ..." and "Output: ...",
// tags <input>...</input><output>...</output>, tables.
import type { Example } from "../../core/prompt-spec"
import { guessExamples } from "./guess-examples"
import { findLabelledExamples, type Span } from "./labelled-examples"
import { inputLabel, outputLabel } from "./labels"
import { type Following, openingQuotes, type QuotedValue, readQuotedValue } from "./quoted-value"
import { findTableExamples } from "./table-examples"

export interface ReadPrompt {
  readonly instruction: string
  readonly demonstrations: Example[]
}

/** The marked examples of `text`, and the text without them as the instruction. */
export function readMarkedExamples(text: string): ReadPrompt {
  const quoted = [findTaggedExamples, findQuotedExamples].map((find) => find(text)).find((spans) => spans.length > 0)
  if (quoted) return cutOut(text, addLabelled(text, quoted))
  const labelled = findLabelledExamples(text)
  return cutOut(text, labelled.length > 0 ? labelled : findTableExamples(text))
}

/** Some prompts write their examples in several ways. Labelled lines before the first one in quotes tell what input and output are. */
function addLabelled(text: string, quoted: readonly Span[]): Span[] {
  return quoted.flatMap((span, index) => {
    const rest = text.slice(span.end, quoted[index + 1]?.start)
    const move = (found: Span) => ({ ...found, start: found.start + span.end, end: found.end + span.end })
    return [span, ...findLabelledExamples(rest).map(move)]
  })
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
const gap = String.raw`[\s,，;；、|]*(?:->|=>|→)?\s*`
const closed = String.raw`[\s,，;；、.。]*(?:\}[\s,]*)?(?:\{\s*)?`

/** How a pair is written whose side `first` comes first. */
const orderOf = (first: string, second: string) => ({
  opening: new RegExp(String.raw`(?:\{\s*)?${key(first)}(?=${quote})`, "giu"),
  between: new RegExp(`${gap}${key(second)}(?=${quote})`, "iuy"),
  after: new RegExp(String.raw`${closed}(?:${key(first)}(?=${quote})|\s*$)`, "iuy"),
})
type Order = ReturnType<typeof orderOf>

const inputFirst = orderOf(inputLabel, outputLabel)
const outputFirst = orderOf(outputLabel, inputLabel)
const ending = /[ \t]*\}?[.,;，。；、]?/y

/** In the order in which the prompt's first pair has its sides. */
function findQuotedExamples(text: string): Span[] {
  const usual = findPairs(text, inputFirst)
  const turned = findPairs(text, outputFirst).map(({ example: { input, output }, ...at }) => ({
    ...at,
    example: { input: output, output: input },
  }))
  return turned.length > 0 && turned[0].start < (usual[0]?.start ?? text.length) ? turned : usual
}

/** Pairs, the side that comes first as the input. */
function findPairs(text: string, { opening, between, after }: Order): Span[] {
  const spans: Span[] = []
  opening.lastIndex = 0
  for (let match = opening.exec(text); match; match = opening.exec(text)) {
    const input = readValue(text, opening.lastIndex, { pattern: between, isRequired: true }, match[0])
    between.lastIndex = input?.end ?? 0
    const middle = input && between.exec(text)
    const output = middle && readValue(text, between.lastIndex, { pattern: after, isRequired: false }, middle[0])
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

const tagged = /[ \t]*(?:<example\b[^>]*>\s*)?<input>([\s\S]*?)<\/input>\s*<output>([\s\S]*?)<\/output>(?:\s*<\/example>)?/gi

/** Examples in tags, as prompts for some models have them. */
function findTaggedExamples(text: string): Span[] {
  return [...text.matchAll(tagged)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    example: { input: match[1].trim(), output: match[2].trim() },
  }))
}

/** A value by its quotes; behind a key in quotes it is JSON, with JSON's escapes, where it can be read as that. */
function readValue(text: string, start: number, following: Following, label: string): QuotedValue | undefined {
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
  return readQuotedValue(text, start, following)
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
