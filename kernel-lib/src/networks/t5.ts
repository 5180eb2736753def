// T5 (Raffel et al. 2020, arXiv 1910.10683) as transformers' T5ForConditionalGeneration runs it: v1.0 (ReLU, tied head), v1.1 and Flan
// (gated GELU, a head of its own), mT5, umT5 (position biases of each layer's own) and ByT5. Weights carry transformers' names and lie as
// it stores them: [outputs, inputs].
//
// In shapes: B rows, S source tokens, T target tokens, P and Q of all rows together, D model, H heads, K numbers a head, F feed-forward, V vocabulary,
// W beams, Z cache slots.
import * as tf from "@tensorflow/tfjs-core"
import { dropout, embed, inScope, linear, type NamedTensors, type RandomStream, rmsNorm, scatterRows, softmaxCrossEntropy } from "../engine"
import { type Activation, activate } from "./activation"
import { joinHeads, type Packing, readPacking, splitHeads } from "./packing"

/** The shape of a T5, in transformers' words. */
export interface T5Shape {
  readonly vocabularySize: number
  /** `d_model` */
  readonly modelSize: number
  /** `d_kv` */
  readonly headSize: number
  /** `d_ff` */
  readonly feedForwardSize: number
  readonly numHeads: number
  readonly numEncoderLayers: number
  readonly numDecoderLayers: number
  readonly relativeBuckets: number
  readonly relativeMaxDistance: number
  /** Whether each layer has a table of position biases, not the first for all. Default false. */
  readonly hasBiasPerLayer?: boolean
  readonly normEpsilon: number
  readonly activation: Activation
  /** Whether the feed-forward is activation(x W0) * (x W1). */
  readonly isGated: boolean
  /** Whether the head is the embedding. */
  readonly isHeadTied: boolean
  /** Whether the decoder's result is scaled by D^-0.5 before the head. */
  readonly isOutputScaled: boolean
}

/** A network with its weights, and what it needs to drop out in training. */
interface Pass {
  readonly shape: T5Shape
  readonly weights: NamedTensors
  readonly rate: number
  readonly random?: RandomStream
}

/** Added to the scores of what may not be seen. */
export const unseen = -1e9

/**
 * The mean cross-entropy of the target tokens.
 * @param inputs as for `t5Logits`, and labels int32 [Q] (-100: ignored)
 * @returns a scalar
 */
export function t5Loss(shape: T5Shape, inputs: NamedTensors, weights: NamedTensors, rate = 0, random?: RandomStream): tf.Tensor {
  const logits = t5Logits(shape, inputs, weights, rate, random)
  return inScope("loss", () => softmaxCrossEntropy(logits, inputs.labels))
}

/**
 * The scores of every token at every place of the targets. Rows stand behind each other, as `readPacking` reads them.
 * @param inputs inputIds int32 [P], sourcePlaces int32 [P], sourceTokens int32 [B,S]; decoderIds int32 [Q], targetPlaces int32 [Q],
 *   targetTokens int32 [B,T]
 * @returns [Q,V]
 */
export function t5Logits(shape: T5Shape, inputs: NamedTensors, weights: NamedTensors, rate = 0, random?: RandomStream): tf.Tensor {
  const pass: Pass = { shape, weights, rate, random }
  const source = readPacking(inputs.sourcePlaces, inputs.sourceTokens, [shape.numHeads])
  const mask = maskScores(tf.reshape(source.isPlace, [...source.grid]))
  const encoded = encode(pass, inputs.inputIds, mask, bucketTable(shape, source.grid[1], true), source)
  const target = readPacking(inputs.targetPlaces, inputs.targetTokens, [shape.numHeads])
  return decode(pass, inputs.decoderIds, target, { encoded, source, mask })
}

/** ids [B,S] or, with their packing, [P], mask [B,1,1,S], buckets int32 [S*S] -> [B,S,D] or [P,D] */
function encode(pass: Pass, ids: tf.Tensor, mask: tf.Tensor, buckets: tf.Tensor, packing?: Packing): tf.Tensor {
  const { shape } = pass
  const length = packing?.grid[1] ?? ids.shape[1]!
  let x = drop(pass, embed(pass.weights["shared.weight"], ids))
  const biasOf = positionBiases(pass, "encoder", buckets, [length, length], mask) // [B,H,S,S]
  for (let i = 0; i < shape.numEncoderLayers; i++) {
    x = inScope(`encoder.block.${i}`, () => {
      const attended = selfAttention(pass, `encoder.block.${i}`, x, biasOf(i), packing)
      return feedForward(pass, `encoder.block.${i}.layer.1`, attended)
    })
  }
  return drop(pass, norm(pass, "encoder.final_layer_norm", x))
}

