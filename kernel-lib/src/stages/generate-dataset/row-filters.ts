// The filters that a generated row passes before it may be accepted: each a name, which is the reason in the ledger, and a function. They see
// one row at a time and what was accepted before it, and depend on nothing else, so that the same answers give the same rows.
import type { Example, PromptSpec } from "../../core/prompt-spec"
import { leastNearCharacters, NearDuplicateIndex } from "../../measures/near-duplicates"
import { normalizeText } from "../../measures/normalize-text"

export interface RowFilter {
  /** Why a row is dropped, in the words of the ledger. */
  readonly reason: string
  drops(row: Example): boolean
  /** Told of each row that was accepted; further answers to the same input are not. */
  noteAccepted?(row: Example): void
}

/** Which filters are on; all are where nothing is said. An ablation switches one off. */
export interface FilterSwitches {
  /** Several answers to one input become one row. Off, each answer is a row of its own, and there is no vote. */
  readonly duplicate?: boolean
  /** Inputs of 80 characters and more that share 80% of their five-character shingles, all their numbers and their output with an accepted one. */
  readonly nearDuplicate?: boolean
  /** Inputs or outputs far longer or shorter than the accepted ones. */
  readonly lengthOutlier?: boolean
  /** Rows whose text is a refusal. */
  readonly refusal?: boolean
  /** Rows whose input is a demonstration's. */
  readonly copiesDemonstration?: boolean
}

export interface FilterOptions {
  readonly spec: PromptSpec
  /** Outputs that are allowed, where the task has fixed labels. */
  readonly labels?: ReadonlySet<string>
  readonly switches?: FilterSwitches
}

/** Most characters of an input or an output; longer ones are a model that did not stop. */
const mostCharacters = 20_000

/** The filters in their order: the first that drops a row names the reason. */
export function createRowFilters({ spec, labels, switches = {} }: FilterOptions): RowFilter[] {
  const { nearDuplicate = true, lengthOutlier = true, refusal = true, copiesDemonstration = true } = switches
  const demonstrated = new Set(spec.demonstrations.map(({ input }) => input.trim()))
  return [
    { reason: "empty", drops: ({ input, output }) => input === "" || output === "" },
    ...(refusal ? [{ reason: "refusal", drops: ({ input, output }: Example) => refuses(input) || refuses(output) }] : []),
    { reason: "too long", drops: ({ input, output }) => input.length > mostCharacters || output.length > mostCharacters },
    ...(copiesDemonstration ? [{ reason: "copies a demonstration", drops: ({ input }: Example) => demonstrated.has(input) }] : []),
    ...(labels ? [{ reason: "outside the labels", drops: ({ output }: Example) => !labels.has(output) }] : []),
    ...(lengthOutlier ? [dropLengthOutliers()] : []),
    ...(nearDuplicate ? [dropNearDuplicates()] : []),
  ]
}

const inability = "i ?(?:cannot|can['’]?t|can not|could not|won['’]?t|will not|(?:am |['’]m )?(?:unable to|not able to))"
const apology = "(?:(?:i['’]?m |i am )?(?:very |so |really )?sorry|i apologi[sz]e|unfortunately)"
// People cannot help but smile, and cannot finish a game: without an apology only what assistants alone say counts.
const service = "(?:assist|help (?:you )?(?:with|create|generate)|fulfil|fulfill|comply|provide|generate|create)"
const anything = "(?:assist|help(?! but| it\\b)|fulfil|fulfill|comply|provide|generate|create|complete|answer|produce|engage|process|write)"
const refusals = [
  /^\W*as an? (?:ai|artificial intelligence|(?:large )?language model)\b/i,
  new RegExp(String.raw`^\W*${inability} (?:\w+ ){0,4}${service}\b`, "i"),
  new RegExp(String.raw`^\W*${apology}\b[^.!?\n]{0,20}\b${inability} (?:\w+ ){0,4}${anything}\b`, "i"),
  /^\s*(?:很|非常|十分)?(?:抱歉|对不起|對不起)[，,、。\s]*(?:但|但是)?我?(?:无法|無法|不能)/,
  /^\s*(?:申し訳(?:ありません|ございません)|すみません|ごめんなさい)[^。]{0,30}(?:できません|できかねます|いたしかねます)/,
  /^\W*(?:lo siento|perdón)\b[^.]{0,20}\bno puedo\b/i,
  /^\W*(?:je suis )?désolée?\b[^.]{0,20}\bje ne (?:peux|suis)\b/i,
  /^\W*(?:es )?tut mir leid\b[^.]{0,20}\bich (?:kann|darf)\b/i,
]

