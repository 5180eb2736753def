// GPT-2 (Radford et al. 2019) as transformers' GPT2LMHeadModel runs it. Weights carry transformers' names and lie as it stores them, which
// for its Conv1D layers is [inputs, outputs].
//
// In shapes: B rows, T tokens, Q of all rows together, P places whose next token is wanted, D model, H heads, K numbers a head, F feed-forward, V vocabulary,
// W beams, Z cache slots.
import * as tf from "@tensorflow/tfjs-core"
import {
  dropout,
  embed,
  inScope,
  layerNorm,
  linear,
  type NamedTensors,
  type RandomStream,
  scatterRows,
  softmaxCrossEntropy,
} from "../engine"
import { type Activation, activate } from "./activation"
import { attendGrouped, causalMask, pickPlaces, type Remember, rememberNothing } from "./causal"
import { joinHeads, type Packing, readPacking, splitHeads } from "./packing"

/** The shape of a GPT-2, in transformers' words. */
export interface Gpt2Shape {
  readonly vocabularySize: number
  /** `n_embd` */
  readonly modelSize: number
  /** `n_layer` */
  readonly numLayers: number
  /** `n_head` */
  readonly numHeads: number
  /** `n_inner` */
  readonly feedForwardSize: number
  /** `n_positions`: the longest text, in tokens. */
  readonly maxPositions: number
  readonly normEpsilon: number
  readonly activation: Activation
  /** Whether scores are scaled by K^-0.5. */
  readonly isScoreScaled: boolean
  /** Whether they are divided by the number of the layer, too. */
  readonly isScoreScaledByLayer: boolean
  /** Whether the head is the embedding. */
  readonly isHeadTied: boolean
}

/** A network with its weights, and what it needs to drop out in training. */
interface Pass {
  readonly shape: Gpt2Shape
  readonly weights: NamedTensors
  readonly rate: number
  readonly random?: RandomStream
}

/**
 * The mean cross-entropy of the wanted tokens.
 * @param inputs as for `gpt2Logits`, and labels int32 [P], the wanted tokens (-100: ignored)
 * @returns a scalar
 */
export function gpt2Loss(shape: Gpt2Shape, inputs: NamedTensors, weights: NamedTensors, rate = 0, random?: RandomStream): tf.Tensor {
  const logits = gpt2Logits(shape, inputs, weights, rate, random)
  return inScope("loss", () => softmaxCrossEntropy(logits, inputs.labels))
}

/**
 * The scores of every next token at the wanted places alone: the head, which is as wide as the vocabulary, passes over the others.
 * @param inputs rows behind each other, as `readPacking` reads them: inputIds int32 [Q] and their positions int32 [Q], places int32 [Q],
 *   tokens int32 [B,T]; lossPlaces int32 [P], the tokens whose next one is wanted
 * @returns [P,V]
 */
export function gpt2Logits(shape: Gpt2Shape, inputs: NamedTensors, weights: NamedTensors, rate = 0, random?: RandomStream): tf.Tensor {
  const pass: Pass = { shape, weights, rate, random }
  const packing = readPacking(inputs.places, inputs.tokens, [shape.numHeads, 3 * shape.numHeads])
  const x = drop(pass, embedTokens(pass, inputs.inputIds, inputs.positions))
  const states = blocks(pass, x, causalMask(packing.grid[1]), rememberNothing, packing)
  return head(pass, pickPlaces(states, inputs.lossPlaces))
}

/**
 * Reads whole prompts.
 * @param inputs inputIds int32 [B,T], padded on the right; positions int32 [B,T]; mask float32 [1,1,T,T], 0 or `unseen`; ends int32 [B],
 *   the place (row * T + t) of each row's last token
 * @returns logits [B,V] after the last tokens; key0, value0, key1 ... each [B,H,T,K]
 */
export function gpt2Prefill(shape: Gpt2Shape, inputs: NamedTensors, weights: NamedTensors): NamedTensors {
  const pass: Pass = { shape, weights, rate: 0 }
  const outputs: Record<string, tf.Tensor> = {}
  const x = embedTokens(pass, inputs.inputIds, inputs.positions)
  const states = blocks(pass, x, inputs.mask, (layer, key, value) => {
    outputs[`key${layer}`] = key
    outputs[`value${layer}`] = value
    return [key, value]
  })
  return { ...outputs, logits: head(pass, pickPlaces(states, inputs.ends)) }
}

