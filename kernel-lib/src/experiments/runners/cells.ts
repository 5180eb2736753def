// Cells of one experiment, whoever computes them: what they are made of goes into the folder that all share, their results come out of it, and
// the runner only says when. No cell is computed that is there already, and none twice.
import { hostname } from "node:os"
import { setTimeout as wait } from "node:timers/promises"
import { InputError, InterruptedError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { RunEvent } from "../../core/run"
import { readEvents } from "../../store/event-log"
import type { FolderRun } from "../../store/run"
import { type CellResult, type CellTicket, cellFolder, forgetCellResult, readCellResult, removeInputs, writeCellJob } from "./cell-files"
import { FollowedEvents } from "./follow-events"
import type { CellNews, OpenRunner, Runner } from "./runner"
import { fingerprintWork, type TrainingWork } from "./train-cell"

export interface SubmitOptions {
  /** As people call it. */
  readonly name: string
  readonly seed: number
  /** Ends this cell alone. */
  readonly signal?: AbortSignal
  onNews?(news: CellNews): void
  onEvent?(event: RunEvent): void
}

/** A result, and whether it was there before. */
export type FoundResult = CellResult & { readonly isFound: boolean }

interface OpenOptions {
  readonly run: FolderRun
  readonly signal: AbortSignal
}

/** Milliseconds that a result which another machine wrote may take to be seen here. */
const longestDelay = 60_000

export class Cells {
  private readonly known = new Map<string, Promise<FoundResult>>()
  private readonly submitter: string
  /** Events of each cell that an earlier process told the run of. */
  private readonly told = new Map<string, number>()

  private constructor(
    private readonly runner: OpenRunner,
    private readonly run: FolderRun,
    private readonly signal: AbortSignal,
  ) {
    this.submitter = fingerprintOf([hostname(), run.folder]).slice(0, 16)
    for (const { cell } of readEvents(run.folder)) {
      if (typeof cell === "string") this.told.set(cell, (this.told.get(cell) ?? 0) + 1)
    }
  }

  static async open(runner: Runner, { run, signal }: OpenOptions): Promise<Cells> {
    return new Cells(await runner.open({ folder: run.folder, signal, notice: (sentence) => run.reporter.notice(sentence) }), run, signal)
  }

  /** Where trained students are, by their stages' fingerprints. */
  get folder(): string {
    return this.runner.folder
  }

  /**
   * Resolves when all that the training needs is on disk, and the base model may be freed; `training` when there is a result.
   * @throws InputError `runner.cannot-travel`, `disk.*`
   */
  async submit(work: TrainingWork, options: SubmitOptions): Promise<{ readonly training: Promise<FoundResult> }> {
    const key = fingerprintWork(work, { seed: options.seed, engine: this.run.engine })
    const known = this.known.get(key)
    if (known) return { training: known }
    const ticket: CellTicket = { key, submitter: this.submitter }
    const found = await readCellResult(this.folder, ticket)
    // Limits may have been raised since: what ended early goes on.
    const isFound = found?.outcome.status === "done"
    if (!isFound) {
      await forgetCellResult(this.folder, ticket)
      await writeCellJob(this.folder, ticket, work, { ...options, run: this.run })
    }
    const training = isFound ? Promise.resolve({ ...found, isFound }) : this.compute(ticket, options)
    this.known.set(key, training)
    // Awaited by whoever asked. What failed may be tried again.
    training.catch(() => this.known.delete(key))
    return { training }
  }

  /** Ends what is under way, and removes what the cells were made of. */
  async close(): Promise<void> {
    await this.runner.close()
    await removeInputs(this.folder, this.submitter)
  }

  private async compute(ticket: CellTicket, { signal, onNews, onEvent }: SubmitOptions): Promise<FoundResult> {
    const events = new FollowedEvents(cellFolder(this.folder, ticket))
    let left = this.told.get(ticket.key) ?? 0
    const look = async () => {
      for (const event of await events.look()) {
        onEvent?.(event)
        // The steps of several trainings in one file would be taken for one training's: they are in the cell's own.
        if (event.type.startsWith("stage.") && left-- <= 0) this.run.record({ ...event, cell: ticket.key })
      }
    }
    try {
      await this.runner.compute(ticket, {
        signal: signal ? AbortSignal.any([this.signal, signal]) : this.signal,
        isDone: async () => (await readCellResult(this.folder, ticket)) !== undefined,
        onNews: (news) => {
          onNews?.(news)
          void look()
        },
      })
      return { ...(await this.awaitResult(ticket)), isFound: false }
    } finally {
      await look()
    }
  }

  /** A folder on a network tells of a new file when it likes. */
  private async awaitResult(ticket: CellTicket): Promise<CellResult> {
    for (let [waited, delay] = [0, 20]; waited < longestDelay; waited += delay, delay = Math.min(1000, delay * 1.5)) {
      const result = await readCellResult(this.folder, ticket)
      if (result) return result
      await wait(delay, undefined, { signal: this.signal }).catch(() => Promise.reject(new InterruptedError()))
    }
    throw new InputError(
      "queue.folder-not-shared",
      `A worker says that a cell is done, and ${this.folder} has no result of it: submitter and workers must be given one folder that all of them see.`,
    )
  }
}
