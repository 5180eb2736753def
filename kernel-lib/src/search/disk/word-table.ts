// Finding words in `words` (word-lists.ts has the format), page by page; pages that were looked at lately stay in memory.
import { crc32 } from "node:zlib"
import { corruptIndex, FileReader } from "./files"
import { entryBytes, pageBytes, pageHeadBytes } from "./word-lists"

/** What the index knows of a word. */
export interface WordEntry {
  readonly word: string
  /** In how many cards it is. */
  readonly frequency: number
  readonly offset: number
  /** The most that occurrences in one card are worth. */
  readonly bound: number
}

/** Pages kept: a megabyte, in which the first steps of every search for a word end. */
const keptPages = 256

export class WordTable {
  private readonly file: FileReader
  /** By their numbers, the one that came first first. */
  private readonly pages = new Map<number, Buffer>()

  constructor(path: string) {
    this.file = new FileReader(path)
  }

  /** @returns undefined for a word that no card has. @throws InputError `index.corrupt` */
  find(word: string): WordEntry | undefined {
    // The last page whose first word is not behind the one that is looked for; of the pages on the way there only that word is read.
    let [low, high] = [0, this.file.length / pageBytes - 1]
    let found: Buffer | undefined
    while (low <= high) {
      const middle = (low + high) >> 1
      const page = this.readPage(middle)
      if (word < wordAt(page, pageHeadBytes)) high = middle - 1
      else {
        found = page
        low = middle + 1
      }
    }
    return found && findInPage(found, word)
  }

  close(): void {
    this.file.close()
    this.pages.clear()
  }

  private readPage(number: number): Buffer {
    const kept = this.pages.get(number)
    if (kept) return kept
    const page = this.file.read(number * pageBytes, pageBytes)
    const { path } = this.file
    if (crc32(page.subarray(4)) !== page.readUInt32LE(0)) throw corruptIndex(path, `page ${number} is not what was written`)
    if (page.readUInt16LE(4) <= pageHeadBytes) throw corruptIndex(path, `page ${number} is empty`)
    if (this.pages.size === keptPages) this.pages.delete(this.pages.keys().next().value!)
    this.pages.set(number, page)
    return page
  }
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
