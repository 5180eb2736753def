// The texts most like a given one, by the character n-grams they share: what a student may have learned an answer from.

/** Characters in an n-gram. */
const order = 3

export interface NearestText {
  /** In the collection. */
  readonly position: number
  /** Dice coefficient of the two texts' sets of n-grams, 0 to 1. */
  readonly similarity: number
}

/** A collection of texts with an inverted index from n-gram to texts. */
export class NearestTexts {
  private readonly textsByGram = new Map<string, number[]>()
  private readonly sizes: Uint32Array

  constructor(texts: readonly string[]) {
    this.sizes = new Uint32Array(texts.length)
    for (const [position, text] of texts.entries()) {
      const grams = gramsOf(text)
      this.sizes[position] = grams.size
      for (const gram of grams) {
        const known = this.textsByGram.get(gram)
        if (known) known.push(position)
        else this.textsByGram.set(gram, [position])
      }
    }
  }

  /** The text that shares most with `text`, the first of equals; undefined where none shares anything. */
  nearest(text: string): NearestText | undefined {
    let best: NearestText | undefined
    for (const [position, similarity] of this.similarities(text).entries())
      if (similarity > (best?.similarity ?? 0)) best = { position, similarity }
    return best
  }

  /** How much each text of the collection shares with `text`. */
  similarities(text: string): Float64Array {
    const grams = gramsOf(text)
    const shared = new Float64Array(this.sizes.length)
    for (const gram of grams) for (const position of this.textsByGram.get(gram) ?? []) shared[position]++
    return shared.map((count, position) => (count === 0 ? 0 : (2 * count) / (grams.size + this.sizes[position])))
  }
}

function gramsOf(text: string): Set<string> {
  const padded = ` ${text.toLowerCase().replace(/\s+/g, " ").trim()} `
  const grams = new Set<string>()
  for (let start = 0; start + order <= padded.length; start++) grams.add(padded.slice(start, start + order))
  return grams
}
