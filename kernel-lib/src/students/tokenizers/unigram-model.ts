// sentencepiece's Unigram model: the most probable way to cut a text into pieces of the vocabulary. It stands in for the library's,
// which knows no byte fallback and builds a tree of objects for each piece. Source: tokenizers' Unigram, whose tokens this gives.

export interface UnigramDescription {
  /** Pieces with the logarithms of their probabilities. */
  readonly vocab: readonly (readonly [piece: string, score: number])[]
  readonly unk_id: number | null
  /** Characters that no piece has become the pieces of their bytes, `<0x41>`, where all of them are there. */
  readonly byte_fallback?: boolean
}

/** How much worse than the worst piece an unknown character is. */
const unknownPenalty = 10
const cacheLimit = 10_000
const longestCached = 64

export class UnigramModel {
  readonly vocabulary: readonly string[]
  readonly ids: ReadonlyMap<string, number>
  readonly unknownId: number | undefined
  private readonly scores: readonly number[]
  private readonly unknownScore: number
  private readonly hasByteFallback: boolean
  /** For each first character, the length of the longest piece that begins with it, in code points. */
  private readonly longest = new Map<string, number>()
  private readonly cache = new Map<string, readonly string[]>()

  constructor({ vocab, unk_id: unknownId, byte_fallback: hasByteFallback }: UnigramDescription) {
    this.vocabulary = vocab.map(([piece]) => piece)
    this.scores = vocab.map(([, score]) => score)
    if (!this.vocabulary.every((piece) => typeof piece === "string") || !this.scores.every((score) => typeof score === "number"))
      throw new Error("its vocabulary is no list of pieces and scores")
    this.ids = new Map(this.vocabulary.map((piece, id) => [piece, id]))
    this.unknownId = unknownId ?? undefined
    this.unknownScore = this.scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - unknownPenalty
    this.hasByteFallback = hasByteFallback === true
    for (const piece of this.vocabulary) {
      const characters = Array.from(piece)
      if (characters.length > 0) this.longest.set(characters[0], Math.max(characters.length, this.longest.get(characters[0]) ?? 0))
    }
  }

  /** The pieces of `text`; what is unknown comes as it stands in the text, one piece for neighbours. */
  encode(text: string): readonly string[] {
    const cached = this.cache.get(text)
    if (cached) return cached
    const pieces = this.replaceByBytes(this.cut(text))
    if (text.length <= longestCached) {
      if (this.cache.size >= cacheLimit) this.cache.clear()
      this.cache.set(text, pieces)
    }
    return pieces
  }

  private cut(text: string): string[] {
    const characters = Array.from(text)
    const best = new Float64Array(characters.length + 1)
    const starts = new Int32Array(characters.length + 1).fill(-1)
    const unknowns = new Uint8Array(characters.length + 1)
    const offer = (from: number, to: number, score: number, isUnknown: boolean): void => {
      const total = best[from] + score
      if (starts[to] >= 0 && !(total > best[to])) return
      best[to] = total
      starts[to] = from
      unknowns[to] = isUnknown ? 1 : 0
    }
    for (let from = 0; from < characters.length; from++) {
      const longest = Math.min(characters.length - from, this.longest.get(characters[from]) ?? 0)
      let piece = ""
      let hasSingle = false
      for (let length = 1; length <= longest; length++) {
        piece += characters[from + length - 1]
        const id = this.ids.get(piece)
        if (id === undefined) continue
        offer(from, from + length, id === this.unknownId ? this.unknownScore : this.scores[id], id === this.unknownId)
        if (length === 1) hasSingle = true
      }
      if (!hasSingle) offer(from, from + 1, this.unknownScore, true)
    }
    return followBack(characters, starts, unknowns)
  }

  private replaceByBytes(pieces: string[]): string[] {
    if (!this.hasByteFallback) return pieces
    return pieces.flatMap((piece) => {
      if (this.ids.has(piece)) return [piece]
      const bytes = Array.from(Buffer.from(piece, "utf8"), nameByte)
      return bytes.every((name) => this.ids.has(name)) ? bytes : [piece]
    })
  }
}

/** The pieces from the last to the first, then turned round; unknown neighbours are one. */
function followBack(characters: readonly string[], starts: Int32Array, unknowns: Uint8Array): string[] {
  const pieces: string[] = []
  for (let end = characters.length; end > 0; ) {
    let start = starts[end]
    if (unknowns[end] === 1) while (start > 0 && unknowns[start] === 1) start = starts[start]
    pieces.push(characters.slice(start, end).join(""))
    end = start
  }
  return pieces.reverse()
}

/** The piece that stands for a byte. */
export function nameByte(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`
}
