// The metrics there are, by name.
import { InputError } from "../core/errors"
import { accuracy } from "./accuracy"
import { bertScoreF1 } from "./bert-score"
import { bleu } from "./bleu"
import { chrF, chrFPlusPlus } from "./chrf"
import { exactMatch, exactMatchNormalized } from "./exact-match"
import { macroF1 } from "./macro-f1"
import type { Metric, MetricScore } from "./metric"
import { rougeL } from "./rouge-l"
import { tokenF1 } from "./token-f1"

/** Every metric by its name. */
export const metrics = {
  exactMatch,
  exactMatchNormalized,
  tokenF1,
  accuracy,
  macroF1,
  chrF,
  "chrF++": chrFPlusPlus,
  BLEU: bleu,
  "ROUGE-L": rougeL,
} as const satisfies Readonly<Record<string, Metric>>

export type MetricName = keyof typeof metrics

/** Those that an encoder is needed for. */
const encoderMetrics = { BERTScore: bertScoreF1 } as const satisfies Readonly<Record<string, MetricScore>>

/**
 * The metric of this name.
 * @throws InputError `metric.unknown`, `metric.needs-encoder`
 */
export function metricNamed(name: string): Metric {
  const { label } = describeMetric(name)
  if (Object.hasOwn(encoderMetrics, name)) {
    throw new InputError(
      "metric.needs-encoder",
      `${label} needs an encoder, which only evaluate, bertScore and prompt2model score take: ask for another metric here.`,
    )
  }
  return metrics[name as MetricName]
}

/**
 * Label, scale and score of the metric of this name, BERTScore included.
 * @throws InputError `metric.unknown`
 */
export function describeMetric(name: string): MetricScore {
  const known: Readonly<Record<string, MetricScore>> = { ...metrics, ...encoderMetrics }
  if (Object.hasOwn(known, name)) return known[name]
  throw new InputError("metric.unknown", `There is no metric ${name}: choose from ${Object.keys(known).join(", ")}.`)
}

/** Whether the metric of this name needs an encoder. */
export function needsEncoder(name: string): name is keyof typeof encoderMetrics {
  return Object.hasOwn(encoderMetrics, name)
}
