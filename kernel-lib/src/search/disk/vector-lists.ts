// The lists of near vectors that large indexes have, so that a search reads a few of them only: an inverted file (Jégou et al., 2011), each
// vector in 8-bit numbers. Small indexes have none and are searched whole.
//
// `centres` float32 [lists, dimensions]; `list-places` for each list its first entry and how many it has (uint32 each);
// `list-entries` for each vector its row (uint32), the size of one step (float32) and the numbers (int8 [dimensions]), list by list.
import { closeSync, fsyncSync, openSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { findClusters } from "./clusters"
import { FileReader } from "./files"
import { entryHeadBytes, ListProducts, writeEntry } from "./list-products"

/** Up to so many vectors, all are looked at in a search. */
export const searchedWhole = 5_000
/** So many times the square root of the vectors. */
const listsOfRoot = 2
const sampleOfEach = 32
const largestSample = 65_536
const rowsAtOnce = 4096

/** How many lists there are for `count` vectors: with fewer, more vectors have to be looked at; with more, building them takes longer. */
export function countLists(count: number): number {
  return Math.ceil(listsOfRoot * Math.sqrt(count))
}

/** Writes the lists for what `vectors` holds. @returns how many lists there are */
export async function writeVectorLists(folder: string, count: number, dimensions: number): Promise<number> {
  const vectors = new FileReader(join(folder, "vectors"))
  try {
    const numLists = countLists(count)
    const centres = await findClusters(readSample(vectors, count, dimensions, numLists), dimensions, numLists, 1)
    const listOf = await assignRows(vectors, count, centres, dimensions)
    const sizes = new Uint32Array(numLists)
    for (const list of listOf) sizes[list]++
    const places = new Uint32Array(numLists * 2)
    for (let list = 0, first = 0; list < numLists; first += sizes[list++]) places.set([first, sizes[list]], list * 2)
    writeFileSync(join(folder, "centres"), bytesOf(centres), { flush: true })
    writeFileSync(join(folder, "list-places"), bytesOf(places), { flush: true })
    await writeEntries(folder, vectors, listOf, places, dimensions)
    return numLists
  } finally {
    vectors.close()
  }
}

export function bytesOf(array: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

export function readVectors(vectors: FileReader, row: number, count: number, dimensions: number): Float32Array {
  return new Float32Array(vectors.read(row * dimensions * 4, count * dimensions * 4).buffer)
}

function readSample(vectors: FileReader, count: number, dimensions: number, numLists: number): Float32Array {
  const size = Math.min(count, largestSample, numLists * sampleOfEach)
  const sample = new Float32Array(size * dimensions)
  for (let i = 0; i < size; i++) sample.set(readVectors(vectors, Math.floor((i * count) / size), 1, dimensions), i * dimensions)
  return sample
}

async function assignRows(vectors: FileReader, count: number, centres: Float32Array, dimensions: number): Promise<Uint32Array> {
  const products = new ListProducts(dimensions, centres.length / dimensions)
  products.setEntries(centres)
  const listOf = new Uint32Array(count)
  for (let first = 0; first < count; first += rowsAtOnce) {
    listOf.set(products.findNearest(readVectors(vectors, first, Math.min(rowsAtOnce, count - first), dimensions)), first)
    await new Promise(setImmediate)
  }
  return listOf
}

/** Rows come in order and go each to its list's next place, which the system gathers in memory. */
async function writeEntries(
  folder: string,
  vectors: FileReader,
  listOf: Uint32Array,
  places: Uint32Array,
  dimensions: number,
): Promise<void> {
  const file = openSync(join(folder, "list-entries"), "w")
  try {
    const next = places.filter((_, place) => place % 2 === 0)
    const entry = new DataView(new ArrayBuffer(entryHeadBytes + dimensions))
    for (let first = 0; first < listOf.length; first += rowsAtOnce) {
      const rows = readVectors(vectors, first, Math.min(rowsAtOnce, listOf.length - first), dimensions)
      for (let i = 0; i * dimensions < rows.length; i++) {
        writeEntry(entry, 0, first + i, rows.subarray(i * dimensions, (i + 1) * dimensions))
        writeSync(file, entry, 0, entry.byteLength, next[listOf[first + i]]++ * entry.byteLength)
      }
      await new Promise(setImmediate)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
