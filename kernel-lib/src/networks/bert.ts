// BERT (Devlin et al. 2019, arXiv 1810.04805) as transformers runs it, and the encoders that differ in names and details: RoBERTa and
// XLM-RoBERTa (positions counted from the padding id), DistilBERT (no token types, a head of its own), MPNet (position biases as T5's),
// ELECTRA (embeddings that may be smaller than the model).
// Heads: a label of the whole text, or the span of the text that answers a question. Weights lie as transformers stores them: [outputs, inputs].
//
// In shapes: B rows, S tokens, D model, H heads, K numbers a head, F feed-forward, N labels.
import * as tf from "@tensorflow/tfjs-core"
import { dropout, embed, inScope, layerNorm, linear, type NamedTensors, type RandomStream, softmaxCrossEntropy } from "../engine"
import { type Activation, activate } from "./activation"
import { type BertNaming, nameClassifier, nameLayer, projectionLayer, spanLayer } from "./bert-names"

/** The shape of a BERT. */
export interface BertShape {
  readonly naming: BertNaming
  /** What stands before the names of the encoder's weights: `bert.` under a head, nothing in an encoder alone. */
  readonly prefix: string
  readonly vocabularySize: number
  /** `hidden_size` */
  readonly modelSize: number
  /** `embedding_size`, where a layer brings embeddings to the model's size. */
  readonly embeddingSize?: number
  /** `intermediate_size` */
  readonly feedForwardSize: number
  readonly numHeads: number
  readonly numLayers: number
  /** Rows of the table of positions. */
  readonly numPositions: number
  /** Whether positions count from the one after the padding id's (RoBERTa, MPNet), not from 0. */
  readonly countsFromPadding: boolean
  readonly padId: number
  /** 0 where there is no table of token types. */
  readonly numTokenTypes: number
  /** Rows of MPNet's table of position biases; 0 where there is none. */
  readonly relativeBuckets: number
  readonly normEpsilon: number
  readonly activation: Activation
  readonly head: BertHead
}

export type BertHead =
  | { readonly kind: "none" }
  /** A score for each of N labels. */
  | { readonly kind: "labels"; readonly numLabels: number }
  /** Two scores for each token: as the start, as the end. */
  | { readonly kind: "span" }

/** What share is dropped where: in the encoder's sums, of the attention, before the head. */
export interface BertDropout {
  readonly hidden: number
  readonly attention: number
  readonly head: number
}

export const noDropout: BertDropout = { hidden: 0, attention: 0, head: 0 }

/** A network with its weights, and what it needs to drop out in training. */
interface Pass {
  readonly shape: BertShape
  readonly weights: NamedTensors
  readonly rates: BertDropout
  readonly random?: RandomStream
}

/** Added to the scores of what may not be seen or chosen. */
export const unseen = -1e9

/** What MPNet's code has fixed: into how many buckets distances fall, and how far they reach. */
export const mpnetBuckets = { relativeBuckets: 32, relativeMaxDistance: 128 } as const

/** The most tokens of a text that a shape has positions for. */
export function countPlaces({ numPositions, countsFromPadding, padId }: BertShape): number {
  return countsFromPadding ? numPositions - padId - 1 : numPositions
}

/** Rows of the table of positions for a text's `ids`, as transformers counts: RoBERTa leaves out the padding id, which keeps its own. */
export function listPositions({ countsFromPadding, padId }: BertShape, ids: ArrayLike<number>): Int32Array {
  let last = padId
  return Int32Array.from(ids, (id, place) => {
    if (!countsFromPadding) return place
    return id === padId ? padId : ++last
  })
}

/**
 * The mean cross-entropy of the rows' labels.
 * @param inputs as for `bertStates`, and labels int32 [B] (-100: ignored)
 * @returns a scalar
 */
export function bertLabelLoss(shape: BertShape, inputs: NamedTensors, weights: NamedTensors, rates = noDropout, random?: RandomStream) {
  const logits = bertLabelLogits(shape, inputs, weights, rates, random)
  return inScope("loss", () => softmaxCrossEntropy(logits, inputs.labels))
}

