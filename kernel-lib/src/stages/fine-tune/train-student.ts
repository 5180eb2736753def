// The training loop, in textbook order: for each epoch, for each batch, one step; after each epoch the validation loss; the best weights
// are kept. A checkpoint holds weights, moments and the place in the loop, so that a resumed run goes on to the bit.
import { readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { placeAtomically, writeFileAtomically } from "../../store/atomic"
import type { StageContext } from "../../store/define-stage"
import { type LoadedStudent, openTraining, type Template, type Training, type TrainingRow } from "../../students"
import { chooseSettings, learningRateAt, type TrainingSettings } from "./choose-settings"
import { planBatches } from "./plan-batches"
import type { TrainingOutcome } from "./training-outcome"

/** Steps whose mean loss is one point of the curve. */
const stepsAPoint = 10
/** Seconds between checkpoints; an interrupt writes one at once. */
const secondsBetweenCheckpoints = 30
/** Validation rows that are looked at after an epoch. */
const mostValidationRows = 1000
const checkpoints = "checkpoints"

/** The place in the loop, and what was seen on the way. */
interface LoopState {
  /** Steps taken. */
  step: number
  /** Epochs whose validation loss was taken. */
  epochsDone: number
  best?: { step: number; loss: number }
  epochsWithoutGain: number
  trainLoss: [number, number][]
  validationLoss: [number, number][]
  /** Losses since the last point of the curve. */
  recent: number[]
  tokens: number
  seconds: number
}

export async function trainStudent(
  base: LoadedStudent,
  template: Template,
  options: Partial<TrainingSettings> & { readonly train: Dataset; readonly validation?: Dataset },
  context: StageContext,
): Promise<{ student: LoadedStudent; outcome: TrainingOutcome }> {
  const student = await base.copy({ template })
  const train = encode(student, options.train)
  const validation = options.validation ? encode(student, options.validation).slice(0, mostValidationRows) : []
  const settings = chooseSettings(readSettings(options), base, {
    inputs: train.map((row) => row.inputIds.length),
    outputs: train.map((row) => row.labelIds.length),
  })
  const training = await openTraining(student, {
    ...settings,
    engine: context.run.engine,
    seed: context.random.fork("dropout").integer(2 ** 31),
  })
  try {
    const state = (await resume(training, context)) ?? {
      step: 0,
      epochsDone: 0,
      epochsWithoutGain: 0,
      trainLoss: [],
      validationLoss: [],
      recent: [],
      tokens: 0,
      seconds: 0,
    }
    const { totalSteps, ending } = await runLoop(training, { train, validation }, settings, state, context)
    if (ending !== "interrupted") await training.restoreBest()
    const outcome: TrainingOutcome = {
      status: ending === "interrupted" || ending === "time" ? "partial" : "done",
      reason:
        ending === "interrupted"
          ? "interrupted"
          : ending === "time"
            ? `the cap of ${context.run.limits.maxSeconds} seconds was reached`
            : ending === "patience"
              ? "stopped early: the validation loss rose"
              : undefined,
      settings,
      engine: training.engine,
      steps: state.step,
      totalSteps,
      bestStep: state.best?.step ?? state.step,
      bestValidationLoss: state.best?.loss,
      trainLoss: state.trainLoss,
      validationLoss: state.validationLoss,
      tokensPerSecond: state.seconds > 0 ? state.tokens / state.seconds : 0,
      seconds: state.seconds,
      cutRows: train.filter((row) => row.inputIds.length > settings.maxInputTokens || row.labelIds.length > settings.maxOutputTokens)
        .length,
    }
    await training.finish({
      maxInputTokens: settings.maxInputTokens,
      maxOutputTokens: settings.maxOutputTokens,
      history: { steps: outcome.steps, rows: train.length, engine: training.engine, settings },
    })
    if (outcome.status === "done" && context.folder) await rm(join(context.folder, checkpoints), { recursive: true, force: true })
    return { student, outcome }
  } finally {
    training.dispose()
  }
}

type Rows = { readonly train: readonly TrainingRow[]; readonly validation: readonly TrainingRow[] }
type Ending = "epochs" | "patience" | "time" | "interrupted"

async function runLoop(
  training: Training,
  rows: Rows,
  settings: TrainingSettings,
  state: LoopState,
  context: StageContext,
): Promise<{ totalSteps: number; ending: Ending }> {
  const { signal, run, random } = context
  const lengths = rows.train.map((row) => row.inputIds.length + row.labelIds.length)
  const stepsAnEpoch = planBatches(lengths, settings.batchSize, random.fork("epoch 0")).length
  const totalSteps = settings.epochs * stepsAnEpoch
  const began = performance.now()
  const earlier = state.seconds
  const stopwatch = () => {
    state.seconds = earlier + (performance.now() - began) / 1000
  }
  const { maxSeconds = Number.POSITIVE_INFINITY } = run.limits
  let lastCheckpoint = performance.now()

  for (let epoch = state.epochsDone; epoch < settings.epochs; epoch++) {
    const batches = planBatches(lengths, settings.batchSize, random.fork(`epoch ${epoch}`))
    for (let at = state.step - epoch * stepsAnEpoch; at < batches.length; at++) {
      if (signal.aborted || state.seconds > maxSeconds) {
        await saveCheckpoint(training, state, context)
        return { totalSteps, ending: signal.aborted ? "interrupted" : "time" }
      }
      const learningRate = learningRateAt(state.step, totalSteps, settings)
      const { loss, tokens } = await training.step(
        batches[at].map((index) => rows.train[index]),
        { learningRate },
      )
      state.step++
      state.tokens += tokens
      stopwatch()
      recordLoss(state, loss, learningRate, context)
      reportProgress(state, epoch, totalSteps, settings, context)
      if (performance.now() - lastCheckpoint > secondsBetweenCheckpoints * 1000) {
        await saveCheckpoint(training, state, context)
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

function recordLoss(state: LoopState, loss: number, learningRate: number, { record }: StageContext): void {
  state.recent.push(loss)
  if (state.recent.length < stepsAPoint) return
  const mean = state.recent.reduce((sum, value) => sum + value, 0) / state.recent.length
  state.recent = []
  state.trainLoss.push([state.step, mean])
  record({ type: "training.step", step: state.step, loss: mean, learningRate, tokens: state.tokens, seconds: state.seconds })
}

function reportProgress(state: LoopState, epoch: number, totalSteps: number, settings: TrainingSettings, { progress }: StageContext): void {
  progress({
    done: state.step,
    total: totalSteps,
    unit: "steps",
    note: `epoch ${epoch + 1} of ${settings.epochs}`,
    rate: `${Math.round(state.tokens / state.seconds).toLocaleString("en")} tokens/s`,
    secondsLeft: (state.seconds / state.step) * (totalSteps - state.step),
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
    await training.keepBest()
  } else {
    state.epochsWithoutGain++
  }
}

const loopFile = "loop.json"

/** Each checkpoint has a folder of its own, so that at every moment one of them is whole; older ones go when a newer one stands. */
async function saveCheckpoint(training: Training, state: LoopState, { folder }: StageContext): Promise<void> {
  if (!folder) return
  const name = `step-${String(state.step).padStart(8, "0")}`
  await placeAtomically(join(folder, checkpoints, name), async (temporary) => {
    await training.saveCheckpoint(temporary)
    await writeFileAtomically(join(temporary, loopFile), JSON.stringify(state))
  })
  const others = (await readdir(join(folder, checkpoints))).filter((other) => other !== name)
  await Promise.all(others.map((other) => rm(join(folder, checkpoints, other), { recursive: true, force: true })))
}

async function resume(training: Training, { folder }: StageContext): Promise<LoopState | undefined> {
  if (!folder) return undefined
  const names = await readdir(join(folder, checkpoints)).catch(() => [])
  const newest = names
    .filter((name) => name.startsWith("step-"))
    .sort()
    .at(-1)
  if (!newest) return undefined
  await training.loadCheckpoint(join(folder, checkpoints, newest))
  return JSON.parse(await readFile(join(folder, checkpoints, newest, loopFile), "utf8"))
}

function encode(student: LoadedStudent, dataset: Dataset): TrainingRow[] {
  return dataset.inputs.map((input, index) => student.encodeRow(input, dataset.outputs[index]))
}

const settingNames = [
  "epochs",
  "batchSize",
  "learningRate",
  "warmUp",
  "weightDecay",
  "maxGradientNorm",
  "dropout",
  "maxInputTokens",
  "maxOutputTokens",
  "patience",
] as const

function readSettings(options: Partial<TrainingSettings>): Partial<TrainingSettings> {
  return Object.fromEntries(settingNames.map((name) => [name, options[name]]))
}