/** What the decoder looks at: encoded [P,D], mask [B,1,1,S]. */
interface Source {
  readonly encoded: tf.Tensor
  readonly source: Packing
  readonly mask: tf.Tensor
}

/** ids [Q] -> [Q,V] */
function decode(pass: Pass, ids: tf.Tensor, packing: Packing, { encoded, source, mask }: Source): tf.Tensor {
  const { shape } = pass
  const [, length] = packing.grid
  let y = drop(pass, embed(pass.weights["shared.weight"], ids))
  const biasOf = positionBiases(pass, "decoder", bucketTable(shape, length, false), [length, length], causalMask(length)) // [1,H,T,T]
  for (let i = 0; i < shape.numDecoderLayers; i++) {
    const block = `decoder.block.${i}`
    y = inScope(block, () => {
      const attended = selfAttention(pass, block, y, biasOf(i), packing)
      const crossed = crossAttention(pass, block, attended, crossCache(pass, i, encoded, source), mask, packing)
      return feedForward(pass, `${block}.layer.2`, crossed)
    })
  }
  return head(pass, drop(pass, norm(pass, "decoder.final_layer_norm", y)))
}

/** x [B,N,D] or [P,D], bias [B or 1,H,N,N] -> as x */
function selfAttention(pass: Pass, block: string, x: tf.Tensor, bias: tf.Tensor, packing?: Packing): tf.Tensor {
  const name = `${block}.layer.0.SelfAttention`
  const h = norm(pass, `${block}.layer.0.layer_norm`, x)
  const [query, key, value] = ["q", "k", "v"].map((part) => project(pass, `${name}.${part}`, h, packing))
  return tf.add(x, drop(pass, merge(pass, `${name}.o`, attend(pass, query, key, value, bias), packing)))
}

/** Keys and values [B,H,S,K] of a layer's cross-attention. */
type CrossCache = readonly [key: tf.Tensor, value: tf.Tensor]

/** x [B,N,D] or [P,D], mask [B,1,1,S] -> as x */
function crossAttention(pass: Pass, block: string, x: tf.Tensor, cache: CrossCache, mask: tf.Tensor, packing?: Packing): tf.Tensor {
  const name = `${block}.layer.1.EncDecAttention`
  const query = project(pass, `${name}.q`, norm(pass, `${block}.layer.1.layer_norm`, x), packing)
  return tf.add(x, drop(pass, merge(pass, `${name}.o`, attend(pass, query, ...cache, mask), packing)))
}

/** x [..., D] -> [..., D] */
function feedForward(pass: Pass, layer: string, x: tf.Tensor): tf.Tensor {
  const { shape, weights } = pass
  const name = `${layer}.DenseReluDense`
  const h = norm(pass, `${layer}.layer_norm`, x)
  const inner = (part: string) => linear(h, weights[`${name}.${part}.weight`], undefined, { transposeWeight: true }) // [B,N,F]
  const active = shape.isGated ? tf.mul(activate(shape.activation, inner("wi_0")), inner("wi_1")) : activate(shape.activation, inner("wi"))
  return tf.add(x, drop(pass, linear(drop(pass, active), weights[`${name}.wo.weight`], undefined, { transposeWeight: true })))
}

/** T5 does not scale scores by K^-0.5; its initial weights do. query [B,H,N,K], key and value [B,H,M,K], bias for [B,H,N,M] -> [B,H,N,K] */
function attend(pass: Pass, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const scores = tf.add(tf.matMul(query, key, false, true), bias)
  return tf.matMul(drop(pass, tf.softmax(scores)), value)
}

/** x [B,N,D] or, with a packing, [P,D] -> [B,H,N,K] */
function project({ shape, weights }: Pass, name: string, x: tf.Tensor, packing?: Packing): tf.Tensor {
  return splitHeads(linear(x, weights[`${name}.weight`], undefined, { transposeWeight: true }), shape.numHeads, packing)
}

