// Directions around which vectors gather, by k-means on the sphere (Dhillon and Modha, 2001).
import { Random } from "../../core/random"
import { ListProducts } from "./list-products"

const rounds = 6
const rowsAtOnce = 4096

/**
 * @param sample vectors of length 1, row by row
 * @returns [count, dimensions], each of length 1
 */
export async function findClusters(sample: Float32Array, dimensions: number, count: number, seed: number): Promise<Float32Array> {
  const centres = new Float32Array(count * dimensions)
  const random = new Random(seed)
  const drawRow = (centre: number) => {
    const start = random.integer(sample.length / dimensions) * dimensions
    centres.set(sample.subarray(start, start + dimensions), centre * dimensions)
  }
  for (let centre = 0; centre < count; centre++) drawRow(centre)
  const products = new ListProducts(dimensions, count)
  for (let round = 0; round < rounds; round++) {
    products.setEntries(centres)
    const sums = new Float32Array(centres.length)
    const sizes = new Uint32Array(count)
    for (let start = 0; start < sample.length; start += rowsAtOnce * dimensions) {
      const rows = sample.subarray(start, start + rowsAtOnce * dimensions)
      const nearest = products.findNearest(rows)
      for (let row = 0; row < nearest.length; row++) addRow(sums, nearest[row] * dimensions, rows, row * dimensions, dimensions)
      for (const centre of nearest) sizes[centre]++
      await new Promise(setImmediate)
    }
    for (let centre = 0; centre < count; centre++) {
      if (sizes[centre] === 0) drawRow(centre)
      else centres.set(toLength1(sums.subarray(centre * dimensions, (centre + 1) * dimensions)), centre * dimensions)
    }
  }
  return centres
}

function addRow(sums: Float32Array, at: number, rows: Float32Array, rowAt: number, dimensions: number): void {
  for (let i = 0; i < dimensions; i++) sums[at + i] += rows[rowAt + i]
}

/** The product of two vectors that lie somewhere in larger arrays. Four sums, which do not wait for each other. */
export function dot(one: Float32Array, at: number, other: Float32Array, otherAt: number, dimensions: number): number {
  let [a, b, c, d] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < dimensions; i += 4) {
    a += one[at + i] * other[otherAt + i]
    b += one[at + i + 1] * other[otherAt + i + 1]
    c += one[at + i + 2] * other[otherAt + i + 2]
    d += one[at + i + 3] * other[otherAt + i + 3]
  }
  for (; i < dimensions; i++) a += one[at + i] * other[otherAt + i]
  return a + b + (c + d)
}

/** Brings a vector to length 1, in place; a zero vector stays. */
export function toLength1(vector: Float32Array): Float32Array {
  let sum = 0
  for (const value of vector) sum += value * value
  if (sum > 0) for (let i = 0; i < vector.length; i++) vector[i] /= Math.sqrt(sum)
  return vector
}
