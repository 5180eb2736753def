// A student of the Llama family as a folder for llama.cpp and what is built on it: a GGUF file, and a Modelfile for Ollama.
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../../core/errors"
import type { LlamaShape } from "../../networks/llama"
import type { NetworkStudent } from "../network-student"
import { writeDescription } from "../save-student"
import { fillTemplate, type Template } from "../template"
import { type Metadata, readGgufTensors, writeGguf } from "./gguf-format"
import { describeGgufTokenizer } from "./gguf-tokenizer"
import { listGgufTensors, readGgufWeights } from "./gguf-weights"
import { completeTokenizer } from "./write-onnx"

export type GgufStorage = "f16" | "q8_0"

const modelFile = "model.gguf"
/** llama.cpp's names of what it runs, by transformers' `model_type`. */
const architectures: Readonly<Record<string, string>> = { llama: "llama", mistral: "llama", qwen2: "qwen2", qwen3: "qwen3" }
/** llama_ftype */
const fileTypes: Readonly<Record<GgufStorage, number>> = { f16: 1, q8_0: 7 }

/**
 * Writes the bundle's files into `folder`, which is there.
 * @throws InputError `export.family`, `export.tokenizer`
 */
export async function writeGgufBundle(student: NetworkStudent, storage: GgufStorage, folder: string): Promise<void> {
  const shape = shapeOf(student)
  await writeDescription(student, folder)
  await completeTokenizer(folder)
  const json = JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8")) as Record<string, unknown>
  const metadata = {
    ...describeNetwork(student, shape, storage),
    ...describeGgufTokenizer(json, student.tokenizer, shape.vocabularySize),
    ...describeEnd(student),
  }
  await writeGguf(join(folder, modelFile), metadata, listGgufTensors(student.weights, shape, isPermuted(student), storage))
  await writeFile(join(folder, "Modelfile"), writeModelfile(student))
}

/** The student with the weights that the bundle's file holds. */
export async function readGgufBundle(student: NetworkStudent, folder: string): Promise<NetworkStudent> {
  const tensors = readGgufTensors(await readFile(join(folder, modelFile)))
  const copy = await student.copy()
  copy.change({ weights: readGgufWeights(tensors, student.weights, shapeOf(student), isPermuted(student)) })
  return copy
}

/** @throws InputError `export.family` */
function shapeOf({ model, name }: NetworkStudent): LlamaShape {
  const refuse = (why: string) =>
    new InputError("export.family", `${name} cannot be written as GGUF: ${why}. Export it as huggingface or onnx instead.`)
  if (!Object.hasOwn(architectures, model.modelType))
    throw refuse(`GGUF is for the Llama family (${Object.keys(architectures).join(", ")}), and it is a ${model.modelType}`)
  const shape = model.shape as LlamaShape
  if (model.modelType === "qwen3" && shape.hasQueryBias) throw refuse("llama.cpp's Qwen3 has no biases, and this one has")
  if (shape.activation !== "silu") throw refuse(`llama.cpp runs this family with silu, and its activation is ${shape.activation}`)
  return shape
}

/** Qwen2 and Qwen3 turn heads in llama.cpp as in transformers. */
function isPermuted({ model }: NetworkStudent): boolean {
  return architectures[model.modelType] === "llama"
}

function describeNetwork({ model, name }: NetworkStudent, shape: LlamaShape, storage: GgufStorage): Metadata {
  const architecture = architectures[model.modelType]
  const described = model.describe()
  const longest = shape.longestText ?? Number(described.max_position_embeddings ?? 2048)
  const counts = {
    context_length: longest,
    embedding_length: shape.modelSize,
    block_count: shape.numLayers,
    feed_forward_length: shape.feedForwardSize,
    vocab_size: shape.vocabularySize,
    "attention.head_count": shape.numHeads,
    "attention.head_count_kv": shape.numKeyHeads,
    "attention.key_length": shape.headSize,
    "attention.value_length": shape.headSize,
    "rope.dimension_count": shape.headSize,
  }
  return {
    "general.architecture": { type: "string", value: architecture },
    "general.name": { type: "string", value: name },
    "general.file_type": { type: "uint32", value: fileTypes[storage] },
    "general.quantization_version": { type: "uint32", value: 2 },
    ...Object.fromEntries(Object.entries(counts).map(([key, value]) => [`${architecture}.${key}`, { type: "uint32", value } as const])),
    [`${architecture}.attention.layer_norm_rms_epsilon`]: { type: "float32", value: shape.normEpsilon },
    [`${architecture}.rope.freq_base`]: { type: "float32", value: shape.rotary.theta },
    ...describeScaling(architecture, shape),
  }
}

function describeScaling(architecture: string, { rotary }: LlamaShape): Metadata {
  if (rotary.kind !== "linear" && rotary.kind !== "yarn") return {}
  const key = (name: string) => `${architecture}.rope.scaling.${name}`
  return {
    [key("type")]: { type: "string", value: rotary.kind },
    [key("factor")]: { type: "float32", value: rotary.factor },
    ...(rotary.kind === "yarn"
      ? {
          [key("original_context_length")]: { type: "uint32", value: rotary.originalPositions },
          [key("attn_factor")]: { type: "float32", value: rotary.attentionFactor / (1 + 0.1 * Math.log(rotary.factor)) },
          [key("yarn_beta_fast")]: { type: "float32", value: rotary.betaFast },
          [key("yarn_beta_slow")]: { type: "float32", value: rotary.betaSlow },
        }
      : {}),
  }
}

/** An answer ends with the model's own end, whatever the tokenizer calls its own. */
function describeEnd({ model, generation }: NetworkStudent): Metadata {
  const [end] = [model.describeGeneration(generation.json)?.eos_token_id].flat()
  return Number.isSafeInteger(end) ? { "tokenizer.ggml.eos_token_id": { type: "uint32", value: end as number } } : {}
}

function writeModelfile({ template, maxOutputTokens, generation }: NetworkStudent): string {
  return [
    `FROM ./${modelFile}`,
    `TEMPLATE """${writeGoTemplate(template)}"""`,
    "PARAMETER temperature 0",
    `PARAMETER num_predict ${maxOutputTokens ?? generation.maxNewTokens}`,
    "",
  ].join("\n")
}

/** Ollama's templates are Go's: braces and quotes of the instruction stand as texts in them. */
function writeGoTemplate(template: Template): string {
  const place = "\u0000"
  return fillTemplate(template, place).replaceAll("{{", '{{ "{{" }}').replaceAll('"""', '{{ "\\"\\"\\"" }}').replace(place, "{{ .Prompt }}")
}
