// What a family of tokenizers is: how transformers makes a `tokenizer.json` of the files that its models are published with.
import type { TokenizerConfiguration } from "../tokenizer"
import type { PartDescription } from "./describe"
import type { LooseToken, RoleName } from "./special-tokens"

/** The files of a tokenizer, by name. */
export type TokenizerFiles = ReadonlyMap<string, Uint8Array>

export interface Family {
  /** Classes of transformers, without "Fast" at their ends. */
  readonly classes: readonly string[]
  /** Values of `model_type` in config.json that stand for it where no class is named. */
  readonly modelTypes: readonly string[]
  /** The files that it is made of. */
  readonly files: readonly string[]
  /** The special tokens that its class has by itself. */
  readonly roles: Readonly<Partial<Record<RoleName, string>>>
  /** @throws Error with a clause of a sentence */
  read(files: TokenizerFiles, configuration: TokenizerConfiguration): FamilyParts
  /** What is put around texts. Default: begin and end of a sequence, as the configuration says. */
  describeAround?(context: AroundContext): PartDescription
}

export interface FamilyParts {
  readonly model: PartDescription
  readonly vocabulary: ReadonlyMap<string, number>
  readonly normalizer: PartDescription | null
  readonly pre_tokenizer: PartDescription | null
  readonly decoder: PartDescription
  /** Tokens without a role that the files bring; they count where the small files say nothing of such tokens. */
  readonly extra?: readonly LooseToken[]
}

export interface AroundContext {
  /** The texts of special tokens; empty where there is none. */
  readonly names: Readonly<Record<string, string>>
  /** @throws Error with a clause of a sentence when there is no such token */
  findId(token: string): number
  readonly configuration: TokenizerConfiguration
}

/**
 * A template of `tokenizer.json`. Places are tokens, `$A` and `$B`; where `pair` goes on after what `single` has, its token types are 1.
 */
export function describeTemplate(
  single: readonly string[],
  pair: readonly string[],
  findId: (token: string) => number,
  typesOfPair: readonly number[] = pair.map((_, i) => (i < single.length ? 0 : 1)),
): PartDescription {
  const describePlace = (place: string, typeId: number) =>
    place === "$A" || place === "$B"
      ? { Sequence: { id: place.slice(1), type_id: typeId } }
      : { SpecialToken: { id: place, type_id: typeId } }
  const tokens = [...new Set(pair)].filter((place) => place !== "$A" && place !== "$B")
  return {
    type: "TemplateProcessing",
    single: single.map((place) => describePlace(place, 0)),
    pair: pair.map((place, i) => describePlace(place, typesOfPair[i])),
    special_tokens: Object.fromEntries(tokens.map((token) => [token, { id: token, ids: [findId(token)], tokens: [token] }])),
  }
}
