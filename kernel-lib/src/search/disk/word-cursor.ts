// Walking through a word's list in `lists` (word-lists.ts has the format): block by block, past those that do not matter.
import { crc32 } from "node:zlib"
import { occurrenceScore } from "../bm25"
import { corruptIndex, type FileReader } from "./files"
import type { ScoreWindow } from "./score-window"
import { blockCards, longestBlock, WordBlock } from "./word-block"
import { blockLineBytes } from "./word-lists"
import type { WordEntry } from "./word-table"

/** Bytes of a list read at once: several blocks. */
const windowBytes = 1 << 14
/** Of a block's line: where its last row, its end and its checksum stand, in numbers of 4 bytes. */
const lineNumbers = blockLineBytes / 4
const [endAt, checksumAt, boundAt] = [1, 2, 3]

/** Stands on a card of the list, at first on its first one. */
export class WordCursor {
  /** Row of the card; Infinity behind the last one. */
  row = -1
  private readonly lines: Uint32Array
  private readonly bounds: Float32Array
  private readonly numBlocks: number
  private readonly dataOffset: number
  /** The block that is open, and its number. */
  private readonly cards = new WordBlock()
  private block = -1
  /** The last block that was looked for. */
  private sought = 0
  private place = 0
  private readonly window = Buffer.allocUnsafeSlow(windowBytes)
  private windowStart = 0
  private windowLength = 0

  constructor(
    private readonly lists: FileReader,
    private readonly entry: WordEntry,
    private readonly numCards: number,
    private readonly meanLength: number,
  ) {
    this.numBlocks = Math.ceil(entry.frequency / blockCards)
    const { buffer, length } = lists.read(entry.offset, this.numBlocks * blockLineBytes)
    this.lines = new Uint32Array(buffer)
    this.bounds = new Float32Array(buffer)
    this.dataOffset = entry.offset + length
    this.openBlock(0)
  }

  /** Adds what the word is worth to the window's cards that have it, times `weight`, and walks past the window. */
  collect(window: ScoreWindow, weight: number): void {
    const { cards } = this
    const { rows } = cards
    while (this.row < window.end) {
      let { place } = this
      for (; place < cards.count && rows[place] < window.end; place++) window.add(rows[place], weight * this.scorePlace(place))
      this.moveTo(place)
    }
  }

  /** What the word is worth to the card of `row`, or 0; walks there. */
  scoreAt(row: number): number {
    if (row > this.row) this.advance(row)
    return this.row === row ? this.scorePlace(this.place) : 0
  }

  /** The most that the card of `row` can have, by its block, without opening it. Rows must not fall from call to call. */
  boundAt(row: number): number {
    const block = this.findBlock(row)
    return block < this.numBlocks ? this.bounds[block * lineNumbers + boundAt] : 0
  }

  /** To the first card whose row is `row` or more. */
  private advance(row: number): void {
    const block = this.findBlock(row)
    if (block !== this.block) this.openBlock(block)
    let { place } = this
    while (place < this.cards.count && this.cards.rows[place] < row) place++
    if (block < this.numBlocks) this.moveTo(place)
  }

  private scorePlace(place: number): number {
    return occurrenceScore(this.cards.timesAt(place), this.cards.lengthAt(place), this.meanLength)
  }

  private moveTo(place: number): void {
    if (place >= this.cards.count) this.openBlock(this.block + 1)
    else {
      this.place = place
      this.row = this.cards.rows[place]
    }
  }

  /** The block that would hold `row`. Rows must not fall from call to call. */
  private findBlock(row: number): number {
    if (this.sought < this.block) this.sought = this.block
    if (this.sought < this.numBlocks && this.lastRow(this.sought) < row) this.sought = this.findLater(row)
    return this.sought
  }

  /** As `findBlock`, behind the block that was sought last. */
  private findLater(row: number): number {
    const { numBlocks } = this
    let low = this.sought
    let stride = 1
    while (low + stride < numBlocks && this.lastRow(low + stride) < row) {
      low += stride
      stride *= 2
    }
    let high = Math.min(low + stride, numBlocks)
    while (low + 1 < high) {
      const middle = (low + high) >> 1
      if (this.lastRow(middle) < row) low = middle
      else high = middle
    }
    return high
  }

  private lastRow(block: number): number {
    return this.lines[block * lineNumbers]
  }

  private openBlock(block: number): void {
    this.block = block
    this.place = 0
    if (block >= this.numBlocks) {
      this.row = Number.POSITIVE_INFINITY
      return
    }
    const { cards } = this
    const count = Math.min(blockCards, this.entry.frequency - block * blockCards)
    const isBlock = cards.open(this.readBlock(block), count, block > 0 ? this.lastRow(block - 1) : -1)
    if (!isBlock || cards.rows[count - 1] !== this.lastRow(block) || this.lastRow(block) >= this.numCards) throw this.damaged()
    this.row = cards.rows[0]
  }

  private readBlock(block: number): Uint8Array {
    const start = block > 0 ? this.lines[(block - 1) * lineNumbers + endAt] : 0
    const length = this.lines[block * lineNumbers + endAt] - start
    if (length < 0 || length > longestBlock) throw this.damaged()
    if (start < this.windowStart || start + length > this.windowStart + this.windowLength) {
      const dataEnd = this.lines[(this.numBlocks - 1) * lineNumbers + endAt]
      this.windowStart = start
      this.windowLength = Math.max(length, Math.min(windowBytes, dataEnd - start))
      this.lists.readInto(this.window, this.dataOffset + start, this.windowLength)
    }
    const bytes = this.window.subarray(start - this.windowStart, start - this.windowStart + length)
    if (crc32(bytes) !== this.lines[block * lineNumbers + checksumAt]) throw this.damaged()
    return bytes
  }

  private damaged(): Error {
    return corruptIndex(this.lists.path, `the list of "${this.entry.word}"`)
  }
}
