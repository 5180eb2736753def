// A batch of sources while their targets are written: key-value caches in one place, and a step that runs at any number of rows and
// slots. Caches are written in place; when rows have finished, others move into their places and the step goes on with fewer.

import * as tf from "@tensorflow/tfjs-core"
import type { FlexibleSession, FlexibleSpec, NamedTensors, NamedValues, TensorValue } from "../engine"
import type { DecodingMemory } from "./decoding-memory"
import { listSourceFeeds } from "./source-feeds"
import { describeStepFeeds, listStepFeeds, type StepLayout } from "./step-feeds"

/** What a step tells of each running row and beam: candidates for its next token, best first. */
export interface StepScores {
  /** How many candidates each has. */
  readonly count: number
  /** int32 [rows * beams, count] */
  readonly tokens: Int32Array
  /** [rows * beams, count] */
  readonly logits: Float32Array
  /** [rows * beams]: the probability of the best candidate among all tokens. */
  readonly best: Float32Array
}

/** Tokens that are read at once: enough for matrix products, few enough that rows of about one length are together. */
const readTokens = 1024

export interface BatchOptions {
  /** Most new tokens of a row. */
  readonly maxNewTokens: number
  readonly beams: number
  /** Candidates that a step answers for each row and beam. */
  readonly candidates: number
  readonly signal?: AbortSignal
}

/** Rows of one batch, in the order in which they were given or kept. */
export class DecodingBatch {
  /** Rows of a step; those beyond what was given or kept are idle. */
  private rows: number
  /** Rows of the first step: one graph takes all steps, however few rows are left. */
  private readonly firstRows: number
  /** Slots before the first new token's: a prompt's own, where it has some. */
  private readonly promptSlots: number
  /** Places of new tokens in the cache. */
  private places: number
  private readonly sourceLength: number
  /** Tokens of each row's source. */
  private lengths: number[]
  /** The graph that has the caches, which nobody else wrote since. */
  private stepping: FlexibleSession | undefined

  private constructor(
    private readonly memory: DecodingMemory,
    sources: readonly (readonly number[])[],
    private readonly options: BatchOptions,
  ) {
    this.rows = memory.roundRows(sources.length)
    this.firstRows = this.rows
    this.lengths = sources.map((source) => source.length)
    this.sourceLength = memory.roundLength(Math.max(...this.lengths))
    this.promptSlots = this.continues ? this.sourceLength : 0
    this.places = this.fitPlaces(memory.firstPlaces)
  }

  /**
   * Reads `sources`, rows of token ids, the longest first.
   * @returns the batch; of networks that go on where their prompt ends, also the scores of the first new token
   */
  static async open(
    memory: DecodingMemory,
    sources: readonly (readonly number[])[],
    options: BatchOptions,
  ): Promise<{ readonly batch: DecodingBatch; readonly first: StepScores | undefined }> {
    const batch = new DecodingBatch(memory, sources, options)
    return { batch, first: await batch.read(sources) }
  }

  private get continues(): boolean {
    return this.memory.network.kind === "decoder-only"
  }

  private get slots(): number {
    return this.promptSlots + this.places * this.options.beams
  }

  private get layout(): StepLayout {
    const { rows, promptSlots, places, sourceLength, lengths } = this
    return { network: this.memory.network, beams: this.options.beams, rows, promptSlots, places, sourceLength, lengths }
  }

  private cache(name: string, slots: number): TensorValue {
    const { numHeads, headSize } = this.memory.network
    return { shape: [this.rows, numHeads, slots, headSize], data: this.memory.array(name, 0) }
  }

  /** Numbers of a row in one slot of a cache. */
  private get rowSize(): number {
    return this.memory.network.numHeads * this.memory.network.headSize
  }

  private fitPlaces(wanted: number): number {
    return Math.min(this.memory.roundLength(this.options.maxNewTokens), wanted)
  }

  private cacheNames(prefixes: readonly string[]): string[] {
    return Array.from({ length: this.memory.network.numLayers }, (_, layer) => prefixes.map((prefix) => `${prefix}${layer}`)).flat()
  }

  private get ownCaches(): string[] {
    return this.cacheNames(["key", "value"])
  }

