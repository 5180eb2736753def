// transformers' `generation_config.json`, as far as decoding here obeys it.
import type { Decoding } from "../core/student"
import type { TokenRules } from "./token-rules"

/** When a beam search ends: with its first full set of finished beams, when transformers' guess sees nothing better, or when nothing can be. */
export type EarlyStopping = boolean | "never"

/** How a model decodes when nobody says otherwise. */
export interface GenerationConfiguration {
  /** Everything that the file said. */
  readonly json: Readonly<Record<string, unknown>>
  readonly maxNewTokens: number
  /** `max_length` where nothing else limits an answer: of a decoder-only model it counts the prompt too. */
  readonly maxTextLength?: number
  readonly beams: number
  readonly lengthPenalty: number
  readonly stopsEarly: EarlyStopping
  readonly rules: TokenRules
  readonly decoding: Decoding
}

/** What `json` says, checked; transformers' defaults where it says nothing. An encoder-decoder's `max_length` counts the start token. */
export function readGenerationConfiguration(json: Readonly<Record<string, unknown>>): GenerationConfiguration {
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

function readRules(
  json: Readonly<Record<string, unknown>>,
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
    suppressedIds: ids("suppress_tokens"),
    suppressedFirstIds: ids("begin_suppress_tokens"),
  }
}

/** `top_k` is 50 where nothing is said, 0 switches it off; `top_p` chooses among what `top_k` left. */
function readSampling(json: Readonly<Record<string, unknown>>, number: (name: string, fallback: number) => number): Decoding {
  const temperature = number("temperature", 1)
  const p = number("top_p", 1)
  const k = json.top_k === 0 ? undefined : Math.max(1, Math.floor(number("top_k", 50)))
  if (!(temperature > 0)) return { kind: "greedy" }
  return k === undefined ? { kind: "top-p", p, temperature } : { kind: "top-k", k, p, temperature }
}
