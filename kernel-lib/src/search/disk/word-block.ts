// A block of a word's list: up to 128 cards, as three columns, so that a search decodes rows only and looks up the rest where it needs it. One byte
// has the columns' widths (two bits each: 1, 2 or 4 bytes a number); then come how many rows each card lies behind the one before it, how often it
// has the word, and how many words it has.

export const blockCards = 128
/** The most that a block can have. */
export const longestBlock = 1 + blockCards * 12
const numColumns = 3

/** Gathers a block. */
export class BlockWriter {
  count = 0
  private readonly columns = Array.from({ length: numColumns }, () => new Uint32Array(blockCards))

  add(gap: number, times: number, length: number): void {
    this.columns[0][this.count] = gap
    this.columns[1][this.count] = times
    this.columns[2][this.count++] = length
  }

  /** The block's bytes; the next one begins empty. */
  take(): Buffer {
    const { columns, count } = this
    const codes = columns.map((column) => codeOf(column.subarray(0, count).reduce((most, value) => Math.max(most, value), 0)))
    const bytes = Buffer.alloc(1 + codes.reduce((sum, code) => sum + count * widthOf(code), 0))
    bytes[0] = codes[0] | (codes[1] << 2) | (codes[2] << 4)
    let at = 1
    for (const [number, column] of columns.entries()) {
      for (let i = 0; i < count; i++) at = bytes.writeUIntLE(column[i], at, widthOf(codes[number]))
    }
    this.count = 0
    return bytes
  }
}

/** Reads a block. */
export class WordBlock {
  count = 0
  readonly rows = new Uint32Array(blockCards)
  private bytes: Uint8Array = new Uint8Array()
  private widths = [1, 1, 1]
  private timesStart = 0
  private lengthsStart = 0

  /**
   * Takes up the bytes of a block of `count` cards that come behind row `before`; they must stay as they are as long as it is read.
   * @returns whether they can be one
   */
  open(bytes: Uint8Array, count: number, before: number): boolean {
    const code = bytes[0]
    const widths = [widthOf(code & 3), widthOf((code >> 2) & 3), widthOf((code >> 4) & 3)]
    if (bytes.length !== 1 + count * (widths[0] + widths[1] + widths[2])) return false
    this.bytes = bytes
    this.widths = widths
    this.count = count
    this.timesStart = 1 + count * widths[0]
    this.lengthsStart = this.timesStart + count * widths[1]
    this.decodeRows(widths[0], before)
    return true
  }

  /** How often the card at `place` has the word. */
  timesAt(place: number): number {
    return readNumber(this.bytes, this.timesStart, place, this.widths[1])
  }

  /** How many words it has. */
  lengthAt(place: number): number {
    return readNumber(this.bytes, this.lengthsStart, place, this.widths[2])
  }

  private decodeRows(width: number, before: number): void {
    const { bytes, rows, count } = this
    let row = before
    if (width === 1) for (let i = 0; i < count; i++) rows[i] = row += bytes[1 + i]
    else for (let i = 0; i < count; i++) rows[i] = row += readNumber(bytes, 1, i, width)
  }
}

function readNumber(bytes: Uint8Array, start: number, place: number, width: number): number {
  if (width === 1) return bytes[start + place]
  const at = start + place * width
  const low = bytes[at] | (bytes[at + 1] << 8)
  return width === 2 ? low : (low | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
}

function codeOf(largest: number): number {
  return largest < 1 << 8 ? 0 : largest < 1 << 16 ? 1 : 2
}

function widthOf(code: number): number {
  return 1 << code
}
