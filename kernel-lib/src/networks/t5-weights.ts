// The weights that a T5 of a given shape has, under transformers' names, and how T5 draws them before training.
import type { T5Shape } from "./t5"

export interface WeightSpec {
  readonly name: string
  readonly shape: readonly number[]
  /** Standard deviation of the first values; 0 for gains, which start at 1. */
  readonly deviation: number
}

/**
 * How far the first position biases lie apart. T5's own D^-0.5 suits a million steps: a few hundred cannot move a bias by the units that
 * it takes to look at one neighbour. Drawn wide, some head looks at each from the start (8 heads learn dates in 280 steps, not 900).
 */
const positionDeviation = 2.5

/**
 * Every weight of the network, once each. Deviations are those of T5's own code (a projection's result has the variance of what goes in,
 * and queries make up for the scores' missing K^-0.5), but for the positions, and for a head of its own, whose first scores should be small.
 */
export function listT5Weights(shape: T5Shape): WeightSpec[] {
  const { vocabularySize, modelSize, headSize, feedForwardSize, numHeads } = shape
  const innerSize = numHeads * headSize
  const matrix = (name: string, outputs: number, inputs: number, deviation: number): WeightSpec => ({
    name: `${name}.weight`,
    shape: [outputs, inputs],
    deviation,
  })
  const gain = (name: string): WeightSpec => ({ name: `${name}.weight`, shape: [modelSize], deviation: 0 })
  const attention = (name: string): WeightSpec[] => [
    matrix(`${name}.q`, innerSize, modelSize, (modelSize * headSize) ** -0.5),
    matrix(`${name}.k`, innerSize, modelSize, modelSize ** -0.5),
    matrix(`${name}.v`, innerSize, modelSize, modelSize ** -0.5),
    matrix(`${name}.o`, modelSize, innerSize, innerSize ** -0.5),
  ]
  const feedForward = (layer: string): WeightSpec[] => [
    gain(`${layer}.layer_norm`),
    ...(shape.isGated ? ["wi_0", "wi_1"] : ["wi"]).map((part) =>
      matrix(`${layer}.DenseReluDense.${part}`, feedForwardSize, modelSize, modelSize ** -0.5),
    ),
    matrix(`${layer}.DenseReluDense.wo`, modelSize, feedForwardSize, feedForwardSize ** -0.5),
  ]
  const stack = (name: string, numLayers: number): WeightSpec[] => [
    ...Array.from({ length: numLayers }, (_, i) => `${name}.block.${i}.layer`).flatMap((layer, i) => [
      ...(i === 0 || shape.hasBiasPerLayer
        ? [matrix(`${layer}.0.SelfAttention.relative_attention_bias`, shape.relativeBuckets, numHeads, positionDeviation)]
        : []),
      gain(`${layer}.0.layer_norm`),
      ...attention(`${layer}.0.SelfAttention`),
      ...(name === "decoder" ? [gain(`${layer}.1.layer_norm`), ...attention(`${layer}.1.EncDecAttention`)] : []),
      ...feedForward(`${layer}.${name === "decoder" ? 2 : 1}`),
    ]),
    gain(`${name}.final_layer_norm`),
  ]
  return [
    matrix("shared", vocabularySize, modelSize, 1),
    ...stack("encoder", shape.numEncoderLayers),
    ...stack("decoder", shape.numDecoderLayers),
    ...(shape.isHeadTied ? [] : [matrix("lm_head", vocabularySize, modelSize, modelSize ** -0.5)]),
  ]
}

/** The first values of a weight, from a stream of standard normal numbers. `factor` is transformers' `initializer_factor`. */
export function drawT5Weight({ shape, deviation }: WeightSpec, stream: { normal(): number }, factor = 1): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  if (deviation === 0) return values.fill(factor)
  for (let i = 0; i < values.length; i++) values[i] = stream.normal() * deviation * factor
  return values
}
