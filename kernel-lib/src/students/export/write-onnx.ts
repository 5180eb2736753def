// A student as a folder of ONNX files: what transformers.js loads, what data/browser/answer.js answers with, and what onnxruntime runs in
// any language.
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../../core/errors"
import type { NamedParameters, WeightStorage } from "../../engine"
import type { BertShape } from "../../networks/bert"
import type { Gpt2Shape } from "../../networks/gpt2"
import type { LlamaShape } from "../../networks/llama"
import type { T5Shape } from "../../networks/t5"
import type { BertArchitecture } from "../bert-architecture"
import { bertModelTypes } from "../bert-configuration"
import { gpt2Decoder } from "../gpt2-architecture"
import { llamaDecoder } from "../llama-architecture"
import { llamaModelTypes } from "../llama-configuration"
import type { NetworkStudent } from "../network-student"
import { detailsFile, writeDescription, writeJson } from "../save-student"
import { t5Decoder } from "../t5-decoder"
import { readDescription } from "../tokenizers/describe"
import { asksToCleanUp } from "../tokenizers/described-tokenizer"
import { writeClassifierOnnx } from "./bert-onnx"
import { describeByteTokenizer } from "./byte-tokenizer-json"
import { writeCausalOnnx } from "./causal-onnx"
import type { OnnxFile } from "./onnx-file"
import { describeClassifying, describeWriting, type RecipeRest } from "./onnx-recipe"
import { writeT5Onnx } from "./t5-onnx"

/** More than fits one file of this form, which counts its bytes in 31 bits. */
const mostBytes = 2 ** 31 - 2 ** 20

interface OnnxModel {
  readonly recipe: RecipeRest
  /** What each file is for, in the order of the files. */
  readonly roles: readonly string[]
  write(parameters: NamedParameters, storage: WeightStorage): OnnxFile[]
}

/** transformers.js finds 8-bit files by this ending, and takes them in browsers where nothing else is said. */
const endings: Readonly<Record<WeightStorage, string>> = { float32: "", int8: "_quantized" }

/**
 * Writes the bundle's files into `folder`, which is there.
 * @throws InputError `export.span`, `export.too-large`
 */
export async function writeOnnxBundle(student: NetworkStudent, storage: WeightStorage, folder: string): Promise<void> {
  const { recipe, roles, write } = describeOnnx(student)
  checkSize(student)
  await writeDescription(student, folder)
  const isByteLevel = await completeTokenizer(folder)
  await mkdir(join(folder, "onnx"))
  const files: Record<string, string> = {}
  for (const [index, { name, bytes }] of write(student.weights, storage).entries()) {
    files[roles[index]] = `onnx/${name}${endings[storage]}.onnx`
    await writeFile(join(folder, files[roles[index]]), bytes)
  }
  await amendJson(join(folder, "config.json"), { "transformers.js_config": { dtype: storage === "int8" ? "q8" : "fp32" } })
  // Programs differ in how long an answer may be where nothing says it.
  const { maxNewTokens: max_new_tokens, maxTextLength } = recipe
  if (max_new_tokens !== undefined && maxTextLength === undefined)
    await amendJson(join(folder, "generation_config.json"), { max_new_tokens })
  await amendJson(join(folder, detailsFile), { export: { ...recipe, isByteLevel, files } })
}

function describeOnnx(student: NetworkStudent): OnnxModel {
  const { model } = student
  const is = (types: readonly string[]) => types.includes(model.modelType)
  if (is(["t5", "mt5"])) {
    const shape = model.shape as T5Shape
    const recipe = describeWriting(student, t5Decoder(shape))
    return { recipe, roles: ["encoder", "decoder"], write: (weights, storage) => writeT5Onnx(shape, weights, storage) }
  }
  if (is(["gpt2", ...llamaModelTypes])) {
    const network = is(["gpt2"]) ? gpt2Decoder(model.shape as Gpt2Shape) : llamaDecoder(model.shape as LlamaShape)
    const recipe = describeWriting(student, network)
    return { recipe, roles: ["decoder"], write: (weights, storage) => writeCausalOnnx(network, weights, storage) }
  }
  if (is(bertModelTypes)) {
    const shape = model.shape as BertShape
    if (shape.head.kind !== "labels") {
      throw new InputError(
        "export.span",
        `${student.name} answers with a span of its input, which ONNX bundles cannot do yet: export it as huggingface.`,
      )
    }
    const recipe = describeClassifying(student, shape, (model as BertArchitecture).configuration.labels)
    return { recipe, roles: ["classifier"], write: (weights, storage) => writeClassifierOnnx(shape, weights, storage) }
  }
  throw new InputError("export.family", `A ${model.modelType} cannot be exported as ONNX yet: export it as huggingface.`)
}

function checkSize({ name, bytes }: NetworkStudent): void {
  if (bytes <= mostBytes) return
  throw new InputError("export.too-large", `${name} has ${bytes} bytes of weights, and an ONNX file holds 2 GB: export it as huggingface.`)
}

/**
 * Makes a tokenizer's files complete: a byte-level one has no tokenizer.json of its own, and programs differ in what they do where
 * tokenizer_config.json does not say it.
 * @returns whether it is byte-level
 */
export async function completeTokenizer(folder: string): Promise<boolean> {
  const path = join(folder, "tokenizer_config.json")
  const configuration = JSON.parse(await readFile(path, "utf8").catch(() => "{}")) as Record<string, unknown>
  const isByteLevel = /^ByT5Tokenizer/.test(String(configuration.tokenizer_class))
  if (isByteLevel) await writeJson(join(folder, "tokenizer.json"), describeByteTokenizer(configuration))
  const { tokenizer_class: name = "PreTrainedTokenizerFast" } = configuration
  const description = readDescription(JSON.parse(await readFile(join(folder, "tokenizer.json"), "utf8")))
  await writeJson(path, {
    ...configuration,
    tokenizer_class: name,
    clean_up_tokenization_spaces: asksToCleanUp(description, configuration),
  })
  return isByteLevel
}

async function amendJson(path: string, members: Readonly<Record<string, unknown>>): Promise<void> {
  await writeJson(path, { ...JSON.parse(await readFile(path, "utf8")), ...members })
}
