// What an experiment's options say about who computes its cells.
import { InputError } from "../../core/errors"
import { localProcesses } from "./local-processes"
import type { Runner } from "./runner"

export interface RunnerOptions {
  /**
   * Who trains: `localProcesses({ parallel })` for processes of this machine, `queue({ redis, folder })` for all machines that run a worker.
   * Default: this process, one training after the other.
   */
  readonly runOn?: Runner
  /** Trainings at once, each in a process of its own: the same as `runOn: localProcesses({ parallel })`. */
  readonly parallel?: number
}

/** Undefined where this process trains. @throws InputError `runner.parallel`, `runner.two` */
export function chooseRunner({ runOn, parallel }: RunnerOptions): Runner | undefined {
  if (runOn && parallel !== undefined)
    throw new InputError("runner.two", "Give either runOn or parallel: parallel: 2 means runOn: localProcesses({ parallel: 2 }).")
  const runner = runOn ?? localProcesses({ parallel })
  return runner.kind === "localProcesses" && runner.parallel === 1 ? undefined : runner
}
