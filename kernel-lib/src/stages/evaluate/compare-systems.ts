// Two systems on the same rows: how much better one is, how sure that is, and which rows only one of them gets right.
import { formatScore } from "../../display/wording"
import { pairedBootstrap } from "../../measures/bootstrap"
import { mcNemar } from "../../measures/mcnemar"
import { type MetricScore, type RowStatistics, scoreRows } from "../../measures/metric"
import type { Comparison, SystemName } from "./report-data"

/** As they are called within a sentence. */
export const spokenNames: Readonly<Record<SystemName, string>> = {
  student: "student",
  teacher: "teacher",
  teacherZeroShot: "zero-shot teacher",
  base: "base model",
  majority: "majority answer",
  copyInput: "copied input",
}

export interface ComparedSystem {
  readonly name: SystemName
  /** By the metric of the comparison. */
  readonly statistics: RowStatistics
}

/** How much better `first` is than `second`: paired bootstrap, and McNemar's test where rows are right or wrong. */
export function compareSystems(first: ComparedSystem, second: ComparedSystem, metric: MetricScore, seed: string | number): Comparison {
  const { value, low, high, p } = pairedBootstrap(first.statistics, second.statistics, metric.score, { seed })
  const test = testRows(first.statistics, second.statistics, metric)
  const difference = describeDifference({ difference: value, low, high }, metric)
  const [ours, theirs] = [first, second].map(({ name }) => spokenNames[name])
  const rows = test
    ? `; ${test.onlyFirst} rows are right for the ${ours} alone, ${test.onlySecond} for the ${theirs} alone, McNemar ${describeP(test.p)}`
    : ""
  const sentence = `${capitalize(ours)} against ${theirs} in ${metric.label}: ${difference}, paired bootstrap ${describeP(p)}${rows}.`
  return { metric: metric.name, first: first.name, second: second.name, difference: value, low, high, p, mcNemar: test, sentence }
}

/** `+0.036 (0.008 to 0.064)` */
export function describeDifference(
  { difference, low, high }: Pick<Comparison, "difference" | "low" | "high">,
  { scale }: MetricScore,
): string {
  const show = (score: number) => formatScore(score, scale)
  return `${difference < 0 ? "" : "+"}${show(difference)} (${show(low)} to ${show(high)})`
}

function testRows(first: RowStatistics, second: RowStatistics, metric: MetricScore): Comparison["mcNemar"] {
  const [ours, theirs] = [first, second].map((statistics) => scoreRows(statistics, metric.scoreRow))
  return [...ours, ...theirs].every((score) => score === 0 || score === 1) ? mcNemar(ours, theirs) : undefined
}

export function describeP(p: number): string {
  return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
