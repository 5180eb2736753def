// Products of vectors with many in 8-bit numbers, in memory that WebAssembly passes over: in JavaScript they would take most of a search, and of
// the building of lists nearly all.
//
// An entry is what `list-entries` has of a vector: its row (uint32), the size of one step (float32), and the numbers (int8 [dimensions]).
import { type WasmMemory, webAssembly } from "../../core/web-assembly"
import type { TopRows } from "../top-rows"
import { multiplyBytesModule } from "./multiply-bytes.wasm"

interface Functions {
  multiply(query: number, entry: number, stride: number, count: number, dimensions: number, out: number): void
  findNearest(queries: number, entry: number, stride: number, count: number, dimensions: number, out: number): void
}

/** Bytes of an entry before its numbers. */
export const entryHeadBytes = 8
const bytesPerPage = 65536
/** Numbers that are multiplied at once, queries that the nearest are found for at once, and bytes that a cache line has. */
const numbersAtOnce = 16
const queriesAtOnce = 4
const alignment = 64

/** Writes a vector as an entry, at `at`. */
export function writeEntry(entries: DataView, at: number, row: number, vector: Float32Array): void {
  let largest = 0
  for (let i = 0; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i]))
  const step = largest / 127 || 1
  const factor = 1 / step
  entries.setUint32(at, row, true)
  entries.setFloat32(at + 4, step, true)
  for (let i = 0; i < vector.length; i++) entries.setInt8(at + entryHeadBytes + i, Math.round(vector[i] * factor))
}

export class ListProducts {
  /** Where entries are to be read to. */
  readonly entries: Buffer
  readonly entryBytes: number
  private readonly view: DataView
  private readonly memory: WasmMemory
  private readonly functions: Functions
  /** One query, or of each of several in turn the next 16 numbers. */
  private readonly queries: Int16Array
  private readonly products: Int32Array
  private step = 0

  /** @param longest entries that there may be at once */
  constructor(
    private readonly dimensions: number,
    longest: number,
  ) {
    const paddedDimensions = Math.ceil(dimensions / numbersAtOnce) * numbersAtOnce
    this.entryBytes = entryHeadBytes + dimensions
    const entriesBytes = longest * this.entryBytes
    const productsAt = align(paddedDimensions * queriesAtOnce * 2)
    const entriesAt = productsAt + align(Math.max(longest, queriesAtOnce) * 4)
    // The last vector is read past its end.
    const bytes = entriesAt + entriesBytes + numbersAtOnce
    this.memory = new webAssembly.Memory({ initial: Math.ceil(bytes / bytesPerPage) })
    const { buffer } = this.memory
    this.queries = new Int16Array(buffer, 0, paddedDimensions * queriesAtOnce)
    this.products = new Int32Array(buffer, productsAt, Math.max(longest, queriesAtOnce))
    this.entries = Buffer.from(buffer, entriesAt, entriesBytes)
    this.view = new DataView(buffer, entriesAt, entriesBytes)
    const module = new webAssembly.Module(Buffer.from(multiplyBytesModule, "base64"))
    this.functions = new webAssembly.Instance(module, { vectors: { memory: this.memory } }).exports as Functions
  }

  /** Takes vectors, row by row, as the entries: a vector's row is its place. */
  setEntries(vectors: Float32Array): void {
    const { dimensions, view, entryBytes } = this
    for (let row = 0; row * dimensions < vectors.length; row++)
      writeEntry(view, row * entryBytes, row, vectors.subarray(row * dimensions, (row + 1) * dimensions))
  }

  /** What comes is multiplied with `vector`, in 16-bit numbers so small that no sum overflows. */
  setQuery(vector: Float32Array): void {
    this.queries.fill(0)
    this.step = this.writeQuery(vector, 0, numbersAtOnce)
  }

  /** Offers the rows of `count` entries from `first` on with their products. @returns false where a row that would have come in is not below `end` */
  offer(top: TopRows, first: number, count: number, end: number): boolean {
    const { view, products, step, entryBytes } = this
    this.run("multiply", first, count)
    let { threshold } = top
    for (let i = 0, at = first * entryBytes; i < count; i++, at += entryBytes) {
      const score = view.getFloat32(at + 4, true) * step * products[i]
      if (score < threshold) continue
      const row = view.getUint32(at, true)
      if (row >= end) return false
      top.offer(row, score)
      threshold = top.threshold
    }
    return true
  }

  /** For each of `vectors`, row by row, the place of the entry of all that it has the largest product with, or nearly. */
  findNearest(vectors: Float32Array): Uint32Array {
    const { dimensions, queries, products } = this
    const count = this.entries.length / this.entryBytes
    const nearest = new Uint32Array(vectors.length / dimensions)
    queries.fill(0)
    for (let first = 0; first < nearest.length; first += queriesAtOnce) {
      const some = Math.min(queriesAtOnce, nearest.length - first)
      for (let i = 0; i < some; i++) {
        const vector = vectors.subarray((first + i) * dimensions, (first + i + 1) * dimensions)
        this.writeQuery(vector, i * numbersAtOnce, numbersAtOnce * queriesAtOnce)
      }
      this.run("findNearest", 0, count)
      for (let i = 0; i < some; i++) nearest[first + i] = products[i]
    }
    return nearest
  }

  /** @returns the size of a step */
  private writeQuery(vector: Float32Array, at: number, stride: number): number {
    const { queries } = this
    let largest = 0
    let sum = 0
    for (let i = 0; i < vector.length; i++) {
      const size = Math.abs(vector[i])
      if (size > largest) largest = size
      sum += size
    }
    const step = Math.max(largest / 32_767, (sum * 128) / (2 ** 31 - 1)) * 1.001 || 1
    const factor = 1 / step
    for (let first = 0, to = at; first < vector.length; first += numbersAtOnce, to += stride) {
      const end = Math.min(first + numbersAtOnce, vector.length)
      for (let i = first; i < end; i++) queries[to + i - first] = Math.round(vector[i] * factor)
    }
    return step
  }

  private run(name: keyof Functions, first: number, count: number): void {
    const { dimensions, entries, entryBytes, products } = this
    const numbersAt = entries.byteOffset + first * entryBytes + entryHeadBytes
    this.functions[name](0, numbersAt, entryBytes, count, dimensions, products.byteOffset)
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment
}
