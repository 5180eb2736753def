// The word lists of an index on the disk, and how they are written.
//
// `words` is pages of 4096 bytes, words in order: checksum (uint32), bytes used (uint16), then for each word its UTF-8 length (uint16), its
// bytes, in how many cards it is (uint32), where its list lies (float64) and the most that it can be worth (float32).
// `lists` has for each word first a line for each block of 128 cards: its last row, where it ends, its checksum (uint32 each) and the most that a
// card in it has (float32); then the blocks (word-block.ts).
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { occurrenceScore } from "../bm25"
import { FileWriter } from "./files"
import { NumberReader } from "./numbers"
import { BlockWriter, blockCards } from "./word-block"
import { type RunEntry, readRun } from "./word-runs"

export const pageBytes = 4096
export const pageHeadBytes = 6
export const entryBytes = 18
export const blockLineBytes = 16
/** Longest word that is kept, in bytes: longer ones are encoded data, not words. */
export const longestWord = 128
/** Bounds are kept in 32 bits, so they are raised by more than that loses. */
const boundSlack = 1 + 1e-6

/** Merges sorted runs into `words` and `lists`. @returns how many different words there are */
export async function writeWordLists(folder: string, runs: readonly string[], meanLength: number): Promise<number> {
  const lists = new FileWriter(join(folder, "lists"))
  const pages = new PageWriter(join(folder, "words"))
  const block = new BlockWriter()
  let count = 0
  for (const entries of mergeRuns(runs)) {
    const offset = lists.length
    const { frequency, bound } = writeList(lists, entries, meanLength, block)
    pages.add(entries[0].word, frequency, offset, bound)
    if (++count % 1000 === 0) await new Promise(setImmediate)
  }
  pages.close()
  lists.close()
  return count
}

/** For each word in order, its entries in the runs' order. */
function* mergeRuns(runs: readonly string[]): Generator<RunEntry[]> {
  const readers = runs.map(readRun)
  const heads = readers.map((reader) => reader.next().value as RunEntry | undefined)
  for (;;) {
    let least: string | undefined
    for (const head of heads) if (head && (least === undefined || head.word < least)) least = head.word
    if (least === undefined) return
    const having = heads.flatMap((head, index) => (head?.word === least ? index : []))
    yield having.map((index) => heads[index]!)
    for (const index of having) heads[index] = readers[index].next().value as RunEntry | undefined
  }
}

/** @param block an empty one, for all lists */
function writeList(
  lists: FileWriter,
  entries: readonly RunEntry[],
  meanLength: number,
  block: BlockWriter,
): { frequency: number; bound: number } {
  const frequency = entries.reduce((sum, { count }) => sum + count, 0)
  const lines = Buffer.alloc(Math.ceil(frequency / blockCards) * blockLineBytes)
  const blocks: Buffer[] = []
  let [bound, blockBound, end, last, line] = [0, 0, 0, -1, 0]
  const finishBlock = () => {
    const bytes = block.take()
    blocks.push(bytes)
    end += bytes.length
    lines.writeUInt32LE(last, line)
    lines.writeUInt32LE(end, line + 4)
    lines.writeUInt32LE(crc32(bytes), line + 8)
    lines.writeFloatLE(blockBound, line + 12)
    line += blockLineBytes
    bound = Math.max(bound, blockBound)
    blockBound = 0
  }
  for (const { bytes, count } of entries) {
    const numbers = new NumberReader(bytes)
    for (let i = 0, row = 0; i < count; i++) {
      row += numbers.next()
      const times = numbers.next()
      const length = numbers.next()
      block.add(row - last, times, length)
      last = row
      blockBound = Math.max(blockBound, occurrenceScore(times, length, meanLength) * boundSlack)
      if (block.count === blockCards) finishBlock()
    }
  }
  if (block.count > 0) finishBlock()
  lists.write(lines)
  for (const bytes of blocks) lists.write(bytes)
  return { frequency, bound: bound * boundSlack }
}

class PageWriter {
  private readonly file: FileWriter
  private page = Buffer.alloc(pageBytes)
  private used = pageHeadBytes

  constructor(path: string) {
    this.file = new FileWriter(path)
  }

  add(word: string, frequency: number, offset: number, bound: number): void {
    const name = Buffer.from(word)
    if (this.used + entryBytes + name.length > pageBytes) this.flush()
    let at = this.page.writeUInt16LE(name.length, this.used)
    at += name.copy(this.page, at)
    at = this.page.writeUInt32LE(frequency, at)
    at = this.page.writeDoubleLE(offset, at)
    this.used = this.page.writeFloatLE(bound, at)
  }

  close(): void {
    if (this.used > pageHeadBytes) this.flush()
    this.file.close()
  }

  private flush(): void {
    this.page.writeUInt16LE(this.used, 4)
    this.page.writeUInt32LE(crc32(this.page.subarray(4)), 0)
    this.file.write(this.page)
    this.page = Buffer.alloc(pageBytes)
    this.used = pageHeadBytes
  }
}
