// Cards and vectors by chance that are like real ones in what a search's cost hangs on: words as rare as in language (Zipf), 20 to 100 a card, and
// vectors around topics, as near to their topic's others as descriptions of like things are (cosines around 0.5).
import type { SearchableCard, TextEmbedder } from "../../../kernel-lib/src/search"

export const dimensions = 384
const cardsOfTopic = 200
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

/** The vector of the card that a text begins with (`c17 ...`), or of a query (`q17 ...`), which lies in a topic as a card does. */
export class SyntheticEmbedder implements TextEmbedder {
  readonly dimensions = dimensions
  readonly fingerprint = "synthetic"
  private readonly numTopics: number
  private readonly topics: Float32Array

  /** @param cards how many there are: a topic has the same number of cards in a small catalogue as in a large one */
  constructor(cards = 1_000_000) {
    this.numTopics = Math.ceil(cards / cardsOfTopic)
    this.topics = new Float32Array(this.numTopics * dimensions)
    const draw = drawNumbers(1)
    for (let i = 0; i < this.topics.length; i++) this.topics[i] = draw() + draw() - 1
  }

  async embed(texts: readonly string[]): Promise<Float32Array> {
    const vectors = new Float32Array(texts.length * dimensions)
    for (const [row, text] of texts.entries()) this.draw(vectors, row * dimensions, text)
    return vectors
  }

  private draw(vectors: Float32Array, at: number, text: string): void {
    const draw = drawNumbers((text.startsWith("q") ? 500_000_000 : 0) + Number.parseInt(text.slice(1), 10))
    const topic = Math.floor(this.numTopics * draw()) * dimensions
    let sum = 0
    for (let i = 0; i < dimensions; i++) {
      const value = this.topics[topic + i] + 0.7 * (draw() * 2 - 1)
      vectors[at + i] = value
      sum += value * value
    }
    for (let i = 0; i < dimensions; i++) vectors[at + i] /= Math.sqrt(sum)
  }
}
