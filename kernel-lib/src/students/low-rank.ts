// Training thin matrices beside a model's own (LoRA): which weights are adapted, how the loss takes the adapters along, how they are merged
// into ordinary weights at the end, and how PEFT finds them in a folder.
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../core/errors"
import { Random } from "../core/random"
import { adaptWeight, type NamedParameters, type NamedTensors, type RandomStream } from "../engine"
import { placeAtomically, writeFileAtomically } from "../store/atomic"
import { writeSafetensors } from "./safetensors"

/** Names and meaning as PEFT's `LoraConfig`. */
export interface LowRankOptions {
  /** Rows of the thin matrices, `r`: 4 to 64. */
  readonly rank: number
  /** The adapter's product counts `alpha / rank` times. Default: twice the rank. */
  readonly alpha?: number
  /** Share of the adapters' inputs that is dropped in training. Default 0. */
  readonly dropout?: number
  /** Which matrices, by the last word of their module: `["q", "v"]` for T5. Default: queries and values of every attention. */
  readonly targets?: readonly string[]
}

/** What families call the queries and values of attention. */
const attentionTargets = ["q", "v", "q_proj", "v_proj", "query", "value", "q_lin", "v_lin", "c_attn"]
/** Rows are read from these by number, which an adapter of products does not see. */
const embeddingName = /(^|\.)(shared|wte|wpe|embed_tokens|embed_positions|lm_head|relative_attention_bias|\w*embeddings?)\.weight$/
/** Heads that an encoder got for its rows: they know nothing yet, and are trained whole. */
const headName = /(^|\.)(classifier|pre_classifier|qa_outputs|pooler)\./
/** Families whose matrices lie as [inputs, outputs]. */
const inputsFirst = new Set(["gpt2"])

const downName = (weight: string) => weight.replace(/weight$/, "lora_A.weight")
const upName = (weight: string) => weight.replace(/weight$/, "lora_B.weight")
const moduleOf = (weight: string) => weight.split(".").at(-2) ?? weight

/** The adapters of one training. */
export class LowRankAdapters {
  readonly options: Required<LowRankOptions>
  /** Names of the weights that are adapted. */
  readonly targets: readonly string[]
  /** Names of the weights that stay as they are: all but an encoder's head. */
  readonly frozen: readonly string[]
  private readonly heads: readonly string[]
  /** First values: A as PEFT draws it, B zero, so that the model answers as before. */
  readonly parameters: NamedParameters
  private readonly liesInputsFirst: boolean

  /** @throws InputError `train.low-rank` */
  constructor(
    private readonly modelType: string,
    private readonly base: NamedParameters,
    options: LowRankOptions,
    seed: number,
  ) {
    this.targets = findTargets(base, options.targets)
    this.heads = Object.keys(base).filter((name) => headName.test(name))
    this.frozen = Object.keys(base).filter((name) => !headName.test(name))
    const modules = [...new Set(this.targets.map(moduleOf))]
    this.options = { alpha: 2 * options.rank, dropout: 0, ...withoutUndefined(options), targets: modules }
    checkOptions(this.options)
    this.liesInputsFirst = inputsFirst.has(modelType)
    const random = new Random(`low-rank ${seed}`)
    this.parameters = Object.fromEntries(
      this.targets.flatMap((weight) => {
        const { rank } = options
        const [inputs, outputs] = this.sizesOf(weight)
        const drawn = random.fork(weight)
        const down = Float32Array.from({ length: rank * inputs }, () => (2 * drawn.next() - 1) / Math.sqrt(inputs))
        return [
          [downName(weight), { shape: [rank, inputs], data: down }],
          [upName(weight), { shape: [outputs, rank], data: new Float32Array(outputs * rank) }],
        ]
      }),
    )
  }

  /** Lets products with the adapted weights among `parameters` take their adapters along. */
  adapt(parameters: NamedTensors, random: RandomStream | undefined): void {
    const { alpha, rank, dropout } = this.options
    for (const weight of this.targets) {
      const [down, up] = [parameters[downName(weight)], parameters[upName(weight)]]
      adaptWeight(parameters[weight], { down, up, scale: alpha / rank, dropout, random })
    }
  }