/** Whether a row's text is a refusal and not an input or output that happens to be about one: people are sorry in reviews, too. */
function refuses(text: string): boolean {
  return refusals.some((pattern) => pattern.test(text))
}

/** Whether an answer that holds no row is a refusal, by the words that models refuse with. */
export function isRefusal(text: string): boolean {
  return /^\s*(i'?m sorry|i am sorry|sorry,|i cannot|i can'?t|as an ai|i'?m unable|unfortunately, i)/i.test(text) || refuses(text)
}

/** Rows after which lengths are known well enough to tell what is unlike them. */
const enoughRows = 50
/** A length is an outlier beyond so many robust standard deviations of the logarithm ... */
const mostDeviations = 6
/** ... and only where it is so many times the median, or as many times less: a task may have two usual lengths. */
const leastFactor = 8

/** By median and median absolute deviation of the logarithm, looked at anew each time the rows have grown by a quarter. */
function dropLengthOutliers(): RowFilter {
  const lengths = { input: [] as number[], output: [] as number[] }
  let bounds: { input: Bounds; output: Bounds } | undefined
  let next = enoughRows
  return {
    reason: "length outlier",
    drops: ({ input, output }) => bounds !== undefined && !(isWithin(input, bounds.input) && isWithin(output, bounds.output)),
    noteAccepted({ input, output }) {
      lengths.input.push(Math.log(input.length))
      lengths.output.push(Math.log(output.length))
      if (lengths.input.length < next) return
      bounds = { input: boundsOf(lengths.input), output: boundsOf(lengths.output) }
      next = Math.ceil(next * 1.25)
    },
  }
}

interface Bounds {
  readonly least: number
  readonly most: number
}

function boundsOf(logarithms: readonly number[]): Bounds {
  const middle = medianOf(logarithms)
  // 1.4826 makes it a standard deviation where the logarithms are normal.
  const deviation = 1.4826 * medianOf(logarithms.map((value) => Math.abs(value - middle)))
  const reach = Math.max(mostDeviations * deviation, Math.log(leastFactor))
  return { least: middle - reach, most: middle + reach }
}

function medianOf(values: readonly number[]): number {
  return Float64Array.from(values).sort()[values.length >> 1]
}

/** Short texts are never outliers for being short: `N/A` beside a sentence is an answer. */
const shortCharacters = 20

function isWithin(text: string, { least, most }: Bounds): boolean {
  const length = Math.log(text.length)
  return length <= Math.max(most, Math.log(leastFactor * shortCharacters)) && (length >= least || text.length <= shortCharacters)
}

/** Long new inputs after which it is known whether most of them are near each other. */
const enoughLongInputs = 60

/**
 * An input near an accepted one, by `measures/near-duplicates`, with the same output. Short texts are never near, and near inputs with other
 * outputs are what a student learns most from: there the few words that differ are the task. Where most inputs are near each other the task
 * has one form, and being near says nothing: then nothing more is dropped. The same input again is a vote, and dropped nowhere.
 */
function dropNearDuplicates(): RowFilter {
  const inputs = new Set<string>()
  // Only rows with the same output and the same numbers can be near, and hashing is what costs time: a row that is alone with its is not hashed.
  const groups = new Map<string, NearDuplicateIndex | string>()
  let [compared, near] = [0, 0]
  const groupOf = (key: string) => {
    const group = groups.get(key)
    if (typeof group !== "string") return group
    const index = new NearDuplicateIndex()
    index.add(group)
    groups.set(key, index)
    return index
  }
  return {
    reason: "near-duplicate",
    drops(row) {
      if (row.input.length < leastNearCharacters || inputs.has(row.input)) return false
      if (compared >= enoughLongInputs && near * 2 > compared) return false
      const isNear = groupOf(keyOf(row))?.find(row.input) !== undefined
      compared++
      if (isNear) near++
      return isNear
    },
    noteAccepted(row) {
      if (row.input.length < leastNearCharacters) return
      inputs.add(row.input)
      const key = keyOf(row)
      const group = groupOf(key)
      if (group) group.add(row.input)
      else groups.set(key, row.input)
    },
  }
}

/** The numbers of the input, as `measures/near-duplicates` has them, and the output. */
function keyOf({ input, output }: Example): string {
  return `${
    input
      .normalize("NFKC")
      .match(/\p{N}+/gu)
      ?.join(" ") ?? ""
  }\n${normalizeText(output)}`
}
