// The lists of near vectors that large indexes have, so that a search reads a few of them only: an inverted file (Jégou et al., 2011), each
// vector in 8-bit numbers. Small indexes have none and are searched whole.
//
// `centres` float32 [lists, dimensions]; `list-places` for each list its first entry and how many it has (uint32 each);
// `list-entries` for each vector its row (uint32), the size of one step (float32) and the numbers (int8 [dimensions]).
import { closeSync, fsyncSync, openSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { assignCluster, type Clusters, findClusters } from "./clusters"
import { FileReader } from "./files"

/** Up to so many vectors, all are looked at in a search. */
export const searchedWhole = 5_000
export const entryHeadBytes = 8
const sampleOfEach = 32
const largestSample = 65_536
const rowsAtOnce = 4096

/** How many lists there are for `count` vectors: about twice the square root. A search costs as much in finding lists as in reading them. */
export function countLists(count: number): number {
  return Math.ceil(Math.sqrt(2 * Math.sqrt(count))) ** 2
}

/** Writes the lists for what `vectors` holds. @returns how many lists there are */
export async function writeVectorLists(folder: string, count: number, dimensions: number): Promise<number> {
  const vectors = new FileReader(join(folder, "vectors"))
  try {
    const numLists = countLists(count)
    const clusters = findClusters(readSample(vectors, count, dimensions, numLists), dimensions, Math.sqrt(numLists), 1)
    const listOf = await assignRows(vectors, count, clusters)
    const sizes = new Uint32Array(numLists)
    for (const list of listOf) sizes[list]++
    const places = new Uint32Array(numLists * 2)
    for (let list = 0, first = 0; list < numLists; first += sizes[list++]) places.set([first, sizes[list]], list * 2)
    writeFileSync(join(folder, "centres"), bytesOf(clusters.members), { flush: true })
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

async function assignRows(vectors: FileReader, count: number, clusters: Clusters): Promise<Uint32Array> {
  const listOf = new Uint32Array(count)
  for (let first = 0; first < count; first += rowsAtOnce) {
    const rows = readVectors(vectors, first, Math.min(rowsAtOnce, count - first), clusters.dimensions)
    for (let i = 0; i * clusters.dimensions < rows.length; i++) listOf[first + i] = assignCluster(clusters, rows, i * clusters.dimensions)
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
    const entry = Buffer.alloc(entryHeadBytes + dimensions)
    for (let first = 0; first < listOf.length; first += rowsAtOnce) {
      const rows = readVectors(vectors, first, Math.min(rowsAtOnce, listOf.length - first), dimensions)
      for (let i = 0; i * dimensions < rows.length; i++) {
        quantizeRow(entry, first + i, rows.subarray(i * dimensions, (i + 1) * dimensions))
        writeSync(file, entry, 0, entry.length, next[listOf[first + i]]++ * entry.length)
      }
      await new Promise(setImmediate)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function quantizeRow(entry: Buffer, row: number, vector: Float32Array): void {
  let largest = 0
  for (const value of vector) largest = Math.max(largest, Math.abs(value))
  const step = largest / 127 || 1
  entry.writeUInt32LE(row, 0)
  entry.writeFloatLE(step, 4)
  for (let i = 0; i < vector.length; i++) entry.writeInt8(Math.round(vector[i] / step), entryHeadBytes + i)
}