/**
 * One step: the scores of the next token of B rows with W beams each. The beams of a row share its cache and see the slots that
 * `slotMask` lets them, so that a beam that goes on from another moves nothing.
 * @param inputs tokens int32 [B,W] and their positions int32 [B,W]; slots int32 [B*H*W, 3], where in [B,H,Z] each new key goes; slotMask
 *   float32, 0 or `unseen`, for [B,1,W,Z]; key0, value0 ... [B,H,Z,K]
 * @returns logits [B*W,V]; nextKey0, nextValue0 ... the caches with the new rows
 */
export function gpt2DecodeStep(shape: Gpt2Shape, inputs: NamedTensors, weights: NamedTensors): NamedTensors {
  const pass: Pass = { shape, weights, rate: 0 }
  const [rows, beams] = inputs.tokens.shape as [number, number]
  const outputs: Record<string, tf.Tensor> = {}
  const x = embedTokens(pass, inputs.tokens, inputs.positions)
  const states = blocks(pass, x, inputs.slotMask, (layer, key, value) => {
    outputs[`nextKey${layer}`] = scatterRows(inputs[`key${layer}`], inputs.slots, key)
    outputs[`nextValue${layer}`] = scatterRows(inputs[`value${layer}`], inputs.slots, value)
    return [outputs[`nextKey${layer}`], outputs[`nextValue${layer}`]]
  })
  return { ...outputs, logits: head(pass, tf.reshape(states, [rows * beams, shape.modelSize])) }
}

/** ids and positions [...] -> [..., D] */
function embedTokens({ weights }: Pass, ids: tf.Tensor, positions: tf.Tensor): tf.Tensor {
  return tf.add(embed(weights["transformer.wte.weight"], ids), embed(weights["transformer.wpe.weight"], positions))
}

/** x [B,N,D] or, with a packing, [Q,D], mask for [B,H,N,M] -> as x */
function blocks(pass: Pass, x: tf.Tensor, mask: tf.Tensor, remember: Remember, packing?: Packing): tf.Tensor {
  for (let i = 0; i < pass.shape.numLayers; i++) {
    const block = `transformer.h.${i}`
    x = inScope(block, () => feedForward(pass, block, selfAttention(pass, i, x, mask, remember, packing)))
  }
  return x
}

/** x [B,N,D] or, with a packing, [Q,D], mask for [B,H,N,M] -> as x */
function selfAttention(pass: Pass, layer: number, x: tf.Tensor, mask: tf.Tensor, remember: Remember, packing?: Packing): tf.Tensor {
  const { modelSize, numHeads, isScoreScaled, isScoreScaledByLayer } = pass.shape
  const block = `transformer.h.${layer}`
  const scale = (isScoreScaled ? (modelSize / numHeads) ** -0.5 : 1) / (isScoreScaledByLayer ? layer + 1 : 1)
  const joint = convolve(pass, `${block}.attn.c_attn`, norm(pass, `${block}.ln_1`, x))
  const [query, key, value] = tf.split(splitHeads(joint, 3 * numHeads, packing), 3, 1) // [B,H,N,K]
  const [keys, values] = remember(layer, key, value)
  const mixed = attendGrouped(query, keys, values, mask, scale, (weights) => drop(pass, weights))
  return tf.add(x, drop(pass, convolve(pass, `${block}.attn.c_proj`, joinHeads(mixed, packing))))
}

/** x [..., D] -> [..., D] */
function feedForward(pass: Pass, block: string, x: tf.Tensor): tf.Tensor {
  const inner = convolve(pass, `${block}.mlp.c_fc`, norm(pass, `${block}.ln_2`, x)) // [B,N,F]
  return tf.add(x, drop(pass, convolve(pass, `${block}.mlp.c_proj`, activate(pass.shape.activation, inner))))
}

/** x [..., D] -> [..., V] */
function head(pass: Pass, x: tf.Tensor): tf.Tensor {
  const { shape, weights } = pass
  const states = norm(pass, "transformer.ln_f", x)
  const table = weights[shape.isHeadTied ? "transformer.wte.weight" : "lm_head.weight"]
  return inScope("lm_head", () => linear(states, table, undefined, { transposeWeight: true }))
}

/** transformers' Conv1D: a fully connected layer. */
function convolve({ weights }: Pass, name: string, x: tf.Tensor): tf.Tensor {
  return linear(x, weights[`${name}.weight`], weights[`${name}.bias`])
}

function norm({ weights, shape }: Pass, name: string, x: tf.Tensor): tf.Tensor {
  return layerNorm(x, weights[`${name}.weight`], weights[`${name}.bias`], shape.normEpsilon)
}

function drop({ rate, random }: Pass, x: tf.Tensor): tf.Tensor {
  return dropout(x, rate, random)
}
