// What decoding keeps from call to call: compiled graphs and the memory of the key-value caches, of one model.
import type { Engine, ForwardSession, NamedParameters } from "../engine"
import type { T5Shape } from "../networks/t5"
import { bucketLength } from "./length-buckets"

/** The most memory that the caches of a batch take, in bytes; more rows wait for their turn. */
const cacheBudget = 256 * 2 ** 20
const maxRows = 256
/** Compiled graphs that are kept for the next call. */
const maxSessions = 32

/** Compiled graphs and cache memory of one model, kept from batch to batch. One batch at a time. */
export class DecodingMemory {
  private readonly sessions = new Map<string, ForwardSession>()
  private readonly arrays = new Map<string, Float32Array>()

  constructor(
    readonly engine: Engine,
    readonly shape: T5Shape,
    readonly weights: NamedParameters,
    private readonly threads?: number,
  ) {}

  /** How many rows fit a batch. */
  rowsThatFit(sourceLength: number, targetLength: number, beams: number): number {
    const { numDecoderLayers, numHeads, headSize } = this.shape
    const bytes = 2 * numDecoderLayers * numHeads * headSize * 4 * (bucketLength(sourceLength) + bucketLength(targetLength) * beams)
    return Math.max(1, Math.min(maxRows, Math.floor(cacheBudget / bytes)))
  }

  /** An array of at least `count` numbers that stays where it is until a larger one is asked for. */
  array(name: string, count: number): Float32Array {
    const there = this.arrays.get(name)
    if (there && there.length >= count) return there
    // Steps hold the address of the old array.
    this.closeSessions()
    const array = new Float32Array(count)
    this.arrays.set(name, array)
    return array
  }

  /** The graph of that key, compiled when it is first asked for. */
  session(key: string, compile: (parameters: NamedParameters, threads: number | undefined) => ForwardSession): ForwardSession {
    const session = this.sessions.get(key) ?? compile(this.weights, this.threads)
    this.sessions.delete(key)
    this.sessions.set(key, session)
    if (this.sessions.size > maxSessions) {
      const [oldest, unused] = this.sessions.entries().next().value!
      this.sessions.delete(oldest)
      unused.dispose()
    }
    return session
  }

  private closeSessions(): void {
    for (const session of this.sessions.values()) session.dispose()
    this.sessions.clear()
  }

  dispose(): void {
    this.closeSessions()
    this.arrays.clear()
  }
}