/**
 * The scores of every label.
 * @param inputs as for `bertStates`
 * @returns [B,N]
 */
export function bertLabelLogits(
  shape: BertShape,
  inputs: NamedTensors,
  weights: NamedTensors,
  rates = noDropout,
  random?: RandomStream,
): tf.Tensor {
  const states = bertStates(shape, inputs, weights, rates, random)
  const [inner, outer] = nameClassifier(shape.naming, shape.prefix)
  const drop = (x: tf.Tensor) => dropout(x, rates.head, random)
  const isDroppedFirst = shape.naming !== "bert" && shape.naming !== "distilbert"
  return inScope("classifier", () => {
    const first = firstState(states)
    const h = connect(weights, inner, isDroppedFirst ? drop(first) : first) // [B,D]
    return connect(weights, outer, drop(activate(headActivations[shape.naming] ?? "tanh", h)))
  })
}

/** Between the layers of a classifier; tanh where nothing is said. */
const headActivations: Readonly<Partial<Record<BertNaming, Activation>>> = { distilbert: "relu", electra: "gelu" }

/**
 * The mean of the cross-entropies of the answers' first and last tokens. Scores of padding do not count, so that a row's loss is the same
 * in every batch; transformers counts them.
 * @param inputs as for `bertStates`, and starts and ends int32 [B] (-100: ignored)
 * @returns a scalar
 */
export function bertSpanLoss(shape: BertShape, inputs: NamedTensors, weights: NamedTensors, rates = noDropout, random?: RandomStream) {
  const { starts, ends } = bertSpanLogits(shape, inputs, weights, rates, random)
  return inScope("loss", () => {
    const padding = tf.mul(tf.sub(1, inputs.inputMask), unseen)
    const loss = (logits: tf.Tensor, places: tf.Tensor) => softmaxCrossEntropy(tf.add(logits, padding), places)
    return tf.mul(tf.add(loss(starts, inputs.starts), loss(ends, inputs.ends)), 0.5)
  })
}

/**
 * How well each token begins and ends the answer.
 * @param inputs as for `bertStates`
 * @returns each [B,S]
 */
export function bertSpanLogits(
  shape: BertShape,
  inputs: NamedTensors,
  weights: NamedTensors,
  rates = noDropout,
  random?: RandomStream,
): { readonly starts: tf.Tensor; readonly ends: tf.Tensor } {
  const [rows, length] = inputs.inputIds.shape
  const states = bertStates(shape, inputs, weights, rates, random)
  const scores = inScope("span", () => connect(weights, spanLayer, states)) // [B,S,2]
  const column = (at: number) => tf.reshape(tf.slice(scores, [0, 0, at], [rows, length!, 1]), [rows, length!])
  return { starts: column(0), ends: column(1) }
}

/**
 * The encoder's states.
 * @param inputs inputIds int32 [B,S], padded on the right; inputMask float32 [B,S] (1 where there is a token); positions int32 [B or 1,S],
 *   rows of the table of positions; tokenTypes int32 [B,S] (default: 0 everywhere); for MPNet buckets int32 [S,S], of each query's
 *   distance to each key
 * @returns [B,S,D]
 */
export function bertStates(
  shape: BertShape,
  inputs: NamedTensors,
  weights: NamedTensors,
  rates = noDropout,
  random?: RandomStream,
): tf.Tensor {
  const pass: Pass = { shape, weights, rates, random }
  const [rows, length] = inputs.inputIds.shape
  let x = inScope("embeddings", () => embedTokens(pass, inputs))
  const padding = tf.reshape(tf.mul(tf.sub(1, inputs.inputMask), unseen), [rows, 1, 1, length!])
  const bias = shape.relativeBuckets > 0 ? tf.add(padding, positionBias(pass, inputs.buckets)) : padding
  for (let i = 0; i < shape.numLayers; i++) x = inScope(`layer.${i}`, () => encodeLayer(pass, i, x, bias))
  return x
}

