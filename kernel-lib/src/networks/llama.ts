// The Llama family (Touvron et al. 2023, arXiv 2302.13971) as transformers runs it: Llama and SmolLM2, Qwen2 (biases on queries, keys and
// values), Qwen3 (norms of queries and keys), SmolLM3 (layers without positions), Mistral. Weights carry transformers' names and lie as it
// stores them: [outputs, inputs].
//
// In shapes: B rows, T tokens, Q of all rows together, P places whose next token is wanted, D model, H query heads, G key heads, K numbers a head, F feed-forward,
// V vocabulary, W beams, Z cache slots.
import * as tf from "@tensorflow/tfjs-core"
import { dropout, embed, inScope, linear, type NamedTensors, type RandomStream, rmsNorm, scatterRows, softmaxCrossEntropy } from "../engine"
import { type Activation, activate } from "./activation"
import { attendGrouped, causalMask, pickPlaces, type Remember, rememberNothing, repeatMask } from "./causal"
import { joinHeads, type Packing, readPacking, splitHeads } from "./packing"
import { type RotaryShape, type Turns, turn, turnsOfLength, turnsOfPositions } from "./rotary"

/** The shape of a Llama, in transformers' words. */
export interface LlamaShape {
  readonly vocabularySize: number
  /** `hidden_size` */
  readonly modelSize: number
  /** `head_dim` */
  readonly headSize: number
  /** `intermediate_size` */
  readonly feedForwardSize: number
  /** `num_attention_heads` */
  readonly numHeads: number
  /** `num_key_value_heads`: each is shared by as many query heads. */
  readonly numKeyHeads: number
  readonly numLayers: number
  /** The longest text that the numbers are right for, in tokens, where there is one: of dynamic positions, of a sliding window. */
  readonly longestText?: number
  readonly normEpsilon: number
  readonly activation: Activation
  readonly rotary: RotaryShape
  /** Whether queries, keys and values have a bias. */
  readonly hasQueryBias: boolean
  /** Whether attention's result has one. */
  readonly hasOutputBias: boolean
  readonly hasFeedForwardBias: boolean
  /** Whether each head's queries and keys are normed before they turn. Default false. */
  readonly hasHeadNorms?: boolean
  /** The layers, from 0 on, whose heads do not turn. Default: none. */
  readonly unturnedLayers?: readonly number[]
  /** Whether the head is the embedding. */
  readonly isHeadTied: boolean
}

/** A network with its weights, and what it needs to drop out in training. */
interface Pass {
  readonly shape: LlamaShape
  readonly weights: NamedTensors
  readonly rate: number
  readonly random?: RandomStream
}

/** What a layer has to know of its tokens: how far their heads are turned, and whom they see, for [B,G,(H/G)*N,M]. */
interface Places {
  readonly turns: Turns
  readonly mask: tf.Tensor
  /** Where rows stand behind each other. */
  readonly packing?: Packing
}

/**
 * The mean cross-entropy of the wanted tokens.
 * @param inputs as for `llamaLogits`, and labels int32 [P], the wanted tokens (-100: ignored)
 * @param rate of dropout, which Llama has on attention's weights only
 * @returns a scalar
 */
export function llamaLoss(shape: LlamaShape, inputs: NamedTensors, weights: NamedTensors, rate = 0, random?: RandomStream): tf.Tensor {
  const logits = llamaLogits(shape, inputs, weights, rate, random)
  return inScope("loss", () => softmaxCrossEntropy(logits, inputs.labels))
}

/**
 * The scores of every next token at the wanted places alone: the head, which is as wide as the vocabulary, passes over the others.
 * @param inputs rows behind each other, as `readPacking` reads them: inputIds int32 [Q], places int32 [Q], tokens int32 [B,T]; lossPlaces
 *   int32 [P], the tokens whose next one is wanted
 * @returns [P,V]
 */
export function llamaLogits(shape: LlamaShape, inputs: NamedTensors, weights: NamedTensors, rate = 0, random?: RandomStream): tf.Tensor {
  const pass: Pass = { shape, weights, rate, random }
  const { rotary, headSize, numHeads, numKeyHeads } = shape
  const packing = readPacking(inputs.places, inputs.tokens, [numHeads, numKeyHeads])
  const [, length] = packing.grid
  const mask = repeatMask(causalMask(length), numHeads / numKeyHeads)
  const places: Places = { turns: turnsOfLength(rotary, headSize, length), mask, packing }
  return head(pass, pickPlaces(layers(pass, inputs.inputIds, places, rememberNothing), inputs.lossPlaces))
}

/**
 * Reads whole prompts.
 * @param inputs inputIds int32 [B,T], padded on the right; positions int32 [B,T]; mask float32 [1,1,T,T], 0 or `unseen`; ends int32 [B],
 *   the place (row * T + t) of each row's last token
 * @returns logits [B,V] after the last tokens; key0, value0, key1 ... each [B,G,T,K], keys turned
 */
export function llamaPrefill(shape: LlamaShape, inputs: NamedTensors, weights: NamedTensors): NamedTensors {
  const pass: Pass = { shape, weights, rate: 0 }
  const outputs: Record<string, tf.Tensor> = {}
  const places = placesOf(shape, inputs.positions, inputs.mask)
  const states = layers(pass, inputs.inputIds, places, (layer, key, value) => {
    outputs[`key${layer}`] = key
    outputs[`value${layer}`] = value
    return [key, value]
  })
  return { ...outputs, logits: head(pass, pickPlaces(states, inputs.ends)) }
}

