// The form of `tokenizer.json`, as far as it matters here, and checks of it: such files are written by others.

export interface AddedTokenDescription {
  readonly id: number
  readonly content: string
  /** Matches only where no letter or digit stands beside it. */
  readonly single_word?: boolean
  /** Takes the white space before it, after it. */
  readonly lstrip?: boolean
  readonly rstrip?: boolean
  /** Is looked for in the normalised text. */
  readonly normalized?: boolean
  readonly special?: boolean
}

/** A part of a tokenizer: its kind and what belongs to that kind. */
export interface PartDescription {
  readonly type: string
  readonly [key: string]: unknown
}

export interface TokenizerDescription {
  readonly added_tokens: readonly AddedTokenDescription[]
  readonly normalizer: PartDescription | null
  readonly pre_tokenizer: PartDescription | null
  readonly model: PartDescription
  readonly post_processor: PartDescription | null
  readonly decoder: PartDescription | null
}

/**
 * A parsed `tokenizer.json`, checked.
 * @throws Error with a clause of a sentence
 */
export function readDescription(value: Readonly<Record<string, unknown>>): TokenizerDescription {
  const added = value.added_tokens ?? []
  if (!Array.isArray(added) || !added.every(isAddedToken)) throw new Error("its added_tokens are no list of tokens")
  if (!isRecord(value.model)) throw new Error("it has no model")
  return {
    added_tokens: added,
    normalizer: readPart(value.normalizer, "normalizer"),
    pre_tokenizer: readPart(value.pre_tokenizer, "pre_tokenizer"),
    model: { ...value.model, type: kindOfModel(value.model) },
    post_processor: readPart(value.post_processor, "post_processor"),
    decoder: readPart(value.decoder, "decoder"),
  }
}

/**
 * A part, checked; null where there is none.
 * @throws Error with a clause of a sentence
 */
export function readPart(value: unknown, name: string): PartDescription | null {
  if (value === undefined || value === null) return null
  if (!isRecord(value) || typeof value.type !== "string") throw new Error(`its ${name} has no type`)
  const { pattern } = value
  if (pattern !== undefined && !(isRecord(pattern) && [pattern.String, pattern.Regex].some((one) => typeof one === "string")))
    throw new Error(`its ${name} has a pattern that is none`)
  return value as PartDescription
}

/**
 * The parts of a sequence, checked.
 * @throws Error with a clause of a sentence
 */
export function readParts(value: unknown, name: string): PartDescription[] {
  if (!Array.isArray(value)) throw new Error(`its ${name} is no list`)
  return value.map((one) => {
    const part = readPart(one, name)
    if (!part) throw new Error(`its ${name} has an empty part`)
    return part
  })
}

/** Old files do not name the kind. */
function kindOfModel(model: Readonly<Record<string, unknown>>): string {
  if (typeof model.type === "string") return model.type
  if (Array.isArray(model.vocab)) return "Unigram"
  return Object.hasOwn(model, "merges") ? "BPE" : "WordPiece"
}

function isAddedToken(value: unknown): value is AddedTokenDescription {
  return isRecord(value) && isId(value.id) && typeof value.content === "string"
}

/** Ids count tokens: one that is far larger than any vocabulary would only take memory. */
export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 1 << 24
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
