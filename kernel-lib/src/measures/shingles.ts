// A text as the set of its shingles, and how much two such sets share. Nothing of Node may come in here: the JupyterLab extension imports this file too.

/** Characters in a shingle. */
const shingleLength = 5

/** 32 bits of `text`. */
export function hashText(text: string): number {
  return hashRange(text, 0, text.length)
}

/** The set of `text`'s shingles, as sorted 32-bit hashes. A text shorter than a shingle has one, itself. */
export function shinglesOf(text: string): Uint32Array {
  const count = Math.max(1, text.length - shingleLength + 1)
  const hashes = new Uint32Array(count)
  for (let start = 0; start < count; start++) {
    hashes[start] = hashRange(text, start, Math.min(text.length, start + shingleLength))
  }
  hashes.sort()
  let distinct = 1
  for (let index = 1; index < count; index++) {
    if (hashes[index] !== hashes[index - 1]) hashes[distinct++] = hashes[index]
  }
  return hashes.slice(0, distinct)
}

/** Jaccard similarity of two sorted sets: shared members of all members, 0 to 1. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let shared = 0
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      shared++
      i++
      j++
    } else if (a[i] < b[j]) i++
    else j++
  }
  return shared / (a.length + b.length - shared)
}

function hashRange(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let index = start; index < end; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash)
}

/** Spreads every bit of `hash` over all 32 (murmur3's finaliser). */
export function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
