// Macro F1: each label's F1, all labels alike however rare.
import { defineMetric, statisticsOf } from "./metric"

/** Per label: rows where it is right, rows where it was answered, rows where it was expected. */
const perLabel = 3

/**
 * Mean over labels of each label's F1, 0 to 1, as scikit-learn's `f1_score(average="macro")`: labels are those expected or answered in
 * the rows that are scored; white space around a label does not count; of several references the one that was answered counts, else the
 * first. The score of a single row is 1 where it is right.
 */
export const macroF1 = defineMetric({
  name: "macroF1",
  label: "macro F1",
  scale: 1,
  statistics(answers, references) {
    const labels = new Map<string, number>()
    const numberOf = (label: string): number => {
      if (!labels.has(label)) labels.set(label, labels.size)
      return labels.get(label)!
    }
    const pairs = new Int32Array(2 * answers.length)
    statisticsOf(answers, references, 1, (answer, golds, _values, row) => {
      const given = answer?.trim()
      const gold = golds.map((one) => one.trim()).find((one) => one === given) ?? golds[0].trim()
      pairs[2 * row] = given === undefined ? -1 : numberOf(given)
      pairs[2 * row + 1] = numberOf(gold)
    })
    const size = perLabel * labels.size
    const values = new Float64Array(answers.length * size)
    for (let row = 0; row < answers.length; row++) {
      const [given, gold] = [pairs[2 * row], pairs[2 * row + 1]]
      if (given === gold) values[row * size + perLabel * gold] = 1
      if (given >= 0) values[row * size + perLabel * given + 1] = 1
      values[row * size + perLabel * gold + 2] = 1
    }
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