/**
 * One step: the scores of the next token of B rows with W beams each. The beams of a row share its cache and see the slots that
 * `slotMask` lets them, so that a beam that goes on from another moves nothing.
 * @param inputs tokens int32 [B,W] and their positions int32 [B,W]; slots int32 [B*G*W, 3], where in [B,G,Z] each new key goes; slotMask
 *   float32, 0 or `unseen`, for [B,1,W,Z]; key0, value0 ... [B,G,Z,K]
 * @returns logits [B*W,V]; nextKey0, nextValue0 ... the caches with the new rows
 */
export function llamaDecodeStep(shape: LlamaShape, inputs: NamedTensors, weights: NamedTensors): NamedTensors {
  const pass: Pass = { shape, weights, rate: 0 }
  const [rows, beams] = inputs.tokens.shape as [number, number]
  const outputs: Record<string, tf.Tensor> = {}
  const places = placesOf(shape, inputs.positions, inputs.slotMask)
  const states = layers(pass, inputs.tokens, places, (layer, key, value) => {
    outputs[`nextKey${layer}`] = scatterRows(inputs[`key${layer}`], inputs.slots, key)
    outputs[`nextValue${layer}`] = scatterRows(inputs[`value${layer}`], inputs.slots, value)
    return [outputs[`nextKey${layer}`], outputs[`nextValue${layer}`]]
  })
  return { ...outputs, logits: head(pass, tf.reshape(states, [rows * beams, shape.modelSize])) }
}

/** positions [B,N], mask for [B,1,N,M] */
function placesOf({ rotary, headSize, numHeads, numKeyHeads }: LlamaShape, positions: tf.Tensor, mask: tf.Tensor): Places {
  return { turns: turnsOfPositions(rotary, headSize, positions), mask: repeatMask(mask, numHeads / numKeyHeads) }
}

/** ids [B,N] or, with a packing, [Q] -> [B,N,D] or [Q,D] */
function layers(pass: Pass, ids: tf.Tensor, places: Places, remember: Remember): tf.Tensor {
  let x = embed(pass.weights["model.embed_tokens.weight"], ids)
  for (let i = 0; i < pass.shape.numLayers; i++) {
    const layer = `model.layers.${i}`
    x = inScope(layer, () => feedForward(pass, layer, selfAttention(pass, i, x, places, remember)))
  }
  return x
}

/** x [B,N,D] or, with a packing, [Q,D] -> as x */
function selfAttention(pass: Pass, layer: number, x: tf.Tensor, { turns, mask, packing }: Places, remember: Remember): tf.Tensor {
  const { numHeads, numKeyHeads, headSize, hasQueryBias, hasOutputBias } = pass.shape
  const name = `model.layers.${layer}.self_attn`
  const h = norm(pass, `model.layers.${layer}.input_layernorm`, x)
  const split = (part: string, heads: number) => splitHeads(project(pass, `${name}.${part}`, h, hasQueryBias), heads, packing)
  const normed = (part: string, x: tf.Tensor) => (pass.shape.hasHeadNorms ? norm(pass, `${name}.${part}`, x) : x)
  const turned = (x: tf.Tensor) => (pass.shape.unturnedLayers?.includes(layer) ? x : turn(x, turns))
  const query = turned(normed("q_norm", split("q_proj", numHeads))) // [B,H,N,K]
  const key = turned(normed("k_norm", split("k_proj", numKeyHeads))) // [B,G,N,K]
  const [keys, values] = remember(layer, key, split("v_proj", numKeyHeads)) // [B,G,M,K]
  const mixed = attendGrouped(query, keys, values, mask, headSize ** -0.5, (weights) => dropout(weights, pass.rate, pass.random))
  return tf.add(x, project(pass, `${name}.o_proj`, joinHeads(mixed, packing), hasOutputBias))
}

/** x [..., D] -> [..., D] */
function feedForward(pass: Pass, layer: string, x: tf.Tensor): tf.Tensor {
  const { hasFeedForwardBias } = pass.shape
  const h = norm(pass, `${layer}.post_attention_layernorm`, x)
  const gate = activate(pass.shape.activation, project(pass, `${layer}.mlp.gate_proj`, h, hasFeedForwardBias)) // [B,N,F]
  const gated = tf.mul(gate, project(pass, `${layer}.mlp.up_proj`, h, hasFeedForwardBias))
  return tf.add(x, project(pass, `${layer}.mlp.down_proj`, gated, hasFeedForwardBias))
}

/** x [..., D] -> [..., V] */
function head(pass: Pass, x: tf.Tensor): tf.Tensor {
  const states = norm(pass, "model.norm", x)
  const table = pass.weights[pass.shape.isHeadTied ? "model.embed_tokens.weight" : "lm_head.weight"]
  return inScope("lm_head", () => linear(states, table, undefined, { transposeWeight: true }))
}

function project({ weights }: Pass, name: string, x: tf.Tensor, hasBias: boolean): tf.Tensor {
  return linear(x, weights[`${name}.weight`], hasBias ? weights[`${name}.bias`] : undefined, { transposeWeight: true })
}

function norm({ weights, shape }: Pass, name: string, x: tf.Tensor): tf.Tensor {
  return rmsNorm(x, weights[`${name}.weight`], shape.normEpsilon)
}
