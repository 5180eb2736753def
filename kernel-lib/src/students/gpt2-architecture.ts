// GPT-2 as a student.
import { type Gpt2Shape, gpt2DecodeStep, gpt2Loss, gpt2Prefill } from "../networks/gpt2"
import { listGpt2Weights } from "../networks/gpt2-weights"
import type { Family } from "./architecture"
import { CausalArchitecture, type CausalModel } from "./causal-architecture"
import type { DecoderOnly } from "./decoder"
import { type Gpt2Configuration, readGpt2Configuration, writeGpt2Configuration } from "./gpt2-configuration"
import { estimatePaddingShare } from "./padding-share"

export const gpt2Family: Family = {
  modelTypes: ["gpt2"],
  foreignHeads: ["ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"],
  read: (json, path) => new CausalArchitecture(gpt2Model(readGpt2Configuration(json, path))),
}

function gpt2Model(configuration: Gpt2Configuration): CausalModel {
  const { modelType, shape, dropoutRate, initializerRange, startId, padId, endIds } = configuration
  return {
    modelType,
    shape,
    dropoutRate,
    startId,
    padId,
    endIds,
    longestText: shape.maxPositions,
    paddingShare: estimatePaddingShare({
      numHeads: shape.numHeads,
      headSize: shape.modelSize / shape.numHeads,
      matrices: 4 * shape.modelSize ** 2 + 2 * shape.modelSize * shape.feedForwardSize,
    }),
    embeddingName: "transformer.wte.weight",
    withHead: (isHeadTied) => gpt2Model({ ...configuration, shape: { ...shape, isHeadTied } }),
    listWeights: () => listGpt2Weights(shape, initializerRange),
    // The published checkpoints are of the model without its head, whose names lack the first part.
    fileNames: (name) => [name, name.replace(/^transformer\./, "")],
    describe: () => writeGpt2Configuration(configuration),
    loss: (dropout) => (inputs, weights, random) => gpt2Loss(shape, inputs, weights, dropout, random),
    decoder: gpt2Decoder(shape),
  }
}

/** GPT-2 as decoding drives it. */
export function gpt2Decoder(shape: Gpt2Shape): DecoderOnly {
  const { vocabularySize, numLayers, numHeads, modelSize, maxPositions } = shape
  return {
    kind: "decoder-only",
    name: "gpt2",
    vocabularySize,
    numLayers,
    numHeads,
    headSize: modelSize / numHeads,
    maxPositions,
    prefill: (inputs, weights) => gpt2Prefill(shape, inputs, weights),
    step: (inputs, weights) => gpt2DecodeStep(shape, inputs, weights),
  }
}
