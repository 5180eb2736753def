// What a tokenizer puts around a text or two: the post-processors of `tokenizer.json` as one form.
import type { EncodedTexts, TextRange, TokenizedText } from "../tokenizer"
import { isId, isRecord, type PartDescription, readParts } from "./describe"

/** A place of a template: special tokens, or the tokens of a text. */
type Place = { readonly ids: readonly number[]; readonly typeId: number } | { readonly source: 0 | 1; readonly typeId: number }

export interface Templates {
  readonly single: readonly Place[]
  readonly pair: readonly Place[]
  /** Space at a token's begin and end does not count to its range, except one that was put before the text. */
  readonly trims?: { readonly hasPrefix: boolean }
}

const bare: Templates = {
  single: [{ source: 0, typeId: 0 }],
  pair: [
    { source: 0, typeId: 0 },
    { source: 1, typeId: 1 },
  ],
}

/**
 * The templates that a post-processor stands for.
 * @throws Error with a clause of a sentence
 */
export function readTemplates(part: PartDescription | null, findId: (token: string) => number | undefined): Templates {
  if (!part) return bare
  const trims = part.trim_offsets !== false ? { hasPrefix: part.add_prefix_space !== false } : undefined
  switch (part.type) {
    case "TemplateProcessing":
      return { single: readTemplate(part.single, part, findId), pair: readTemplate(part.pair, part, findId) }
    case "BertProcessing": {
      const [start, end] = readEnds(part)
      const single = [special(start, 0), text(0, 0), special(end, 0)]
      return { single, pair: [...single, text(1, 1), special(end, 1)] }
    }
    case "RobertaProcessing": {
      const [start, end] = readEnds(part)
      const single = [special(start, 0), text(0, 0), special(end, 0)]
      return { single, pair: [...single, special(end, 0), text(1, 0), special(end, 0)], trims }
    }
    case "ByteLevel":
      return { ...bare, trims }
    case "Sequence":
      return readParts(part.processors, "post_processor")
        .map((one) => readTemplates(one, findId))
        .reduce((all, one) => ({ ...(one.single === bare.single ? all : one), trims: one.trims ?? all.trims }), bare)
    default:
      throw new Error(`its post_processor ${JSON.stringify(part.type)} is of a kind that this library does not know`)
  }
}

function special(id: number, typeId: number): Place {
  return { ids: [id], typeId }
}

function text(source: 0 | 1, typeId: number): Place {
  return { source, typeId }
}

/** The tokens at the begin and the end, which both are written as a text and an id. */
function readEnds(part: PartDescription): [number, number] {
  const [start, end] = [part.cls, part.sep].map((token) => (Array.isArray(token) && isId(token[1]) ? token[1] : undefined))
  if (start === undefined || end === undefined) throw new Error("its post_processor has no tokens")
  return [start, end]
}

function readTemplate(places: unknown, part: PartDescription, findId: (token: string) => number | undefined): Place[] {
  if (!Array.isArray(places)) throw new Error("its post_processor has no template")
  return places.map((place: unknown): Place => {
    const { SpecialToken: token, Sequence: sequence } = isRecord(place) ? place : {}
    if (isRecord(sequence)) return text(sequence.id === "B" ? 1 : 0, readType(sequence))
    if (!isRecord(token) || typeof token.id !== "string") throw new Error("its post_processor has a place that is no token")
    const listed = isRecord(part.special_tokens) && Object.hasOwn(part.special_tokens, token.id) ? part.special_tokens[token.id] : undefined
    const ids = isRecord(listed) ? listed.ids : [findId(token.id)]
    if (!Array.isArray(ids) || !ids.every(isId)) throw new Error(`its post_processor puts ${JSON.stringify(token.id)}, which has no id`)
    return { ids, typeId: readType(token) }
  })
}

function readType(place: Readonly<Record<string, unknown>>): number {
  return isId(place.type_id) ? place.type_id : 0
}

/** The ids of a template with a text's in their place. */
export function fillIds(template: readonly Place[], ids: readonly number[]): number[] {
  return template.flatMap((place) => ("source" in place ? ids : place.ids))
}

/** A template with the tokens of one or two texts in their places. */
export function fillTemplate(template: readonly Place[], texts: readonly TokenizedText[]): EncodedTexts {
  const ids: number[] = []
  const typeIds: number[] = []
  const sources: (0 | 1 | null)[] = []
  const ranges: (TextRange | null)[] = []
  for (const place of template) {
    const source = "source" in place ? place.source : null
    const put = "source" in place ? texts[place.source] : { ids: place.ids, ranges: place.ids.map(() => null) }
    for (const [i, id] of put.ids.entries()) {
      ids.push(id)
      typeIds.push(place.typeId)
      sources.push(source)
      ranges.push(put.ranges[i])
    }
  }
  return { ids, typeIds, sources, ranges }
}
