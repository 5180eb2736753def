// Which rows say the same, or nearly: the library's own rule (kernel-lib/src/measures/near-duplicates.ts), by a search that is exact and needs nothing
// of Node. Two sets that share four fifths of their shingles share one of the first fifth of them, in whatever fixed order (Bayardo et al. 2007).
import { normalizeText } from "../../../kernel-lib/src/measures/normalize-text"
import { jaccard, shinglesOf } from "../../../kernel-lib/src/measures/shingles"

const leastCharacters = 80
const threshold = 0.8
/** A text that meets more others than this has only so many looked at. */
const mostCandidates = 4000

interface LongText {
  /** Sorted, each once. */
  readonly shingles: Uint32Array
  readonly numbers: string
}

/** Texts in groups: those that are the same or near, directly or through others. */
export class AlikeTexts {
  private readonly same = new Map<string, number>()
  private readonly long: (LongText | undefined)[] = []
  private readonly buckets = new Map<string, number[]>()
  private readonly parents: number[] = []

  get length(): number {
    return this.parents.length
  }

  add(text: string): void {
    const position = this.parents.length
    this.parents.push(position)
    const normalized = normalizeText(text)
    const same = this.same.get(normalized)
    if (same !== undefined) {
      this.long.push(undefined)
      this.join(same, position)
      return
    }
    this.same.set(normalized, position)
    const long = normalized.length < leastCharacters ? undefined : describe(normalized)
    this.long.push(long)
    if (!long) return
    const prefix = long.shingles.subarray(0, long.shingles.length - Math.ceil(threshold * long.shingles.length) + 1)
    const looked = new Set<number>()
    for (const shingle of prefix) {
      // Only texts with the same numbers can be near.
      const key = `${shingle} ${long.numbers}`
      const bucket = this.buckets.get(key)
      if (!bucket) {
        this.buckets.set(key, [position])
        continue
      }
      for (const other of bucket) {
        if (looked.size > mostCandidates || looked.has(other)) continue
        looked.add(other)
        if (this.groupOf(other) !== this.groupOf(position) && areNear(long, this.long[other]!)) this.join(other, position)
      }
      bucket.push(position)
    }
  }

  /** The first position of the group. */
  groupOf(position: number): number {
    const { parents } = this
    let root = position
    while (parents[root] !== root) root = parents[root] = parents[parents[root]]
    return root
  }

  private join(one: number, other: number): void {
    const [a, b] = [this.groupOf(one), this.groupOf(other)]
    this.parents[Math.max(a, b)] = Math.min(a, b)
  }
}

function describe(normalized: string): LongText {
  return { shingles: shinglesOf(normalized), numbers: normalized.match(/\p{N}+/gu)?.join(" ") ?? "" }
}

/** Whether they share enough of the shingles that either has. */
function areNear({ shingles: a }: LongText, { shingles: b }: LongText): boolean {
  return Math.min(a.length, b.length) >= threshold * Math.max(a.length, b.length) && jaccard(a, b) >= threshold
}