  /** Memory for the merged weights, beside those that stay as they are. */
  allocateMerged(): NamedParameters {
    const changing = new Set([...this.targets, ...this.heads])
    return Object.fromEntries(
      Object.entries(this.base).map(([name, { shape, data }]) => [name, { shape, data: changing.has(name) ? data.slice() : data }]),
    )
  }

  /** Writes W + alpha / rank * B A over the adapted weights of `merged`, and the heads as they are. @param values what is trained, now */
  merge(merged: NamedParameters, values: (name: string) => Float32Array): void {
    const { alpha, rank } = this.options
    for (const head of this.heads) merged[head].data.set(values(head))
    for (const weight of this.targets) {
      const [inputs, outputs] = this.sizesOf(weight)
      const [down, up, target] = [values(downName(weight)), values(upName(weight)), merged[weight].data]
      target.set(this.base[weight].data)
      const [stepOut, stepIn] = this.liesInputsFirst ? [1, outputs] : [inputs, 1]
      for (let output = 0; output < outputs; output++) {
        for (let row = 0; row < rank; row++) {
          const factor = (alpha / rank) * up[output * rank + row]
          for (let input = 0; input < inputs; input++) target[output * stepOut + input * stepIn] += factor * down[row * inputs + input]
        }
      }
    }
  }

  /**
   * Writes `adapter_model.safetensors` and `adapter_config.json` as PEFT reads them.
   * @param baseName where PEFT finds the base model
   */
  async save(folder: string, baseName: string, values: (name: string) => Float32Array): Promise<void> {
    const { rank, alpha, dropout, targets } = this.options
    const heads = this.heads.map((name) => [name, this.base[name]] as const)
    const tensors = [...Object.entries(this.parameters), ...heads].map(([name, { shape }]) => ({
      name: `base_model.model.${name}`,
      shape,
      data: values(name),
    }))
    const configuration = {
      peft_type: "LORA",
      task_type: taskOf(this.modelType, this.heads),
      base_model_name_or_path: baseName,
      r: rank,
      lora_alpha: alpha,
      lora_dropout: dropout,
      target_modules: targets,
      modules_to_save: heads.length > 0 ? [...new Set(this.heads.map((name) => headName.exec(name)![2]))] : null,
      fan_in_fan_out: this.liesInputsFirst,
      bias: "none",
      inference_mode: true,
    }
    await placeAtomically(folder, async (temporary) => {
      await mkdir(temporary)
      await writeSafetensors(join(temporary, "adapter_model.safetensors"), tensors)
      await writeFileAtomically(join(temporary, "adapter_config.json"), `${JSON.stringify(configuration, null, 2)}\n`)
    })
  }

  private sizesOf(weight: string): [inputs: number, outputs: number] {
    const [rows, columns] = this.base[weight].shape
    return inputsFirst.has(this.modelType) ? [rows, columns] : [columns, rows]
  }
}

function findTargets(base: NamedParameters, given: readonly string[] | undefined): string[] {
  const modules = given ?? attentionTargets
  const matrices = Object.keys(base).filter(
    (name) => base[name].shape.length === 2 && name.endsWith(".weight") && !embeddingName.test(name) && !headName.test(name),
  )
  const known = [...new Set(matrices.map(moduleOf))].sort()
  const strangers = (given ?? []).filter((module) => !known.includes(module))
  const found = matrices.filter((name) => modules.includes(moduleOf(name)))
  if (strangers.length === 0 && found.length > 0) return found
  const wrong =
    strangers.length > 0
      ? `${strangers.join(", ")} ${strangers.length > 1 ? "are" : "is"} no matrix of this model`
      : "this model has no attention that is known"
  throw new InputError("train.low-rank", `lowRank.targets: ${wrong}; choose among ${known.join(", ")}.`)
}

function checkOptions({ rank, alpha, dropout }: Required<LowRankOptions>): void {
  if (Number.isSafeInteger(rank) && rank > 0 && alpha > 0 && dropout >= 0 && dropout < 1) return
  throw new InputError("train.low-rank", "lowRank needs a whole rank above 0, an alpha above 0 and a dropout in [0, 1).")
}

function taskOf(modelType: string, heads: readonly string[]): string {
  if (heads.length > 0) return heads.some((name) => name.startsWith("qa_outputs")) ? "QUESTION_ANS" : "SEQ_CLS"
  return /t5/.test(modelType) ? "SEQ_2_SEQ_LM" : "CAUSAL_LM"
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T
}