/** x [B,H,N,K] -> [B,N,D] or, with a packing, [P,D] */
function merge({ weights }: Pass, name: string, x: tf.Tensor, packing?: Packing): tf.Tensor {
  return linear(joinHeads(x, packing), weights[`${name}.weight`], undefined, { transposeWeight: true })
}

/** x [..., D] -> [..., V] */
function head(pass: Pass, x: tf.Tensor): tf.Tensor {
  const { shape, weights } = pass
  const scaled = shape.isOutputScaled ? tf.mul(x, shape.modelSize ** -0.5) : x
  return inScope("lm_head", () =>
    linear(scaled, weights[shape.isHeadTied ? "shared.weight" : "lm_head.weight"], undefined, { transposeWeight: true }),
  )
}

function norm(pass: Pass, name: string, x: tf.Tensor): tf.Tensor {
  return rmsNorm(x, pass.weights[`${name}.weight`], pass.shape.normEpsilon)
}

function drop(pass: Pass, x: tf.Tensor): tf.Tensor {
  return dropout(x, pass.rate, pass.random)
}

/** mask [B,S] of ones and zeros -> [B,1,1,S], 0 where there is a token */
function maskScores(mask: tf.Tensor): tf.Tensor {
  const [rows, length] = mask.shape
  return tf.reshape(tf.mul(tf.sub(1, mask), unseen), [rows, 1, 1, length!])
}

/** [1,1,T,T]: nobody sees what comes after */
function causalMask(length: number): tf.Tensor {
  const values = Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? unseen : 0))
  return tf.tensor4d(values, [1, 1, length, length])
}

/**
 * How much nearness counts in each layer, with a mask: the first layer's table may hold for all, and is then read once.
 * @param buckets int32 [N*M]
 * @param mask added to it, for [B,H,N,M]
 * @returns for a layer [B or 1,H,N,M]
 */
function positionBiases(
  pass: Pass,
  stack: "encoder" | "decoder",
  buckets: tf.Tensor,
  [queries, keys]: [number, number],
  mask: tf.Tensor,
): (layer: number) => tf.Tensor {
  const read = (layer: number) => {
    const table = pass.weights[`${stack}.block.${layer}.layer.0.SelfAttention.relative_attention_bias.weight`]
    const bias = inScope(`${stack}.positions`, () =>
      tf.reshape(tf.transpose(embed(table, buckets), [1, 0]), [1, pass.shape.numHeads, queries, keys]),
    )
    return tf.add(bias, mask)
  }
  if (pass.shape.hasBiasPerLayer) return read
  const shared = read(0)
  return () => shared
}

/** int32 [N*N]: the bucket of each query's distance to each key. */
function bucketTable(shape: T5Shape, length: number, isBidirectional: boolean): tf.Tensor {
  const buckets = Int32Array.from({ length: length * length }, (_, i) =>
    relativeBucket(shape, (i % length) - Math.floor(i / length), isBidirectional),
  )
  return tf.tensor1d(buckets, "int32")
}

/**
 * The bucket of a distance, key's place minus query's: half of the buckets for single distances, half for logarithmic ranges up to
 * `relativeMaxDistance`; when bidirectional, half of each for keys that come after.
 */
export function relativeBucket(
  shape: Pick<T5Shape, "relativeBuckets" | "relativeMaxDistance">,
  distance: number,
  isBidirectional: boolean,
): number {
  const buckets = isBidirectional ? shape.relativeBuckets >> 1 : shape.relativeBuckets
  const first = isBidirectional && distance > 0 ? buckets : 0
  const steps = isBidirectional ? Math.abs(distance) : Math.max(0, -distance)
  const exact = buckets >> 1
  if (steps < exact) return first + steps
  // In float32, as transformers computes it: at the borders of ranges the rounding decides.
  const ratio = Math.fround(Math.fround(Math.log(Math.fround(steps / exact))) / Math.fround(Math.log(shape.relativeMaxDistance / exact)))
  return first + Math.min(buckets - 1, exact + Math.trunc(Math.fround(ratio * (buckets - exact))))
}

