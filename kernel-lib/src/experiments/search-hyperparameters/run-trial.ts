// One trial of a search: a training that is watched, and stopped after an epoch in which it is worse than most were.
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { isPrompt2ModelError, messageOf } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { RunEvent } from "../../core/run"
import type { TrainingSettings } from "../../stages/fine-tune/choose-settings"
import type { FolderRun } from "../../store/run"
import { deriveRun } from "../experiment-run"
import type { CellTable } from "../runners/cell-table"
import type { Cells } from "../runners/cells"
import { type BaseModel, type TrainedCell, trainCell } from "../runners/train-cell"
import type { Trial } from "./search-result"
import { type Dimension, type Place, valueAt } from "./space"
import type { TrialJournal } from "./trial-journal"

export interface TrialPlan {
  /** From 1. */
  readonly number: number
  readonly places: readonly Place[]
  readonly dimensions: readonly Dimension[]
  /** What it is compared with. */
  readonly earlier: readonly Trial[]
  readonly stopAfter: number | false
}

interface TrialRows {
  readonly train: Dataset
  readonly validation: Dataset
  readonly training?: Partial<TrainingSettings>
  readonly spec?: PromptSpec
  readonly template?: "paper" | "bare"
}

interface TrialTools {
  readonly run: FolderRun
  readonly signal: AbortSignal
  readonly journal: TrialJournal
  /** Undefined where this process trains. */
  readonly trainers: Cells | undefined
  readonly table: CellTable
}

export async function runTrial(
  base: BaseModel,
  plan: TrialPlan,
  { train, validation, training, spec, template }: TrialRows,
  { run, signal, journal, trainers, table }: TrialTools,
): Promise<Trial> {
  const { number, places, dimensions, earlier, stopAfter } = plan
  const settings = Object.fromEntries(
    dimensions.map((dimension, at) => [dimension.name, valueAt(dimension, places[at])]),
  ) as Partial<TrainingSettings>
  const part = { number, settings, places }
  const curve = journal.curveOf(number, places)
  const isStopped = () => curve.findIndex((_, at) => isPoor(curve.slice(0, at + 1), earlier, stopAfter))
  const stopped = (): Trial => {
    const seen = curve.slice(0, isStopped() + 1)
    return { ...part, status: "stopped", loss: Math.min(...seen), curve: seen }
  }
  // A process that was killed may have been about to stop it.
  if (isStopped() >= 0) return stopped()
  const stop = new AbortController()
  let folder: string | undefined
  let epochs = Number.POSITIVE_INFINITY
  const note = (epoch: number, loss: number) => {
    // After the last epoch there is nothing left to stop.
    if (epoch >= epochs) return
    if (curve[epoch - 1] !== loss) journal.noteLoss(number, places, epoch, loss)
    curve[epoch - 1] = loss
    if (isStopped() >= 0) stop.abort()
  }
  const watch = (event: RunEvent) => {
    if (event.type === "stage.started")
      folder = join((trainers ?? run).folder, "stages", `fineTune-${String(event.fingerprint).slice(0, 12)}`)
    if (event.type === "training.started") epochs = (event.settings as TrainingSettings).epochs
    if (event.type === "training.validation") note(Number(event.epoch), Number(event.loss))
  }
  const work = { base, spec, train, validation, training: { ...training, ...settings, template }, metrics: [] }
  const line = number - 1
  try {
    let trained: TrainedCell
    if (trainers) {
      const hear = { onEvent: watch, onNews: table.hear.bind(table, line) }
      const submitted = await trainers.submit(work, { name: `trial ${number}`, seed: run.seed, signal: stop.signal, ...hear })
      trained = await submitted.training
      // Another machine may have gone on before it heard that it was to stop, or may have done all of it before.
      epochs = trained.outcome.settings.epochs
      for (const [at, [, loss]] of trained.outcome.validationLoss.entries()) note(at + 1, loss)
      if (isStopped() >= 0) return stopped()
    } else {
      table.hear(line, { state: "running", where: "this process" })
      trained = await trainCell(work, deriveRun(run, { seed: run.seed, signal: AbortSignal.any([signal, stop.signal]), onEvent: watch }))
    }
    const { bestValidationLoss, validationLoss } = trained.outcome
    return { ...part, status: "done", loss: bestValidationLoss, curve: validationLoss.map(([, loss]) => loss) }
  } catch (error) {
    if (signal.aborted || !isPrompt2ModelError(error)) throw error
    // Another trial with the same settings was stopped, by what it was compared with.
    if (error.code === "run.interrupted" && !stop.signal.aborted)
      return runTrial(base, plan, { train, validation, training, spec, template }, { run, signal, journal, trainers, table })
    // Nobody goes on with it, and its checkpoint is three times its weights.
    if (stop.signal.aborted && folder) await rm(folder, { recursive: true, force: true })
    return stop.signal.aborted ? stopped() : { ...part, status: "failed", curve: [], reason: messageOf(error) }
  }
}

/** Whether the last loss of `curve` is above the median of earlier trials' after the same epoch. */
function isPoor(curve: readonly number[], earlier: readonly Trial[], least: number | false): boolean {
  const reached = earlier.flatMap((trial) => trial.curve[curve.length - 1] ?? [])
  if (least === false || reached.length < least) return false
  reached.sort((a, b) => a - b)
  const half = reached.length >> 1
  return curve[curve.length - 1] > (reached.length % 2 === 1 ? reached[half] : (reached[half - 1] + reached[half]) / 2)
}
