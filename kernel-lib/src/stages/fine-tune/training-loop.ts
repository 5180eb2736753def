// The training loop, in textbook order: for each epoch, for each batch, one step; after each epoch the validation loss; the best weights
// are kept. All that it draws follows from the seed and the number of the epoch, so that a resumed loop goes on to the bit.
import type { StageContext } from "../../store/define-stage"
import type { Training, TrainingRow } from "../../students"
import { learningRateAt, type TrainingSettings } from "./choose-settings"
import { explainFailure } from "./explain-failure"
import { type LoopState, saveCheckpoint } from "./loop-state"
import { type PlannedStep, planSteps } from "./plan-batches"

/** Steps whose mean loss is one point of the curve. */
const stepsAPoint = 10

/** What is trained and looked at. */
export interface LoopRows {
  readonly train: readonly TrainingRow[]
  /** Ids of the training rows. */
  readonly ids: readonly string[]
  /** Lengths of the training rows, as batches pad them. */
  readonly lengths: readonly (readonly number[])[]
  /** Lengths to pad to. */
  readonly fitted: readonly (readonly number[])[]
  readonly validation: readonly TrainingRow[]
}

export type Ending = "epochs" | "patience" | "time" | "interrupted"

/** The steps of an epoch. */
export function planEpoch(
  { lengths, fitted }: LoopRows,
  settings: TrainingSettings,
  epoch: number,
  { random }: StageContext,
): PlannedStep[] {
  return planSteps(lengths, fitted, settings, random.fork(`epoch ${epoch}`))
}

/** @param checkpointSeconds seconds between checkpoints; an interrupt and the cap on seconds write one at once */
export async function runLoop(
  training: Training,
  rows: LoopRows,
  settings: TrainingSettings,
  checkpointSeconds: number,
  state: LoopState,
  context: StageContext,
): Promise<{ totalSteps: number; ending: Ending }> {
  const { signal, run, folder } = context
  const stepsAnEpoch = planEpoch(rows, settings, 0, context).length
  const totalSteps = settings.epochs * stepsAnEpoch
  const began = performance.now()
  const earlier = state.seconds
  const stopwatch = () => {
    state.seconds = earlier + (performance.now() - began) / 1000
  }
  const { maxSeconds = Number.POSITIVE_INFINITY } = run.limits
  let lastCheckpoint = performance.now()

  for (let epoch = state.epochsDone; epoch < settings.epochs; epoch++) {
    const steps = planEpoch(rows, settings, epoch, context)
    for (let at = state.step - epoch * stepsAnEpoch; at < steps.length; at++) {
      if (signal.aborted || state.seconds > maxSeconds) {
        await saveCheckpoint(training, state, folder)
        return { totalSteps, ending: signal.aborted ? "interrupted" : "time" }
      }
      const learningRate = learningRateAt(state.step, totalSteps, settings)
      const { loss, tokens, gradientNorm } = await takeStep(training, rows, steps[at], { settings, learningRate, step: state.step + 1 })
      state.step++
      state.tokens += tokens
      stopwatch()
      const isLast = state.step === totalSteps
      recordLoss(state, { loss, learningRate, gradientNorm, epoch: state.step / stepsAnEpoch, isLast }, context)
      reportProgress(state, epoch, totalSteps, settings, context)
      if (performance.now() - lastCheckpoint > checkpointSeconds * 1000) {
        await saveCheckpoint(training, state, folder)
        lastCheckpoint = performance.now()
      }
    }
    await validate(training, rows.validation, epoch, state, context)
    state.epochsDone = epoch + 1
    stopwatch()
    if (state.epochsWithoutGain >= settings.patience) return { totalSteps, ending: "patience" }
  }
  return { totalSteps, ending: "epochs" }
}

async function takeStep(
  training: Training,
  { train, ids }: LoopRows,
  planned: PlannedStep,
  { settings, learningRate, step }: { settings: TrainingSettings; learningRate: number; step: number },
) {
  try {
    return await training.step(
      planned.map((batch) => batch.map((row) => train[row])),
      { learningRate },
    )
  } catch (error) {
    const members = planned.flat()
    const rows = members.map((row) => train[row])
    throw explainFailure(error, { step, rows, ids: members.map((row) => ids[row]), settings, learningRate })
  }
}

interface StepFigures {
  readonly loss: number
  readonly learningRate: number
  readonly gradientNorm?: number
  /** Epochs trained so far. */
  readonly epoch: number
  /** No step follows: what is left makes a point of its own. */
  readonly isLast: boolean
}

function recordLoss(state: LoopState, { loss, isLast, ...figures }: StepFigures, { record }: StageContext): void {
  state.recent.push(loss)
  if (state.recent.length < stepsAPoint && !isLast) return
  const mean = state.recent.reduce((sum, value) => sum + value, 0) / state.recent.length
  state.recent = []
  state.trainLoss.push([state.step, mean])
  const { step, tokens, seconds } = state
  record({ type: "training.step", step, loss: mean, ...figures, tokens, seconds, tokensPerSecond: tokens / seconds })
}

function reportProgress(
  state: LoopState,
  epoch: number,
  totalSteps: number,
  settings: TrainingSettings,
  { progress, run }: StageContext,
): void {
  progress({
    done: state.step,
    total: totalSteps,
    unit: "steps",
    note: `epoch ${epoch + 1} of ${settings.epochs}`,
    rate: `${Math.round(state.tokens / state.seconds).toLocaleString("en")} tokens/s`,
    secondsLeft: (state.seconds / state.step) * (totalSteps - state.step),
    losses: { train: state.trainLoss, validation: state.validationLoss },
    ...(run.folder !== undefined && { run: run.folder }),
  })
}

/** The validation loss after an epoch; the weights are kept when it is the lowest so far. */
async function validate(
  training: Training,
  rows: readonly TrainingRow[],
  epoch: number,
  state: LoopState,
  { record }: StageContext,
): Promise<void> {
  if (rows.length === 0) return
  const { loss } = await training.loss(rows)
  state.validationLoss.push([state.step, loss])
  record({ type: "training.validation", step: state.step, epoch: epoch + 1, loss })
  if (state.best === undefined || loss < state.best.loss) {
    state.best = { step: state.step, loss }
    state.epochsWithoutGain = 0
    training.keepBest()
  } else {
    state.epochsWithoutGain++
  }
}