  private get crossCaches(): string[] {
    return this.continues ? [] : this.cacheNames(["crossKey", "crossValue"])
  }

  private async read(sources: readonly (readonly number[])[]): Promise<StepScores | undefined> {
    const { memory, rowSize, rows } = this
    const finalSlots = this.promptSlots + this.fitPlaces(Number.POSITIVE_INFINITY) * this.options.beams
    for (const name of this.ownCaches) memory.array(name, rows * finalSlots * rowSize)
    for (const name of this.crossCaches) memory.array(name, rows * this.sourceLength * rowSize)
    const parts: StepScores[] = []
    for (let start = 0; start < sources.length; ) {
      const count = Math.max(1, Math.floor(readTokens / memory.roundLength(sources[start].length)))
      const scores = await this.readChunk(sources.slice(start, start + count), start)
      if (scores) parts.push(scores)
      start += count
    }
    return parts.length === 0 ? undefined : this.joinScores(parts)
  }

  /** Reads rows from `start` on, padded to the longest of them only, into the caches, which are as long as the batch's longest. */
  private async readChunk(part: readonly (readonly number[])[], start: number): Promise<StepScores | undefined> {
    const { memory, continues } = this
    const { numHeads, headSize, network } = { ...memory.network, network: memory.network }
    const length = memory.roundLength(Math.max(...part.map((source) => source.length)))
    const feeds = listSourceFeeds(network, part, memory.roundRows(part.length), length)
    const session = this.compileReader(
      Object.fromEntries(Object.entries(feeds).map(([name, { spec }]) => [name, spec])),
      part.length * length,
    )
    const { signal } = this.options
    const outputs = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, { value }]) => [name, value])), { signal })
    const slots = continues ? this.slots : this.sourceLength
    for (const name of continues ? this.ownCaches : this.crossCaches) {
      const cache = memory.array(name, 0)
      const data = outputs[name].data as Float32Array
      for (let block = 0; block < part.length * numHeads; block++) {
        const values = data.subarray(block * length * headSize, (block + 1) * length * headSize)
        cache.set(values, (start * numHeads + block) * slots * headSize)
      }
    }
    return continues ? copyScores(outputs, part.length, this.options.candidates) : undefined
  }

  private compileReader(inputs: Readonly<Record<string, FlexibleSpec>>, numTokens: number): FlexibleSession {
    const { network } = this.memory
    const { candidates } = this.options
    if (network.kind === "decoder-only") {
      return this.memory.session(`prefill ${candidates}`, numTokens, () => ({
        name: `${network.name} prefill`,
        inputs,
        forward: (tensors, weights) => {
          const { logits, ...caches } = network.prefill(tensors, weights)
          return { ...caches, ...scoreTokens(logits, candidates) }
        },
      }))
    }
    return this.memory.session("encode", numTokens, () => ({
      name: `${network.name} encoder`,
      inputs,
      forward: ({ sourceBuckets, ...tensors }, weights) =>
        network.encode(sourceBuckets ? { ...tensors, sourceBuckets: tf.reshape(sourceBuckets, [-1]) } : tensors, weights),
    }))
  }

  /** A prompt's scores for each of its beams, which begin alike. */
  private joinScores(parts: readonly StepScores[]): StepScores {
    const { beams, candidates: count } = this.options
    const rows = parts.reduce((sum, { best }) => sum + best.length, 0)
    const tokens = new Int32Array(rows * beams * count)
    const logits = new Float32Array(rows * beams * count)
    const best = new Float32Array(rows * beams)
    let at = 0
    for (const part of parts) {
      for (let row = 0; row < part.best.length; row++) {
        for (let beam = 0; beam < beams; beam++, at++) {
          tokens.set(part.tokens.subarray(row * count, (row + 1) * count), at * count)
          logits.set(part.logits.subarray(row * count, (row + 1) * count), at * count)
          best[at] = part.best[row]
        }
      }
    }
    return { count, tokens, logits, best }
  }

  /**
   * One step of all rows.
   * @param tokens the last token of each row and beam
   * @param place how many tokens were fed before, of those that are not the prompt's
   * @param ancestors with several beams: for each row and beam, the beam that fed each earlier place
   */
  async step(tokens: readonly number[], place: number, ancestors?: readonly (readonly number[])[]): Promise<StepScores> {
    const { beams, candidates, signal } = this.options
    if (place >= this.places) this.spreadSlots()
    const feeds = listStepFeeds(this.layout, { tokens, place, ancestors })
    for (const name of this.ownCaches) feeds[name] = this.cache(name, this.slots)
    for (const name of this.crossCaches) feeds[name] = this.cache(name, this.sourceLength)
    const session = this.compileStep(feeds)
    if (this.stepping !== session) this.takeCaches()
    const unchanged = this.stepping ? [...this.ownCaches, ...this.crossCaches] : []
    this.stepping = session
    const outputs = await session.run(feeds, { signal, unchanged })
    return {
      count: candidates,
      tokens: outputs.candidates.data as Int32Array,
      logits: outputs.candidateLogits.data as Float32Array,
      best: (outputs.best.data as Float32Array).subarray(0, this.rows * beams),
    }
  }

  /**
   * Goes on with the rows at these positions only.
   * @returns the position that each row of the batch had before; undefined when nothing would be won by moving rows
   */
  keep(positions: readonly number[]): readonly number[] | undefined {
    const rows = this.memory.roundRows(positions.length)
    if (rows >= this.rows) return undefined
    this.takeCaches()
    const isKept = new Set(positions)
    const order = positions.map((_, to) => to)
    const movers = positions.filter((from) => from >= positions.length)
    for (let to = 0; to < positions.length; to++) if (!isKept.has(to)) order[to] = movers.pop()!
    const move = (name: string, size: number) => {
      const array = this.memory.array(name, 0)
      order.forEach((from, to) => {
        if (from !== to) array.copyWithin(to * size, from * size, (from + 1) * size)
      })
    }
    for (const name of this.ownCaches) move(name, this.slots * this.rowSize)
    for (const name of this.crossCaches) move(name, this.sourceLength * this.rowSize)
    this.lengths = order.map((from) => this.lengths[from])
    this.rows = rows
    return order
  }

  /** Twice the places a row: blocks move apart, last first. */
  private spreadSlots(): void {
    const { numHeads, headSize } = this.memory.network
    this.takeCaches()
    const before = this.slots
    this.places = this.fitPlaces(this.places * 2)
    for (const name of this.ownCaches) {
      const cache = this.memory.array(name, 0)
      for (let block = this.rows * numHeads - 1; block > 0; block--) {
        cache.copyWithin(block * this.slots * headSize, block * before * headSize, (block + 1) * before * headSize)
      }
    }
  }

  /** Before caches are changed here. */
  private takeCaches(): void {
    this.stepping?.bringHome?.()
    this.stepping = undefined
  }

  private compileStep(feeds: NamedValues): FlexibleSession {
    const { memory } = this
    const { network } = memory
    const { beams, candidates } = this.options
    return memory.session(`step ${beams} ${candidates}`, this.firstRows * beams, () => {
      const names = this.cacheNames(["Key", "Value"])
      return {
        name: `${network.name} step`,
        inputs: describeStepFeeds(feeds, network, beams),
        inPlace: Object.fromEntries(names.map((name) => [`next${name}`, name.replace(/^./, (letter) => letter.toLowerCase())])),
        forward: ({ slots, ...tensors }, weights) => {
          const { logits, ...caches } = network.step({ ...tensors, slots: tf.reshape(slots, [-1, 3]) }, weights)
          return { ...caches, ...scoreTokens(logits, candidates) }
        },
      }
    })
  }
}

/** logits [N,V] -> the best candidates, and the probability of the first of them. */
function scoreTokens(logits: tf.Tensor, candidates: number): NamedTensors {
  const top = tf.topk(logits, candidates)
  return { candidates: top.indices, candidateLogits: top.values, best: tf.max(tf.softmax(logits), -1) }
}

/** The scores of the first `rows`, out of memory that the next run overwrites. */
function copyScores(outputs: NamedValues, rows: number, count: number): StepScores {
  return {
    count,
    tokens: (outputs.candidates.data as Int32Array).slice(0, rows * count),
    logits: (outputs.candidateLogits.data as Float32Array).slice(0, rows * count),
    best: (outputs.best.data as Float32Array).slice(0, rows),
  }
}
