// Every test row with its answers and scores, and the wrong ones with the training row they are most like.
import type { Dataset } from "../../core/dataset"
import type { Prediction } from "../../core/student"
import type { MetricScore } from "../../measures/metric"
import { needsEncoder } from "../../measures/metrics"
import { NearestTexts } from "../../measures/nearest-texts"
import type { AnsweredSystem } from "./answer-systems"
import type { NearestRow, ReportRow } from "./report"
import type { ScoredAnswers } from "./score-system"

/** Wrong rows beyond these are not followed back to a training row. */
const mostNearest = 1000

/** The rows of `test` in order; `scored` has the student first. */
export function describeRows(
  test: Dataset,
  predictions: readonly Prediction[],
  scored: readonly (AnsweredSystem & ScoredAnswers)[],
  metrics: readonly MetricScore[],
  train: Dataset | undefined,
): ReportRow[] {
  const [{ perRow }, ...others] = scored
  const [first] = metrics
  const score = perRow[first.name]
  // A perfect F-score may miss its full score by a rounding, one of an encoder's float32 vectors by more.
  const tolerance = needsEncoder(first.name) ? 1e-5 : 1e-12
  const isRight = (row: number) => score[row] >= first.scale * (1 - tolerance)
  const wrong = Array.from(score.keys()).filter((row) => !isRight(row))
  const nearest = train && train.length > 0 ? findNearest(wrong.slice(0, mostNearest), test, train) : undefined
  // What the majority and a copier answer can be told from their names.
  const asked = others.filter(({ name }) => name === "teacher" || name === "teacherZeroShot" || name === "base")
  return Array.from(test, ({ id, input, output, group }, row) => ({
    ...{ row, id, input, expected: output, predicted: predictions[row].output, confidence: predictions[row].confidence },
    score: score[row],
    scores: Object.fromEntries(metrics.map(({ name }) => [name, perRow[name][row]])),
    isRight: isRight(row),
    group,
    nearest: nearest?.get(row),
    answers: Object.fromEntries(asked.flatMap(({ name, answers }) => (answers[row] === undefined ? [] : [[name, answers[row]]]))),
  }))
}

function findNearest(rows: readonly number[], test: Dataset, train: Dataset): Map<number, NearestRow> {
  const texts = new NearestTexts(train.inputs)
  const found = new Map<number, NearestRow>()
  for (const row of rows) {
    const nearest = texts.nearest(test.inputs[row])
    if (!nearest) continue
    const { id, input, output } = train.row(nearest.position)
    found.set(row, { id, input, output, similarity: nearest.similarity })
  }
  return found
}
