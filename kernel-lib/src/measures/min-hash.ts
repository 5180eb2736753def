// MinHash (Broder 1997): a text as the set of its shingles, and a short signature by which texts that share most shingles meet.
import { Random } from "../core/random"

/** Characters in a shingle. */
const shingleLength = 5
/** Texts that agree in all `rowsPerBand` numbers of any band meet; 24 x 5 find a Jaccard similarity of 0.8 with probability 0.9999. */
const bands = 24
const rowsPerBand = 5

const { offsets, factors } = drawHashFunctions(bands * rowsPerBand)

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

/** One number per band; texts of equal `salt` meet where any of them is equal. */
export function minHash(shingles: Uint32Array, salt = 0): Int32Array {
  // Signed, since V8 keeps such numbers in a map without a box.
  const keys = new Int32Array(bands)
  for (let band = 0, hashFunction = 0; band < bands; band++) {
    let key = mix(salt + band)
    for (let row = 0; row < rowsPerBand; row++, hashFunction++) {
      const offset = offsets[hashFunction]
      const factor = factors[hashFunction]
      let least = 0xffffffff
      for (let index = 0; index < shingles.length; index++) {
        const value = Math.imul(shingles[index] ^ offset, factor) >>> 0
        if (value < least) least = value
      }
      key = mix(Math.imul(key, 0x01000193) ^ least)
    }
    keys[band] = key
  }
  return keys
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

function drawHashFunctions(count: number) {
  const random = new Random("min-hash")
  return {
    offsets: Uint32Array.from({ length: count }, () => random.next32()),
    // Only an odd factor maps 32-bit numbers one to one.
    factors: Uint32Array.from({ length: count }, () => random.next32() | 1),
  }
}

/** Spreads every bit of `hash` over all 32 (murmur3's finaliser). */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
