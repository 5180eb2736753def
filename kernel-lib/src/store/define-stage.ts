// Wraps every stage, so that a stage's own file holds only its work: looks the fingerprint up in the run, shows progress,
// listens to the interrupt, writes events, keeps the result, and labels errors.
import { setMaxListeners } from "node:events"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { InterruptedError, isPrompt2ModelError, messageOf } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import { Random } from "../core/random"
import type { Progress, Run, RunEvent, StageInlineOptions } from "../core/run"
import { ephemeralRun } from "./run"
import { readStageRecord, setStageLoader, writeStageRecord } from "./stage-records"

/** What a stage's work is given beside its subject and options. */
export interface StageContext {
  readonly run: Run
  /** Equal for equal work; results carry it on to the stages that follow. */
  readonly fingerprint: string
  /** Aborted by an interrupt: save the work, then return what there is as `status: "partial"`. */
  readonly signal: AbortSignal
  /** A folder of this very work, kept between runs of the process: checkpoints go here. Undefined when the run keeps nothing. */
  readonly folder?: string
  /** Seeded by the run's seed and the stage's name. */
  readonly random: Random
  progress(state: Progress): void
  record(event: RunEvent): void
}

export interface StageDefinition<Subject, Options extends StageInlineOptions, Result extends object> {
  /** The exported function's name. */
  readonly name: string
  /** Raised when the same inputs give another result than before. */
  readonly version: number
  /** What of the run the result depends on. */
  readonly uses: readonly ("teacher" | "hub" | "seed" | "engine")[]
  /** Plain data: the inputs' fingerprints and the options that matter. */
  key(subject: Subject, options: Options): unknown
  work(subject: Subject, options: Options, context: StageContext): Promise<Result>
  /** Keeps the result in `folder`, so that `load` brings it back. Without the two the stage is cheap and is done again. */
  save?(result: Result, folder: string): Promise<void>
  load?(folder: string, run: Run, fingerprint: string): Promise<Result>
  /** The sentence of the result, for its line in the terminal. */
  summarize(result: Result): string
}

export type Stage<Subject, Options extends StageInlineOptions, Result> = (subject: Subject, options?: Options) => Promise<Result>

/** The stage function of a definition: `(subject, options) => Promise<Result>`. */
export function defineStage<Subject, Options extends StageInlineOptions, Result extends object>(
  definition: StageDefinition<Subject, Options, Result>,
): Stage<Subject, Options, Result> {
  const { name } = definition
  if (definition.load) setStageLoader(name, definition.load)
  return async (subject, options = {} as Options) => {
    const run = options.run ?? ephemeralRun(options)
    const fingerprint = fingerprintStage(definition, subject, options, run)
    const folder = run.folder && definition.save ? join(run.folder, "stages", `${name}-${fingerprint.slice(0, 12)}`) : undefined
    const perform = () => performStage(definition, subject, options, { run, fingerprint, folder })
    return folder ? inTurn(folder, perform) : perform()
  }
}

/** Where a call of a stage stands: its run, its fingerprint, and the folder of this very work. */
type StagePlace = Pick<StageContext, "run" | "fingerprint" | "folder">

