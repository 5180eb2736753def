// Macro F1: each label's F1, all labels alike however rare.
import { InputError } from "../core/errors"
import { type Answer, defineMetric, type Metric, pairAnswers, type Reference } from "./metric"

/** Per label: rows where it is right, rows where it was answered, rows where it was expected. */
const perLabel = 3
/** Numbers of a table of statistics, which has a column for each label: 512 MB. */
const mostNumbers = 2 ** 26

const ofStatistics = defineMetric({
  name: "macroF1",
  label: "macro F1",
  scale: 1,
  statistics(answers, references) {
    const { numLabels, given, expected } = numberLabels(answers, references)
    const size = perLabel * numLabels
    if (answers.length * size > mostNumbers) {
      throw new InputError(
        "metric.too-many-labels",
        `The answers have ${numLabels} different labels, too many to say how sure their macro F1 is: use exactMatch for texts that are no labels.`,
      )
    }
    const values = new Float64Array(answers.length * size)
    for (let row = 0; row < answers.length; row++) countRow(values, row * size, given[row], expected[row])
    return { rows: answers.length, size, values }
  },
  score(sums) {
    let total = 0
    let labels = 0
    for (let at = 0; at < sums.length; at += perLabel) {
      const [right, answered, expected] = [sums[at], sums[at + 1], sums[at + 2]]
      if (answered + expected === 0) continue
      total += (2 * right) / (answered + expected)
      labels++
    }
    return total / labels
  },
})

/**
 * Mean over labels of each label's F1, 0 to 1, as scikit-learn's `f1_score(average="macro")`: labels are those expected or answered in
 * the rows that are scored; white space around a label does not count; of several references the one that was answered counts, else the
 * first. The score of a single row is 1 where it is right. Statistics have columns for each label, so that a set of thousands of rows which
 * are all different has none (`metric.too-many-labels`); its score has no such limit.
 */
export const macroF1: Metric = {
  ...ofStatistics,
  corpus(answers, references) {
    const { numLabels, given, expected } = numberLabels(answers, references)
    const sums = new Float64Array(perLabel * numLabels)
    for (let row = 0; row < answers.length; row++) countRow(sums, 0, given[row], expected[row])
    return ofStatistics.score(sums)
  },
  perRow(answers, references) {
    const { given, expected } = numberLabels(answers, references)
    return Float64Array.from(given, (label, row) => (label === expected[row] ? 1 : 0))
  },
}

/** The labels as numbers, in the order in which they come; -1 for no answer. */
function numberLabels(answers: readonly Answer[], references: readonly Reference[]) {
  const numbers = new Map<string, number>()
  const numberOf = (label: string): number => {
    const known = numbers.get(label)
    if (known !== undefined) return known
    numbers.set(label, numbers.size)
    return numbers.size - 1
  }
  const given = new Int32Array(answers.length)
  const expected = new Int32Array(answers.length)
  for (const [row, { answer, golds }] of pairAnswers(answers, references).entries()) {
    const label = answer?.trim()
    const gold = golds.map((one) => one.trim()).find((one) => one === label) ?? golds[0].trim()
    given[row] = label === undefined ? -1 : numberOf(label)
    expected[row] = numberOf(gold)
  }
  return { numLabels: numbers.size, given, expected }
}

function countRow(counts: Float64Array, offset: number, given: number, expected: number): void {
  if (given === expected) counts[offset + perLabel * expected]++
  if (given >= 0) counts[offset + perLabel * given + 1]++
  counts[offset + perLabel * expected + 2]++
}
