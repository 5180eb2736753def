// A text on its way through a tokenizer: rewritten, cut into pieces, turned into bytes; and, where it is asked for, the range of the
// original text that each of its code units came from.
import type { TextRange } from "../tokenizer"
import { segmentGraphemes } from "./graphemes"

/** For each code unit, where in the original its source begins and ends. */
interface Trace {
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

export class TracedText {
  private constructor(
    readonly text: string,
    private readonly trace: Trace | undefined,
  ) {}

  /** A text as it is; `isTraced` says whether ranges will be asked for. */
  static from(text: string, isTraced: boolean): TracedText {
    if (!isTraced) return new TracedText(text, undefined)
    // Both halves of a surrogate pair stand for the whole character.
    const starts: number[] = []
    const ends: number[] = []
    for (const character of text) {
      const start = starts.length
      for (let k = 0; k < character.length; k++) {
        starts.push(start)
        ends.push(start + character.length)
      }
    }
    return new TracedText(text, { starts, ends })
  }

  get isTraced(): boolean {
    return this.trace !== undefined
  }

  slice(from: number, to: number): TracedText {
    if (from === 0 && to === this.text.length) return this
    const { trace } = this
    return new TracedText(this.text.slice(from, to), trace && { starts: trace.starts.slice(from, to), ends: trace.ends.slice(from, to) })
  }

  /** The range of the original that the code units from `from` up to `to` came from. */
  rangeOf(from: number, to: number): TextRange {
    const { trace } = this
    if (!trace || trace.starts.length === 0) return [0, 0]
    if (to <= from) {
      const place = from < trace.starts.length ? trace.starts[from] : trace.ends[trace.ends.length - 1]
      return [place, place]
    }
    let [start, end] = [trace.starts[from], trace.ends[from]]
    for (let i = from + 1; i < to; i++) {
      start = Math.min(start, trace.starts[i])
      end = Math.max(end, trace.ends[i])
    }
    return [start, end]
  }

  /** Another text whose code unit `i` comes from this text's units `from[i]` up to `to[i]`; they are asked for only when traced. */
  become(text: string, sources: () => { from: readonly number[]; to: readonly number[] }): TracedText {
    if (!this.trace) return new TracedText(text, undefined)
    const { from, to } = sources()
    const starts: number[] = []
    const ends: number[] = []
    for (let i = 0; i < text.length; i++) {
      const [start, end] = this.rangeOf(from[i], to[i])
      starts.push(start)
      ends.push(end)
    }
    return new TracedText(text, { starts, ends })
  }

  /** The text after `prefix`, which stands for its first character. */
  prepend(prefix: string): TracedText {
    const { length } = this.text
    return this.become(prefix + this.text, () => {
      const parts: Part[] = [[prefix, 0, Math.min(1, length)]]
      pushUnits(parts, this.text, 0, length)
      return spread(parts)
    })
  }

  /** The text with every match replaced. */
  replaceAll(pattern: RegExp, content: string): TracedText {
    const text = this.text.replace(pattern, () => content)
    if (text === this.text) return this
    return this.become(text, () => {
      const parts: Part[] = []
      let done = 0
      for (const match of this.text.matchAll(pattern)) {
        pushUnits(parts, this.text, done, match.index)
        parts.push([content, match.index, match.index + match[0].length])
        done = match.index + match[0].length
      }
      pushUnits(parts, this.text, done, this.text.length)
      return spread(parts)
    })
  }

  /** What a function makes of the text. It is asked for parts of the text too, to learn what came from where. */
  rewrite(change: (text: string) => string): TracedText {
    const text = change(this.text)
    if (text === this.text) return this
    return this.become(text, () => spread(alignParts(this.text, text, change)))
  }
}

/** Each part of the new text, with the units of the old one that it comes from. */
type Part = [content: string, from: number, to: number]

function spread(parts: readonly Part[]): { from: number[]; to: number[] } {
  const from: number[] = []
  const to: number[] = []
  for (const [content, start, end] of parts) {
    for (let k = 0; k < content.length; k++) {
      from.push(start)
      to.push(end)
    }
  }
  return { from, to }
}

function pushUnits(parts: Part[], text: string, from: number, to: number): void {
  for (let i = from; i < to; i++) parts.push([text[i], i, i + 1])
}

/**
 * Characters are changed one by one where that gives the same text, else what a reader sees as one character, else what differs
 * from that counts as one.
 */
function alignParts(before: string, after: string, change: (text: string) => string): Part[] {
  const byCharacter = changeUnits(before, change)
  if (joinParts(byCharacter) === after) return byCharacter
  const byGrapheme = changeUnits(segmentGraphemes(before), change)
  const joined = joinParts(byGrapheme)
  if (joined === after) return byGrapheme
  return patchParts(byGrapheme, joined, after, before.length)
}

function changeUnits(units: Iterable<string>, change: (text: string) => string): Part[] {
  const parts: Part[] = []
  let at = 0
  for (const unit of units) {
    parts.push([change(unit), at, at + unit.length])
    at += unit.length
  }
  return parts
}

function joinParts(parts: readonly Part[]): string {
  return parts.map(([content]) => content).join("")
}

/** Parts that agree with `after` at its begin and its end, and one for what lies between. */
function patchParts(parts: readonly Part[], joined: string, after: string, length: number): Part[] {
  const limit = Math.min(joined.length, after.length)
  let same = 0
  while (same < limit && joined[same] === after[same]) same++
  let sameEnd = 0
  while (sameEnd < limit - same && joined[joined.length - 1 - sameEnd] === after[after.length - 1 - sameEnd]) sameEnd++
  const head: Part[] = []
  const tail: Part[] = []
  let at = 0
  for (const part of parts) {
    const end = at + part[0].length
    if (end <= same) head.push(part)
    else if (at >= joined.length - sameEnd) tail.push(part)
    at = end
  }
  const from = head.length > 0 ? head[head.length - 1][2] : 0
  const to = tail.length > 0 ? tail[0][1] : length
  const middle = after.slice(joinParts(head).length, after.length - joinParts(tail).length)
  return [...head, [middle, from, Math.max(from, to)], ...tail]
}
