// Scores a table that holds answers and references side by side.
import { InputError } from "../core/errors"
import type { SourceTable } from "../core/hub"
import type { Answer, Reference } from "./metric"
import { metricNamed } from "./metrics"

/** Where answers and references stand. */
export interface PredictionColumns {
  /** Column of the answers. */
  readonly hypothesis: string
  /** Column of the right answers: a text, a list of texts, or SQuAD's `{ text: [...] }`. Several columns: any of their texts will do. */
  readonly reference: string | readonly string[]
}

export interface ScorePredictionsOptions extends PredictionColumns {
  /** Names of metrics. */
  readonly metrics: readonly string[]
}

/**
 * The scores of a table of predictions; an empty cell in the hypothesis column counts as no answer.
 * @throws InputError `score.no-column`, `score.no-reference`, `metric.unknown`, `metric.needs-encoder`, `metric.no-rows`
 *
 * @example
 * const table = { columns: ["answer", "gold"], rows: [{ answer: "1999-05-03", gold: "1999-05-03" }] }
 * scorePredictions(table, { hypothesis: "answer", reference: "gold", metrics: ["exactMatch", "chrF++"] }).scores.exactMatch // 1
 */
export function scorePredictions(
  table: SourceTable,
  { metrics, ...columns }: ScorePredictionsOptions,
): { readonly rows: number; readonly scores: Readonly<Record<string, number>> } {
  const chosen = metrics.map(metricNamed)
  const { answers, references } = readPredictions(table, columns)
  return { rows: answers.length, scores: Object.fromEntries(chosen.map((metric) => [metric.name, metric.corpus(answers, references)])) }
}

/**
 * The answers of a table, and what they are scored against.
 * @throws InputError `score.no-column`, `score.no-reference`
 */
export function readPredictions(
  table: SourceTable,
  { hypothesis, reference }: PredictionColumns,
): { readonly answers: readonly Answer[]; readonly references: readonly Reference[] } {
  const columns = typeof reference === "string" ? [reference] : reference
  for (const column of [hypothesis, ...columns]) {
    if (!table.columns.includes(column)) {
      throw new InputError("score.no-column", `There is no column ${column}: choose from ${table.columns.join(", ")}.`)
    }
  }
  const references = table.rows.map((row, index) => {
    const golds = columns.flatMap((column) => goldsOf(row[column]))
    // Rows with fewer right answers than others leave cells empty.
    const filled = columns.length > 1 ? golds.filter((gold) => gold !== "") : golds
    if (golds.length > 0) return filled.length > 0 ? filled : golds
    throw new InputError(
      "score.no-reference",
      `Row ${index} has nothing in column ${columns.join(" or ")}: give every row its right answer, or leave the row out.`,
    )
  })
  return { answers: table.rows.map((row) => answerOf(row[hypothesis])), references }
}

function answerOf(cell: unknown): Answer {
  return cell === null || cell === undefined ? undefined : String(cell)
}

/** None in an empty cell. */
function goldsOf(cell: unknown): string[] {
  const golds = typeof cell === "object" && cell !== null && "text" in cell ? cell.text : cell
  if (isIterable(golds)) return Array.from(golds).flatMap(goldsOf)
  return golds === null || golds === undefined ? [] : [String(golds)]
}

/** Lists come as arrays or as Arrow vectors. */
function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value
}
