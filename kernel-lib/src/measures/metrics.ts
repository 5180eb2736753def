// The metrics there are, by name.
import { InputError } from "../core/errors"
import { accuracy } from "./accuracy"
import { bleu } from "./bleu"
import { chrF, chrFPlusPlus } from "./chrf"
import { exactMatch, exactMatchNormalized } from "./exact-match"
import { macroF1 } from "./macro-f1"
import type { Metric } from "./metric"
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

/**
 * The metric of this name.
 * @throws InputError `metric.unknown`
 */
export function metricNamed(name: string): Metric {
  if (!Object.hasOwn(metrics, name)) {
    throw new InputError("metric.unknown", `There is no metric ${name}: choose from ${Object.keys(metrics).join(", ")}.`)
  }
  return metrics[name as MetricName]
}
