// estimateBeforeDeployment: models and a generated test set in, a verdict out: may one choose and report a model by it?
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { Example } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import type { Student } from "../../core/student"
import { formatScore } from "../../display/wording"
import { kendallTau, measureDiversity, metricNamed, NearDuplicateIndex } from "../../measures"
import { evaluate, type Report } from "../../stages/evaluate/evaluate"
import type { LeakReport } from "../../stages/process-datasets/process-datasets"
import { meanInterval, meanOf } from "../student-t"
import { DeploymentEstimate, type DeploymentEstimateData, type EstimatedModel, type Verdict } from "./deployment-estimate"

export interface EstimateBeforeDeploymentOptions extends StageInlineOptions {
  /** Students by name, which are evaluated on both tests; or reports of them. */
  readonly students?: Readonly<Record<string, Student>>
  readonly reports?: Readonly<Record<string, { readonly generated: Report; readonly real?: Report }>>
  /** Rows that a teacher made. */
  readonly generatedTest: Dataset
  /** Rows that people wrote or checked; some dozens say a lot. */
  readonly realTest?: Dataset
  /** What the students learned from, to look for leaks. */
  readonly train?: Dataset
  /** The prompt: its demonstrations should not be in the test. */
  readonly spec?: { readonly demonstrations: readonly Example[] }
  /** `splits.leak`, where `processDatasets` took rows out for this test set. */
  readonly leak?: LeakReport
  /** Default exactMatch. */
  readonly metric?: string
}

/** With fewer models no order is unlikely by chance: of four, the two perfect orders are 2 of 24, more than 5%. */
const leastModels = 5
/** Models from which an order that does not agree speaks against the test, and not against their number. */
const enoughModels = 20
/** A test of which more repeats the train rows measures memory. */
const mostLeaked = 0.02
/** A test of which more repeats itself has fewer rows than it says. */
const mostNearDuplicates = 0.3
const leastTau = 0.5

/**
 * Whether a generated test set is to be trusted for a task: whether it ranks the models as real rows do (Kendall's tau, with a permutation test),
 * how much easier or harder it is, whether it repeats what the students have seen, and whether it repeats itself.
 *
 * @throws InputError `estimate.no-models`, `metric.unknown`; the errors of `evaluate`
 * @example
 * const base = await loadModel("bundled/byte-t5-tiny", { hub })
 * const estimate = await estimateBeforeDeployment({ students: { base }, generatedTest: own.take(4), realTest: own.take(4) })
 * estimate.verdict // "too few models to tell"
 */
export async function estimateBeforeDeployment(options: EstimateBeforeDeploymentOptions): Promise<DeploymentEstimate> {
  const { generatedTest, realTest, metric = "exactMatch", leak, train, spec } = options
  metricNamed(metric)
  const models = await scoreModels(options, metric)
  const compared = models.filter((model): model is Required<EstimatedModel> => model.real !== undefined)
  const [real, generated] = [compared.map((model) => model.real), compared.map((model) => model.generated)]
  const gaps = compared.map((model) => model.generated - model.real)
  const rows = Math.min(generatedTest.length, realTest?.length || generatedTest.length)
  const facts: Omit<DeploymentEstimateData, "verdict" | "reasons"> = {
    metric,
    models,
    generatedRows: generatedTest.length,
    realRows: realTest?.length ?? 0,
    ranking: compared.length >= 2 ? kendallTau(generated, real) : undefined,
    gap: compared.length > 0 ? { value: meanOf(gaps), ...meanInterval(gaps) } : undefined,
    leaks: {
      train: train && countRepeats(generatedTest.inputs, train.inputs),
      demonstrations:
        spec &&
        countRepeats(
          generatedTest.inputs,
          spec.demonstrations.map(({ input }) => input),
        ),
      removed: leak?.removed.reduce((sum, one) => sum + (one.against === "test" ? one.rows : 0), 0),
    },
    diversity: {
      generated: measureDiversity(generatedTest.take(rows).inputs),
      real: realTest && measureDiversity(realTest.take(rows).inputs),
    },
  }
  return new DeploymentEstimate({ ...facts, ...judge(facts) })
}

