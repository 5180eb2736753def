// sentencepiece's normalisation rules as they stand in its models: a trie (darts-clone's double array) of texts to replace, and what
// replaces them. Source: sentencepiece's normalizer.cc and the spm_precompiled crate, whose results this gives.

import { segmentGraphemes } from "./graphemes"

/** Rewrites texts by the rules of a sentencepiece model. */
export class PrecompiledNormalizer {
  private readonly trie: Uint32Array
  private readonly replacements: Buffer
  private readonly found = new Map<string, string | undefined>()

  /**
   * `charsmap` is the model's `precompiled_charsmap`.
   * @throws Error with a clause of a sentence when it is damaged
   */
  constructor(charsmap: Uint8Array) {
    const bytes = Buffer.from(charsmap)
    const trieBytes = bytes.length >= 4 ? bytes.readUInt32LE(0) : -1
    if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) throw new Error("its normalisation rules are damaged")
    this.trie = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i))
    this.replacements = bytes.subarray(4 + trieBytes)
  }

  /** Rewrites each grapheme, what a reader sees as one character, and where no rule knows it, each of its code points. */
  normalize(text: string): string {
    if (plainText.test(text)) return Array.from(text, (character) => this.find(character) ?? character).join("")
    let result = ""
    for (const segment of segmentGraphemes(text)) {
      // A longer one is no letter with its accents, and only its code points are looked up.
      const whole = Buffer.byteLength(segment) < 6 ? this.find(segment) : undefined
      if (whole !== undefined) result += whole
      else for (const character of segment) result += this.find(character) ?? character
    }
    return result
  }

  /** The replacement of the shortest rule that begins `text`, as the reference does; undefined where there is none. */
  private find(text: string): string | undefined {
    if (this.found.has(text)) return this.found.get(text)
    const replacement = this.search(text)
    if (this.found.size >= foundLimit) this.found.clear()
    this.found.set(text, replacement)
    return replacement
  }

  private search(text: string): string | undefined {
    const { trie } = this
    const at = (node: number): number => trie[node] ?? 0
    let unit = at(0)
    let node = offsetOf(unit)
    for (const byte of Buffer.from(text, "utf8")) {
      // A zero byte ends a darts key, and can stand in none.
      if (byte === 0) return undefined
      node ^= byte
      unit = at(node)
      if ((unit & 0x800000ff) !== byte) return undefined
      node ^= offsetOf(unit)
      if (((unit >>> 8) & 1) === 1) return this.readReplacement(at(node) & 0x7fffffff)
    }
    return undefined
  }

  private readReplacement(start: number): string | undefined {
    if (start >= this.replacements.length) return undefined
    const end = this.replacements.indexOf(0, start)
    return this.replacements.toString("utf8", start, end < 0 ? this.replacements.length : end)
  }
}

const foundLimit = 20_000
/** Each character of such a text is a grapheme: finding that out takes most of the time. */
const plainText = /^[\x20-\x7e]*$/

function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0
}
