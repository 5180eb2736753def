// Where two texts differ, in words: for people who look at a wrong answer. Longest common subsequence over words, and inside a pair of words
// that begin or end alike only their middle differs.

export interface DiffPart {
  /** `removed` stands only in the first text, `added` only in the second. */
  readonly kind: "same" | "removed" | "added"
  readonly text: string
}

/** Longer texts than this many words are not aligned: the table would be large, and nobody reads such a diff. */
const mostWords = 600

/** What has to be taken out of `before`, and what put in, to get `after`; the parts in reading order. */
export function diffWords(before: string, after: string): DiffPart[] {
  if (before === after) return before === "" ? [] : [{ kind: "same", text: before }]
  const first = splitWords(before)
  const second = splitWords(after)
  if (first.length > mostWords || second.length > mostWords) return joinParts([part("removed", before), part("added", after)])
  return joinParts(refineReplacements(alignWords(first, second)))
}

function part(kind: DiffPart["kind"], text: string): DiffPart {
  return { kind, text }
}

/** Words, runs of white space, and every other character by itself. */
function splitWords(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}]+|\s+|[^\p{L}\p{N}\p{M}\s]/gu) ?? []
}

function alignWords(first: readonly string[], second: readonly string[]): DiffPart[] {
  const width = second.length + 1
  // common[i * width + j]: length of the longest common subsequence of first[i..] and second[j..].
  const common = new Uint16Array((first.length + 1) * width)
  for (let i = first.length - 1; i >= 0; i--) {
    for (let j = second.length - 1; j >= 0; j--) {
      common[i * width + j] =
        first[i] === second[j] ? common[(i + 1) * width + j + 1] + 1 : Math.max(common[(i + 1) * width + j], common[i * width + j + 1])
    }
  }
  const parts: DiffPart[] = []
  let i = 0
  let j = 0
  while (i < first.length || j < second.length) {
    if (i < first.length && j < second.length && first[i] === second[j]) {
      parts.push(part("same", first[i]))
      i++
      j++
    } else if (j >= second.length || (i < first.length && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      parts.push(part("removed", first[i++]))
    } else {
      parts.push(part("added", second[j++]))
    }
  }
  return parts
}

/** One word in the place of another: what both begin and end with stays. */
function refineReplacements(parts: readonly DiffPart[]): DiffPart[] {
  const refined: DiffPart[] = []
  for (let index = 0; index < parts.length; index++) {
    const removed = parts[index]
    const added = parts[index + 1]
    const isPair =
      removed.kind === "removed" && added?.kind === "added" && parts[index + 2]?.kind !== "added" && refined.at(-1)?.kind !== "removed"
    if (!isPair) {
      refined.push(removed)
      continue
    }
    refined.push(...diffInside(removed.text, added.text))
    index++
  }
  return refined
}

function diffInside(before: string, after: string): DiffPart[] {
  const first = [...before]
  const second = [...after]
  const most = Math.min(first.length, second.length)
  let start = 0
  while (start < most && first[start] === second[start]) start++
  let end = 0
  while (end < most - start && first[first.length - 1 - end] === second[second.length - 1 - end]) end++
  // Words that share less than half are different words.
  if ((start + end) * 2 < most) return [part("removed", before), part("added", after)]
  return [
    part("same", first.slice(0, start).join("")),
    part("removed", first.slice(start, first.length - end).join("")),
    part("added", second.slice(start, second.length - end).join("")),
    part("same", first.slice(first.length - end).join("")),
  ].filter(({ text }) => text !== "")
}

/** Neighbours of one kind become one part; between two changes, what was removed comes first. */
function joinParts(parts: readonly DiffPart[]): DiffPart[] {
  const joined: DiffPart[] = []
  let removed = ""
  let added = ""
  const flush = () => {
    if (removed !== "") joined.push(part("removed", removed))
    if (added !== "") joined.push(part("added", added))
    removed = ""
    added = ""
  }
  for (const { kind, text } of parts) {
    if (kind === "removed") removed += text
    else if (kind === "added") added += text
    else {
      flush()
      const last = joined.at(-1)
      if (last?.kind === "same") joined[joined.length - 1] = part("same", last.text + text)
      else joined.push(part("same", text))
    }
  }
  flush()
  return joined
}
