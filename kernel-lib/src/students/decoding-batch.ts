// A batch of sources while their targets are written: key-value caches in one place, and a compiled step for each size that the batch
// goes through. Caches are written in place; when rows have finished, the others move together and a smaller step goes on.

import * as tf from "@tensorflow/tfjs-core"
import type { ForwardSession, TensorData, TensorSpec } from "../engine"
import { relativeBucket, t5DecodeStep, t5Encode, unseen } from "../networks/t5"
import type { DecodingMemory } from "./decoding-memory"
import { bucketLength, bucketRows } from "./length-buckets"

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

/** Tokens that the encoder reads at once: enough for the processor, few enough for its caches. */
const encoderTokens = 4096

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
  /** Rows that the compiled step has room for; those from `running` on are idle. */
  private rows: number
  private slots: number
  private readonly sourceLength: number
  private readonly mask: Float32Array

  private constructor(
    private readonly memory: DecodingMemory,
    sources: readonly (readonly number[])[],
    private readonly options: BatchOptions,
  ) {
    this.rows = bucketRows(sources.length)
    this.sourceLength = bucketLength(Math.max(...sources.map((source) => source.length)))
    this.slots = Math.min(16, bucketLength(options.maxNewTokens)) * options.beams
    this.mask = new Float32Array(this.rows * this.sourceLength)
  }

  /** Encodes `sources`, rows of token ids of about equal lengths. */
  static async open(memory: DecodingMemory, sources: readonly (readonly number[])[], options: BatchOptions): Promise<DecodingBatch> {
    const batch = new DecodingBatch(memory, sources, options)
    await batch.encode(sources)
    return batch
  }

  private get rowSize(): number {
    return this.memory.shape.numHeads * this.memory.shape.headSize
  }

  private cacheNames(prefixes: readonly string[]): string[] {
    return Array.from({ length: this.memory.shape.numDecoderLayers }, (_, layer) => prefixes.map((prefix) => `${prefix}${layer}`)).flat()
  }

  private async encode(sources: readonly (readonly number[])[]): Promise<void> {
    const { sourceLength, rowSize, memory } = this
    const finalSlots = bucketLength(this.options.maxNewTokens) * this.options.beams
    for (const name of this.cacheNames(["key", "value"])) memory.array(name, this.rows * finalSlots * rowSize)
    const names = this.cacheNames(["crossKey", "crossValue"])
    for (const name of names) memory.array(name, this.rows * sourceLength * rowSize)
    const chunk = Math.max(1, Math.min(32, Math.floor(encoderTokens / sourceLength)))
    for (let start = 0; start < sources.length; start += chunk) await this.encodeChunk(sources.slice(start, start + chunk), start, names)
  }

  /** Encodes rows from `start` on, padded to the longest of them only, into the caches, which are as long as the batch's longest. */
  private async encodeChunk(part: readonly (readonly number[])[], start: number, names: readonly string[]): Promise<void> {
    const { sourceLength, memory } = this
    const { numHeads, headSize } = memory.shape
    const rows = bucketRows(part.length)
    const length = bucketLength(Math.max(...part.map((source) => source.length)))
    const inputIds = new Int32Array(rows * length)
    const inputMask = new Float32Array(rows * length)
    part.forEach((source, row) => {
      inputIds.set(source, row * length)
      inputMask.fill(1, row * length, row * length + source.length)
      this.mask.fill(1, (start + row) * sourceLength, (start + row) * sourceLength + source.length)
    })
    const outputs = await this.compileEncoder(rows, length).run({ inputIds, inputMask }, { signal: this.options.signal })
    for (const name of names) {
      const cache = memory.array(name, 0)
      const encoded = outputs[name].data as Float32Array
      for (let block = 0; block < part.length * numHeads; block++) {
        cache.set(
          encoded.subarray(block * length * headSize, (block + 1) * length * headSize),
          (start * numHeads + block) * sourceLength * headSize,
        )
      }
    }
  }

  private compileEncoder(rows: number, length: number): ForwardSession {
    const { memory } = this
    return memory.session(`encode ${rows} ${length}`, (parameters, threads) =>
      memory.engine.compileForward({
        name: "t5 encoder",
        forward: (inputs, weights) => t5Encode(memory.shape, inputs, weights),
        inputs: { inputIds: int32(rows, length), inputMask: float32(rows, length) },
        parameters,
        threads,
      }),
    )
  }

  /**
   * One step of all rows.
   * @param tokens the last token of each row and beam
   * @param place how many tokens the rows have written before
   * @param ancestors with several beams: for each row and beam, the beam that wrote each earlier place
   */
  async step(tokens: readonly number[], place: number, ancestors?: readonly (readonly number[])[]): Promise<StepScores> {
    const { beams, candidates, signal } = this.options
    if ((place + 1) * beams > this.slots) this.spreadSlots()
    const session = this.compileStep()
    const inputTokens = new Int32Array(this.rows * beams)
    inputTokens.set(tokens)
    const feeds: Record<string, TensorData> = {
      tokens: inputTokens,
      slots: this.nextSlots(place),
      slotBuckets: this.slotBuckets(place),
      slotMask: this.slotMask(place, ancestors),
      inputMask: this.mask.subarray(0, this.rows * this.sourceLength),
    }
    const outputs = await session.run(feeds, { signal })
    return {
      count: candidates,
      tokens: outputs.candidates.data as Int32Array,
      logits: outputs.candidateLogits.data as Float32Array,
      best: outputs.best.data as Float32Array,
    }
  }

  /** Goes on with the rows at these positions, ascending, which become 0, 1, 2 ... ; true when it did, false when nothing would be won. */
  keep(positions: readonly number[]): boolean {
    const rows = bucketRows(positions.length)
    if (rows >= this.rows) return false
    const move = (array: Float32Array, size: number) =>
      positions.forEach((from, to) => {
        if (from !== to) array.copyWithin(to * size, from * size, (from + 1) * size)
      })
    for (const name of this.cacheNames(["key", "value"])) move(this.memory.array(name, 0), this.slots * this.rowSize)
    for (const name of this.cacheNames(["crossKey", "crossValue"])) move(this.memory.array(name, 0), this.sourceLength * this.rowSize)
    move(this.mask, this.sourceLength)
    this.rows = rows
    return true
  }

  /** Twice the slots a row: blocks move apart, last first. */
  private spreadSlots(): void {
    const { numHeads, headSize } = this.memory.shape
    const wanted = Math.min(bucketLength(this.options.maxNewTokens) * this.options.beams, this.slots * 2)
    for (const name of this.cacheNames(["key", "value"])) {
      const cache = this.memory.array(name, 0)
      for (let block = this.rows * numHeads - 1; block > 0; block--) {
        cache.copyWithin(block * wanted * headSize, block * this.slots * headSize, (block + 1) * this.slots * headSize)
      }
    }
    this.slots = wanted
  }

  /** int32 [rows * heads * beams, 3] */
  private nextSlots(place: number): Int32Array {
    const { beams } = this.options
    const { numHeads } = this.memory.shape
    const slots = new Int32Array(this.rows * numHeads * beams * 3)
    for (let i = 0, row = 0; row < this.rows; row++) {
      for (let head = 0; head < numHeads; head++) {
        for (let beam = 0; beam < beams; beam++) {
          slots[i++] = row
          slots[i++] = head
          slots[i++] = place * beams + beam
        }
      }
    }
    return slots
  }

  private slotBuckets(place: number): Int32Array {
    const { beams } = this.options
    return Int32Array.from({ length: this.slots }, (_, slot) => relativeBucket(this.memory.shape, Math.floor(slot / beams) - place, false))
  }

  /** One beam: [1,1,1,slots], the same for all rows. Several: [rows,1,beams,slots], its ancestors' slots and its own. */
  private slotMask(place: number, ancestors?: readonly (readonly number[])[]): Float32Array {
    const { beams } = this.options
    if (!ancestors) return new Float32Array(this.slots).fill(unseen, place + 1)
    const mask = new Float32Array(this.rows * beams * this.slots).fill(unseen)
    ancestors.forEach((path, beam) => {
      path.forEach((ancestor, earlier) => {
        mask[beam * this.slots + earlier * beams + ancestor] = 0
      })
      mask[beam * this.slots + place * beams + (beam % beams)] = 0
    })
    return mask
  }

  private compileStep(): ForwardSession {
    const { memory, rows, slots, sourceLength } = this
    const { beams, candidates } = this.options
    const { numHeads, headSize } = memory.shape
    return memory.session(`step ${rows} ${slots} ${sourceLength} ${beams} ${candidates}`, (parameters, threads) => {
      const inputs: Record<string, TensorSpec> = {
        tokens: int32(rows, beams),
        slots: int32(rows * numHeads * beams, 3),
        slotBuckets: int32(slots),
        slotMask: beams === 1 ? float32(1, 1, 1, slots) : float32(rows, 1, beams, slots),
        inputMask: float32(rows, sourceLength),
      }
      const caches: Record<string, TensorData> = {}
      for (const name of this.cacheNames(["key", "value", "crossKey", "crossValue"])) {
        inputs[name] = float32(rows, numHeads, name.startsWith("cross") ? sourceLength : slots, headSize)
        caches[name] = memory.array(name, 0)
      }
      const inPlace = Object.fromEntries(
        this.cacheNames(["Key", "Value"]).map((name) => [`next${name}`, name.replace(/^./, (first) => first.toLowerCase())]),
      )
      return memory.engine.compileForward({
        name: "t5 decoder step",
        forward: (tensors, weights) => {
          const { logits, ...nextCaches } = t5DecodeStep(memory.shape, tensors, weights)
          const top = tf.topk(logits, candidates)
          return { ...nextCaches, candidates: top.indices, candidateLogits: top.values, best: tf.max(tf.softmax(logits), -1) }
        },
        inputs,
        parameters,
        memory: caches,
        inPlace,
        threads,
      })
    })
  }
}

function int32(...shape: number[]): TensorSpec {
  return { shape, dtype: "int32" }
}

function float32(...shape: number[]): TensorSpec {
  return { shape, dtype: "float32" }
}
