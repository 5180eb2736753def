// Questions about a text: how an input names its two parts, where an answer stands in the text, and what of a long text is read at once.
import type { EncodedTexts, TextRange, TokenizedText, Tokenizer } from "./tokenizer"

/** A text that is read for an answer. Without a question, the answer is what was always asked for in training. */
export interface SpanInput {
  readonly question?: string
  readonly context: string
}

const bothParts = /^\s*question:\s*(?<question>[\s\S]*?)\s*\bcontext:\s*(?<context>[\s\S]*)$/i

/** Reads `Question: ... Context: ...`, on one line or several, upper or lower case; any other input is all context. */
export function readSpanInput(text: string): SpanInput {
  const { question, context } = bothParts.exec(text)?.groups ?? {}
  return context === undefined ? { context: text } : { question, context }
}

/** A question and its context in tokens, with what stands around the context. */
export interface SpanTokens {
  readonly context: string
  readonly tokens: TokenizedText
  /** Ids before the context's, and behind. */
  readonly before: readonly number[]
  readonly after: readonly number[]
  /** Where in `before` or behind it token types change; none where there is no question. */
  readonly secondPart?: number
}

/** @param longest tokens that a network reads at once; a question may take half of them */
export function tokenizeSpanInput(tokenizer: Tokenizer, text: string, longest: number): SpanTokens {
  const { question, context } = readSpanInput(text)
  const tokens = tokenizer.tokenize(context)
  const asked = question === undefined ? undefined : cutText(tokenizer.tokenize(question), longest >> 1)
  // One token stands for all of the context's, to see what is put around it.
  const sample = { ids: [-1], ranges: [[0, 0] as TextRange] }
  const joined: EncodedTexts = asked ? tokenizer.joinTokens(asked, sample) : tokenizer.joinTokens(sample)
  const at = joined.ids.indexOf(-1)
  return {
    context,
    tokens,
    before: joined.ids.slice(0, at),
    after: joined.ids.slice(at + 1),
    secondPart: asked && joined.typeIds.includes(1) ? joined.typeIds.indexOf(1) : undefined,
  }
}

function cutText({ ids, ranges }: TokenizedText, most: number): TokenizedText {
  return { ids: ids.slice(0, most), ranges: ranges.slice(0, most) }
}

/** The tokens that the first occurrence of `answer` in the context touches; undefined when it is not there. */
export function locateAnswer({ context, tokens }: SpanTokens, answer: string): TextRange | undefined {
  const wanted = answer.trim()
  const from = wanted === "" ? -1 : context.indexOf(wanted)
  if (from < 0) return undefined
  const touched = [...tokens.ranges.keys()].filter((at) => tokens.ranges[at][1] > from && tokens.ranges[at][0] < from + wanted.length)
  return touched.length === 0 ? undefined : [touched[0], touched[touched.length - 1] + 1]
}

/** Parts of a context, [start, end) in its tokens, of at most `size` tokens; neighbours share `overlap`. */
export function planWindows(count: number, size: number, overlap: number): TextRange[] {
  const windows: TextRange[] = []
  for (let start = 0; ; start += size - overlap) {
    windows.push([start, Math.min(count, start + size)])
    if (start + size >= count) return windows
  }
}

/** The part of a context of at most `size` tokens that holds the answer's beginning, and its end where it can. */
export function windowAround(count: number, size: number, [start, end]: TextRange): TextRange {
  const from = Math.max(0, Math.min(start, end - size))
  return [from, Math.min(count, from + size)]
}

/** The text of tokens [start, end), with the whole of the words that they begin and end in. */
export function cutSpan({ context, tokens }: SpanTokens, [start, end]: TextRange): string {
  let from = tokens.ranges[start][0]
  let to = tokens.ranges[end - 1][1]
  while (from > 0 && isWordInside(context, from)) from--
  while (to < context.length && isWordInside(context, to)) to++
  return context.slice(from, to).trim()
}

/** Whether the characters before and behind a place are of one word. */
function isWordInside(text: string, place: number): boolean {
  return /^[\p{L}\p{M}\p{N}\ud800-\udfff]{2}$/u.test(text.slice(place - 1, place + 1))
}
