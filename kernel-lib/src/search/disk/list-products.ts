// Products of a query with a list of 8-bit vectors, in memory that WebAssembly passes over: in JavaScript they would take most of a search.
import { type WasmMemory, webAssembly } from "../../core/web-assembly"
import { multiplyBytesModule } from "./multiply-bytes.wasm"

interface Functions {
  multiply(query: number, entry: number, stride: number, count: number, dimensions: number, out: number): void
}

const bytesPerPage = 65536
/** Numbers that are multiplied at once, and bytes that a cache line has. */
const numbersAtOnce = 16
const alignment = 64

export class ListProducts {
  /** Where a list's entries are to be read to: of each vector `headBytes`, then its numbers. */
  readonly entries: Buffer
  private readonly memory: WasmMemory
  private readonly functions: Functions
  private readonly query: Int16Array
  private readonly products: Int32Array
  private step = 0

  /** @param longest vectors of the longest list */
  constructor(
    private readonly dimensions: number,
    private readonly headBytes: number,
    longest: number,
  ) {
    const paddedDimensions = Math.ceil(dimensions / numbersAtOnce) * numbersAtOnce
    const entriesBytes = longest * (headBytes + dimensions)
    const productsAt = align(paddedDimensions * 2)
    const entriesAt = productsAt + align(longest * 4)
    // The last vector is read past its end.
    const bytes = entriesAt + entriesBytes + numbersAtOnce
    this.memory = new webAssembly.Memory({ initial: Math.ceil(bytes / bytesPerPage) })
    const { buffer } = this.memory
    this.query = new Int16Array(buffer, 0, paddedDimensions)
    this.products = new Int32Array(buffer, productsAt, longest)
    this.entries = Buffer.from(buffer, entriesAt, entriesBytes)
    const module = new webAssembly.Module(Buffer.from(multiplyBytesModule, "base64"))
    this.functions = new webAssembly.Instance(module, { vectors: { memory: this.memory } }).exports as Functions
  }

  /** What comes is multiplied with `vector`, in 16-bit numbers so small that no sum overflows. */
  setQuery(vector: Float32Array): void {
    let [largest, sum] = [0, 0]
    for (const value of vector) {
      largest = Math.max(largest, Math.abs(value))
      sum += Math.abs(value)
    }
    this.step = Math.max(largest / 32_767, (sum * 128) / (2 ** 31 - 1)) * 1.001 || 1
    for (let i = 0; i < vector.length; i++) this.query[i] = Math.round(vector[i] / this.step)
  }

  /** The products with the numbers of the first `count` entries, in the size of their own steps; overwritten by the next call. */
  multiply(count: number): { readonly products: Int32Array; readonly step: number } {
    const { dimensions, headBytes } = this
    const first = this.entries.byteOffset + headBytes
    this.functions.multiply(0, first, headBytes + dimensions, count, dimensions, this.products.byteOffset)
    return { products: this.products, step: this.step }
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment
}
