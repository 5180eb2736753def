// The weights that a BERT of a given shape has, under transformers' names, and how transformers draws them before training.
import type { BertShape } from "./bert"
import { nameClassifier, nameLayer, projectionLayer, spanLayer } from "./bert-names"
import { bias, gain, type InitialWeight, matrix } from "./initial-weights"

/**
 * Every weight of the network, once each.
 * @param deviation transformers' `initializer_range`
 */
export function listBertWeights(shape: BertShape, deviation = 0.02): InitialWeight[] {
  const { naming, prefix, modelSize, feedForwardSize, embeddingSize = modelSize } = shape
  const table = (name: string, rows: number, width = embeddingSize) => matrix(`${prefix}${name}`, [rows, width], deviation)
  const norm = (name: string, width = modelSize) => [gain(name, width), bias(name, width)]
  const dense = (name: string, outputs = modelSize, inputs = modelSize) => [matrix(name, [outputs, inputs], deviation), bias(name, outputs)]
  const layer = (at: number) => {
    const names = nameLayer(naming, prefix, at)
    return [
      ...[names.query, names.key, names.value, names.merge].flatMap((name) => dense(name)),
      ...norm(names.attentionNorm),
      ...dense(names.widen, feedForwardSize, modelSize),
      ...dense(names.narrow, modelSize, feedForwardSize),
      ...norm(names.norm),
    ]
  }
  return [
    table("embeddings.word_embeddings", shape.vocabularySize),
    table("embeddings.position_embeddings", shape.numPositions),
    ...(shape.numTokenTypes > 0 ? [table("embeddings.token_type_embeddings", shape.numTokenTypes)] : []),
    ...norm(`${prefix}embeddings.LayerNorm`, embeddingSize),
    ...(embeddingSize === modelSize ? [] : dense(`${prefix}${projectionLayer}`, modelSize, embeddingSize)),
    ...(shape.relativeBuckets > 0 ? [table("encoder.relative_attention_bias", shape.relativeBuckets, shape.numHeads)] : []),
    ...Array.from({ length: shape.numLayers }, (_, at) => layer(at)).flat(),
    ...listHeadWeights(shape, dense),
  ]
}

type Dense = (name: string, outputs?: number, inputs?: number) => InitialWeight[]

function listHeadWeights({ naming, prefix, head }: BertShape, dense: Dense): InitialWeight[] {
  if (head.kind === "none") return []
  if (head.kind === "span") return dense(spanLayer, 2)
  const [inner, outer] = nameClassifier(naming, prefix)
  return [...dense(inner), ...dense(outer, head.numLabels)]
}
