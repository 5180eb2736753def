// What of a model's kind and languages does not suit a prompt. A model that can be used and does not suit comes behind those that do, however its
// card is worded: words tell what a model is about, not what it can do.
import type { ModelCard } from "../../core/hub"
import type { PromptSpec } from "../../core/prompt-spec"

/** Languages from which on a model knows each less well than one that was made for it. */
const manyLanguages = 6
/** Words of an answer from which on it is a text. */
const wordsOfText = 6

/** In a few words each; none for a model that suits. */
export function findMisfits(card: ModelCard, spec: PromptSpec): string[] {
  const misfits: string[] = []
  const misfit = findLanguageMisfit(card, findNeeds(spec))
  if (misfit !== undefined) misfits.push(misfit)
  // Answers that follow from their inputs are read better by an encoder; upstream takes no decoders at all.
  const isDecoder = !/^(m|um|by)?t5|bart|pegasus|bert/i.test(card.architecture)
  if (isDecoder && spec.demonstrations.length > 0 && !asksForText(spec)) misfits.push("a decoder, for short answers")
  if (!isDecoder && asksForText(spec)) misfits.push("no decoder, for free text")
  return misfits
}

interface LanguageNeeds {
  /** Codes of languages that the prompt names. */
  readonly named: readonly string[]
  /** Whether it is about other languages than English, whichever. */
  readonly isForeign: boolean
}

/** A card that names no language promises none and excludes none. */
function findLanguageMisfit({ languages }: ModelCard, { named, isForeign }: LanguageNeeds): string | undefined {
  const codes = new Set(languages.map((language) => language.toLowerCase().split("-")[0]))
  // Cards of models for a handful of languages say multilingual too.
  const isMany = codes.size >= manyLanguages || (!codes.has("en") && (codes.has("mul") || codes.has("multilingual")))
  if (codes.size === 0 || (isMany && isForeign)) return undefined
  if (isMany) return "made for many languages"
  const speaksThem = named.length > 0 && named.every((code) => codes.has(code))
  return isForeign && !speaksThem ? "made for few languages" : undefined
}

const languageNames = new Intl.DisplayNames("en", { type: "language" })
const codeOf = new Map(
  "ar bg bn ca cs cy da de el es et eu fa fi fr ga he hi hr hu hy id is it ja ka ko lt lv mk nl no pl pt ro ru sk sl sr sv sw ta th tr uk ur vi zh"
    .split(" ")
    .map((code) => [languageNames.of(code)?.toLowerCase() ?? code, code]),
)
const namePattern = new RegExp(`\\b(${[...codeOf.keys()].join("|")})\\b`, "gi")

/** What the instruction says, and most of the demonstrations show, of other languages than English. */
function findNeeds({ instruction, demonstrations }: PromptSpec): LanguageNeeds {
  const texts = demonstrations.map(({ input, output }) => `${input}\n${output}`)
  const areMost = (some: readonly unknown[]) => some.length * 2 > texts.length
  const namesIn = (text: string) => Array.from(text.matchAll(namePattern), ([name]) => codeOf.get(name.toLowerCase())!)
  // A single demonstration may speak of a French painter; where most name a language, it is a part of the task.
  const shown = texts.map(namesIn).filter((names) => names.length > 0)
  const named = [...namesIn(instruction), ...(areMost(shown) ? shown.flat() : [])]
  const isForeign = areMost(texts.filter((text) => /[^\P{L}a-z]/iu.test(text)))
  return { named, isForeign: isForeign || named.length > 0 || /\btranslat|\blanguages\b/i.test(instruction) }
}

/** Whether answers are texts that are longer than what they answer. */
function asksForText({ demonstrations }: PromptSpec): boolean {
  const count = (text: string) => text.split(/\s+/).length
  const answers = demonstrations.filter(({ input, output }) => count(output) >= wordsOfText && count(output) > count(input))
  return answers.length * 2 > demonstrations.length
}
