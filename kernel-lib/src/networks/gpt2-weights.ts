// The weights that a GPT-2 of a given shape has, under transformers' names, and how transformers draws them before training.
import type { Gpt2Shape } from "./gpt2"
import { bias, gain, type InitialWeight, matrix } from "./initial-weights"

/**
 * Every weight of the network, once each.
 * @param deviation transformers' `initializer_range`; what a layer adds to the sum of all is drawn smaller, the more layers there are
 */
export function listGpt2Weights(shape: Gpt2Shape, deviation = 0.02): InitialWeight[] {
  const { vocabularySize, modelSize, feedForwardSize, maxPositions, numLayers, isHeadTied } = shape
  const residualDeviation = deviation / Math.sqrt(2 * numLayers)
  const norm = (name: string) => [gain(name, modelSize), bias(name, modelSize)]
  const convolution = (name: string, inputs: number, outputs: number, deviation: number) => [
    matrix(name, [inputs, outputs], deviation),
    bias(name, outputs),
  ]
  const block = (name: string) => [
    ...norm(`${name}.ln_1`),
    ...convolution(`${name}.attn.c_attn`, modelSize, 3 * modelSize, deviation),
    ...convolution(`${name}.attn.c_proj`, modelSize, modelSize, residualDeviation),
    ...norm(`${name}.ln_2`),
    ...convolution(`${name}.mlp.c_fc`, modelSize, feedForwardSize, deviation),
    ...convolution(`${name}.mlp.c_proj`, feedForwardSize, modelSize, residualDeviation),
  ]
  return [
    matrix("transformer.wte", [vocabularySize, modelSize], deviation),
    matrix("transformer.wpe", [maxPositions, modelSize], deviation),
    ...Array.from({ length: numLayers }, (_, i) => block(`transformer.h.${i}`)).flat(),
    ...norm("transformer.ln_f"),
    ...(isHeadTied ? [] : [matrix("lm_head", [vocabularySize, modelSize], deviation)]),
  ]
}
