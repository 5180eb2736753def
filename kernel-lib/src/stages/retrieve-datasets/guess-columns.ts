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
 * that is telling (`1999-05-03`); 0.75 for words in place of words; less for what is longer, shorter, or made of other signs. Where the column's
 * `labels` are known, they decide: outputs that are none of them are of another task, or of the same one by other names.
 */
export function likenessOf(
  sample: string | undefined,
  demonstrations: PromptSpec["demonstrations"],
  labels: readonly string[] = [],
): number {
  const outputs = new Set(demonstrations.map(({ output }) => output.trim().toLowerCase()))
  if (outputs.size > 0 && labels.length > 0) {
    const shared = labels.filter((label) => outputs.has(label.toLowerCase())).length / outputs.size
    return outputs.size > labels.length ? 0.25 : 0.5 + 0.5 * shared
  }
  if (sample === undefined || demonstrations.length === 0) return 0.5
  return Math.max(...demonstrations.map(({ output }) => compareForms(sample.trim(), output.trim())))
}

/** Whether samples of the input columns are of another kind than every demonstration's input: digits where they have none, or another script. */
export function isOtherInput(samples: readonly string[], demonstrations: PromptSpec["demonstrations"]): boolean {
  if (demonstrations.length === 0) return false
  const inputs = demonstrations.map(({ input }) => input)
  const [digit, latin] = [/\p{N}/gu, /\p{Script=Latin}/gu]
  const haveDigitsAlone = (texts: readonly string[], others: readonly string[]) =>
    texts.some((text) => shareOf(text, digit) > 0.5) && others.every((text) => shareOf(text, digit) === 0)
  const isOtherScript = (text: string, other: string) => {
    const [less, more] = [shareOf(text, latin), shareOf(other, latin)].sort((a, b) => a - b)
    return less === 0 && more > 0.5 && shareOf(text, digit) < 0.5 && shareOf(other, digit) < 0.5
  }
  const whole = samples.join(" ")
  return (
    haveDigitsAlone(samples, inputs) ||
    (inputs.every((input) => shareOf(input, digit) > 0.5) && shareOf(whole, digit) === 0) ||
    inputs.every((input) => isOtherScript(whole, input))
  )
}

/** The share of letters and digits of a text that are of a kind. */
function shareOf(text: string, kind: RegExp): number {
  const count = (sign: RegExp) => text.match(sign)?.length ?? 0
  return count(kind) / Math.max(1, count(/[\p{L}\p{N}]/gu))
}

function compareForms(sample: string, shown: string): number {
  if (sample.toLowerCase() === shown.toLowerCase()) return 1
  const [one, other] = [formOf(sample), formOf(shown)]
  if (one === other && /[^a\s]/.test(one) && one !== "text") return 1
  const hasDigits = (text: string) => /\p{N}/u.test(text)
  // Many scripts know no capitals.
  const isUpper = (text: string) => text === text.toUpperCase() && text !== text.toLowerCase()
  // One word or two is the same; five or ten is not.
  const words = (text: string) => text.split(/\s+/).length + 2
  const ratio = Math.min(words(sample), words(shown)) / Math.max(words(sample), words(shown))
  // Brackets, signs of equality and the like: what code and formulas have, and sentences have not.
  const hasSigns = (text: string) => /[^\p{L}\p{M}\p{N}\s'’"“”.,;:!?-]/u.test(text)
  const isSameKind = [hasDigits, isUpper, hasSigns].every((has) => has(sample) === has(shown))
  return (isSameKind ? 0.75 : 0.25) * (0.5 + 0.5 * ratio)
}
