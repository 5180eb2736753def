// The scores of stored predictions, as a table's cells.
import { bootstrapInterval, metricNamed } from "../../measures"
import { type ArtifactTask, type Predictions, readPredictions, type StoredStudent } from "./artifacts"
import type { ReproducedCell } from "./reproduced-table"

/** How each metric counts, in full; each cell has it in a few words. */
export const protocol =
  "Protocols: sacrebleu 2 is chrF++ of the whole corpus with 6 characters and 2 words; any gold is exact match letter by letter with any of a row's gold answers, nothing normalised. Intervals are 95% bootstrap intervals over test rows; they do not cover other training seeds."
/** What a difference from a printed number may be besides. */
export const rounding = "The paper rounds to one decimal: a difference below 0.05 is none."

/** The protocol of a metric in a few words. */
export function protocolOf(metric: string): string {
  return metric === "chrF++" ? "sacrebleu 2" : "any gold"
}

/** The metrics in which the paper scores a task, its own first. */
export function metricsOf(task: ArtifactTask): readonly string[] {
  return task === "SQuAD" ? ["exactMatch", "chrF++"] : ["chrF++", "exactMatch"]
}

export interface ScoreCellsOptions {
  readonly system: string
  readonly test: string
  /** By metric. */
  readonly published?: Readonly<Record<string, number | undefined>>
  /** Whether shares are given in percent, as the paper gives SQuAD's. */
  readonly isPercent?: boolean
}

/** One cell for each metric. */
export function scoreCells(
  { answers, references }: Predictions,
  metrics: readonly string[],
  { system, test, published = {}, isPercent = false }: ScoreCellsOptions,
): ReproducedCell[] {
  return metrics.map((name) => {
    const metric = metricNamed(name)
    const factor = isPercent ? 100 / metric.scale : 1
    const interval = bootstrapInterval(metric.statistics(answers, references), metric.score)
    const [value, low, high] = [interval.value, interval.low, interval.high].map((one) => factor * one)
    const said = published[name]
    return {
      system,
      test,
      metric: factor === 1 ? metric.label : `${metric.label}, %`,
      scale: factor * metric.scale,
      protocol: protocolOf(name),
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

/** `flan-t5-base, T 0.3-1.4, voting`. */
export function nameStudent({ model, generation }: StoredStudent): string {
  if (!generation) return model
  const { firstTemperature, lastTemperature, hasVoting } = generation
  const temperature = firstTemperature === lastTemperature ? `T ${lastTemperature}` : `T ${firstTemperature}-${lastTemperature}`
  return `${model}, ${temperature}, ${hasVoting ? "voting" : "no voting"}`
}

export async function scoreStudent(student: StoredStudent, metrics: readonly string[]): Promise<ReproducedCell[]> {
  return scoreCells(await readPredictions(student.folder), metrics, { system: nameStudent(student), test: `${student.test} test` })
}
