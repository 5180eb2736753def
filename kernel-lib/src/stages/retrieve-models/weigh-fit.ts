// How well a model's kind and languages suit a prompt, beside what its card says: where little is downloaded, downloads cannot tell.
import type { ModelCard } from "../../core/hub"
import type { PromptSpec } from "../../core/prompt-spec"

export interface Fit {
  /** What the model's relevance is multiplied by, in (0, 1]. */
  readonly weight: number
  /** Why it is less than 1. */
  readonly reasons: readonly string[]
}

/** A misfit halves the weight: a card that is twice as relevant outweighs it. */
const misfit = 0.5
/** Languages from which on a model knows each less well than one that was made for it. */
const manyLanguages = 6
/** Words of an answer from which on it is a text. */
const wordsOfText = 6

export function weighFit(card: ModelCard, spec: PromptSpec): Fit {
  const { languages, architecture } = card
  const reasons: string[] = []
  const isMultilingual = languages.length >= manyLanguages || languages.some((language) => /^(mul|multilingual)$/i.test(language))
  if (languages.length > 0 && isMultilingual !== needsLanguages(spec)) {
    reasons.push(isMultilingual ? "made for many languages" : "made for few languages")
  }
  // Answers that follow from their inputs are read better by an encoder; upstream takes no decoders at all.
  const isDecoder = !/^(m|um|by)?t5|bart|pegasus|bert/i.test(architecture)
  if (isDecoder && spec.demonstrations.length > 0 && !asksForText(spec)) reasons.push("a decoder, for short answers")
  if (!isDecoder && asksForText(spec)) reasons.push("no decoder, for free text")
  return { weight: misfit ** reasons.length, reasons }
}

const languageNames = new Intl.DisplayNames("en", { type: "language" })
const otherLanguages =
  "ar bg bn ca cs da de el es et fa fi fr he hi hr hu id is it ja ko la lt lv nl no pl pt ro ru sk sl sr sv sw ta th tr uk ur vi zh".split(
    " ",
  )
const namesLanguage = new RegExp(
  `\\b(${otherLanguages.map((code) => languageNames.of(code)).join("|")})\\b|\\btranslat|\\blanguages\\b`,
  "i",
)

/** Whether the prompt speaks of other languages than English, or shows them. */
function needsLanguages({ instruction, demonstrations }: PromptSpec): boolean {
  const texts = demonstrations.map(({ input, output }) => `${input}\n${output}`)
  const isForeign = (text: string) => /[^\P{L}a-z]/iu.test(text)
  return (
    [instruction, ...texts].some((text) => namesLanguage.test(text)) || texts.filter(isForeign).length * 2 >= Math.max(1, texts.length) + 1
  )
}

/** Whether answers are texts that are longer than what they answer. */
function asksForText({ demonstrations }: PromptSpec): boolean {
  const count = (text: string) => text.split(/\s+/).length
  const answers = demonstrations.filter(({ input, output }) => count(output) >= wordsOfText && count(output) > count(input))
  return answers.length * 2 > demonstrations.length
}
