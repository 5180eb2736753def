// One training from base to student: rows are encoded, settings chosen, batches planned; the loop runs from where a checkpoint is; the best
// weights become the student's.
import { join } from "node:path"
import type { Dataset, Row } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { StageContext } from "../../store/define-stage"
import {
  fitStudent,
  type LoadedStudent,
  measureRow,
  openTraining,
  paddingShare,
  refuseRow,
  type Template,
  type Training,
  type TrainingRow,
} from "../../students"
import { chooseSettings, settingNames, type TrainingSettings } from "./choose-settings"
import { costShape, fitLengths } from "./fit-lengths"
import { beginLoop, type LoopState, resume } from "./loop-state"
import { sharePadding } from "./plan-batches"
import { type Ending, type LoopRows, planEpoch, runLoop } from "./training-loop"
import type { TrainingOutcome } from "./training-outcome"

/** Validation rows that are looked at after an epoch. */
const mostValidationRows = 1000
/** Seconds between checkpoints. */
const usualCheckpointSeconds = 30
/** Where the stage's folder has the matrices of `lowRank`. */
const adapterFolder = "adapter"

export interface TrainStudentOptions extends Partial<TrainingSettings> {
  readonly train: Dataset
  readonly validation?: Dataset
  readonly distillFrom?: LoadedStudent
  readonly checkpointSeconds?: number
  readonly task?: "labels" | "span"
}

export async function trainStudent(
  base: LoadedStudent,
  template: Template,
  options: TrainStudentOptions,
  context: StageContext,
): Promise<{ student: LoadedStudent; outcome: TrainingOutcome }> {
  const student = await fitStudent(await base.copy({ template }), [...options.train], { seed: context.run.seed, task: options.task })
  const learnable = selectRows(student, options.train)
  if (learnable.length === 0) {
    throw new InputError(
      "train.no-rows",
      `None of the rows can be learnt: ${refuseRow(student, [...options.train][0])}. Look at their outputs.`,
    )
  }
  const train = encode(student, learnable)
  const settings = chooseSettings(readSettings(options), base, {
    inputs: train.map((row) => row.inputIds.length),
    outputs: train.map((row) => row.labelIds.length),
  })
  const share = paddingShare(student)
  const lengths = train.map((row) => measureRow(student, row, settings))
  const rows: LoopRows = {
    train,
    ids: learnable.map(({ id }) => id),
    lengths,
    fitted: fitLengths(lengths, settings.epochs, costShape(base.parameters, share)),
    validation: encode(student, selectRows(student, options.validation ?? [])).slice(0, mostValidationRows),
  }
  const training = await openTraining(student, {
    ...settings,
    lengths: rows.fitted,
    areTokensEven: true,
    distillFrom: options.distillFrom,
    engine: context.run.engine,
    seed: context.random.fork("dropout").integer(2 ** 31),
  })
  try {
    const state = (await resume(training, context.folder)) ?? beginLoop()
    const padding = sharePadding(lengths, rows.fitted, planEpoch(rows, settings, 0, context), share)
    context.record({ type: "training.started", rows: train.length, step: state.step, engine: training.engine, padding, settings })
    const { totalSteps, ending } = await runLoop(
      training,
      rows,
      settings,
      options.checkpointSeconds ?? usualCheckpointSeconds,
      state,
      context,
    )
    if (ending !== "interrupted") training.restoreBest()
    const outcome: TrainingOutcome = {
      ...describeEnding(ending, context),
      ...describeLoop(state),
      settings,
      engine: training.engine,
      totalSteps,
      padding,
      cutRows: countCut(train, settings),
      refusedRows: options.train.length - train.length,
      adapters: await saveAdapters(training, settings, context),
    }
    await training.finish({
      maxInputTokens: settings.maxInputTokens,
      maxOutputTokens: settings.maxOutputTokens,
      history: { steps: outcome.steps, rows: train.length, engine: training.engine, settings },
    })
    return { student, outcome }
  } finally {
    training.dispose()
  }
}

function describeEnding(ending: Ending, { run }: StageContext): Pick<TrainingOutcome, "status" | "reason"> {
  switch (ending) {
    case "interrupted":
      return { status: "partial", reason: "interrupted" }
    case "time":
      return { status: "partial", reason: `the cap of ${run.limits.maxSeconds} seconds was reached` }
    case "patience":
      return { status: "done", reason: "stopped early: the validation loss rose" }
    default:
      return { status: "done" }
  }
}

function describeLoop(state: LoopState) {
  const { step: steps, best, trainLoss, validationLoss, tokens, seconds } = state
  return {
    steps,
    bestStep: best?.step ?? steps,
    bestValidationLoss: best?.loss,
    trainLoss,
    validationLoss,
    tokensPerSecond: seconds > 0 ? tokens / seconds : 0,
    seconds,
  }
}

/** @returns the folder in the stage's own; undefined where nothing is kept, or all weights are trained */
async function saveAdapters(training: Training, { lowRank }: TrainingSettings, { folder }: StageContext): Promise<string | undefined> {
  if (!lowRank || !folder) return undefined
  await training.saveAdapters(join(folder, adapterFolder))
  return adapterFolder
}

/** Rows that the student can learn: an encoder gives labels or spans, and no other text. */
function selectRows(student: LoadedStudent, rows: Iterable<Row>): Row[] {
  return [...rows].filter((row) => refuseRow(student, row) === undefined)
}

function encode(student: LoadedStudent, rows: readonly Row[]): TrainingRow[] {
  return rows.map(({ input, output }) => student.encodeRow(input, output))
}

function countCut(rows: readonly TrainingRow[], { maxInputTokens, maxOutputTokens }: TrainingSettings): number {
  return rows.filter(({ inputIds, labelIds }) => inputIds.length > maxInputTokens || labelIds.length > maxOutputTokens).length
}

function readSettings(options: Partial<TrainingSettings>): Partial<TrainingSettings> {
  return Object.fromEntries(settingNames.map((name) => [name, options[name]]))
}
