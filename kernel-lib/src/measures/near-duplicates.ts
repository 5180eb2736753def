// Which texts are the same text, or nearly. The rule, in one place for every stage that asks:
//
// - Same: equal after `normalizeText` (case, sentence punctuation and white space do not count).
// - Near: both have at least `minCharacters` characters, the same numbers in the same order, and share at least `threshold` of their
//   shingles of five characters. In a short text a single word is the task (`3 May 1999`, `3 June 1999`), and a changed digit always is,
//   so short texts and texts with other numbers are never near.
//
// MinHash bands find the candidates, and the shingles themselves decide, so nothing is called near by chance.
import { minHash } from "./min-hash"
import { normalizeText } from "./normalize-text"
import { hashText, jaccard, shinglesOf } from "./shingles"

/** Characters that a text must have to be near another: a long sentence. */
export const leastNearCharacters = 80

export interface NearDuplicateOptions {
  /** Least Jaccard similarity of near duplicates. Default 0.8. */
  readonly threshold?: number
  /** Shorter texts, after normalisation, have no near duplicates but equal ones. Default `leastNearCharacters`, 80. */
  readonly minCharacters?: number
}

/** A text that is the same (similarity 1, `isSame`) or near, by its position in the index. */
export interface NearDuplicate {
  readonly position: number
  readonly similarity: number
  readonly isSame: boolean
}

interface LongText {
  readonly shingles: Uint32Array
  /** All its numbers, in order. */
  readonly numbers: string
}

interface Sketch {
  readonly normalized: string
  /** Undefined for a short text. */
  readonly long?: LongText & { readonly keys: Int32Array }
}

/** Texts, and which of them a further text repeats. */
export class NearDuplicateIndex {
  private readonly threshold: number
  private readonly minCharacters: number
  private readonly texts = new Map<string, number>()
  /** By position; undefined for short texts and for those that an equal one stands for. */
  private readonly longTexts: (LongText | undefined)[] = []
  /** Positions by key: one number where one text has the key, which is the usual case, and by far the smallest form of it. */
  private readonly buckets = new Map<number, number | number[]>()
  /** Whoever finds nothing mostly adds the same text next. */
  private last?: { readonly text: string; readonly sketch: Sketch }

  constructor({ threshold = 0.8, minCharacters = leastNearCharacters }: NearDuplicateOptions = {}) {
    this.threshold = threshold
    this.minCharacters = minCharacters
  }

  /** Number of texts that were added. */
  get length(): number {
    return this.longTexts.length
  }

  /** Adds `text`; answers its position, counted from 0. */
  add(text: string): number {
    return this.insert(this.last?.text === text ? this.last.sketch : this.sketch(normalizeText(text)))
  }

  /** The first text that `text` is the same as, else the nearest of those it is near; undefined where there is none. */
  find(text: string): NearDuplicate | undefined {
    const normalized = normalizeText(text)
    const same = this.texts.get(normalized)
    if (same !== undefined) return { position: same, similarity: 1, isSame: true }
    // Hashing is what costs time: it is left out where nothing long could be met.
    if (this.buckets.size === 0) return undefined
    const sketch = this.sketch(normalized)
    this.last = { text, sketch }
    let best: NearDuplicate | undefined
    for (const position of this.candidates(sketch)) {
      const similarity = this.similarityTo(sketch, position)
      if (similarity >= this.threshold && similarity > (best?.similarity ?? 0)) best = { position, similarity, isSame: false }
    }
    return best
  }

  /** Adds `text` and calls `onDuplicate` with each earlier text that it repeats, unless `skips` says that the pair does not matter. */
  addAndMatch(
    text: string,
    onDuplicate: (earlier: number, position: number) => void,
    skips: (earlier: number, position: number) => boolean,
  ): void {
    const sketch = this.sketch(normalizeText(text))
    const same = this.texts.get(sketch.normalized)
    const position = this.longTexts.length
    if (same !== undefined) onDuplicate(same, position)
    else {
      for (const earlier of this.candidates(sketch)) {
        if (!skips(earlier, position) && this.similarityTo(sketch, earlier) >= this.threshold) onDuplicate(earlier, position)
      }
    }
    this.insert(sketch)
  }

  private sketch(normalized: string): Sketch {
    if (normalized.length < this.minCharacters) return { normalized }
    const shingles = shinglesOf(normalized)
    const numbers = normalized.match(/\p{N}+/gu)?.join(" ") ?? ""
    return { normalized, long: { shingles, numbers, keys: minHash(shingles, hashText(numbers)) } }
  }

  private insert({ normalized, long }: Sketch): number {
    const position = this.longTexts.length
    const isNew = !this.texts.has(normalized)
    this.longTexts.push(isNew && long ? { shingles: long.shingles, numbers: long.numbers } : undefined)
    if (!isNew) return position
    this.texts.set(normalized, position)
    for (const key of long?.keys ?? []) {
      const bucket = this.buckets.get(key)
      if (bucket === undefined) this.buckets.set(key, position)
      else if (typeof bucket === "number") this.buckets.set(key, [bucket, position])
      else bucket.push(position)
    }
    return position
  }

  private candidates({ long }: Sketch): Set<number> {
    const found = new Set<number>()
    for (const key of long?.keys ?? []) {
      const bucket = this.buckets.get(key)
      if (typeof bucket === "number") found.add(bucket)
      else for (const position of bucket ?? []) found.add(position)
    }
    return found
  }

  private similarityTo({ long }: Sketch, position: number): number {
    const other = this.longTexts[position]!
    if (long!.numbers !== other.numbers) return 0
    const a = long!.shingles
    const b = other.shingles
    // Sets of too different sizes cannot share enough.
    if (Math.min(a.length, b.length) < this.threshold * Math.max(a.length, b.length)) return 0
    return jaccard(a, b)
  }
}

/**
 * The group of each text: texts that are the same or near, directly or through others, have one group, named by its first position.
 * Which texts are together does not depend on their order.
 */
export function groupNearDuplicates(texts: readonly string[], options?: NearDuplicateOptions): Int32Array {
  const groups = Int32Array.from(texts, (_, position) => position)
  const rootOf = (position: number): number => {
    let root = position
    while (groups[root] !== root) root = groups[root] = groups[groups[root]]
    return root
  }
  const index = new NearDuplicateIndex(options)
  for (const text of texts) {
    index.addAndMatch(
      text,
      (earlier, position) => {
        const [a, b] = [rootOf(earlier), rootOf(position)]
        groups[Math.max(a, b)] = Math.min(a, b)
      },
      (earlier, position) => rootOf(earlier) === rootOf(position),
    )
  }
  return groups.map((_, position) => rootOf(position))
}
