// The classes of tokenizers that models are published with in files of their own, and which of them a folder's files are.
import { contentOf, type TokenizerConfiguration } from "../tokenizer"
import { isRecord, type PartDescription, readDescription, type TokenizerDescription } from "./describe"
import { describeTemplate, type Family, type TokenizerFiles } from "./family"
import { llamaFamily, t5Family, xlmRobertaFamily } from "./sentence-piece-families"
import { gatherSpecialTokens, numberAddedTokens, roleNames, type SmallFiles, type SpecialTokens } from "./special-tokens"
import { bertFamily, gpt2Family, qwen2Family, robertaFamily } from "./vocabulary-families"

const families: readonly Family[] = [t5Family, xlmRobertaFamily, llamaFamily, qwen2Family, robertaFamily, gpt2Family, bertFamily]

/** The files of all families. */
export const vocabularyFiles: readonly string[] = [...new Set(families.flatMap(({ files }) => files))]

/** A tokenizer as `tokenizer.json` describes it, and its configuration with the names of all special tokens. */
export interface DescribedTokens {
  readonly description: TokenizerDescription
  readonly configuration: TokenizerConfiguration
}

/** What says of which class a tokenizer is. */
export interface ClassNames {
  /** `tokenizer_class` of the tokenizer's or the model's configuration. */
  readonly tokenizerClass: unknown
  /** `model_type` of the model's configuration. */
  readonly modelType: unknown
}

/**
 * What a tokenizer's own files describe; undefined when none of them is there.
 * @throws Error with a clause of a sentence
 */
export function describeFiles(files: TokenizerFiles, small: SmallFiles, names: ClassNames): DescribedTokens | undefined {
  const here = families.filter((family) => family.files.every((name) => files.has(name)))
  if (here.length === 0) return undefined
  const family = chooseFamily(here, names)
  const special = gatherSpecialTokens(small, family.roles)
  const { model, vocabulary, extra, ...parts } = family.read(files, small.configuration)
  const added = numberAddedTokens({ ...special, extra: special.extra ?? extra }, [], vocabulary)
  const ids = new Map([...vocabulary, ...added.map(({ content, id }) => [content, id] as const)])
  const configuration = nameRoles(small.configuration, special)
  const tokens = Object.fromEntries(roleNames.map((role) => [role, contentOf(special.roles[role])]))
  const describe = family.describeAround ?? describeBeginAndEnd
  const around = describe({ names: tokens, findId: (token) => requireId(ids, token), configuration })
  return { description: { added_tokens: added, ...parts, model, post_processor: around }, configuration }
}

/**
 * What `tokenizer.json` describes, with the special tokens that the small files and the tokenizer's class name beside it.
 * @throws Error with a clause of a sentence
 */
export function describeJson(json: Readonly<Record<string, unknown>>, small: SmallFiles, names: ClassNames): DescribedTokens {
  const description = readDescription(json)
  const ids = listIds(description)
  const roles = Object.entries(findFamily(families, names)?.roles ?? {}).filter(([, token]) => ids.has(token))
  const special = gatherSpecialTokens(small, Object.fromEntries(roles))
  const added = numberAddedTokens(special, description.added_tokens, ids)
  return { description: { ...description, added_tokens: added }, configuration: nameRoles(small.configuration, special) }
}

function listIds({ model, added_tokens: added }: TokenizerDescription): ReadonlyMap<string, number> {
  const vocabulary = Array.isArray(model.vocab)
    ? model.vocab.map((entry: unknown, id) => [Array.isArray(entry) ? String(entry[0]) : "", id] as const)
    : Object.entries(isRecord(model.vocab) ? (model.vocab as Record<string, number>) : {})
  return new Map([...vocabulary, ...added.map(({ content, id }) => [content, id] as const)])
}

function nameRoles(configuration: TokenizerConfiguration, { roles }: SpecialTokens): TokenizerConfiguration {
  return { ...configuration, ...Object.fromEntries(Object.entries(roles).map(([role, { content }]) => [role, content])) }
}

function findFamily(among: readonly Family[], { tokenizerClass, modelType }: ClassNames): Family | undefined {
  return typeof tokenizerClass === "string"
    ? among.find(({ classes }) => classes.includes(tokenizerClass.replace(/Fast$/, "")))
    : among.find(({ modelTypes }) => modelTypes.includes(String(modelType)))
}

function chooseFamily(here: readonly Family[], names: ClassNames): Family {
  const isNamed = typeof names.tokenizerClass === "string"
  const family = findFamily(here, names) ?? (!isNamed && here.length === 1 ? here[0] : undefined)
  if (family) return family
  const what = isNamed ? names.tokenizerClass : `the model type ${JSON.stringify(names.modelType)}`
  throw new Error(`it is of ${what}, whose files this library does not know; it reads any tokenizer.json`)
}

function requireId(ids: ReadonlyMap<string, number>, token: string): number {
  const id = ids.get(token)
  if (id === undefined) throw new Error(`it has no token ${JSON.stringify(token)}`)
  return id
}

/** What the configuration says of tokens at the begin and the end; nothing where it is silent. */
const describeBeginAndEnd: NonNullable<Family["describeAround"]> = ({ names, findId, configuration }): PartDescription => {
  const begin = configuration.add_bos_token === true && names.bos_token !== "" ? [names.bos_token] : []
  const end = configuration.add_eos_token === true && names.eos_token !== "" ? [names.eos_token] : []
  return describeTemplate([...begin, "$A", ...end], [...begin, "$A", ...end, ...begin, "$B", ...end], findId)
}
