// reproduceTraining: the paper's recipe on the paper's rows. The teacher's recorded rows train a base model, the real test scores it, and the
// result sets it beside what was published, with learning curves over rows and epochs and what its errors have in common.
import { join } from "node:path"
import { InputError, ServiceError } from "../../core/errors"
import { PromptSpec } from "../../core/prompt-spec"
import type { Run, StageInlineOptions } from "../../core/run"
import { formatScore } from "../../display/wording"
import { metricNamed } from "../../measures"
import { isSmallModel, type TrainingSettings } from "../../stages/fine-tune/choose-settings"
import { loadModel } from "../../stages/load-model/load-model"
import { processDatasets } from "../../stages/process-datasets/process-datasets"
import { writeFileAtomically } from "../../store/atomic"
import { packageFolder } from "../../store/package-folder"
import { ephemeralRun } from "../../store/run"
import { readDataset } from "../../store/tables"
import { deriveRun, runExperiment } from "../experiment-run"
import { type Artifacts, openArtifacts } from "../reproduce-table/artifacts"
import { metricsOf } from "../reproduce-table/score-stored"
import { compareWithPaper } from "./compare-with-paper"
import { explainErrors } from "./explain-errors"
import { planTrainings } from "./plan-trainings"
import { ReproducedTraining } from "./reproduced-training"
import { type LoadedBase, type TrainingRows, type Trainings, trainPoints } from "./train-points"
import { findGeneratedRows, type TrainingName, type TrainingTask, trainingTaskNamed } from "./training-tasks"

export interface ReproduceTrainingOptions extends StageInlineOptions {
  /** A folder laid out as github.com/zhaochenyang20/prompt2model_test. */
  readonly artifacts: string
  /** Name of the teacher's rows, a folder in the artefacts' `generation/generated_dataset`. Default: `normalization_1.4_1.4_with_filtering`, `jp2python`. */
  readonly generated?: string
  /** The base model, a name of the hub or a folder. Default: the paper's Flan-T5 where the hub has it, else a base that is shipped with the library. */
  readonly model?: string
  /** Sizes of the training set, for the curve; the largest is what the table is about. Default: a quarter, half, and all there are. */
  readonly rows?: readonly number[]
  /** Passes over the rows, for the curve; the largest is what the table is about. Default 1 and 10, as in the paper; 1 and 5 for a small base. */
  readonly epochs?: readonly number[]
  /** Each training is done from each of these. Default: the run's seed alone. */
  readonly seeds?: readonly number[]
  /** What the student is told; a small base is told nothing. Default: the task in a few sentences. */
  readonly instruction?: string
  /** Further settings of the trainings. Default: those of `fineTune`, the paper's for a large base. */
  readonly training?: Omit<Partial<TrainingSettings>, "epochs">
}

/**
 * Trains a base model on the rows that the paper's teacher generated, and scores it on the real test, beside what was published, what the
 * authors' stored predictions give, and answers that need no model. Trainings for the learning curves over rows and over epochs come after
 * the main one. In a run with a folder each training and each evaluation is kept: a call that was interrupted or killed goes on, and one that
 * asks for more points computes only those.
 *
 * - `temporal`: 5,000 rows of gpt-3.5-turbo, 860 real rows
 * - `mconala`: 5,000 rows, 210 real rows
 *
 * The published scores are of Flan-T5 with 250 million weights. A small base that is shipped with the library cannot be expected to reach them;
 * where it stays below the teacher, the result says what its errors have in common.
 *
 * @throws InputError `reproduce.*`, `train.settings`, `experiment.running`; EngineError; InterruptedError
 */
