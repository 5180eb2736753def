// Lengths that graphs are made for. A graph has fixed shapes, so lengths are rounded up to one of few, never by more than half.

/** The shortest bucket that holds `length`: 8, 12, 16, 24, 32, 48, 64, 96 ... */
export function bucketLength(length: number): number {
  let bucket = 8
  while (bucket < length) bucket = Number.isInteger(Math.log2(bucket)) ? bucket * 1.5 : (bucket / 3) * 4
  return bucket
}

/** The fewest rows that hold `count` and that a graph is made for: 1, 2, 4, 8, 16, 32, then steps of half an octave. */
export function bucketRows(count: number): number {
  return count <= 8 ? 2 ** Math.ceil(Math.log2(Math.max(1, count))) : bucketLength(count)
}

/** The number of tokens that a graph is made for when rows stand behind each other: `count`, rounded up by a sixteenth at most. */
export function bucketTokens(count: number): number {
  const step = Math.max(8, 2 ** Math.floor(Math.log2(count)) / 16)
  return Math.ceil(count / step) * step
}
