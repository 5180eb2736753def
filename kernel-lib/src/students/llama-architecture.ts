// The Llama family as students: Llama and SmolLM2, Qwen2, Qwen3, SmolLM3, Mistral.
import { type LlamaShape, llamaDecodeStep, llamaLoss, llamaPrefill } from "../networks/llama"
import { listLlamaWeights } from "../networks/llama-weights"
import type { Family } from "./architecture"
import { CausalArchitecture, type CausalModel } from "./causal-architecture"
import type { DecoderOnly } from "./decoder"
import { type LlamaConfiguration, llamaModelTypes, readLlamaConfiguration, writeLlamaConfiguration } from "./llama-configuration"
import { estimatePaddingShare } from "./padding-share"

export const llamaFamily: Family = {
  modelTypes: llamaModelTypes,
  foreignHeads: ["ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"],
  read: (json, path) => new CausalArchitecture(llamaModel(readLlamaConfiguration(json, path))),
}

function llamaModel(configuration: LlamaConfiguration): CausalModel {
  const { modelType, shape, dropoutRate, initializerRange, startId, padId, endIds } = configuration
  return {
    modelType,
    shape,
    dropoutRate,
    startId,
    padId,
    endIds,
    longestText: shape.longestText,
    paddingShare: estimatePaddingShare({ ...shape, matrices: countMatrices(shape) }),
    embeddingName: "model.embed_tokens.weight",
    withHead: (isHeadTied) => llamaModel({ ...configuration, shape: { ...shape, isHeadTied } }),
    listWeights: () => listLlamaWeights(shape, initializerRange),
    // A base model saved without its head has names without the first part.
    fileNames: (name) => [name, name.replace(/^model\./, "")],
    describe: () => writeLlamaConfiguration(configuration),
    loss: (dropout) => (inputs, weights, random) => llamaLoss(shape, inputs, weights, dropout, random),
    decoder: llamaDecoder(shape),
  }
}

/** Numbers in a layer's matrices. */
function countMatrices({ modelSize, headSize, numHeads, numKeyHeads, feedForwardSize }: LlamaShape): number {
  return 2 * modelSize * headSize * (numHeads + numKeyHeads) + 3 * modelSize * feedForwardSize
}

/** The Llama family as decoding drives it. */
export function llamaDecoder(shape: LlamaShape): DecoderOnly {
  const { vocabularySize, numLayers, numKeyHeads, headSize, longestText } = shape
  return {
    kind: "decoder-only",
    name: "llama",
    vocabularySize,
    numLayers,
    numHeads: numKeyHeads,
    headSize,
    maxPositions: longestText,
    prefill: (inputs, weights) => llamaPrefill(shape, inputs, weights),
    step: (inputs, weights) => llamaDecodeStep(shape, inputs, weights),
  }
}
