// Texts as an encoder's feeds: padded on the right, with the positions, token types and distances that the network wants.
import type { NamedValues } from "../engine"
import { type BertShape, listPositions, mpnetBuckets } from "../networks/bert"
import { relativeBucket } from "../networks/t5"

/** A text's ids, special tokens included. */
export interface EncoderText {
  readonly ids: readonly number[]
  /** Where the second part of a pair begins; none where there is one part only. */
  readonly secondPart?: number
}

/** Whether the network reads token types, and pairs differ by them: RoBERTa has them and leaves them at 0. */
export function readsTokenTypes(shape: BertShape): boolean {
  return shape.naming !== "roberta" && shape.numTokenTypes > 1
}

/**
 * The feeds of `bertStates` for `texts`, each of at most `length` tokens, and for as many empty rows as `rows` has more: inputIds int32,
 * inputMask float32 and, where the shape wants them, tokenTypes int32 [rows, length]; positions int32 [1 or rows, length]; buckets int32
 * [length, length].
 */
export function makeEncoderBatch(shape: BertShape, texts: readonly EncoderText[], rows: number, length: number): NamedValues {
  const inputIds = new Int32Array(rows * length).fill(shape.padId)
  const inputMask = new Float32Array(rows * length)
  const tokenTypes = new Int32Array(rows * length)
  texts.forEach(({ ids, secondPart = ids.length }, row) => {
    inputIds.set(ids, row * length)
    inputMask.fill(1, row * length, row * length + ids.length)
    tokenTypes.fill(1, row * length + Math.min(secondPart, ids.length), row * length + ids.length)
  })
  const positions = shape.countsFromPadding
    ? Array.from({ length: rows }, (_, row) => listPositions(shape, inputIds.subarray(row * length, (row + 1) * length)))
    : [listPositions(shape, new Int32Array(length))]
  const table = (data: Int32Array | Float32Array) => ({ shape: [rows, length], data })
  return {
    inputIds: table(inputIds),
    inputMask: table(inputMask),
    positions: { shape: [positions.length, length], data: Int32Array.from(positions.flatMap((row) => [...row])) },
    ...(readsTokenTypes(shape) ? { tokenTypes: table(tokenTypes) } : {}),
    ...(shape.relativeBuckets > 0 ? { buckets: { shape: [length, length], data: listBuckets(length) } } : {}),
  }
}

/** int32 [length * length]: the bucket of each query's distance to each key. */
function listBuckets(length: number): Int32Array {
  const byDistance = Int32Array.from({ length: 2 * length }, (_, at) => relativeBucket(mpnetBuckets, at - length, true))
  return Int32Array.from({ length: length * length }, (_, at) => byDistance[(at % length) - Math.floor(at / length) + length])
}
