// What the small files beside a vocabulary say of special and added tokens, gathered as transformers gathers it:
// `tokenizer_config.json`, and where that has no `added_tokens_decoder`, `special_tokens_map.json` and `added_tokens.json`.
import { contentOf, type TokenizerConfiguration } from "../tokenizer"
import { type AddedTokenDescription, isId, isRecord } from "./describe"

export const roleNames = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"] as const
export type RoleName = (typeof roleNames)[number]

/** A token before it has an id. */
export type LooseToken = Omit<AddedTokenDescription, "id"> & { readonly id?: number }

export interface SpecialTokens {
  /** With those that the tokenizer's class has by itself. */
  readonly roles: Readonly<Partial<Record<RoleName, LooseToken>>>
  /** Special tokens without a role; undefined where no file says anything of them. */
  readonly extra: readonly LooseToken[] | undefined
  /** Tokens with ids, in the order of these. */
  readonly added: readonly LooseToken[]
}

export interface SmallFiles {
  readonly configuration: TokenizerConfiguration
  readonly specialTokensMap?: Readonly<Record<string, unknown>>
  readonly addedTokens?: Readonly<Record<string, unknown>>
}

/** `defaults` are the roles that the tokenizer's class fills where no file does. */
export function gatherSpecialTokens(
  { configuration, specialTokensMap, addedTokens }: SmallFiles,
  defaults: Readonly<Partial<Record<RoleName, string>>>,
): SpecialTokens {
  const decoder = configuration.added_tokens_decoder
  const legacy = isRecord(decoder) ? {} : (specialTokensMap ?? {})
  const said: Record<string, unknown> = { ...defaults, ...configuration, ...legacy }
  const listed = ["extra_special_tokens", "additional_special_tokens"].filter((key) => Object.hasOwn(said, key))
  const extra = listed.map((key) => said[key]).find(Array.isArray) ?? []
  // As transformers: a token that is listed as an object is not found again here, and stays visible in what is decoded.
  const specials = new Set([...roleNames.map((role) => contentOf(said[role])), ...extra.filter((one) => typeof one === "string")])
  const added = isRecord(decoder) ? readDecoder(decoder) : readAddedTokens(addedTokens ?? {}, specials)
  const known = new Map(added.map((token) => [token.content, token]))
  return {
    roles: Object.fromEntries(
      roleNames.flatMap((role) => {
        const token = readToken(said[role])
        return token ? [[role, known.get(token.content) ?? token]] : []
      }),
    ),
    extra: listed.length > 0 ? extra.flatMap((one) => readToken(one) ?? []) : undefined,
    added,
  }
}

/**
 * A vocabulary's added tokens: those that were given, then the others that are named, each with the id that the vocabulary has for
 * it, else its own, else the next.
 */
export function numberAddedTokens(
  { roles, extra = [], added }: SpecialTokens,
  given: readonly AddedTokenDescription[],
  ids: ReadonlyMap<string, number>,
): AddedTokenDescription[] {
  const named = new Set(Object.values(roles).map(({ content }) => content))
  const numbered = given.map((token) => ({ ...token, special: token.special || named.has(token.content) }))
  const known = new Set(given.map(({ content }) => content))
  let next = Math.max(-1, ...given.map(({ id }) => id))
  for (const id of ids.values()) next = Math.max(next, id)
  for (const token of [...added, ...Object.values(roles), ...extra]) {
    if (known.has(token.content) || token.content === "") continue
    known.add(token.content)
    const id = ids.get(token.content) ?? token.id ?? next + 1
    next = Math.max(next, id)
    const { content, single_word = false, lstrip = false, rstrip = false } = token
    const normalized = token.normalized ?? !token.special
    numbered.push({ id, content, single_word, lstrip, rstrip, normalized, special: token.special || named.has(content) })
  }
  return numbered
}

function readDecoder(decoder: Readonly<Record<string, unknown>>): LooseToken[] {
  return Object.entries(decoder)
    .map(([id, token]) => ({ ...(readToken(token) ?? { content: "" }), id: Number(id) }))
    .filter(({ id, content }) => isId(id) && content !== "")
    .sort((a, b) => a.id - b.id)
}

function readAddedTokens(addedTokens: Readonly<Record<string, unknown>>, specials: ReadonlySet<unknown>): LooseToken[] {
  return Object.entries(addedTokens)
    .flatMap(([content, id]) => (isId(id) ? [{ content, id, special: specials.has(content), normalized: !specials.has(content) }] : []))
    .sort((a, b) => a.id - b.id)
}

/** A token as it is written: its text, which makes it special, or an object with its ways. */
function readToken(token: unknown): LooseToken | undefined {
  const content = contentOf(token)
  if (content === "") return undefined
  if (!isRecord(token)) return { content, special: true, normalized: false }
  const flag = (name: string): boolean | undefined => (typeof token[name] === "boolean" ? token[name] : undefined)
  return {
    content,
    single_word: flag("single_word"),
    lstrip: flag("lstrip"),
    rstrip: flag("rstrip"),
    normalized: flag("normalized"),
    special: flag("special"),
  }
}
