// What a reproduction says in words: above and below whom its student stands, what more rows and epochs gave, and what it lacks.
import { countOf, formatCount, formatScore } from "../../display/wording"
import { metricNamed } from "../../measures"
import type { CurveStep, ReproducedComparison } from "./compare-with-paper"
import { describeDiagnosis } from "./explain-errors"
import type { ReproducedTrainingData } from "./reproduced-training-data"

/** A sentence or two each, the most important first. */
export function describeTraining(data: ReproducedTrainingData): string[] {
  const { metrics, rows, settings, seeds, lastSteps, diagnosis, notes } = data
  const rejected = rows.rejected === 0 ? "" : `, ${formatCount(rows.rejected)} of them left out since they repeat others or test rows`
  return [
    ...metrics.flatMap((metric) => describeStanding(data, metric)),
    ...describePublished(data),
    ...explainStanding(data),
    ...lastSteps.map((step) => describeStep(step, metrics[0])),
    ...describeDiagnosis(diagnosis, metrics[0]),
    ...notes,
    `Rows: ${rows.name}, ${formatCount(rows.generated)} of the teacher's${rejected}; ${formatCount(rows.train)} to train on, ${formatCount(diagnosis.heldOut?.rows ?? 0)} kept to choose the best epoch by. Learning rate ${settings.learningRate}, ${countOf(settings.batchSize * settings.accumulation, "row")} a step.`,
    `Published: chrF++ of table 1, with models of some 250 M weights. Intervals: 95%, ${seeds.length > 1 ? "the students' over seeds (Student's t), the others' " : ""}over test rows (bootstrap); differences by paired bootstrap.`,
  ]
}

/** Above and below which systems the student is. */
function describeStanding({ comparisons }: ReproducedTrainingData, name: string): string[] {
  const metric = metricNamed(name)
  const ofMetric = comparisons.filter((one) => one.metric === metric.name)
  const show = ({ system, value, low, high }: ReproducedComparison) =>
    `${system} ${signed(value, metric.scale)} (${formatScore(low, metric.scale)} to ${formatScore(high, metric.scale)})`
  const parts = [
    { words: "above", found: ofMetric.filter(({ low }) => low > 0) },
    { words: "below", found: ofMetric.filter(({ high }) => high < 0) },
    { words: "not clearly apart from", found: ofMetric.filter(({ low, high }) => low <= 0 && high >= 0) },
  ].filter(({ found }) => found.length > 0)
  if (parts.length === 0) return []
  const isLikeAll = parts.every(({ words }) => words === "not clearly apart from")
  const words = isLikeAll
    ? ["not clearly apart from any of these"]
    : parts.map((part) => `${part.words} ${part.found.map(show).join(", ")}`)
  return [`In ${metric.label} the student is ${words.join("; ")}.`]
}

/** Where the paper's numbers, whose answers are not there to compare with, stand to the student's interval. */
function describePublished({ metrics, student, others }: ReproducedTrainingData): string[] {
  const { low, high } = student.scores[metrics[0]]
  const published = others.filter(({ kind, published: score }) => kind === "paper" && score !== undefined)
  const list = (words: string, isThere: (score: number) => boolean) => {
    const found = published
      .filter((one) => isThere(one.published!))
      .map((one) => `${one.system.replace(", in the paper", "")} ${one.published}`)
    return found.length === 0 ? [] : [`${words}: ${found.join(", ")}`]
  }
  const parts = [
    ...list("above the student's interval", (score) => score > high),
    ...list("within the student's interval", (score) => score >= low && score <= high),
    ...list("below the student's interval", (score) => score < low),
  ]
  return parts.length === 0 ? [] : [`The paper's scores ${parts.join("; ")}.`]
}

/** Where the teacher or others that learned from such rows are better: what the student lacks, as far as numbers tell. */
function explainStanding({ metrics, student, others, diagnosis }: ReproducedTrainingData): string[] {
  const [first] = metrics
  const { label, scale } = metricNamed(first)
  const ours = student.scores[first].value
  const best = others
    .filter(({ kind }) => kind === "teacher" || kind === "stored" || kind === "paper")
    .map(({ system, scores, published }) => ({ system, value: scores[first]?.value ?? published ?? 0 }))
    .reduce((top, one) => (one.value > top.value ? one : top), { system: "the student", value: ours })
  if (best.value === ours || !diagnosis.heldOut) return []
  const taught = diagnosis.heldOut.scores[first]
  const cause =
    ours >= 0.75 * taught
      ? `The student falls short on the teacher's own rows too: it has ${formatScore(taught, scale)} on those that it has not seen. Its base is too small, has read too little, or was trained too briefly.`
      : `On the teacher's own rows that it has not seen the student has ${formatScore(taught, scale)}, ${formatScore(taught - ours, scale)} more than on the real ones: part of what is lacking lies in how the real test differs from these rows.`
  return [`The best is ${best.system}, with ${formatScore(best.value, scale)} ${label}. ${cause}`]
}

function describeStep({ over, from, to, value, low, high }: CurveStep, metric: string): string {
  const { label, scale } = metricNamed(metric)
  const trend = low > 0 ? "the curve still rises" : high < 0 ? "the curve falls" : "whether the curve still rises is not clear"
  return `From ${formatCount(from)} to ${countOf(to, over.slice(0, -1))}: ${signed(value, scale)} ${label} (${formatScore(low, scale)} to ${formatScore(high, scale)}); ${trend}.`
}

function signed(value: number, scale: number): string {
  return `${value < 0 ? "-" : "+"}${formatScore(Math.abs(value), scale)}`
}
