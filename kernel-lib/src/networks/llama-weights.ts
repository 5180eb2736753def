// The weights that a network of the Llama family has, under transformers' names, and how transformers draws them before training.
import { bias, gain, type InitialWeight, matrix } from "./initial-weights"
import type { LlamaShape } from "./llama"

/**
 * Every weight of the network, once each.
 * @param deviation transformers' `initializer_range`
 */
export function listLlamaWeights(shape: LlamaShape, deviation = 0.02): InitialWeight[] {
  const { vocabularySize, modelSize, headSize, numHeads, numKeyHeads, feedForwardSize, numLayers } = shape
  const projection = (name: string, outputs: number, inputs: number, hasBias: boolean) => [
    matrix(name, [outputs, inputs], deviation),
    ...(hasBias ? [bias(name, outputs)] : []),
  ]
  const layer = (name: string) => [
    gain(`${name}.input_layernorm`, modelSize),
    ...projection(`${name}.self_attn.q_proj`, numHeads * headSize, modelSize, shape.hasQueryBias),
    ...projection(`${name}.self_attn.k_proj`, numKeyHeads * headSize, modelSize, shape.hasQueryBias),
    ...projection(`${name}.self_attn.v_proj`, numKeyHeads * headSize, modelSize, shape.hasQueryBias),
    ...projection(`${name}.self_attn.o_proj`, modelSize, numHeads * headSize, shape.hasOutputBias),
    ...(shape.hasHeadNorms ? [gain(`${name}.self_attn.q_norm`, headSize), gain(`${name}.self_attn.k_norm`, headSize)] : []),
    gain(`${name}.post_attention_layernorm`, modelSize),
    ...projection(`${name}.mlp.gate_proj`, feedForwardSize, modelSize, shape.hasFeedForwardBias),
    ...projection(`${name}.mlp.up_proj`, feedForwardSize, modelSize, shape.hasFeedForwardBias),
    ...projection(`${name}.mlp.down_proj`, modelSize, feedForwardSize, shape.hasFeedForwardBias),
  ]
  return [
    matrix("model.embed_tokens", [vocabularySize, modelSize], deviation),
    ...Array.from({ length: numLayers }, (_, i) => layer(`model.layers.${i}`)).flat(),
    gain("model.norm", modelSize),
    ...(shape.isHeadTied ? [] : [matrix("lm_head", [vocabularySize, modelSize], deviation)]),
  ]
}