async function scoreModels(
  { students = {}, reports = {}, generatedTest, realTest, ...options }: EstimateBeforeDeploymentOptions,
  metric: string,
) {
  const models: EstimatedModel[] = Object.entries(reports).map(([name, { generated, real }]) => ({
    name,
    generated: scoreOf(generated, metric, name),
    real: real && scoreOf(real, metric, name),
  }))
  const { run, seed, engine, signal } = options
  const settings = { metrics: [metric], baselines: { majority: false, copyInput: false }, run, seed, engine, signal }
  for (const [name, student] of Object.entries(students)) {
    const generated = (await evaluate(student, generatedTest, settings)).scores[metric]
    models.push({ name, generated, real: realTest && (await evaluate(student, realTest, settings)).scores[metric] })
  }
  if (models.length === 0)
    throw new InputError("estimate.no-models", "Give students, or reports of them: a test set is judged by what it says of models.")
  return models
}

function scoreOf(report: Report, metric: string, name: string): number {
  const score = report.scores[metric]
  if (score === undefined)
    throw new InputError("estimate.no-score", `The report of ${name} has no ${metric}: it has ${report.metrics.join(", ")}.`)
  return score
}

/** How many of `texts` are the same as or near one of `others`. */
function countRepeats(texts: readonly string[], others: readonly string[]): number {
  const index = new NearDuplicateIndex()
  for (const other of others) index.add(other)
  return texts.filter((text) => index.find(text) !== undefined).length
}

function judge({ ranking, gap, leaks, diversity, models, metric, generatedRows }: Omit<DeploymentEstimateData, "verdict" | "reasons">): {
  verdict: Verdict
  reasons: string[]
} {
  const reasons: string[] = []
  const leaked = (leaks.train ?? 0) / Math.max(1, generatedRows)
  if (leaked > mostLeaked) reasons.push(`${(100 * leaked).toFixed(0)}% of the generated test repeats train rows: it measures memory.`)
  if (diversity.generated.nearDuplicates > mostNearDuplicates)
    reasons.push(
      `${(100 * diversity.generated.nearDuplicates).toFixed(0)}% of the generated test repeats itself: it is smaller than it looks.`,
    )
  if (reasons.length > 0) return { verdict: "not trusted", reasons }
  const count = models.filter(({ real }) => real !== undefined).length
  if (count === 0) {
    const remedy =
      "Annotate some dozens of rows and pass them as realTest; nothing else shows whether the generated ones stand for the task."
    return { verdict: "no real rows to tell by", reasons: [remedy] }
  }
  if (count < leastModels)
    return {
      verdict: "too few models to tell",
      reasons: [
        `With ${count} model${count === 1 ? "" : "s"} any order may be chance: at least ${leastModels} are needed, about ${enoughModels} to be sure.`,
      ],
    }
  const isAgreed = ranking !== undefined && ranking.p < 0.05 && ranking.value >= leastTau
  if (!isAgreed) {
    const isSure = count >= enoughModels || (ranking !== undefined && ranking.high < leastTau)
    return isSure
      ? { verdict: "not trusted", reasons: ["It does not rank the models as real rows do."] }
      : {
          verdict: "too few models to tell",
          reasons: [`The order of ${count} models neither shows agreement nor excludes it: about ${enoughModels} are needed.`],
        }
  }
  const isShifted = gap?.low !== undefined && gap.high !== undefined && (gap.low > 0 || gap.high < 0)
  if (!isShifted) return { verdict: "trusted", reasons: ["It ranks the models as real rows do, and no difference in difficulty shows."] }
  const { scale, label } = metricNamed(metric)
  const size = `${formatScore(Math.abs(gap.value), scale)} ${label}`
  return {
    verdict: "trusted for ranking only",
    reasons: [
      `It ranks the models as real rows do, but is ${gap.value > 0 ? "easier" : "harder"} by ${size}: do not report its scores as the task's.`,
    ],
  }
}
