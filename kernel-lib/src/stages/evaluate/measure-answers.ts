// What a metric takes of a system's answers, row by row. Most metrics compare texts; BERTScore asks an encoder.
import { InputError } from "../../core/errors"
import type { Progress } from "../../core/run"
import { type BertScoreOptions, bertScore, statisticsOfBertScores } from "../../measures/bert-score"
import type { Answer, RowStatistics } from "../../measures/metric"
import { describeMetric, metricNamed, needsEncoder } from "../../measures/metrics"

/** How BERTScore is taken. */
export type BertScoreSettings = Pick<BertScoreOptions, "encoder" | "useIdf" | "baseline">

export interface MeasureOptions {
  readonly bertScore?: BertScoreSettings
  readonly signal: AbortSignal
  progress(state: Progress): void
}

/** @throws InputError `metric.unknown`; `evaluate.no-encoder` where BERTScore is asked for without one */
export function checkMetrics(names: readonly string[], settings: BertScoreSettings | undefined): void {
  for (const name of names) {
    const { label } = describeMetric(name)
    if (needsEncoder(name) && !settings)
      throw new InputError(
        "evaluate.no-encoder",
        `${label} needs an encoder: give bertScore: { encoder: await loadTokenEncoder(folder) }, with the folder of a BERT.`,
      )
  }
}

/** The statistics of one system's answers by the metric of this name. */
export async function measureAnswers(
  metric: string,
  { label, answers }: { readonly label: string; readonly answers: readonly Answer[] },
  references: readonly string[],
  { bertScore: settings, signal, progress }: MeasureOptions,
): Promise<RowStatistics> {
  if (!needsEncoder(metric) || !settings) return metricNamed(metric).statistics(answers, references)
  const onProgress = (done: number, total: number) =>
    progress({ done, total, unit: "rows", note: `${describeMetric(metric).label}, ${label}` })
  return statisticsOfBertScores(await bertScore(answers, references, { ...settings, signal, onProgress }))
}
