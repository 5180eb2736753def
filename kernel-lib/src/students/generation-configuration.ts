// transformers' `generation_config.json`, as far as decoding here obeys it.

/** How a model decodes when nobody says otherwise. */
export interface GenerationConfiguration {
  /** Everything that the file said. */
  readonly json: Readonly<Record<string, unknown>>
  readonly maxNewTokens: number
  readonly beams: number
  readonly lengthPenalty: number
  readonly stopsEarly: boolean
}

/** What `json` says, checked; transformers' defaults where it says nothing. An encoder-decoder's `max_length` counts the start token. */
export function readGenerationConfiguration(json: Readonly<Record<string, unknown>>): GenerationConfiguration {
  const count = (value: unknown): number | undefined =>
    Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined
  const maxLength = count(json.max_length)
  const maxNewTokens = count(json.max_new_tokens) ?? (maxLength === undefined || maxLength === 20 ? 20 : Math.max(1, maxLength - 1))
  return {
    json,
    maxNewTokens,
    beams: json.do_sample === true ? 1 : (count(json.num_beams) ?? 1),
    lengthPenalty: typeof json.length_penalty === "number" && Number.isFinite(json.length_penalty) ? json.length_penalty : 1,
    stopsEarly: json.early_stopping === true,
  }
}
