// A decoder-only student as one ONNX file with the inputs, outputs and names that optimum gives it and transformers.js expects: a prompt, or
// the next token, with a cache that grows. Rows may be padded on their left, as both programs do.
import * as tf from "@tensorflow/tfjs-core"
import { type FlexibleSpec, ModelAssembly, type NamedParameters, type WeightStorage } from "../../engine"
import type { DecoderOnly } from "../decoder"
import type { OnnxFile } from "./onnx-file"
import { areLater, countUp, hideWhere, measureDistances } from "./position-operators"

const batch = "batch_size"
const fresh = "sequence_length"
const past = "past_sequence_length"
const total = "total_sequence_length"

export function writeCausalOnnx(network: DecoderOnly, parameters: NamedParameters, storage: WeightStorage): OnnxFile[] {
  const { numHeads, headSize, numLayers, vocabularySize } = network
  const layers = Array.from({ length: numLayers }, (_, layer) => layer)
  const parts = ["key", "value"] as const
  const cache = (length: string) => ({ shape: [batch, numHeads, length, headSize], dtype: "float32" }) as const
  const inputs: Record<string, FlexibleSpec> = {
    tokens: { shape: [batch, fresh], dtype: "int32" },
    positions: { shape: [batch, fresh], dtype: "int32" },
    slots: { shape: [batch, numHeads, fresh, 3], dtype: "int32" },
    slotMask: { shape: [batch, 1, fresh, total], dtype: "float32" },
    ...Object.fromEntries(layers.flatMap((layer) => parts.map((part) => [`${part}${layer}`, cache(total)]))),
    past: cache(past),
  }
  const model = new ModelAssembly({ inputs, parameters, storage })
  const ids = model.input("input_ids", { shape: [batch, fresh], dtype: "int64" })
  const seen = model.input("attention_mask", { shape: [batch, total], dtype: "int64" })
  const positions = model.input("position_ids", { shape: [batch, fresh], dtype: "int64" })
  const own: Record<string, string> = {}
  for (const layer of layers) {
    for (const part of parts) own[`${part}${layer}`] = model.input(`past_key_values.${layer}.${part}`, cache(past))
  }
  const feeds = {
    tokens: model.cast(ids, "int32"),
    positions: model.cast(positions, "int32"),
    slots: "",
    slotMask: maskSlots(model, seen, own.key0, ids),
    ...own,
  }
  const results = model.run(
    network.name,
    ({ slots, ...tensors }, weights) => network.step({ ...tensors, slots: tf.reshape(slots, [-1, 3]) }, weights),
    feeds,
  )
  const shape = [batch, fresh, vocabularySize]
  model.output("logits", model.reshape(results.logits, [], shape), { shape, dtype: "float32" })
  for (const layer of layers) {
    model.output(`present.${layer}.key`, results[`nextKey${layer}`], cache(total))
    model.output(`present.${layer}.value`, results[`nextValue${layer}`], cache(total))
  }
  return [{ name: "model", bytes: model.encode(network.name) }]
}

/** float32 [B,1,N,Z]: neither what comes after nor padding is seen. */
function maskSlots(model: ModelAssembly, seen: string, key: string, ids: string): string {
  const before = model.lengthOf(key, 2)
  const after = model.node("Add", [before, model.lengthOf(ids, 1)])
  const distances = measureDistances(model, countUp(model, before, after), countUp(model, model.integers([0]), after))
  const isPadding = model.node("Unsqueeze", [model.node("Equal", [seen, model.integer(0)]), model.integers([1, 2])])
  return hideWhere(model, model.node("Or", [model.node("Unsqueeze", [areLater(model, distances), model.integers([0, 1])]), isPadding]))
}
