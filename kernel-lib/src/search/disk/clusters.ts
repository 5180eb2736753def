// Directions around which vectors gather, by k-means on the sphere (Dhillon and Modha, 2001) in two levels: first some, then within each as many
// again, which takes the square root of the work of finding all of them at once.
import { Random } from "../../core/random"

const rounds = 6

export interface Clusters {
  readonly dimensions: number
  /** Of the first level: [groups, dimensions] */
  readonly groups: Float32Array
  /** Of the second level: [groups x members, dimensions], those of a group behind each other */
  readonly members: Float32Array
}

/** @param sample vectors of length 1, row by row */
export function findClusters(sample: Float32Array, dimensions: number, perLevel: number, seed: number): Clusters {
  const groups = clusterRows(sample, dimensions, perLevel, seed)
  const parts: number[][] = Array.from({ length: perLevel }, () => [])
  for (let row = 0; row * dimensions < sample.length; row++)
    parts[nearest(groups, sample, row * dimensions, 0, perLevel, dimensions)].push(row)
  const members = new Float32Array(perLevel * perLevel * dimensions)
  for (const [group, rows] of parts.entries()) {
    const part = new Float32Array(rows.length * dimensions)
    for (const [place, row] of rows.entries()) part.set(sample.subarray(row * dimensions, (row + 1) * dimensions), place * dimensions)
    members.set(clusterRows(part, dimensions, perLevel, seed + group + 1), group * perLevel * dimensions)
  }
  return { dimensions, groups, members }
}

/** The number of the cluster that a vector belongs to, or nearly: the nearest of the nearest group. */
export function assignCluster({ dimensions, groups, members }: Clusters, rows: Float32Array, offset: number): number {
  const perLevel = groups.length / dimensions
  const group = nearest(groups, rows, offset, 0, perLevel, dimensions)
  return nearest(members, rows, offset, group * perLevel, (group + 1) * perLevel, dimensions)
}

function clusterRows(rows: Float32Array, dimensions: number, count: number, seed: number): Float32Array {
  const numRows = rows.length / dimensions
  const centres = new Float32Array(count * dimensions)
  if (numRows === 0) return centres
  const random = new Random(seed)
  const drawRow = (centre: number) => {
    const start = random.integer(numRows) * dimensions
    centres.set(rows.subarray(start, start + dimensions), centre * dimensions)
  }
  for (let centre = 0; centre < count; centre++) drawRow(centre)
  for (let round = 0; round < rounds; round++) {
    const sums = new Float32Array(centres.length)
    const sizes = new Uint32Array(count)
    for (let start = 0; start < rows.length; start += dimensions) {
      const centre = nearest(centres, rows, start, 0, count, dimensions)
      sizes[centre]++
      for (let i = 0; i < dimensions; i++) sums[centre * dimensions + i] += rows[start + i]
    }
    for (let centre = 0; centre < count; centre++) {
      if (sizes[centre] === 0) drawRow(centre)
      else centres.set(toLength1(sums.subarray(centre * dimensions, (centre + 1) * dimensions)), centre * dimensions)
    }
  }
  return centres
}

function nearest(centres: Float32Array, rows: Float32Array, offset: number, first: number, end: number, dimensions: number): number {
  let [best, bestScore] = [first, Number.NEGATIVE_INFINITY]
  for (let centre = first; centre < end; centre++) {
    const score = dot(centres, centre * dimensions, rows, offset, dimensions)
    if (score > bestScore) [best, bestScore] = [centre, score]
  }
  return best
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
