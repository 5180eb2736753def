// MinHash (Broder 1997): a short signature of a set of shingles, by which texts that share most of them meet.
import { Random } from "../core/random"
import { mix } from "./shingles"

/** Texts that agree in all `rowsPerBand` numbers of any band meet; 24 x 5 find a Jaccard similarity of 0.8 with probability 0.9999. */
const bands = 24
const rowsPerBand = 5

const { offsets, factors } = drawHashFunctions(bands * rowsPerBand)

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

function drawHashFunctions(count: number) {
  const random = new Random("min-hash")
  return {
    offsets: Uint32Array.from({ length: count }, () => random.next32()),
    // Only an odd factor maps 32-bit numbers one to one.
    factors: Uint32Array.from({ length: count }, () => random.next32() | 1),
  }
}