/** ids [B,S] -> [B,S,D] */
function embedTokens(pass: Pass, inputs: NamedTensors): tf.Tensor {
  const { shape, weights } = pass
  const table = (name: string) => weights[`${shape.prefix}embeddings.${name}_embeddings.weight`]
  let x = embed(table("word"), inputs.inputIds)
  if (shape.numTokenTypes > 0) {
    const types = table("token_type")
    x = tf.add(x, "tokenTypes" in inputs ? embed(types, inputs.tokenTypes) : tf.slice(types, [0, 0], [1, types.shape[1]!]))
  }
  x = tf.add(x, embed(table("position"), inputs.positions))
  const embedded = drop(pass, norm(pass, `${shape.prefix}embeddings.LayerNorm`, x))
  return shape.embeddingSize === undefined ? embedded : connect(weights, `${shape.prefix}${projectionLayer}`, embedded)
}

/** x [B,S,D], bias [B,1 or H,1 or S,S] -> [B,S,D] */
function encodeLayer(pass: Pass, layer: number, x: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const { shape, weights } = pass
  const names = nameLayer(shape.naming, shape.prefix, layer)
  const [query, key, value] = [names.query, names.key, names.value].map((name) => project(pass, name, x))
  const attended = connect(weights, names.merge, merge(attend(pass, query, key, value, bias)))
  const y = norm(pass, names.attentionNorm, tf.add(drop(pass, attended), x))
  const active = activate(shape.activation, connect(weights, names.widen, y)) // [B,S,F]
  return norm(pass, names.norm, tf.add(drop(pass, connect(weights, names.narrow, active)), y))
}

/** query, key, value [B,H,S,K] -> [B,H,S,K] */
function attend(pass: Pass, query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  const scores = tf.mul(tf.matMul(query, key, false, true), query.shape[3]! ** -0.5)
  return tf.matMul(dropout(tf.softmax(tf.add(scores, bias)), pass.rates.attention, pass.random), value)
}

/** x [B,S,D] -> [B,H,S,K] */
function project({ shape, weights }: Pass, name: string, x: tf.Tensor): tf.Tensor {
  const [rows, length] = x.shape
  const split = tf.reshape(connect(weights, name, x), [rows, length!, shape.numHeads, shape.modelSize / shape.numHeads])
  return tf.transpose(split, [0, 2, 1, 3])
}

/** x [B,H,S,K] -> [B,S,D] */
function merge(x: tf.Tensor): tf.Tensor {
  const [rows, heads, length, size] = x.shape
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [rows, length!, heads! * size!])
}

/** How much nearness counts in MPNet, in all layers alike. buckets int32 [S,S] -> [1,H,S,S] */
function positionBias({ shape, weights }: Pass, buckets: tf.Tensor): tf.Tensor {
  const [queries, keys] = buckets.shape
  const biases = embed(weights[`${shape.prefix}encoder.relative_attention_bias.weight`], buckets) // [S,S,H]
  return tf.reshape(tf.transpose(biases, [2, 0, 1]), [1, shape.numHeads, queries, keys!])
}

/** x [..., inputs] -> [..., outputs] */
function connect(weights: NamedTensors, name: string, x: tf.Tensor): tf.Tensor {
  return linear(x, weights[`${name}.weight`], weights[`${name}.bias`], { transposeWeight: true })
}

function norm({ shape, weights }: Pass, name: string, x: tf.Tensor): tf.Tensor {
  return layerNorm(x, weights[`${name}.weight`], weights[`${name}.bias`], shape.normEpsilon)
}

function drop({ rates, random }: Pass, x: tf.Tensor): tf.Tensor {
  return dropout(x, rates.hidden, random)
}

/** x [B,S,D] -> [B,D] */
function firstState(x: tf.Tensor): tf.Tensor {
  const [rows, , width] = x.shape
  return tf.reshape(tf.slice(x, [0, 0, 0], [rows, 1, width!]), [rows, width!])
}
