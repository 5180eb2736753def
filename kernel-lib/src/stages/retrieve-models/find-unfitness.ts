// Why a model cannot be the base of a prompt's student: what it is, how large, whose, and for which languages.
import { formatBytes } from "../../core/format-bytes"
import type { ModelCard } from "../../core/hub"
import type { PromptSpec } from "../../core/prompt-spec"
import { supportedModelTypes } from "../../students"

export interface ModelLimits {
  readonly maxBytes: number
  readonly licenses?: readonly string[]
  readonly languages?: readonly string[]
}

/** The reason in a few words; undefined for a model that can be used. */
export function findUnfitness(card: ModelCard, spec: PromptSpec, { maxBytes, licenses, languages }: ModelLimits): string | undefined {
  const { architecture, license, bytes = 0 } = card
  if (!supportedModelTypes.includes(architecture)) return `${architecture} is no architecture that this library trains`
  if (isEncoder(architecture) && !asksForLabelsOrSpans(spec)) return `${architecture} gives labels or spans, and this prompt asks for text`
  if (bytes > maxBytes) return `${formatBytes(bytes)}, more than ${formatBytes(maxBytes)}`
  const isNamed = (name: string) => name.toLowerCase() === license.toLowerCase()
  if (licenses && !licenses.some(isNamed)) return `its licence is ${license}`
  const missing = languages?.find((language) => !speaks(card, language))
  if (missing !== undefined) return `not made for ${missing}`
  return isForEnglishAlone(card) && hasOtherScript(spec) ? "made for English alone" : undefined
}

function isEncoder(architecture: string): boolean {
  return /bert|electra|mpnet/i.test(architecture)
}

/** An answer that stands twice among the demonstrations is a label; one that stands in its input is a span. */
function asksForLabelsOrSpans({ demonstrations }: PromptSpec): boolean {
  if (demonstrations.length === 0) return true
  const outputs = new Set(demonstrations.map(({ output }) => output.trim()))
  const areLabels = outputs.size < demonstrations.length && [...outputs].every((output) => output.split(/\s+/).length <= 3)
  return areLabels || demonstrations.every(({ input, output }) => input.includes(output.trim()))
}

/** A card that names no language promises none and excludes none. */
function speaks({ languages }: ModelCard, language: string): boolean {
  const wanted = language.toLowerCase().split("-")[0]
  return languages.length === 0 || languages.some((one) => ["mul", "multilingual", wanted].includes(one.toLowerCase().split("-")[0]))
}

function isForEnglishAlone({ languages }: ModelCard): boolean {
  return languages.length > 0 && languages.every((language) => /^en(-|$)/i.test(language))
}

/** Whether most demonstrations have letters that are not Latin. */
function hasOtherScript({ demonstrations }: PromptSpec): boolean {
  const isOther = (text: string) => (text.match(/\p{L}/gu) ?? []).filter((letter) => !/\p{Script=Latin}/u.test(letter)).length >= 3
  return demonstrations.filter(({ input, output }) => isOther(input) || isOther(output)).length * 2 > demonstrations.length
}
