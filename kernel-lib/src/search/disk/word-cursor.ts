// Finding a word in `words`, and walking through its list in `lists` (word-lists.ts has the format): block by block, past those that do not matter.
import { crc32 } from "node:zlib"
import { corruptIndex, type FileReader } from "./files"
import { NumberReader } from "./numbers"
import { blockCards, blockLineBytes, entryBytes, pageBytes, pageHeadBytes } from "./word-lists"

/** What the index knows of a word. */
export interface WordEntry {
  readonly word: string
  /** In how many cards it is. */
  readonly frequency: number
  readonly offset: number
  /** The most that occurrences in one card are worth. */
  readonly bound: number
}

/** @returns undefined for a word that no card has. @throws InputError `index.corrupt` */
export function findWord(words: FileReader, word: string): WordEntry | undefined {
  // The last page whose first word is not behind the one that is looked for; of the pages on the way there only that word is read.
  let [low, high] = [0, words.length / pageBytes - 1]
  let found: Buffer | undefined
  while (low <= high) {
    const middle = (low + high) >> 1
    const page = readPage(words, middle)
    if (word < wordAt(page, pageHeadBytes)) high = middle - 1
    else {
      found = page
      low = middle + 1
    }
  }
  return found && findInPage(found, word)
}

function readPage(words: FileReader, number: number): Buffer {
  const page = words.read(number * pageBytes, pageBytes)
  if (crc32(page.subarray(4)) !== page.readUInt32LE(0)) throw corruptIndex(words.path, `page ${number} is not what was written`)
  if (page.readUInt16LE(4) <= pageHeadBytes) throw corruptIndex(words.path, `page ${number} is empty`)
  return page
}

function wordAt(page: Buffer, at: number): string {
  return page.toString("utf8", at + 2, at + 2 + page.readUInt16LE(at))
}

function findInPage(page: Buffer, word: string): WordEntry | undefined {
  const bytes = Buffer.from(word)
  const used = page.readUInt16LE(4)
  for (let at = pageHeadBytes; at < used; ) {
    const length = page.readUInt16LE(at)
    const end = at + 2 + length
    if (length === bytes.length && bytes.equals(page.subarray(at + 2, end))) {
      return { word, frequency: page.readUInt32LE(end), offset: page.readDoubleLE(end + 4), bound: page.readFloatLE(end + 12) }
    }
    at = end + entryBytes - 2
  }
  return undefined
}

/** Bytes of a list read at once. */
const windowBytes = 1 << 15

/** Stands on a card of the list, at first on its first one. */
export class WordCursor {
  /** Row of the card; Infinity behind the last one. */
  row = -1
  times = 0
  /** Words of the card. */
  length = 0
  private readonly lines: Buffer
  private readonly numBlocks: number
  private readonly dataOffset: number
  private readonly rows = new Float64Array(blockCards)
  private readonly timesOf = new Uint32Array(blockCards)
  private readonly lengths = new Uint32Array(blockCards)
  private block = -1
  private place = 0
  private inBlock = 0
  private window: Buffer = Buffer.alloc(0)
  private windowStart = 0

  constructor(
    private readonly lists: FileReader,
    private readonly entry: WordEntry,
    private readonly numCards: number,
  ) {
    this.numBlocks = Math.ceil(entry.frequency / blockCards)
    this.lines = lists.read(entry.offset, this.numBlocks * blockLineBytes)
    this.dataOffset = entry.offset + this.lines.length
    this.openBlock(0)
  }

  /** To the first card whose row is `row` or more. */
  advance(row: number): void {
    if (row <= this.row) return
    const block = this.findBlock(row)
    if (block !== this.block) this.openBlock(block)
    while (this.row < row) this.step()
  }

  /** To the next card. */
  step(): void {
    if (++this.place < this.inBlock) this.show()
    else this.openBlock(this.block + 1)
  }

  /** The most that the card of `row` can have, by its block, without opening it. Rows must not fall from call to call. */
  boundAt(row: number): number {
    const block = this.findBlock(row)
    return block < this.numBlocks ? this.lines.readFloatLE(block * blockLineBytes + 12) : 0
  }

  /** The block that would hold `row`. */
  private findBlock(row: number): number {
    const { numBlocks } = this
    let low = this.block
    if (low >= numBlocks || this.lastRow(low) >= row) return low
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
    return this.lines.readUInt32LE(block * blockLineBytes)
  }

  private openBlock(block: number): void {
    this.block = block
    this.place = 0
    if (block >= this.numBlocks) {
      this.row = Number.POSITIVE_INFINITY
      return
    }
    const numbers = new NumberReader(this.readBlock(block))
    this.inBlock = Math.min(blockCards, this.entry.frequency - block * blockCards)
    let row = block > 0 ? this.lastRow(block - 1) : -1
    for (let i = 0; i < this.inBlock; i++) {
      row += numbers.next()
      this.rows[i] = row
      this.timesOf[i] = numbers.next()
      this.lengths[i] = numbers.next()
    }
    if (row !== this.lastRow(block) || row >= this.numCards) throw corruptIndex(this.lists.path, `the list of "${this.entry.word}"`)
    this.show()
  }

  private readBlock(block: number): Uint8Array {
    const line = block * blockLineBytes
    const start = block > 0 ? this.lines.readUInt32LE(line - blockLineBytes + 4) : 0
    const length = this.lines.readUInt32LE(line + 4) - start
    if (start < this.windowStart || start + length > this.windowStart + this.window.length) {
      const dataEnd = this.lines.readUInt32LE((this.numBlocks - 1) * blockLineBytes + 4)
      this.window = this.lists.read(this.dataOffset + start, Math.max(length, Math.min(windowBytes, dataEnd - start)))
      this.windowStart = start
    }
    const bytes = this.window.subarray(start - this.windowStart, start - this.windowStart + length)
    if (crc32(bytes) !== this.lines.readUInt32LE(line + 8)) throw corruptIndex(this.lists.path, `the list of "${this.entry.word}"`)
    return bytes
  }

  private show(): void {
    this.row = this.rows[this.place]
    this.times = this.timesOf[this.place]
    this.length = this.lengths[this.place]
  }
}
