// Runs an encoder forward over any number of texts: texts of like length together, in batches of about the same number of tokens, so that
// little is padded and memory does not grow with the number or the length of texts.
import {
  compileFlexible,
  type Engine,
  type FlexibleSession,
  type ForwardFunction,
  type NamedParameters,
  type NamedValues,
  runsAnySize,
} from "../engine"
import { type BertShape, countPlaces } from "../networks/bert"
import { type EncoderText, makeEncoderBatch, readsTokenTypes } from "./encoder-batch"
import { bucketLength, bucketRows } from "./length-buckets"

/** Tokens of a batch. Few enough that a layer's states stay in the processor's cache, enough that products are worth several threads. */
const tokensInBatch = 1024

export interface EncoderRunsParts {
  readonly engine: Engine
  readonly shape: BertShape
  readonly weights: NamedParameters
  /** Named outputs, each with a row for each text. */
  readonly forward: ForwardFunction
  /** The weights will not change: they may be kept in the order that is fastest. */
  readonly isFrozen?: boolean
  readonly threads?: number
}

export interface EncoderRunOptions {
  readonly signal?: AbortSignal
  /** Texts done of all texts. */
  readonly onProgress?: (done: number, total: number) => void
}

export class EncoderRuns {
  private session?: FlexibleSession

  constructor(private readonly parts: EncoderRunsParts) {}

  /**
   * Hands the outputs of every batch to `take`, with the numbers of its texts in the order of the rows; rows behind them are none.
   * The outputs' memory is overwritten by the next batch.
   */
  async run(
    texts: readonly EncoderText[],
    take: (outputs: NamedValues, numbers: readonly number[], length: number) => void,
    { signal, onProgress }: EncoderRunOptions = {},
  ): Promise<void> {
    const { engine, shape } = this.parts
    this.session ??= this.compile()
    const isFlexible = runsAnySize(engine)
    const order = [...texts.keys()].sort((a, b) => texts[b].ids.length - texts[a].ids.length)
    for (let at = 0; at < order.length; ) {
      const longest = Math.max(1, texts[order[at]].ids.length)
      const length = isFlexible ? longest : Math.max(longest, Math.min(bucketLength(longest), countPlaces(shape)))
      const most = Math.max(1, Math.floor(tokensInBatch / length))
      const numbers = order.slice(at, at + most)
      const rows = isFlexible ? numbers.length : Math.min(most, bucketRows(numbers.length))
      const batch = makeEncoderBatch(
        shape,
        numbers.map((number) => texts[number]),
        rows,
        length,
      )
      take(await this.session.run(batch, { signal }), numbers, length)
      at += numbers.length
      onProgress?.(at, order.length)
    }
  }

  private compile(): FlexibleSession {
    const { engine, shape, weights, forward, isFrozen, threads } = this.parts
    const table = (dtype: "int32" | "float32") => ({ shape: ["rows", "length"], dtype })
    return compileFlexible(engine, {
      name: "encoder",
      forward,
      inputs: {
        inputIds: table("int32"),
        inputMask: table("float32"),
        positions: { shape: [shape.countsFromPadding ? "rows" : 1, "length"], dtype: "int32" },
        ...(readsTokenTypes(shape) ? { tokenTypes: table("int32") } : {}),
        ...(shape.relativeBuckets > 0 ? { buckets: { shape: ["length", "length"], dtype: "int32" } } : {}),
      },
      parameters: weights,
      isPrepacked: isFrozen,
      threads,
    })
  }

  dispose(): void {
    this.session?.dispose()
    this.session = undefined
  }
}
