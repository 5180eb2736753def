// The nearest vectors of an index: all are looked at in a small one; in a large one those of the lists whose centres are nearest, in 8-bit
// numbers, and the best of these once more exactly.
import { join } from "node:path"
import type { Ranking } from "../fusion"
import { TopRows } from "../top-rows"
import { dot } from "./clusters"
import { corruptIndex, FileReader } from "./files"
import { entryHeadBytes, ListProducts } from "./list-products"
import { readVectors } from "./vector-lists"

/** A search reads the nearest lists until it has looked at about so many vectors, and at least so many lists. */
const leastVectors = 16_000
const leastLists = 16
/** Vectors kept in memory: those of one search, and what another one needs beside them. */
const keptVectors = 1.5 * leastVectors
/** So many more than asked for are looked at exactly: 8-bit numbers misplace neighbours whose products hardly differ, and no others. */
const looksAgain = 40
const rowsAtOnce = 512

interface VectorLists {
  /** With the centre of each list. */
  readonly centres: ListProducts
  readonly places: Uint32Array
  readonly entries: FileReader
  /** With the lists that were read last, so that a moved query, which needs mostly the same, does not read them again. */
  readonly members: ListProducts
  /** Where in `members` the lists are that are there. */
  readonly starts: Map<number, number>
  used: number
}

export class VectorSearch {
  private readonly vectors: FileReader
  private readonly lists?: VectorLists
  private readonly scratch: Buffer

  /** @param numLists 0 where the index has none */
  constructor(
    folder: string,
    private readonly count: number,
    readonly dimensions: number,
    private readonly numLists: number,
  ) {
    this.vectors = new FileReader(join(folder, "vectors"))
    this.scratch = Buffer.from(new ArrayBuffer(rowsAtOnce * dimensions * 4))
    if (numLists > 0) this.lists = openLists(folder, count, dimensions)
  }

  /** The rows nearest to `query` by the product. @throws InputError `index.corrupt` */
  search(query: Float32Array, limit: number): Ranking {
    return this.lists ? this.searchLists(this.lists, query, limit) : this.searchAll(query, limit)
  }

  /** The vector of a row, as it was given. */
  read(row: number): Float32Array {
    return readVectors(this.vectors, row, 1, this.dimensions)
  }

  close(): void {
    this.vectors.close()
    this.lists?.entries.close()
  }

  /** The exact answer, whatever the size. */
  searchAll(query: Float32Array, limit: number): Ranking {
    const { dimensions } = this
    const top = new TopRows(limit)
    const rows = new Float32Array(this.scratch.buffer)
    for (let first = 0; first < this.count; first += rowsAtOnce) {
      const some = Math.min(rowsAtOnce, this.count - first)
      this.vectors.readInto(this.scratch, first * dimensions * 4, some * dimensions * 4)
      for (let i = 0; i < some; i++) top.offer(first + i, dot(query, 0, rows, i * dimensions, dimensions))
    }
    return top.rank()
  }

  private searchLists(lists: VectorLists, query: Float32Array, limit: number): Ranking {
    const { dimensions } = this
    const nearest = new TopRows(Math.max(leastLists, Math.ceil((leastVectors * this.numLists) / this.count)))
    lists.centres.setQuery(query)
    lists.centres.offer(nearest, 0, this.numLists, this.numLists)
    const roughly = new TopRows(limit + looksAgain)
    lists.members.setQuery(query)
    for (const list of nearest.rank().rows) this.scanList(lists, list, roughly)
    const top = new TopRows(limit)
    const exact = new Float32Array(this.scratch.buffer)
    for (const row of roughly.rank().rows) {
      this.vectors.readInto(this.scratch, row * dimensions * 4, dimensions * 4)
      top.offer(row, dot(query, 0, exact, 0, dimensions))
    }
    return top.rank()
  }

  private scanList(lists: VectorLists, list: number, top: TopRows): void {
    const count = lists.places[list * 2 + 1]
    if (!lists.members.offer(top, this.readList(lists, list, count), count, this.count))
      throw corruptIndex(lists.entries.path, `list ${list}`)
  }

  /** @returns where the list's first vector is in memory */
  private readList(lists: VectorLists, list: number, count: number): number {
    const { places, entries, members, starts } = lists
    const { entryBytes } = members
    const known = starts.get(list)
    if (known !== undefined) return known
    if ((lists.used + count) * entryBytes > members.entries.length) {
      starts.clear()
      lists.used = 0
    }
    const start = lists.used
    entries.readInto(members.entries.subarray(start * entryBytes), places[list * 2] * entryBytes, count * entryBytes)
    lists.used += count
    starts.set(list, start)
    return start
  }
}

function openLists(folder: string, count: number, dimensions: number): VectorLists {
  const readWhole = (name: string) => {
    const file = new FileReader(join(folder, name))
    const { buffer } = file.read(0, file.length)
    file.close()
    return buffer
  }
  const places = new Uint32Array(readWhole("list-places"))
  const entries = new FileReader(join(folder, "list-entries"))
  // Before memory is taken for it.
  const longest = places.reduce((most, size, at) => (at % 2 === 1 ? Math.max(most, size) : most), 0)
  if (longest * (entryHeadBytes + dimensions) > entries.length) throw corruptIndex(entries.path, "a list is longer than all of them")
  const centres = new ListProducts(dimensions, places.length / 2)
  centres.setEntries(new Float32Array(readWhole("centres")))
  const members = new ListProducts(dimensions, Math.max(longest, Math.min(count, keptVectors)))
  return { centres, places, entries, members, starts: new Map(), used: 0 }
}
