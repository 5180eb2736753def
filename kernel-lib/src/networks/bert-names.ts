// What transformers calls the weights of the encoders that share BERT's network.

/** Whose names an encoder's weights have; RoBERTa's and ELECTRA's are BERT's but for the head. */
export type BertNaming = "bert" | "roberta" | "distilbert" | "mpnet" | "electra"

/** Names within a layer. */
interface LayerNames {
  readonly query: string
  readonly key: string
  readonly value: string
  /** Of the heads' results together. */
  readonly merge: string
  readonly attentionNorm: string
  readonly widen: string
  readonly narrow: string
  readonly norm: string
}

const bertLayer: LayerNames = {
  query: "attention.self.query",
  key: "attention.self.key",
  value: "attention.self.value",
  merge: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  widen: "intermediate.dense",
  narrow: "output.dense",
  norm: "output.LayerNorm",
}

const layerNames: Readonly<Record<BertNaming, LayerNames>> = {
  bert: bertLayer,
  roberta: bertLayer,
  electra: bertLayer,
  mpnet: {
    ...bertLayer,
    query: "attention.attn.q",
    key: "attention.attn.k",
    value: "attention.attn.v",
    merge: "attention.attn.o",
    attentionNorm: "attention.LayerNorm",
  },
  distilbert: {
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    merge: "attention.out_lin",
    attentionNorm: "sa_layer_norm",
    widen: "ffn.lin1",
    narrow: "ffn.lin2",
    norm: "output_layer_norm",
  },
}

/** Names of a layer's parts, in full. */
export function nameLayer(naming: BertNaming, prefix: string, layer: number): LayerNames {
  const place = `${prefix}${naming === "distilbert" ? "transformer" : "encoder"}.layer.${layer}`
  const names = Object.entries(layerNames[naming]).map(([part, name]) => [part, `${place}.${name}`])
  return Object.fromEntries(names) as unknown as LayerNames
}

/** The fully connected layers between the first token's state and the labels' scores, in order. */
export function nameClassifier(naming: BertNaming, prefix: string): readonly [inner: string, outer: string] {
  if (naming === "bert") return [`${prefix}pooler.dense`, "classifier"]
  return naming === "distilbert" ? ["pre_classifier", "classifier"] : ["classifier.dense", "classifier.out_proj"]
}

/** ELECTRA's layer from the embeddings' size to the model's. */
export const projectionLayer = "embeddings_project"

/** The layer that scores each token as a start and as an end. */
export const spanLayer = "qa_outputs"
