// What experiments share: a run with another seed on the same folder, an interrupt that reaches every stage, and a lock on the folder.
import { setMaxListeners } from "node:events"
import { join } from "node:path"
import { InputError } from "../core/errors"
import type { Progress, Reporter, Run, RunEvent } from "../core/run"
import type { Teacher } from "../core/teacher"
import type { FolderRun } from "../store/run"
import { Claim } from "./runners/claim"

const silent: Reporter = { stageStarted() {}, stageProgress() {}, stageEnded() {}, notice() {} }

/** The same folder, hub and purse; another seed or teacher, and stages show themselves only as what the experiment says of them. */
export function deriveRun<Given extends Run>(
  run: Given,
  changes: {
    readonly seed: number
    /** Default: the run's own. It is behind the run's response store and caps already. */
    readonly teacher?: Teacher
    readonly signal: AbortSignal
    readonly onEvent?: (event: RunEvent) => void
    /** How far the stage is that is under way. */
    readonly onProgress?: (stage: string, state: Progress) => void
  },
): Given {
  const reporter: Reporter = {
    ...silent,
    stageProgress: (stage, state) => changes.onProgress?.(stage, state),
    notice: (sentence) => run.reporter.notice(sentence),
  }
  const record = (event: RunEvent) => {
    run.record(event)
    changes.onEvent?.(event)
  }
  return Object.create(run, {
    seed: { value: changes.seed, enumerable: true },
    ...(changes.teacher && { teacher: { value: changes.teacher, enumerable: true } }),
    signal: { value: changes.signal, enumerable: true },
    reporter: { value: reporter, enumerable: true },
    record: { value: record, enumerable: true },
    // Stages are given all that they need: what another cell made must not be found by chance.
    latest: { value: undefined },
  })
}

/** @throws InputError `experiment.no-folder` */
export function folderOf(run: Run | undefined, name: string): FolderRun {
  if (run?.folder) return run as FolderRun
  throw new InputError(
    "experiment.no-folder",
    `${name} keeps its stages in a run's folder: pass run: await openRun("runs/${name.toLowerCase()}", { ... }).`,
  )
}

/** Does `work` under one lock (where the run has a folder), one interrupt, and one line of progress. */
export async function runExperiment<Result>(
  name: string,
  run: Run,
  signal: AbortSignal | undefined,
  work: (tools: { readonly signal: AbortSignal; progress(state: Progress): void }) => Promise<{ result: Result; summary: string }>,
): Promise<Result> {
  const controller = new AbortController()
  const abort = () => controller.abort()
  // A tslab cell that listens in its synchronous phase kills the kernel.
  await new Promise((resolve) => setImmediate(resolve))
  const given = [run.signal, signal].filter((one): one is AbortSignal => one !== undefined)
  if (given.length === 0) process.once("SIGINT", abort)
  const all = given.length === 0 ? controller.signal : AbortSignal.any(given)
  setMaxListeners(0, all)
  const unlock = run.folder === undefined ? () => {} : await lockFolder(run.folder, name)
  const started = performance.now()
  run.reporter.stageStarted(name)
  const seconds = () => (performance.now() - started) / 1000
  try {
    const { result, summary } = await work({ signal: all, progress: (state) => run.reporter.stageProgress(name, state) })
    run.reporter.stageEnded(name, { summary, seconds: seconds(), isReused: false, status: "done" })
    return result
  } catch (error) {
    const summary = error instanceof Error ? error.message : String(error)
    run.reporter.stageEnded(name, { summary, seconds: seconds(), isReused: false, status: all.aborted ? "partial" : "failed" })
    throw error
  } finally {
    process.removeListener("SIGINT", abort)
    unlock()
  }
}

/** Seconds after which an experiment of another machine that is silent is taken for dead. */
const leaseSeconds = 10

/**
 * One experiment at a time in a folder, so that no two processes compute the same stage. A lock that a killed process left is taken over.
 * @throws InputError `experiment.running`
 */
async function lockFolder(folder: string, name: string): Promise<() => void> {
  const claim = await Claim.take(join(folder, "experiment.lock"), { leaseSeconds, onLost: () => {} })
  if (claim) return () => claim.release()
  throw new InputError(
    "experiment.running",
    `Another process runs an experiment in ${folder}: wait for it, or open another folder for ${name}.`,
  )
}
