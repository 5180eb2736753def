// Scores a table that holds answers and references side by side.
import { InputError } from "../core/errors"
import type { SourceTable } from "../core/hub"
import type { Answer, Reference } from "./metric"
import { metricNamed } from "./metrics"

export interface ScorePredictionsOptions {
  /** Column of the answers. */
  readonly hypothesis: string
  /** Column of the right answers: a text, a list of texts, or SQuAD's `{ text: [...] }`. */
  readonly reference: string
  /** Names of metrics. */
  readonly metrics: readonly string[]
}

/**
 * The scores of a table of predictions; an empty cell in the hypothesis column counts as no answer.
 * @throws InputError `score.no-column`, `score.no-reference`, `metric.unknown`, `metric.no-rows`
 *
 * @example
 * const table = { columns: ["answer", "gold"], rows: [{ answer: "1999-05-03", gold: "1999-05-03" }] }
 * scorePredictions(table, { hypothesis: "answer", reference: "gold", metrics: ["exactMatch", "chrF++"] }).scores.exactMatch // 1
 */
export function scorePredictions(
  table: SourceTable,
  { hypothesis, reference, metrics }: ScorePredictionsOptions,
): { readonly rows: number; readonly scores: Readonly<Record<string, number>> } {
  for (const column of [hypothesis, reference]) {
    if (!table.columns.includes(column)) {
      throw new InputError("score.no-column", `There is no column ${column}: choose from ${table.columns.join(", ")}.`)
    }
  }
  const chosen = metrics.map(metricNamed)
  const answers = table.rows.map((row) => answerOf(row[hypothesis]))
  const references = table.rows.map((row, index) => referenceOf(row[reference], index, reference))
  return { rows: answers.length, scores: Object.fromEntries(chosen.map((metric) => [metric.name, metric.corpus(answers, references)])) }
}

function answerOf(cell: unknown): Answer {
  return cell === null || cell === undefined ? undefined : String(cell)
}

function referenceOf(cell: unknown, row: number, column: string): Reference {
  const golds = typeof cell === "object" && cell !== null && "text" in cell ? cell.text : cell
  if (isIterable(golds)) return Array.from(golds, String)
  if (golds === null || golds === undefined) {
    throw new InputError("score.no-reference", `Row ${row} has nothing in column ${column}: every row needs its right answer.`)
  }
  return String(golds)
}

/** Lists come as arrays or as Arrow vectors. */
function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value
}
