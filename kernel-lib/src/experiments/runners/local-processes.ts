// Cells in processes of this machine, a few at once.
import { setTimeout as wait } from "node:timers/promises"
import { InputError, InterruptedError } from "../../core/errors"
import { CellChildren } from "./cell-children"
import type { Runner } from "./runner"

export interface LocalProcessesOptions {
  /** Trainings at once, each in a process of its own. Default 1: one after the other, in this process. */
  readonly parallel?: number
}

/** Seconds after which a claim that another machine left in the folder is nobody's. */
const leaseSeconds = 20

/**
 * Trainings on this machine, `parallel` of them at once; each has its share of the cores.
 * @throws InputError `runner.parallel`
 * @example
 * const runOn = localProcesses({ parallel: 2 })
 * runOn.parallel // 2
 */
export function localProcesses({ parallel = 1 }: LocalProcessesOptions = {}): Runner {
  if (!Number.isSafeInteger(parallel) || parallel < 1)
    throw new InputError("runner.parallel", `parallel is a whole number of at least 1, not ${parallel}.`)
  return {
    kind: "localProcesses",
    parallel,
    async open({ folder }) {
      const children = new CellChildren({ slots: parallel, leaseSeconds })
      return {
        folder,
        async compute(ticket, { signal, onNews }) {
          for (;;) {
            const answer = await children.compute(ticket, {
              folder,
              signal,
              onNews: (note) => onNews({ state: "running", where: "this machine", note }),
            })
            if (answer === "done") return
            await wait(1000, undefined, { signal }).catch(() => Promise.reject(new InterruptedError()))
          }
        },
        close: () => children.close(),
      }
    },
  }
}
