// estimateBeforeDeployment: models and a generated test set in, a verdict out: may one choose and report a model by it?
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { Example } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import type { Student } from "../../core/student"
import { kendallTau, measureDiversity, metricNamed, NearDuplicateIndex } from "../../measures"
import { evaluate, type Report } from "../../stages/evaluate/evaluate"
import type { LeakReport } from "../../stages/process-datasets/process-datasets"
import { DeploymentEstimate, type DeploymentEstimateData, type EstimatedModel } from "./deployment-estimate"
import { judge } from "./judge"
import { type ModelReports, measureGap } from "./measure-gap"

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

/**
 * Whether a generated test set is to be trusted for a task: whether it ranks the models as real rows do (Kendall's tau, with a permutation test),
 * how much easier or harder it is, whether it repeats what the students have seen, and whether it repeats itself.
 *
 * @throws InputError `estimate.no-models`, `estimate.no-score`, `estimate.other-rows`, `metric.unknown`; the errors of `evaluate`
 * @example
 * const base = await loadModel("bundled/byte-t5-tiny", { hub })
 * const estimate = await estimateBeforeDeployment({ students: { base }, generatedTest: own.take(4), realTest: own.take(4) })
 * estimate.verdict // "too few models to tell"
 */
export async function estimateBeforeDeployment(options: EstimateBeforeDeploymentOptions): Promise<DeploymentEstimate> {
  const { generatedTest, realTest, metric = "exactMatch", leak, train, spec } = options
  metricNamed(metric)
  const reports = await evaluateModels(options, metric)
  const models = reports.map(
    ({ name, generated, real }): EstimatedModel => ({
      ...{ name, generated: scoreOf(generated, metric, name), real: real && scoreOf(real, metric, name) },
    }),
  )
  const compared = models.filter((model): model is Required<EstimatedModel> => model.real !== undefined)
  const [real, generated] = [compared.map((model) => model.real), compared.map((model) => model.generated)]
  const rows = Math.min(generatedTest.length, realTest?.length || generatedTest.length)
  const facts: Omit<DeploymentEstimateData, "verdict" | "reasons"> = {
    metric,
    models,
    generatedRows: generatedTest.length,
    realRows: realTest?.length ?? 0,
    ranking: compared.length >= 2 ? kendallTau(generated, real) : undefined,
    gap: measureGap(reports, metric, options.seed ?? options.run?.seed ?? 1),
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

async function evaluateModels(
  { students = {}, reports = {}, generatedTest, realTest, ...options }: EstimateBeforeDeploymentOptions,
  metric: string,
): Promise<ModelReports[]> {
  const models: ModelReports[] = Object.entries(reports).map(([name, both]) => ({ name, ...both }))
  const { run, seed, engine, signal } = options
  const settings = { metrics: [metric], baselines: { majority: false, copyInput: false }, run, seed, engine, signal }
  for (const [name, student] of Object.entries(students)) {
    const generated = await evaluate(student, generatedTest, settings)
    models.push({ name, generated, real: realTest && (await evaluate(student, realTest, settings)) })
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
