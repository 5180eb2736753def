// searchHyperparameters: a base model, rows and a space in, the settings that train best out. Each trial begins from a fresh copy of the base;
// one that is worse than most were at the same epoch is stopped. What a killed process had done is found again.
import { appendFileSync } from "node:fs"
import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { InputError, isPrompt2ModelError, messageOf } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { PromptSpec } from "../../core/prompt-spec"
import { Random } from "../../core/random"
import type { Run, RunEvent } from "../../core/run"
import type { TrainingSettings } from "../../stages/fine-tune/choose-settings"
import { fineTune } from "../../stages/fine-tune/fine-tune"
import type { FolderRun } from "../../store/run"
import { deriveRun, folderOf, runExperiment } from "../experiment-run"
import { HyperparameterSearch, type Trial } from "./search-result"
import { type Dimension, type Place, readSpace, type SearchSpace, valueAt } from "./space"
import { suggestAtRandom, suggestByTpe } from "./suggest"

export interface SearchHyperparametersOptions {
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

type BaseModel = Parameters<typeof fineTune>[0]

/**
 * Searches the settings of a training. The same seed tries the same settings, also when the process was killed in between. `base` stays as it is.
 *
 * @throws InputError `search.space`, `search.no-validation`, `search.trials`, `experiment.*`; InterruptedError
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
  return runExperiment("searchHyperparameters", run, options.signal, async ({ signal, progress }) => {
    const journal = await TrialJournal.open(run, fingerprintSearch(base, dimensions, options, run))
    const trials: Trial[] = []
    for (let number = 1; number <= count; number++) {
      const random = new Random(`${run.seed}/search/${number}`)
      const seen = trials.flatMap(({ places, loss }) => (loss === undefined ? [] : [{ places, loss }]))
      const places = method === "tpe" ? suggestByTpe(dimensions, seen, random) : suggestAtRandom(dimensions, random)
      const known = journal.find(number, places)
      const trial =
        known ?? (await runTrial(base, { number, places, dimensions, earlier: trials, stopAfter }, options, { run, signal, journal }))
      if (!known) journal.noteTrial(trial)
      trials.push(trial)
      const best = Math.min(...trials.flatMap(({ loss }) => loss ?? []))
      progress({
        done: number,
        total: count,
        unit: "trials",
        note: Number.isFinite(best) ? `lowest validation loss ${best.toFixed(4)}` : undefined,
      })
    }
    const result = new HyperparameterSearch({ method, dimensions, trials })
    const { best } = result
    return {
      result,
      summary: best ? `validation loss ${best.loss!.toFixed(4)} in trial ${best.number} of ${count}` : "no trial could be trained",
    }
  })
}

interface TrialPlan {
  readonly number: number
  readonly places: readonly Place[]
  readonly dimensions: readonly Dimension[]
  readonly earlier: readonly Trial[]
  readonly stopAfter: number | false
}

async function runTrial(
  base: BaseModel,
  { number, places, dimensions, earlier, stopAfter }: TrialPlan,
  { train, validation, training, spec, template }: SearchHyperparametersOptions,
  { run, signal, journal }: { readonly run: FolderRun; readonly signal: AbortSignal; readonly journal: TrialJournal },
): Promise<Trial> {
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
  const watch = (event: RunEvent) => {
    if (event.type === "stage.started") folder = join(run.folder, "stages", `fineTune-${String(event.fingerprint).slice(0, 12)}`)
    if (event.type === "training.started") epochs = (event.settings as TrainingSettings).epochs
    // After the last epoch there is nothing left to stop.
    if (event.type !== "training.validation" || Number(event.epoch) >= epochs) return
    curve[Number(event.epoch) - 1] = Number(event.loss)
    journal.noteLoss(number, places, Number(event.epoch), Number(event.loss))
    if (isPoor(curve, earlier, stopAfter)) stop.abort()
  }
  const derived = deriveRun(run, { seed: run.seed, signal: AbortSignal.any([signal, stop.signal]), onEvent: watch })
  try {
    const trained = await fineTune(base, { ...training, ...settings, spec, template, train, validation, run: derived })
    trained.student.dispose()
    return { ...part, status: "done", loss: trained.bestValidationLoss, curve: trained.validationLoss.map(([, loss]) => loss) }
  } catch (error) {
    if (signal.aborted || !isPrompt2ModelError(error)) throw error
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

function fingerprintSearch(
  base: BaseModel,
  dimensions: readonly Dimension[],
  options: SearchHyperparametersOptions,
  run: FolderRun,
): string {
  const { train, validation, method, training, spec, template, stopAfter } = options
  const rows = [train.fingerprint, validation.fingerprint]
  return fingerprintOf([base.fingerprint, dimensions, rows, method, training, spec?.fingerprint, template, stopAfter, run.seed, run.engine])
}

type JournalLine =
  | { readonly trial: Trial }
  | { readonly number: number; readonly places: readonly Place[]; readonly epoch: number; readonly loss: number }

/** What a search has seen, a line each: losses as they come, and trials when they are done. A longer search goes on from a shorter one. */
class TrialJournal {
  private constructor(
    private readonly path: string,
    private readonly lines: readonly JournalLine[],
  ) {}

  static async open({ folder }: FolderRun, fingerprint: string): Promise<TrialJournal> {
    const path = join(folder, `search-${fingerprint.slice(0, 12)}.jsonl`)
    const text = await readFile(path, "utf8").catch(() => "")
    // A line that a kill cut short must not swallow the next one.
    if (text !== "" && !text.endsWith("\n")) appendFileSync(path, "\n")
    return new TrialJournal(path, text.split("\n").flatMap(parseLine))
  }

  find(number: number, places: readonly Place[]): Trial | undefined {
    return this.lines.flatMap((line) => ("trial" in line && isSame(line.trial, number, places) ? line.trial : []))[0]
  }

  /** The losses of a trial that was not done, from its first epoch on. */
  curveOf(number: number, places: readonly Place[]): number[] {
    const curve: number[] = []
    for (const line of this.lines) {
      if (!("trial" in line) && isSame(line, number, places) && line.epoch <= curve.length + 1) curve[line.epoch - 1] = line.loss
    }
    return curve
  }

  noteLoss(number: number, places: readonly Place[], epoch: number, loss: number): void {
    this.write({ number, places, epoch, loss })
  }

  noteTrial(trial: Trial): void {
    // What broke may be mended by then: it is tried again.
    if (trial.status !== "failed") this.write({ trial })
  }

  private write(line: JournalLine): void {
    appendFileSync(this.path, `${JSON.stringify(line)}\n`)
  }
}

/** A line that a kill cut short is none. */
function parseLine(line: string): JournalLine[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as JournalLine]
  } catch {
    return []
  }
}

function isSame(one: { readonly number: number; readonly places: readonly Place[] }, number: number, places: readonly Place[]): boolean {
  return one.number === number && one.places.length === places.length && one.places.every((place, at) => place === places[at])
}
