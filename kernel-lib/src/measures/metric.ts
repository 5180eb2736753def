// What a metric is: statistics of each row that add up, and a score of their sum. A corpus score, scores of single rows and bootstrap
// resamples are then all sums over rows, and cost no second look at the texts.
import { InputError } from "../core/errors"

/** What the system answered; undefined where it gave no answer, which no metric rewards. */
export type Answer = string | undefined
/** The right answer, or several of which any will do. */
export type Reference = string | readonly string[]

/** `size` numbers for each of `rows` rows, row after row. */
export interface RowStatistics {
  readonly rows: number
  readonly size: number
  readonly values: Float64Array
}

/** The part of a metric that needs no texts: statistics in, score out. */
export interface MetricScore {
  /** As it is asked for: `exactMatch`, `chrF++`. */
  readonly name: string
  /** As people read it: `exact match`. */
  readonly label: string
  /** The score of a perfect answer: 1 for shares, 100 for chrF. */
  readonly scale: number
  /** The score of summed statistics (`size` numbers). */
  score(sums: ArrayLike<number>): number
  /** The score of a single row's statistics, where that is another formula than `score`. */
  scoreRow(statistics: ArrayLike<number>): number
}

export interface Metric extends MetricScore {
  statistics(answers: readonly Answer[], references: readonly Reference[]): RowStatistics
  /** The score of all rows together. */
  corpus(answers: readonly Answer[], references: readonly Reference[]): number
  /** The score of each row by itself. */
  perRow(answers: readonly Answer[], references: readonly Reference[]): Float64Array
}

/** A metric of its statistics. */
export function defineMetric(
  definition: Pick<Metric, "name" | "label" | "scale" | "statistics" | "score"> & Partial<Pick<Metric, "scoreRow">>,
): Metric {
  const { scoreRow = definition.score } = definition
  return {
    ...definition,
    scoreRow,
    corpus(answers, references) {
      return definition.score(sumStatistics(definition.statistics(answers, references)))
    },
    perRow(answers, references) {
      return scoreRows(definition.statistics(answers, references), scoreRow)
    },
  }
}

/** The mean of scores up to 1, of which a row's statistics are its score and 1. */
export function defineMeanScore(name: string, label: string): MetricScore {
  const score = (sums: ArrayLike<number>) => sums[0] / sums[1]
  return { name, label, scale: 1, score, scoreRow: score }
}

/** A metric that is the mean of the rows' scores, in [0, 1]; with several references the best one counts. */
export function defineMeanMetric(name: string, label: string, scoreRow: (answer: string, reference: string) => number): Metric {
  return defineMetric({
    ...defineMeanScore(name, label),
    statistics: (answers, references) =>
      statisticsOf(answers, references, 2, (answer, golds, values, offset) => {
        let best = 0
        if (answer !== undefined) for (const gold of golds) best = Math.max(best, scoreRow(answer, gold))
        values[offset] = best
        values[offset + 1] = 1
      }),
  })
}

/**
 * `size` numbers for each row, as `fill` writes them into `values` from `offset` on.
 * @throws InputError `metric.no-rows`, `metric.lengths-differ`, `metric.no-reference`
 */
export function statisticsOf(
  answers: readonly Answer[],
  references: readonly Reference[],
  size: number,
  fill: (answer: Answer, references: readonly string[], values: Float64Array, offset: number) => void,
): RowStatistics {
  checkPairs(answers, references)
  const rows = answers.length
  const values = new Float64Array(rows * size)
  for (let row = 0; row < rows; row++) fill(answers[row], listGolds(references[row], row), values, row * size)
  return { rows, size, values }
}

/**
 * Each answer beside its references.
 * @throws InputError `metric.no-rows`, `metric.lengths-differ`, `metric.no-reference`
 */
export function pairAnswers(
  answers: readonly Answer[],
  references: readonly Reference[],
): readonly { readonly answer: Answer; readonly golds: readonly string[] }[] {
  checkPairs(answers, references)
  return answers.map((answer, row) => ({ answer, golds: listGolds(references[row], row) }))
}

function checkPairs({ length: rows }: readonly Answer[], references: readonly Reference[]): void {
  if (rows === 0) throw new InputError("metric.no-rows", "There is nothing to score: give at least one answer and its reference.")
  if (references.length !== rows) {
    throw new InputError(
      "metric.lengths-differ",
      `${rows} answers cannot be scored against ${references.length} references: give one reference for each answer.`,
    )
  }
}

function listGolds(reference: Reference, row: number): readonly string[] {
  const golds = typeof reference === "string" ? [reference] : reference
  if (golds.length === 0) throw new InputError("metric.no-reference", `Row ${row} has no reference: give at least one right answer.`)
  return golds
}

/** The sum over all rows: `size` numbers. */
export function sumStatistics({ rows, size, values }: RowStatistics): Float64Array {
  const sums = new Float64Array(size)
  for (let row = 0; row < rows; row++) {
    for (let index = 0; index < size; index++) sums[index] += values[row * size + index]
  }
  return sums
}

/** The score of each row by itself. */
export function scoreRows({ rows, size, values }: RowStatistics, score: Metric["scoreRow"]): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => score(values.subarray(row * size, (row + 1) * size)))
}

/** The statistics of the rows at `positions`, in that order. */
export function selectStatistics({ size, values }: RowStatistics, positions: readonly number[]): RowStatistics {
  const selected = new Float64Array(positions.length * size)
  for (const [row, position] of positions.entries()) selected.set(values.subarray(position * size, (position + 1) * size), row * size)
  return { rows: positions.length, size, values: selected }
}
