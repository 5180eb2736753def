// A T5 as two ONNX files with the inputs, outputs and names that optimum gives them and transformers.js expects. The decoder is one graph for
// its first step and for all others: caches that are fed empty grow, and the encoder's states are projected where the cache does not have
// them yet.
import * as tf from "@tensorflow/tfjs-core"
import { type FlexibleSpec, ModelAssembly, type NamedParameters, type WeightStorage } from "../../engine"
import { relativeBucket, type T5Shape, t5CrossCaches, t5DecodeStep, t5EncoderStates } from "../../networks/t5"
import type { OnnxFile } from "./onnx-file"
import { areLater, countUp, hideWhere, lookUpBuckets, measureDistances } from "./position-operators"

const batch = "batch_size"
const source = "encoder_sequence_length"
const target = "decoder_sequence_length"
const past = "past_decoder_sequence_length"
const total = "total_decoder_sequence_length"
const pastSource = "past_encoder_sequence_length"
const freshSource = "fresh_encoder_sequence_length"

export function writeT5Onnx(shape: T5Shape, parameters: NamedParameters, storage: WeightStorage): OnnxFile[] {
  return [
    { name: "encoder_model", bytes: writeEncoder(shape, parameters, storage) },
    { name: "decoder_model_merged", bytes: writeDecoder(shape, parameters, storage) },
  ]
}

/** Last row of the table of buckets: beyond it all distances are alike. */
function bucketTable(model: ModelAssembly, shape: T5Shape, distances: string, isBidirectional: boolean): string {
  return lookUpBuckets(model, distances, shape.relativeMaxDistance, (distance) => relativeBucket(shape, distance, isBidirectional))
}

function writeEncoder(shape: T5Shape, parameters: NamedParameters, storage: WeightStorage): Uint8Array {
  const inputs: Record<string, FlexibleSpec> = {
    inputIds: { shape: [batch, source], dtype: "int32" },
    inputMask: { shape: [batch, source], dtype: "float32" },
    sourceBuckets: { shape: [source, source], dtype: "int32" },
  }
  const model = new ModelAssembly({ inputs, parameters, storage })
  const ids = model.input("input_ids", { shape: [batch, source], dtype: "int64" })
  const mask = model.input("attention_mask", { shape: [batch, source], dtype: "int64" })
  const places = countUp(model, model.integers([0]), model.lengthOf(ids, 1))
  const feeds = {
    inputIds: model.cast(ids, "int32"),
    inputMask: model.cast(mask, "float32"),
    sourceBuckets: bucketTable(model, shape, measureDistances(model, places, places), true),
  }
  const { states } = model.run(
    "encoder",
    ({ sourceBuckets, ...tensors }, weights) => ({
      states: t5EncoderStates(shape, { ...tensors, sourceBuckets: tf.reshape(sourceBuckets, [-1]) }, weights),
    }),
    feeds,
  )
  model.output("last_hidden_state", states, { shape: [batch, source, shape.modelSize], dtype: "float32" })
  return model.encode("encoder")
}

function writeDecoder(shape: T5Shape, parameters: NamedParameters, storage: WeightStorage): Uint8Array {
  const { numHeads, headSize, modelSize, vocabularySize, numDecoderLayers } = shape
  const layers = Array.from({ length: numDecoderLayers }, (_, layer) => layer)
  const parts = ["key", "value"] as const
  const cache = (length: string) => ({ shape: [batch, numHeads, length, headSize], dtype: "float32" }) as const
  const inputs: Record<string, FlexibleSpec> = {
    states: { shape: [batch, freshSource, modelSize], dtype: "float32" },
    tokens: { shape: [batch, target], dtype: "int32" },
    slots: { shape: [batch, numHeads, target, 3], dtype: "int32" },
    slotBuckets: { shape: [target, total], dtype: "int32" },
    slotMask: { shape: [1, 1, target, total], dtype: "float32" },
    inputMask: { shape: [batch, source], dtype: "float32" },
    ...Object.fromEntries(layers.flatMap((layer) => parts.map((part) => [`${part}${layer}`, cache(total)]))),
    ...Object.fromEntries(layers.flatMap((layer) => parts.map((part) => [crossName(part, layer), cache(source)]))),
    past: cache(past),
    pastCross: cache(pastSource),
  }
  const model = new ModelAssembly({ inputs, parameters, storage })
  const mask = model.input("encoder_attention_mask", { shape: [batch, source], dtype: "int64" })
  const ids = model.input("input_ids", { shape: [batch, target], dtype: "int64" })
  const states = model.input("encoder_hidden_states", { shape: [batch, source, modelSize], dtype: "float32" })
  const own: Record<string, string> = {}
  const cross: Record<string, string> = {}
  for (const layer of layers) {
    for (const part of parts) own[`${part}${layer}`] = model.input(`past_key_values.${layer}.decoder.${part}`, cache(past))
    for (const part of parts) cross[crossName(part, layer)] = model.input(`past_key_values.${layer}.encoder.${part}`, cache(pastSource))
  }

  const fresh = projectFresh(model, shape, states, cross)
  const before = model.lengthOf(own.key0, 2)
  const after = model.node("Add", [before, model.lengthOf(ids, 1)])
  model.setLength(total, after)
  const distances = measureDistances(model, countUp(model, before, after), countUp(model, model.integers([0]), after))
  const feeds = {
    tokens: model.cast(ids, "int32"),
    slots: "",
    slotBuckets: bucketTable(model, shape, distances, false),
    slotMask: model.node("Unsqueeze", [hideWhere(model, areLater(model, distances)), model.integers([0, 1])]),
    inputMask: model.cast(mask, "float32"),
    ...own,
    ...fresh,
  }
  const results = model.run(
    "decoder",
    ({ slots, ...tensors }, weights) => t5DecodeStep(shape, { ...tensors, slots: tf.reshape(slots, [-1, 3]) }, weights),
    feeds,
  )
  const logits = model.reshape(results.logits, [], [batch, target, vocabularySize])
  model.output("logits", logits, { shape: [batch, target, vocabularySize], dtype: "float32" })
  for (const layer of layers) {
    model.output(`present.${layer}.decoder.key`, results[`nextKey${layer}`], cache(total))
    model.output(`present.${layer}.decoder.value`, results[`nextValue${layer}`], cache(total))
    for (const part of parts) model.output(`present.${layer}.encoder.${part}`, fresh[crossName(part, layer)], cache(source))
  }
  return model.encode("decoder")
}

/** The caches of cross-attention, whole: what was fed, and behind it the projections of those states that it did not have. */
function projectFresh(
  model: ModelAssembly,
  shape: T5Shape,
  states: string,
  cross: Readonly<Record<string, string>>,
): Record<string, string> {
  const first = model.lengthOf(cross[crossName("key", 0)], 2)
  const end = model.integers([2 ** 31 - 1])
  const fresh = model.node("Slice", [states, first, end, model.integers([1])])
  model.setLength(freshSource, model.lengthOf(fresh, 1))
  const projected = model.run("cross-attention", ({ states }, weights) => t5CrossCaches(shape, states, weights), { states: fresh })
  return Object.fromEntries(
    Object.entries(cross).map(([name, given]) => [name, model.node("Concat", [given, projected[name]], { axis: 2 })]),
  )
}

function crossName(part: "key" | "value", layer: number): string {
  return part === "key" ? `crossKey${layer}` : `crossValue${layer}`
}
