// Seeded random numbers. Every draw in the library comes from here, so that a seed gives the same run everywhere.
import { createHash } from "node:crypto"

/** A stream of random numbers (xoshiro128**), seeded by any text or number. */
export class Random {
  private state: Uint32Array

  constructor(seed: string | number) {
    const digest = createHash("sha256").update(`prompt2model:${seed}`).digest()
    this.state = Uint32Array.from([0, 4, 8, 12], (offset) => digest.readUInt32LE(offset))
    if (this.state.every((word) => word === 0)) this.state[0] = 1
  }

  /** An independent stream for `label`; drawing from it does not move this one. */
  fork(label: string | number): Random {
    return new Random(`${[...this.state].join(".")}/${label}`)
  }

  /** The next 32 bits. */
  next32(): number {
    const s = this.state
    const product = Math.imul(s[1], 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = s[1] << 9
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= shifted
    s[3] = (s[3] << 11) | (s[3] >>> 21)
    return result
  }

  /** Uniform in [0, 1), with 32 bits. */
  next(): number {
    return this.next32() / 4294967296
  }

  /** A whole number in [0, limit). */
  integer(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** A member of `items`, each as likely. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("pick needs at least one item")
    return items[this.integer(items.length)]
  }

  /** A standard normal number (Box-Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }

  /** A new array with the items in random order (Fisher-Yates). */
  shuffle<T>(items: Iterable<T>): T[] {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      ;[shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]]
    }
    return shuffled
  }

  /** `count` different members of `items`, in random order; all of them when there are fewer. */
  sample<T>(items: readonly T[], count: number): T[] {
    return this.shuffle(items).slice(0, count)
  }
}