/**
 * What the decoder needs of a source, computed once: keys and values of every layer's cross-attention.
 * @param inputs inputIds int32 [B,S]; inputMask float32 [B,S]; sourceBuckets int32 [S*S], the bucket of each query's distance to each key
 * @returns crossKey0, crossValue0, crossKey1 ... each [B,H,S,K]
 */
export function t5Encode(shape: T5Shape, inputs: NamedTensors, weights: NamedTensors): NamedTensors {
  return t5CrossCaches(shape, t5EncoderStates(shape, inputs, weights), weights)
}

/** The encoder's states [B,S,D]. @param inputs as for `t5Encode` */
export function t5EncoderStates(shape: T5Shape, inputs: NamedTensors, weights: NamedTensors): tf.Tensor {
  return encode({ shape, weights, rate: 0 }, inputs.inputIds, maskScores(inputs.inputMask), inputs.sourceBuckets)
}

/** The results of `t5Encode`, of the encoder's states [B,S,D]. */
export function t5CrossCaches(shape: T5Shape, encoded: tf.Tensor, weights: NamedTensors): NamedTensors {
  const pass: Pass = { shape, weights, rate: 0 }
  const caches: Record<string, tf.Tensor> = {}
  for (let i = 0; i < shape.numDecoderLayers; i++) [caches[`crossKey${i}`], caches[`crossValue${i}`]] = crossCache(pass, i, encoded)
  return caches
}

/** @param encoded [B,S,D] or, with their packing, [P,D] */
function crossCache(pass: Pass, layer: number, encoded: tf.Tensor, source?: Packing): CrossCache {
  const name = `decoder.block.${layer}.layer.1.EncDecAttention`
  return [project(pass, `${name}.k`, encoded, source), project(pass, `${name}.v`, encoded, source)]
}

/**
 * One step of the decoder: the scores of the next token of B rows with W beams each. The beams of a row share its cache, where beam w
 * writes slot `place * W + w`, and see the slots that `slotMask` lets them; so a beam that goes on from another moves nothing.
 * @param inputs tokens int32 [B,W]; slots int32 [B*H*W, 3], where in [B,H,Z] each new key goes; slotBuckets int32 [Z] or [W,Z], the bucket
 *   of each slot's distance; slotMask float32, 0 or `unseen`, for [B,1,W,Z]; inputMask float32 [B,S]; key0, value0 ... [B,H,Z,K]; crossKey0, crossValue0 ... [B,H,S,K]
 * @returns logits [B*W,V]; nextKey0, nextValue0 ... the caches with the new rows
 */
export function t5DecodeStep(shape: T5Shape, inputs: NamedTensors, weights: NamedTensors): NamedTensors {
  const pass: Pass = { shape, weights, rate: 0 }
  const [rows, beams] = inputs.tokens.shape
  const [slots, queries = 1] = [...inputs.slotBuckets.shape].reverse()
  const buckets = tf.reshape(inputs.slotBuckets, [-1])
  const outputs: Record<string, tf.Tensor> = {}
  let y = embed(weights["shared.weight"], inputs.tokens) // [B,W,D]
  const biasOf = positionBiases(pass, "decoder", buckets, [queries, slots], inputs.slotMask) // [B or 1,H,W,Z]
  const mask = maskScores(inputs.inputMask)
  for (let i = 0; i < shape.numDecoderLayers; i++) {
    const block = `decoder.block.${i}`
    y = inScope(block, () => {
      const name = `${block}.layer.0.SelfAttention`
      const h = norm(pass, `${block}.layer.0.layer_norm`, y)
      const key = scatterRows(inputs[`key${i}`], inputs.slots, project(pass, `${name}.k`, h))
      const value = scatterRows(inputs[`value${i}`], inputs.slots, project(pass, `${name}.v`, h))
      outputs[`nextKey${i}`] = key
      outputs[`nextValue${i}`] = value
      const attended = tf.add(y, merge(pass, `${name}.o`, attend(pass, project(pass, `${name}.q`, h), key, value, biasOf(i))))
      const crossed = crossAttention(pass, block, attended, [inputs[`crossKey${i}`], inputs[`crossValue${i}`]], mask)
      return feedForward(pass, `${block}.layer.2`, crossed)
    })
  }
  const states = norm(pass, "decoder.final_layer_norm", tf.reshape(y, [rows * beams!, shape.modelSize]))
  outputs.logits = head(pass, states)
  return outputs
}
