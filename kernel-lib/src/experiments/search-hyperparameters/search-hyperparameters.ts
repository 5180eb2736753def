// searchHyperparameters: a base model, rows and a space in, the settings that train best out. Each trial begins from a fresh copy of the base;
// one that is worse than most were at the same epoch is stopped. What a killed process had done is found again.
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { PromptSpec } from "../../core/prompt-spec"
import { Random } from "../../core/random"
import type { Run } from "../../core/run"
import type { TrainingSettings } from "../../stages/fine-tune/choose-settings"
import type { FolderRun } from "../../store/run"
import { folderOf, runExperiment } from "../experiment-run"
import { CellTable } from "../runners/cell-table"
import { Cells } from "../runners/cells"
import { chooseRunner, type RunnerOptions } from "../runners/choose-runner"
import type { BaseModel } from "../runners/train-cell"
import { runTrial, type TrialPlan } from "./run-trial"
import { HyperparameterSearch, type Trial } from "./search-result"
import { type Dimension, readSpace, type SearchSpace } from "./space"
import { suggestAtRandom, suggestByTpe } from "./suggest"
import { TrialJournal } from "./trial-journal"

export interface SearchHyperparametersOptions extends RunnerOptions {
  /** With a folder: trials are kept there, and found there again. */
  readonly run: Run
  readonly train: Dataset
  /** Decides: each trial's loss on its first 1,000 rows, the lowest of its epochs. */
  readonly validation: Dataset
  /** For settings of `fineTune` a range or a list: `{ learningRate: { low: 1e-4, high: 1e-2, scale: "log" }, batchSize: [8, 16] }`. */
  readonly space: SearchSpace
  /** Default 20. */
  readonly trials?: number
  /** Default `tpe`, after 8 trials at random. */
  readonly method?: "tpe" | "random"
  /** Settings that all trials share. */
  readonly training?: Partial<TrainingSettings>
  /** The prompt, for the paper's template. */
  readonly spec?: PromptSpec
  readonly template?: "paper" | "bare"
  /** Whether poor trials are stopped, by the median of at least this many earlier ones at the same epoch; `false` for never. Default 4. */
  readonly stopAfter?: number | false
  /** Interrupts; the same call goes on from there. */
  readonly signal?: AbortSignal
}

/**
 * Searches the settings of a training. The same seed tries the same settings, also when the process was killed in between. `base` stays as it is.
 * With several trials at once, each learns from those that ended before the last of these began: the same seed and the same number at once try
 * the same settings, whoever is faster.
 *
 * @throws InputError `search.space`, `search.no-validation`, `search.trials`, `experiment.*`, `runner.*`, `queue.*`; ServiceError
 *   `queue.unreachable`; InterruptedError
 * @example
 * const run = await openRun("runs/search", { seed: 1 })
 * const base = await loadModel("bundled/byte-t5-tiny", { hub })
 * const space = { learningRate: { low: 1e-3, high: 1e-2, scale: "log" } } as const
 * const search = await searchHyperparameters(base, { run, train: own.take(16), validation: own.take(8), space, trials: 2, training: { epochs: 1 } })
 * search.best?.settings.learningRate
 */
export async function searchHyperparameters(base: BaseModel, options: SearchHyperparametersOptions): Promise<HyperparameterSearch> {
  const run = folderOf(options.run, "searchHyperparameters")
  const { trials: count = 20, method = "tpe", validation, stopAfter = 4 } = options
  const dimensions = readSpace(options.space)
  if (validation.length === 0) throw new InputError("search.no-validation", "The search decides by validation rows: give at least one.")
  if (!(Number.isSafeInteger(count) && count > 0)) throw new InputError("search.trials", `trials is a whole number above 0, not ${count}.`)
  const runner = chooseRunner(options)
  const lag = runner?.parallel ?? 1
  return runExperiment("searchHyperparameters", run, options.signal, async ({ signal, progress }) => {
    const journal = await TrialJournal.open(run, fingerprintSearch(base, dimensions, options, { run, lag }))
    const trainers = runner && (await Cells.open(runner, { run, signal }))
    const settled: Promise<Trial>[] = []
    let lowest = Number.POSITIVE_INFINITY
    const table = new CellTable(
      Array.from({ length: count }, (_, at) => `trial ${at + 1}`),
      "trials",
      (state) =>
        progress(Number.isFinite(lowest) ? { ...state, note: `${state.note}, lowest validation loss ${lowest.toFixed(4)}` } : state),
    )
    const runTrialHere = async (plan: TrialPlan): Promise<Trial> => {
      const { number, places } = plan
      const known = journal.find(number, places)
      const trial = known ?? (await runTrial(base, plan, options, { run, signal, journal, trainers, table }))
      if (!known) journal.noteTrial(trial)
      lowest = Math.min(lowest, trial.loss ?? Number.POSITIVE_INFINITY)
      if (trial.status === "failed") table.fail(number - 1, trial.reason)
      else table.finish(number - 1, trial.status === "stopped" ? "stopped early" : undefined)
      return trial
    }
    try {
      for (let number = 1; number <= count; number++) {
        // Whichever of those at once ends first: what a trial learns from does not depend on it.
        const earlier = await Promise.all(settled.slice(0, Math.max(0, number - lag)))
        const random = new Random(`${run.seed}/search/${number}`)
        const seen = earlier.flatMap(({ places, loss }) => (loss === undefined ? [] : [{ places, loss }]))
        const places = method === "tpe" ? suggestByTpe(dimensions, seen, random) : suggestAtRandom(dimensions, random)
        const trial = runTrialHere({ number, places, dimensions, earlier, stopAfter })
        // Awaited later; a failure before that is not an unhandled one.
        trial.catch(() => {})
        settled.push(trial)
      }
      const result = new HyperparameterSearch({ method, dimensions, trials: await Promise.all(settled) })
      const { best } = result
      return {
        result,
        summary: best ? `validation loss ${best.loss!.toFixed(4)} in trial ${best.number} of ${count}` : "no trial could be trained",
      }
    } finally {
      await Promise.allSettled(settled)
      await trainers?.close()
    }
  })
}

function fingerprintSearch(
  base: BaseModel,
  dimensions: readonly Dimension[],
  options: SearchHyperparametersOptions,
  { run, lag }: { readonly run: FolderRun; readonly lag: number },
): string {
  const { train, validation, method, training, spec, template, stopAfter } = options
  const rows = [train.fingerprint, validation.fingerprint]
  const work = [base.fingerprint, dimensions, rows, method, training, spec?.fingerprint, template, stopAfter, run.seed, run.engine]
  return fingerprintOf(lag === 1 ? work : [...work, lag])
}