export async function reproduceTraining(name: TrainingName, options: ReproduceTrainingOptions): Promise<ReproducedTraining> {
  const task = trainingTaskNamed(name)
  const run = options.run ?? ephemeralRun(options)
  const { seeds = [run.seed] } = options
  if (seeds.length === 0 || new Set(seeds).size < seeds.length)
    throw new InputError("reproduce.settings", "Give at least one seed, and each once, for instance seeds: [1, 2, 3].")
  const artifacts = await openArtifacts(options.artifacts)
  return runExperiment("reproduceTraining", run, options.signal, async ({ signal, progress }) => {
    const rows = await prepareRows(artifacts, task, options, deriveRun(run, { seed: run.seed, signal }))
    const loadBase = async (seed: number) => loadBaseFor(task, options.model, deriveRun(run, { seed, signal }))
    const trainings = await trainPoints(rows, {
      ...{ run, seeds, signal, progress, loadBase, metrics: metricsOf(task.task), training: options.training },
      plan: (base) => planTrainings(rows.train.length, isSmallModel(base) ? 5 : 10, options),
    })
    const result = await describeResult(name, task, artifacts, rows, trainings)
    if (run.folder) await writeFileAtomically(join(run.folder, `${name}-training.json`), `${JSON.stringify(result, null, 2)}\n`)
    run.record({ type: "reproduction.done", name, rows: trainings.main.rows, epochs: trainings.main.epochs, seeds })
    const metric = metricNamed(metricsOf(task.task)[0])
    return { result, summary: `${metric.label} ${formatScore(result.student.scores[metric.name]?.value, metric.scale)}` }
  })
}

/** The teacher's rows, split, and the real test. @throws InputError `reproduce.no-test` */
async function prepareRows(
  artifacts: Artifacts,
  task: TrainingTask,
  { generated: wanted, instruction = task.instruction }: ReproduceTrainingOptions,
  run: Run,
): Promise<TrainingRows> {
  const folder = await findGeneratedRows(artifacts, task, wanted)
  const testFolder = await artifacts.testFolder(task.task)
  if (testFolder === undefined)
    throw new InputError("reproduce.no-test", `${artifacts.folder} has no real test of this task: is it the authors' repository, whole?`)
  const [generated, test] = [await readDataset(folder), await readDataset(testFolder)]
  const spec = new PromptSpec({ instruction, demonstrations: [] })
  const { train, validation, rejected } = await processDatasets({ generated }, { spec, test, run })
  const name = folder.split(/[\\/]/).at(-1)!
  return { name, spec, train, validation, test, numGenerated: generated.length, numRejected: rejected.length }
}

/** The base that was asked for; else the paper's, where the hub has it; else a shipped one. */
async function loadBaseFor(task: TrainingTask, model: string | undefined, run: Run): Promise<LoadedBase> {
  if (model !== undefined) return { student: await loadModel(model, { run }), name: model, notes: [] }
  const notes: string[] = []
  if (run.hub && run.hub.name !== "bundled") {
    try {
      return { student: await loadModel(task.hubBase, { run }), name: task.hubBase, notes }
    } catch (error) {
      if (!(error instanceof ServiceError || error instanceof InputError)) throw error
      notes.push(`The paper's base ${task.hubBase} was not to be had: ${error.message}`)
    }
  }
  const folder = join(packageFolder(), "data/models", task.bundledBase)
  return { student: await loadModel(folder, { run }), name: `bundled/${task.bundledBase}`, notes: [...notes, task.bundledNote] }
}

async function describeResult(
  name: TrainingName,
  task: TrainingTask,
  artifacts: Artifacts,
  rows: TrainingRows,
  trainings: Trainings,
): Promise<ReproducedTraining> {
  const metrics = metricsOf(task.task)
  const { main, base, heldOut, report, studentFolder, notes } = trainings
  const diagnosis = explainErrors({
    ...{ train: rows.train.take(main.rows), test: rows.test, metric: metrics[0], heldOut },
    answers: main.runs[0].answers,
  })
  return new ReproducedTraining(
    {
      ...{ name, title: `${task.title}: trained on the teacher's rows`, metrics, base },
      rows: { name: rows.name, generated: rows.numGenerated, rejected: rows.numRejected, train: rows.train.length, test: rows.test.length },
      ...{ seeds: main.runs.map(({ seed }) => seed), settings: trainings.settings, notes },
      ...(await compareWithPaper(task, artifacts, rows, trainings)),
      ...{ diagnosis, studentFolder },
    },
    report,
  )
}
