// What the loop in data/browser/answer.js has to know of a student: which files it has, what begins and ends an answer, how long things may be.
import type { BertShape } from "../../networks/bert"
import { countPlaces } from "../../networks/bert"
import type { DecoderNetwork } from "../decoder"
import { readsTokenTypes } from "../encoder-batch"
import type { NetworkStudent } from "../network-student"
import { areIdle } from "../token-rules"

/** A recipe, as `export` of prompt2model.json holds it; what it says is about one kind of model each. */
export interface OnnxRecipe {
  readonly kind: "encoder-decoder" | "decoder-only" | "classifier"
  /** Of the files by what they are for: `encoder`, `decoder`, `classifier`. */
  readonly files: Readonly<Record<string, string>>
  readonly isByteLevel: boolean
  readonly maxInputTokens?: number
  readonly [key: string]: unknown
}

export type RecipeRest = Omit<OnnxRecipe, "files" | "isByteLevel">

/** The recipe of a model that writes its answer token by token. */
export function describeWriting(student: NetworkStudent, network: DecoderNetwork): RecipeRest {
  const { generation, model, maxInputTokens, maxOutputTokens } = student
  const said = model.describeGeneration(generation.json) ?? {}
  const ids = (value: unknown): number[] => [value].flat().filter((id): id is number => Number.isSafeInteger(id))
  const endIds = ids(said.eos_token_id)
  const parts = network.kind === "encoder-decoder" ? ["decoder.key", "decoder.value", "encoder.key", "encoder.value"] : ["key", "value"]
  const shared = {
    endIds,
    maxInputTokens,
    cacheNames: Array.from({ length: network.numLayers }, (_, layer) => parts.map((part) => `past_key_values.${layer}.${part}`)).flat(),
    numHeads: network.numHeads,
    headSize: network.headSize,
  }
  if (network.kind === "encoder-decoder") {
    const maxNewTokens = maxOutputTokens ?? generation.maxNewTokens
    return { kind: "encoder-decoder", startId: ids(said.decoder_start_token_id)[0] ?? 0, maxNewTokens, ...shared }
  }
  const probe = student.tokenizer.encode("a")
  const dropsLast = probe.length > 1 && endIds.includes(probe[probe.length - 1])
  return {
    kind: "decoder-only",
    startId: ids(said.bos_token_id)[0] ?? endIds[0] ?? 0,
    dropsLast,
    ...shareText(student, network.maxPositions ?? Number.POSITIVE_INFINITY),
    ...shared,
  }
}

/** As the student shares its longest text between prompt and answer. */
function shareText({ generation, maxOutputTokens }: NetworkStudent, longestText: number): object {
  if (maxOutputTokens === undefined && generation.maxTextLength !== undefined) {
    const limit = Math.min(generation.maxTextLength, longestText + 1)
    return { maxTextLength: limit, maxNewTokens: limit - 1, longestPrompt: limit - 1 }
  }
  const maxNewTokens = Math.min(maxOutputTokens ?? generation.maxNewTokens, longestText)
  return { maxNewTokens, longestPrompt: Number.isFinite(longestText) ? longestText + 1 - maxNewTokens : undefined }
}

/** The recipe of a classifier. */
export function describeClassifying({ maxInputTokens }: NetworkStudent, shape: BertShape, labels: readonly string[]): RecipeRest {
  const limit = Math.min(maxInputTokens ?? Number.POSITIVE_INFINITY, countPlaces(shape))
  return { kind: "classifier", labels, maxInputTokens: limit, readsTokenTypes: readsTokenTypes(shape) }
}

/** Why a program that takes the likeliest token at each step may answer otherwise than the student does by itself; undefined when it may not. */
export function explainOtherDecoding({ generation }: NetworkStudent): string | undefined {
  const reasons = [
    ...(generation.decoding.kind === "greedy" ? [] : [`decodes with ${generation.decoding.kind}`]),
    ...(areIdle(generation.rules) ? [] : ["forbids or forces tokens"]),
  ]
  if (reasons.length === 0) return undefined
  return `The student's generation configuration ${reasons.join(" and ")}; the page, and this comparison, take the likeliest token at each step.`
}