async function performStage<Subject, Options extends StageInlineOptions, Result extends object>(
  definition: StageDefinition<Subject, Options, Result>,
  subject: Subject,
  options: Options,
  { run, fingerprint, folder }: StagePlace,
): Promise<Result> {
  const { name } = definition
  const record = (event: RunEvent) => run.record({ stage: name, ...event })

  const kept = folder ? await readStageRecord(folder) : undefined
  if (folder && kept?.status === "done" && definition.load) {
    run.reporter.stageStarted(name)
    const result = await definition.load(folder, run, fingerprint)
    run.reporter.stageEnded(name, { summary: definition.summarize(result), seconds: kept.seconds, isReused: true, status: "done" })
    record({ type: "stage.reused", fingerprint })
    return result
  }

  const started = performance.now()
  const interrupt = await listenToInterrupt([run.signal, options.signal])
  run.reporter.stageStarted(name)
  record({ type: "stage.started", fingerprint })
  try {
    interrupt.signal.throwIfAborted()
    if (folder) await mkdir(folder, { recursive: true })
    const result = await definition.work(subject, options, {
      run,
      fingerprint,
      signal: interrupt.signal,
      folder,
      random: new Random(`${run.seed}/${name}`),
      progress: (state) => run.reporter.stageProgress(name, state),
      record,
    })
    const status = interrupt.signal.aborted || (result as { status?: string }).status === "partial" ? "partial" : "done"
    const seconds = (kept?.seconds ?? 0) + (performance.now() - started) / 1000
    const summary = definition.summarize(result)
    if (folder && definition.save) {
      await definition.save(result, folder)
      await writeStageRecord(folder, { stage: name, fingerprint, status, summary, seconds, at: new Date().toISOString() })
    }
    record({ type: "stage.ended", fingerprint, status, seconds, summary })
    run.reporter.stageEnded(name, { summary, seconds, isReused: false, status })
    if (interrupt.signal.aborted) throw new InterruptedError()
    return result
  } catch (thrown) {
    const error = interrupt.signal.aborted && !isPrompt2ModelError(thrown) ? new InterruptedError(undefined, { cause: thrown }) : thrown
    const code = isPrompt2ModelError(error) ? error.code : "unexpected"
    if (code !== "run.interrupted") {
      const seconds = (performance.now() - started) / 1000
      record({ type: "stage.failed", fingerprint, code, message: messageOf(error) })
      run.reporter.stageEnded(name, { summary: messageOf(error), seconds, isReused: false, status: "failed" })
    }
    throw error
  } finally {
    interrupt.stop()
  }
}

/** By folder, the calls that are under way there; the last one waits for those before it. */
const turns = new Map<string, Promise<unknown>>()

/**
 * Does `work` after all that is under way in `folder`. A notebook's cell that was interrupted can be run again before its stage has saved what it
 * had; the second call goes on from there.
 */
async function inTurn<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const mine = (turns.get(folder) ?? Promise.resolve()).then(work, work)
  turns.set(folder, mine)
  try {
    return await mine
  } finally {
    if (turns.get(folder) === mine) turns.delete(folder)
  }
}

function fingerprintStage<Subject, Options extends StageInlineOptions, Result extends object>(
  { name, version, uses, key }: StageDefinition<Subject, Options, Result>,
  subject: Subject,
  options: Options,
  run: Run,
): string {
  return fingerprintOf({
    stage: name,
    version,
    key: key(subject, options),
    teacher: uses.includes("teacher") ? (run.teacher?.identity ?? run.teacher?.name) : undefined,
    hub: uses.includes("hub") ? run.hub?.identity : undefined,
    seed: uses.includes("seed") ? run.seed : undefined,
    engine: uses.includes("engine") ? run.engine : undefined,
  })
}

/**
 * A signal that aborts with any of `signals`; where none is given, with SIGINT, as a notebook's interrupt sends it. The listener is
 * registered after one turn of the event loop: a tslab cell that registers it in its synchronous phase kills the kernel.
 */
async function listenToInterrupt(signals: readonly (AbortSignal | undefined)[]): Promise<{ signal: AbortSignal; stop: () => void }> {
  const given = signals.filter((signal): signal is AbortSignal => signal !== undefined)
  if (given.length > 0) return { signal: heardByMany(AbortSignal.any(given)), stop: () => {} }
  const controller = new AbortController()
  const abort = () => controller.abort()
  await new Promise((resolve) => setImmediate(resolve))
  process.once("SIGINT", abort)
  return { signal: heardByMany(controller.signal), stop: () => process.removeListener("SIGINT", abort) }
}

/** Node warns of a leak from the eleventh listener on; a stage's requests in flight are more. */
function heardByMany(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal)
  return signal
}
