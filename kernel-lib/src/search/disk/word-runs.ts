// First half of building the word lists: (word, card, times) as they come, kept in memory up to a bound, then written sorted as a run.
import { join } from "node:path"
import { InputError } from "../../core/errors"
import { FileReader, FileWriter } from "./files"
import { NumberWriter } from "./numbers"

/** Occurrences held in memory: 10 bytes each. */
const defaultCapacity = 4_000_000

/** Of one word in one run: rows (as differences), times and lengths, as numbers behind each other. */
export interface RunEntry {
  readonly word: string
  readonly count: number
  readonly bytes: Uint8Array
}

export class RunWriter {
  readonly runs: string[] = []
  private words = new Map<string, number>()
  private readonly wordOf: Uint32Array
  private readonly rows: Uint32Array
  private readonly times: Uint16Array
  /** Lengths of the cards from `firstRow` on. */
  private lengths: number[] = []
  private firstRow = 0
  private used = 0

  constructor(
    private readonly folder: string,
    private readonly capacity = defaultCapacity,
  ) {
    this.wordOf = new Uint32Array(capacity)
    this.rows = new Uint32Array(capacity)
    this.times = new Uint16Array(capacity)
  }

  /** Rows come in order from 0. */
  add(row: number, counts: ReadonlyMap<string, number>, length: number): void {
    if (counts.size > this.capacity)
      throw new InputError("index.card", `Card ${row} has ${counts.size} different words: shorten its description.`)
    if (this.used + counts.size > this.capacity) this.flush(row)
    this.lengths.push(length)
    for (const [word, times] of counts) {
      const id = this.words.get(word) ?? this.words.size
      if (id === this.words.size) this.words.set(word, id)
      this.wordOf[this.used] = id
      this.rows[this.used] = row
      this.times[this.used++] = Math.min(times, 65_535)
    }
  }

  /** Writes what is in memory. `nextRow` is the first of the next run. */
  flush(nextRow: number): void {
    if (this.used > 0) this.writeRun()
    this.words = new Map()
    this.lengths = []
    this.firstRow = nextRow
    this.used = 0
  }

  private writeRun(): void {
    const path = join(this.folder, `run-${this.runs.length}`)
    const writer = new FileWriter(path)
    const order = this.sortByWord()
    const head = Buffer.alloc(8)
    const list = new NumberWriter()
    for (const [word, id] of [...this.words].sort(([one], [other]) => (one < other ? -1 : 1))) {
      list.length = 0
      let last = 0
      for (let i = order.starts[id]; i < order.starts[id + 1]; i++) {
        const at = order.places[i]
        list.add(this.rows[at] - last)
        list.add(this.times[at])
        list.add(this.lengths[this.rows[at] - this.firstRow])
        last = this.rows[at]
      }
      const name = Buffer.from(word)
      head.writeUInt16LE(name.length, 0)
      writer.write(head.subarray(0, 2))
      writer.write(name)
      head.writeUInt32LE(order.starts[id + 1] - order.starts[id], 0)
      head.writeUInt32LE(list.length, 4)
      writer.write(head)
      writer.write(list.taken())
    }
    writer.close()
    this.runs.push(path)
  }

  /** Places of the occurrences, word by word, rows ascending in each. */
  private sortByWord(): { starts: Uint32Array; places: Uint32Array } {
    const starts = new Uint32Array(this.words.size + 1)
    for (let i = 0; i < this.used; i++) starts[this.wordOf[i] + 1]++
    for (let id = 1; id < starts.length; id++) starts[id] += starts[id - 1]
    const next = starts.slice()
    const places = new Uint32Array(this.used)
    for (let i = 0; i < this.used; i++) places[next[this.wordOf[i]]++] = i
    return { starts, places }
  }
}

/** Reads a run from front to back, word by word. */
export function* readRun(path: string): Generator<RunEntry> {
  const file = new FileReader(path)
  let window: Buffer = Buffer.alloc(0)
  let start = 0
  const take = (offset: number, length: number) => {
    if (offset < start || offset + length > start + window.length) {
      start = offset
      window = file.read(offset, Math.min(Math.max(length, 1 << 18), file.length - offset))
    }
    return window.subarray(offset - start, offset - start + length)
  }
  try {
    for (let at = 0; at < file.length; ) {
      const size = take(at, 2).readUInt16LE(0)
      const word = take(at + 2, size).toString("utf8")
      const head = take(at + 2 + size, 8)
      const [count, length] = [head.readUInt32LE(0), head.readUInt32LE(4)]
      yield { word, count, bytes: take(at + 10 + size, length) }
      at += 10 + size + length
    }
  } finally {
    file.close()
  }
}
