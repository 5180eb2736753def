// Which columns hold input and output, by their usual names and by what a sample row looks like: what there is without a teacher.
import { firstOf } from "../../core/flatten-columns"
import type { PromptSpec } from "../../core/prompt-spec"

export interface ColumnPair {
  readonly inputColumns: readonly string[]
  readonly outputColumn: string
}

/** Names that datasets commonly give to what is answered, most telling first, and to what is given. */
const outputNames =
  "output output_col completion response target answer answers.text answers answer_text label_text label sentiment summary highlights translation".split(
    " ",
  )
const inputNames = new Set(
  "instruction input input_col prompt question context passage paragraph source text sentence sentence1 sentence2 premise hypothesis document article dialogue query review word hint".split(
    " ",
  ),
)
/** Columns that say nothing to a model. */
const bookkeeping = /(^|_)(id|idx|index|uid|guid|uuid|url|split|hash)$|answer_start|^__/i
/** Columns beyond which nobody can tell input from output without knowing the dataset. */
const mostUnknown = 4

/** The columns of a dataset whose rows look like `sampleRow`; undefined where neither names nor the sample tell. */
export function guessColumns(
  columns: readonly string[],
  sampleRow: Readonly<Record<string, unknown>> | undefined,
  { demonstrations }: PromptSpec,
): ColumnPair | undefined {
  const useful = columns.filter((column) => !bookkeeping.test(column))
  const byName = outputNames.find((name) => useful.includes(name))
  const named = byName ? useful.filter((column) => column !== byName && inputNames.has(column.toLowerCase())) : []
  if (byName && named.length > 0) return { inputColumns: named, outputColumn: byName }
  if (useful.length < 2 || useful.length > mostUnknown) return undefined
  const forms = new Set(demonstrations.map(({ output }) => formOf(output)).filter((form) => form !== "text"))
  const ofForm = useful.filter((column) => sampleRow !== undefined && forms.has(formOf(String(firstOf(sampleRow[column]) ?? ""))))
  const outputColumn = byName ?? (ofForm.length === 1 ? ofForm[0] : useful[useful.length - 1])
  return { inputColumns: useful.filter((column) => column !== outputColumn), outputColumn }
}

/** The form of a short text: runs of digits by their length, runs of letters as one. Longer texts have the form `text`. */
export function formOf(text: string): string {
  const words = text.trim().split(/\s+/)
  if (words.length > 4) return "text"
  return text
    .trim()
    .replace(/\d+/g, (digits) => `<${digits.length}>`)
    .replace(/\p{L}+/gu, "a")
}

/**
 * How alike a sample of the output column and the demonstrations' outputs are, in [0, 1]: 1 for one of their labels, or for their form where
 * that is telling (`1999-05-03`); 0.75 for words in place of words; less for what is longer, shorter, or made of other signs.
 */
export function likenessOf(sample: string | undefined, demonstrations: PromptSpec["demonstrations"]): number {
  if (sample === undefined || demonstrations.length === 0) return 0.5
  return Math.max(...demonstrations.map(({ output }) => compareForms(sample.trim(), output.trim())))
}

function compareForms(sample: string, shown: string): number {
  if (sample.toLowerCase() === shown.toLowerCase()) return 1
  const [one, other] = [formOf(sample), formOf(shown)]
  if (one === other && /[^a\s]/.test(one) && one !== "text") return 1
  const hasDigits = (text: string) => /\p{N}/u.test(text)
  const isUpper = (text: string) => text === text.toUpperCase()
  const words = (text: string) => text.split(/\s+/).length
  const ratio = Math.min(words(sample), words(shown)) / Math.max(words(sample), words(shown))
  // Brackets, signs of equality and the like: what code and formulas have, and sentences have not.
  const hasSigns = (text: string) => /[^\p{L}\p{M}\p{N}\s'’"“”.,;:!?-]/u.test(text)
  const isSameKind = [hasDigits, isUpper, hasSigns].every((has) => has(sample) === has(shown))
  return (isSameKind ? 0.75 : 0.25) * (0.5 + 0.5 * ratio)
}
