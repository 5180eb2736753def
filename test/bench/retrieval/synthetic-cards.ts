// Cards and vectors by chance that are like real ones in what a search's cost and its recall hang on: words as rare as in language (Zipf), 20 to
// 100 a card; and vectors as all-MiniLM-L6-v2 gives DataFinder's descriptions: in a tree of fields, along directions of which few say most.
// Among 3,327 the cosine is 0.20 between two, and 0.65, 0.54 and 0.43 to a card's nearest, tenth and hundredth; between real ones it is 0.23, and
// 0.66, 0.55 and 0.44. Of twice as many cards, these are 0.03 nearer, real ones too.
import type { SearchableCard, TextEmbedder } from "../../../kernel-lib/src/search"
import { toLength1 } from "../../../kernel-lib/src/search/disk/clusters"

export const dimensions = 384
/** Cards lie in a tree of ten fields, of ten parts each and so on; what each level has of a vector's square, and what is a card's own. */
const branches = 10
const levelShares = [0.1, 0.13, 0.13, 0.13, 0.1]
const sharedShare = 0.16
const ownShare = 1 - sharedShare - levelShares.reduce((sum, share) => sum + share)
const leaves = branches ** levelShares.length
/** What a node, or a card by itself, is about: so many of so many aspects. */
const numAspects = 2000
const aspectsOfNode = 3
/** Directions that aspects are made of; how much the n-th has falls as 1 / (n + 5), as it does in real vectors. */
const numFactors = 128
const factorShift = 5
const numWords = 200_000
/** The most frequent words are in half of the cards, as `data` and `images` are; what comes more often is a stop word. */
const zipfShift = 10

/** Numbers from 0 to 1 (mulberry32). */
function drawNumbers(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Words of a text, by Zipf's law: the rank whose share of all words `draw` falls into. */
export function drawWords(seed: number, count: number): string {
  const draw = drawNumbers(seed)
  return Array.from({ length: count }, () => {
    const rank = Math.floor(zipfShift * ((numWords + zipfShift) / zipfShift) ** draw() - zipfShift)
    return `w${rank.toString(36)}x`
  }).join(" ")
}

export async function* makeCards(count: number): AsyncGenerator<SearchableCard> {
  for (let row = 0; row < count; row++) yield { id: `c${row}`, tags: [], description: drawWords(row, 20 + (row % 81)) }
}

/** Draws vectors of length 1 that all lie mostly along the same few directions. */
function vectorSource(draw: () => number): () => Float32Array {
  const factors = Array.from({ length: numFactors }, () => Float32Array.from({ length: dimensions }, () => draw() - 0.5))
  return () => {
    const vector = new Float32Array(dimensions)
    for (const [number, factor] of factors.entries()) {
      add(vector, factor, (draw() + draw() + draw() - 1.5) / Math.sqrt(number + factorShift))
    }
    toLength1(vector)
    return vector
  }
}

/** The vector of the card that a text begins with (`c17 ...`), or of a query (`q17 ...`), which lies in the tree as a card does. */
export class SyntheticEmbedder implements TextEmbedder {
  readonly dimensions = dimensions
  readonly fingerprint = "synthetic 2"
  private readonly shared: Float32Array
  private readonly aspects: readonly Float32Array[]

  constructor() {
    const next = vectorSource(drawNumbers(1))
    this.shared = next()
    this.aspects = Array.from({ length: numAspects }, next)
  }

  async embed(texts: readonly string[]): Promise<Float32Array> {
    const vectors = new Float32Array(texts.length * dimensions)
    for (const [row, text] of texts.entries()) this.draw(vectors.subarray(row * dimensions, (row + 1) * dimensions), text)
    return vectors
  }

  private draw(vector: Float32Array, text: string): void {
    const draw = drawNumbers((text.startsWith("q") ? 500_000_000 : 0) + Number.parseInt(text.slice(1), 10))
    add(vector, this.shared, Math.sqrt(sharedShare))
    const leaf = Math.floor(leaves * draw())
    for (const [level, share] of levelShares.entries()) {
      const nodes = branches ** (level + 1)
      const node = Math.floor((leaf * nodes) / leaves)
      this.addAspects(vector, share, drawNumbers(1_000_000_000 + nodes + node))
    }
    this.addAspects(vector, ownShare, draw)
    toLength1(vector)
  }

  private addAspects(vector: Float32Array, share: number, draw: () => number): void {
    const weight = Math.sqrt(share / aspectsOfNode)
    for (let i = 0; i < aspectsOfNode; i++) add(vector, this.aspects[Math.floor(numAspects * draw())], weight)
  }
}

function add(sum: Float32Array, vector: Float32Array, weight: number): void {
  for (let i = 0; i < dimensions; i++) sum[i] += weight * vector[i]
}
