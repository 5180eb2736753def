// A classifier as one ONNX file, with the inputs, the output and the names that optimum gives it and transformers.js expects.
import { type FlexibleSpec, ModelAssembly, type NamedParameters, type WeightStorage } from "../../engine"
import { type BertShape, bertLabelLogits, mpnetBuckets } from "../../networks/bert"
import { relativeBucket } from "../../networks/t5"
import { readsTokenTypes } from "../encoder-batch"
import type { OnnxFile } from "./onnx-file"
import { countUp, lookUpBuckets, measureDistances } from "./position-operators"

const batch = "batch_size"
const length = "sequence_length"

export function writeClassifierOnnx(shape: BertShape, parameters: NamedParameters, storage: WeightStorage): OnnxFile[] {
  const wide: FlexibleSpec = { shape: [batch, length], dtype: "int32" }
  const inputs: Record<string, FlexibleSpec> = {
    inputIds: wide,
    inputMask: { ...wide, dtype: "float32" },
    positions: shape.countsFromPadding ? wide : { shape: [1, length], dtype: "int32" },
    tokenTypes: wide,
    buckets: { shape: [length, length], dtype: "int32" },
  }
  const model = new ModelAssembly({ inputs, parameters, storage })
  const fed = { shape: [batch, length], dtype: "int64" } as const
  const ids = model.input("input_ids", fed)
  const mask = model.input("attention_mask", fed)
  const hasTypes = readsTokenTypes(shape)
  const places = countUp(model, model.integers([0]), model.lengthOf(ids, 1))
  const feeds = {
    inputIds: model.cast(ids, "int32"),
    inputMask: model.cast(mask, "float32"),
    positions: model.cast(
      shape.countsFromPadding ? countFromPadding(model, ids, shape.padId) : model.node("Unsqueeze", [places, model.integers([0])]),
      "int32",
    ),
    ...(hasTypes ? { tokenTypes: model.cast(model.input("token_type_ids", fed), "int32") } : {}),
    ...(shape.relativeBuckets > 0 ? { buckets: bucketTable(model, measureDistances(model, places, places)) } : {}),
  }
  const { logits } = model.run("classifier", (tensors, weights) => ({ logits: bertLabelLogits(shape, tensors, weights) }), feeds)
  const numLabels = shape.head.kind === "labels" ? shape.head.numLabels : 0
  model.output("logits", logits, { shape: [batch, numLabels], dtype: "float32" })
  return [{ name: "model", bytes: model.encode("classifier") }]
}

/** int64 [B,S]: RoBERTa leaves out the padding id, which keeps its own place. */
function countFromPadding(model: ModelAssembly, ids: string, padId: number): string {
  const isToken = model.cast(model.node("Not", [model.node("Equal", [ids, model.integer(padId)])]), "int64")
  const count = model.node("Mul", [model.node("CumSum", [isToken, model.integer(1)]), isToken])
  return model.node("Add", [count, model.integer(padId)])
}

function bucketTable(model: ModelAssembly, distances: string): string {
  return lookUpBuckets(model, distances, mpnetBuckets.relativeMaxDistance, (distance) => relativeBucket(mpnetBuckets, distance, true))
}
