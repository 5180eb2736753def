// What decoding keeps from call to call: compiled graphs and the memory of the key-value caches, of one model.
import { compileFlexible, type Engine, type FlexibleDefinition, type FlexibleSession, type NamedParameters, runsAnySize } from "../engine"
import type { DecoderNetwork } from "./decoder"
import { bucketLength, bucketRows } from "./length-buckets"

/** The most memory that the caches of a batch take, in bytes; more rows wait for their turn. */
const cacheBudget = 256 * 2 ** 20
const maxRows = 256
/** The most bytes of weights that a copy is made of for faster products. */
const largestCopy = 320 * 2 ** 20
/** Compiled graphs that are kept for the next call: an encoder, and a step for each number of beams and candidates; each for little work and for much. */
const maxSessions = 8
/** Multiplications up to which a graph runs on one thread: dividing its many small operations takes longer than doing them. */
const littleWork = 16e6

/** Compiled graphs and cache memory of one model, kept from batch to batch. One batch at a time. */
export class DecodingMemory {
  private readonly sessions = new Map<string, FlexibleSession>()
  private readonly arrays = new Map<string, Float32Array>()

  private readonly isPrepacked: boolean
  private readonly numWeights: number

  /** @param areWeightsFixed the weights will not change while this is in use: products may read a copy of them, made once */
  constructor(
    readonly engine: Engine,
    readonly network: DecoderNetwork,
    readonly weights: NamedParameters,
    private readonly threads?: number,
    private readonly areWeightsFixed = false,
  ) {
    this.numWeights = Object.values(weights).reduce((sum, { data }) => sum + data.length, 0)
    this.isPrepacked = areWeightsFixed && 4 * this.numWeights <= largestCopy
  }

  /** How many rows fit a batch. */
  rowsThatFit(sourceLength: number, targetLength: number, beams: number): number {
    const { numLayers, numHeads, headSize } = this.network
    const bytes = 2 * numLayers * numHeads * headSize * 4 * (this.roundLength(sourceLength) + this.roundLength(targetLength) * beams)
    return Math.max(1, Math.min(maxRows, Math.floor(cacheBudget / bytes)))
  }

  /** The length that a graph runs at: any, or one of few where the engine compiles each. */
  roundLength(length: number): number {
    return runsAnySize(this.engine) ? Math.max(1, length) : bucketLength(length)
  }

  /** The number of rows that a graph runs at. */
  roundRows(count: number): number {
    if (runsAnySize(this.engine)) return count
    return this.engine.compilesEachSize ? 2 ** Math.ceil(Math.log2(count)) : bucketRows(count)
  }

  /** Places that a row's cache has at first; it doubles when they are written. */
  get firstPlaces(): number {
    return this.engine.compilesEachSize ? 32 : 8
  }

  /** An array of at least `count` numbers, with what was in it. */
  array(name: string, count: number): Float32Array {
    const there = this.arrays.get(name)
    if (there && there.length >= count) return there
    const array = new Float32Array(count)
    this.arrays.set(name, array)
    return array
  }

  /** The graph of that name for about so many tokens a run, compiled when it is first asked for. */
  session(
    name: string,
    numTokens: number,
    define: () => Pick<FlexibleDefinition, "name" | "forward" | "inputs" | "inPlace">,
  ): FlexibleSession {
    const { engine, weights: parameters, isPrepacked, areWeightsFixed: areParametersFixed } = this
    const isSmall = !engine.compilesEachSize && numTokens * this.numWeights <= littleWork
    const threads = this.threads ?? (isSmall ? 1 : undefined)
    const key = `${name}, ${threads ?? "all"} threads`
    const session = this.sessions.get(key) ?? compileFlexible(engine, { ...define(), parameters, threads, isPrepacked, areParametersFixed })
    this.sessions.delete(key)
    this.sessions.set(key, session)
    if (this.sessions.size > maxSessions) {
      const [oldest, unused] = this.sessions.entries().next().value!
      this.sessions.delete(oldest)
      unused.dispose()
    }
    return session
  }

  dispose(): void {
    for (const session of this.sessions.values()) session.dispose()
    this.sessions.clear()
    this.arrays.clear()
  }
}
