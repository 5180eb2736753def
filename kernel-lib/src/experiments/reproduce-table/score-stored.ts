// The scores of stored predictions, as a table's cells.
import { bootstrapInterval, metricNamed } from "../../measures"
import { type ArtifactTask, type Predictions, readPredictions, type StoredStudent } from "./artifacts"
import type { ReproducedCell } from "./reproduced-table"

/** How each metric counts. */
export const protocol =
  "chrF++ as sacrebleu 2 (6 characters, 2 words); exact match letter by letter, any gold answer, unnormalised. Intervals are 95% bootstrap intervals over test rows; they do not cover other training seeds."

/** The metrics in which the paper scores a task, its own first. */
export function metricsOf(task: ArtifactTask): readonly string[] {
  return task === "SQuAD" ? ["exactMatch", "chrF++"] : ["chrF++", "exactMatch"]
}

/** One cell for each metric. */
export function scoreCells(
  { answers, references }: Predictions,
  metrics: readonly string[],
  { system, test, published = {} }: { system: string; test: string; published?: Readonly<Record<string, number | undefined>> },
): ReproducedCell[] {
  return metrics.map((name) => {
    const metric = metricNamed(name)
    const { value, low, high } = bootstrapInterval(metric.statistics(answers, references), metric.score)
    const said = published[name]
    return {
      system,
      test,
      metric: metric.label,
      scale: metric.scale,
      published: said,
      recomputed: value,
      low,
      high,
      difference: said === undefined ? undefined : value - said,
      rows: answers.length,
      remark: "",
    }
  })
}

/** `flan-t5-base, T 1.4, voting`. */
export function nameStudent({ model, generation }: StoredStudent): string {
  if (!generation) return model
  const { firstTemperature, lastTemperature, hasVoting } = generation
  const temperature = firstTemperature === lastTemperature ? `T ${lastTemperature}` : `T ${firstTemperature} to ${lastTemperature}`
  return `${model}, ${temperature}, ${hasVoting ? "voting" : "no voting"}`
}

export async function scoreStudent(student: StoredStudent, metrics: readonly string[]): Promise<ReproducedCell[]> {
  return scoreCells(await readPredictions(student.folder), metrics, { system: nameStudent(student), test: `${student.test} test` })
}
