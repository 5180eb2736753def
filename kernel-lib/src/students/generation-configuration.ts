// transformers' `generation_config.json`, as far as decoding here obeys it; what else would change answers is refused.
import { InputError } from "../core/errors"
import type { Decoding } from "../core/student"
import type { TokenRules } from "./token-rules"

type Json = Readonly<Record<string, unknown>>

/** When a beam search ends: with its first full set of finished beams, when transformers' guess sees nothing better, or when nothing can be. */
export type EarlyStopping = boolean | "never"

/** How a model decodes when nobody says otherwise. */
export interface GenerationConfiguration {
  /** Everything that the file said. */
  readonly json: Json
  readonly maxNewTokens: number
  /** `max_length` where nothing else limits an answer: of a decoder-only model it counts the prompt too. */
  readonly maxTextLength?: number
  readonly beams: number
  readonly lengthPenalty: number
  readonly stopsEarly: EarlyStopping
  readonly rules: TokenRules
  readonly decoding: Decoding
}

/**
 * What `json` says, checked; transformers' defaults where it says nothing. An encoder-decoder's `max_length` counts the start token.
 * @param path for messages
 * @throws InputError `student.config` for a way of decoding that is not known here
 */
export function readGenerationConfiguration(json: Json, path = "generation_config.json"): GenerationConfiguration {
  refuseUnknownWays(json, path)
  const count = (name: string): number | undefined =>
    Number.isSafeInteger(json[name]) && (json[name] as number) > 0 ? (json[name] as number) : undefined
  const number = (name: string, fallback: number): number => (Number.isFinite(json[name]) ? (json[name] as number) : fallback)
  const maxLength = count("max_length")
  // transformers takes a `max_length` of 20, its default, for 20 new tokens.
  const maxTextLength = count("max_new_tokens") === undefined && maxLength !== 20 ? maxLength : undefined
  const maxNewTokens = count("max_new_tokens") ?? (maxTextLength === undefined ? 20 : Math.max(1, maxTextLength - 1))
  const beams = json.do_sample === true ? 1 : (count("num_beams") ?? 1)
  return {
    json,
    maxNewTokens,
    maxTextLength,
    beams,
    lengthPenalty: number("length_penalty", 1),
    stopsEarly: json.early_stopping === "never" ? "never" : json.early_stopping === true,
    rules: readRules(json, count, number),
    decoding: json.do_sample === true ? readSampling(json, number) : beams > 1 ? { kind: "beam", beams } : { kind: "greedy" },
  }
}

const isAbove = (bound: number) => (value: unknown) => typeof value === "number" && value > bound
const isWithin = (value: unknown) => typeof value === "number" && value > 0 && value < 1
const isSaid = (value: unknown) => value !== undefined && value !== null
const isNot = (idle: unknown) => (value: unknown) => isSaid(value) && value !== idle

/** What changes transformers' answers and is not done here, each with the values that do. */
const unknownWays: Readonly<Record<string, (value: unknown) => boolean>> = {
  constraints: isSaid,
  diversity_penalty: isNot(0),
  dola_layers: isSaid,
  encoder_no_repeat_ngram_size: isAbove(0),
  encoder_repetition_penalty: isNot(1),
  exponential_decay_length_penalty: isSaid,
  force_words_ids: isSaid,
  guidance_scale: isNot(1),
  num_beam_groups: isAbove(1),
  penalty_alpha: isAbove(0),
  renormalize_logits: isNot(false),
  sequence_bias: isSaid,
  stop_strings: isSaid,
  token_healing: isNot(false),
  watermarking_config: isSaid,
}
/** The same, where tokens are drawn. */
const unknownDraws: typeof unknownWays = {
  epsilon_cutoff: isWithin,
  eta_cutoff: isWithin,
  min_p: isSaid,
  top_h: isSaid,
  typical_p: isWithin,
}

function refuseUnknownWays(json: Json, path: string): void {
  const unknown = Object.entries({ ...unknownWays, ...(json.do_sample === true ? unknownDraws : {}) })
  const [name] = unknown.find(([name, matters]) => matters(json[name])) ?? []
  if (name === undefined) return
  throw new InputError(
    "student.config",
    `${name} in ${path} is ${JSON.stringify(json[name])}, which students do not obey: take it out of the file, and answers are chosen without it.`,
  )
}

const obeyed = [
  ...["max_length", "max_new_tokens", "min_length", "min_new_tokens"],
  ...["num_beams", "early_stopping", "length_penalty", "do_sample", "temperature", "top_k", "top_p"],
  ...["repetition_penalty", "no_repeat_ngram_size", "bad_words_ids", "suppress_tokens", "begin_suppress_tokens"],
  ...["forced_bos_token_id", "forced_eos_token_id"],
]

/** What `config.json` says of decoding: where models were published before `generation_config.json`, and where that file is missing. */
export function pickGeneration(configuration: Json): Json {
  const names = [...obeyed, ...Object.keys(unknownWays), ...Object.keys(unknownDraws)]
  return Object.fromEntries(names.flatMap((name) => (isSaid(configuration[name]) ? [[name, configuration[name]]] : [])))
}

/** A token, or tokens, that `generation_config.json` names; what it says counts before `config.json`. */
export function readNamedIds(
  { json }: Pick<GenerationConfiguration, "json">,
  name: string,
  fallback: readonly number[],
): readonly number[] {
  const named = [json[name]].flat().filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0)
  return named.length > 0 ? named : fallback
}

function readRules(
  json: Json,
  count: (name: string) => number | undefined,
  number: (name: string, fallback: number) => number,
): TokenRules {
  const ids = (name: string): number[] => [json[name]].flat().filter((id): id is number => Number.isSafeInteger(id))
  const penalty = number("repetition_penalty", 1)
  return {
    repetitionPenalty: penalty > 0 ? penalty : 1,
    noRepeatNgramSize: count("no_repeat_ngram_size") ?? 0,
    minNewTokens: count("min_new_tokens") ?? 0,
    minLength: count("min_new_tokens") === undefined ? (count("min_length") ?? 0) : 0,
    forcedFirstId: ids("forced_bos_token_id")[0],
    forcedLastId: ids("forced_eos_token_id")[0],
    ...readRuns(json.bad_words_ids),
    suppressedIds: ids("suppress_tokens"),
    suppressedFirstIds: ids("begin_suppress_tokens"),
  }
}

function readRuns(value: unknown): Pick<TokenRules, "bannedRuns"> {
  const isRun = (one: unknown): one is number[] => Array.isArray(one) && one.length > 0 && one.every(Number.isSafeInteger)
  const bannedRuns = (Array.isArray(value) ? value : []).filter(isRun)
  return bannedRuns.length > 0 ? { bannedRuns } : {}
}

/** `top_k` is 50 where nothing is said, 0 switches it off; `top_p` chooses among what `top_k` left. */
function readSampling(json: Json, number: (name: string, fallback: number) => number): Decoding {
  const temperature = number("temperature", 1)
  const p = number("top_p", 1)
  const k = json.top_k === 0 ? undefined : Math.max(1, Math.floor(number("top_k", 50)))
  if (!(temperature > 0)) return { kind: "greedy" }
  return k === undefined ? { kind: "top-p", p, temperature } : { kind: "top-k", k, p, temperature }
}
