// Reads examples that are written as labelled lines: `Input: ...` and `Output: ...`, in bold, numbered or as bullets, over lines or in code fences.
import type { Example } from "../../core/prompt-spec"
import { inputLabel, outputLabel } from "./labels"

export interface Span {
  readonly start: number
  readonly end: number
  readonly example: Example
}

/** What may stand before a label in its line: a bullet, a number, a heading's signs, `Example 2:`. */
const before = String.raw`[ \t>]*(?:[-*•+][ \t]+|\(?\d{1,3}[.)、:][ \t]*|#{1,6}[ \t]+)?(?:(?:example|beispiel|exemple|ejemplo|exemplo|例|示例|예시|مثال)[ \t]*\d*[ \t]*[:.：][ \t]*)?`
/** With its colon; a heading needs none. */
const labelOf = (words: string) =>
  String.raw`(?:\*\*|__|\*|"|\[)?${words}(?:[ \t]*\d{1,3})?(?:"|\])?[ \t]*(?:\*\*|__|\*)?[ \t]*(?:[:：]|(?<=^[ \t]*#[^\n]*)$)[ \t]*(?:\*\*|__|\*)?[ \t]*`
const inputLine = new RegExp(`^${before}${labelOf(inputLabel)}`, "gimu")
/** The output may stand in the input's line, too. */
const outputLine = new RegExp(String.raw`(?:^${before}|[ \t,;|]+(?:->|=>|→)?[ \t]*)${labelOf(outputLabel)}`, "gimu")
const heading = /^[ \t]*(?:#{1,6}[ \t]|[-*_=]{3,}[ \t]*$)/u

/** The examples whose input and output lines follow each other. */
export function findLabelledExamples(text: string): Span[] {
  const inputs = [...text.matchAll(inputLine)]
  return inputs.flatMap((input, index) => {
    const from = input.index + input[0].length
    const limit = inputs[index + 1]?.index ?? text.length
    const rest = text.slice(from, limit)
    outputLine.lastIndex = 0
    const output = outputLine.exec(rest)
    if (!output) return []
    const given = readBlock(rest.slice(0, output.index), true)
    const wanted = readBlock(rest.slice(output.index + output[0].length), false)
    if (given.value === "" || wanted.value === "") return []
    const end = from + output.index + output[0].length + wanted.length
    return [{ start: input.index, end, example: { input: given.value, output: wanted.value } }]
  })
}

/** A value and how many characters of `block` it takes. An input takes all; an output ends at an empty line, a rule or a heading. */
function readBlock(block: string, isInput: boolean): { value: string; length: number } {
  const fence = /^\s*(```|~~~)[^\n]*\n([\s\S]*?)\n?[ \t]*\1[ \t]*(?:\n|$)/.exec(block)
  // What stands in a code fence is kept as it is, indentation too.
  if (fence) return { value: fence[2], length: fence[0].length }
  if (isInput) return { value: trimLines(block), length: block.length }
  const lines = block.split("\n")
  let length = 0
  const kept: string[] = []
  for (const [index, line] of lines.entries()) {
    const hasValue = kept.some((known) => known.trim() !== "")
    if (hasValue && (line.trim() === "" || heading.test(line))) break
    kept.push(line)
    length += line.length + (index < lines.length - 1 ? 1 : 0)
  }
  return { value: trimLines(kept.join("\n")), length }
}

/** Without empty lines around it; the first line's indentation goes only where it is the only line, or stands behind the label. */
function trimLines(text: string): string {
  return text
    .replace(/^(?:[ \t]*\n)+/, "")
    .replace(/\s+$/, "")
    .replace(/^[ \t]+(?=[^\n]*$)/, "")
}
