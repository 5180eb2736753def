// Who computes the cells of an experiment: processes of this machine, or workers of any machine behind a queue. What is computed, and where its
// inputs and results lie, is the same for all of them.
import type { CellTicket } from "./cell-files"

/** What `localProcesses` and `queue` make, and `runOn` takes. */
export interface Runner {
  /** As people call it. */
  readonly kind: "localProcesses" | "queue"
  /** Cells that are computed at once, as far as that is known: what a search learns from lies so many trials back. */
  readonly parallel: number
  /** @internal */
  open(options: OpenRunnerOptions): Promise<OpenRunner>
}

export interface OpenRunnerOptions {
  /** The run's. */
  readonly folder: string
  readonly signal: AbortSignal
  /** Says what people should know. */
  notice(sentence: string): void
}

export interface OpenRunner {
  /** Where cells, claims and stages are: a folder that all see who compute. */
  readonly folder: string
  /** Resolves when a cell's result is in the folder. @throws the cell's own error; InterruptedError */
  compute(ticket: CellTicket, options: ComputeCellOptions): Promise<void>
  close(): Promise<void>
}

export interface ComputeCellOptions {
  readonly signal: AbortSignal
  /** Whether the result is there, whatever became of who was to say so. */
  isDone(): Promise<boolean>
  onNews(news: CellNews): void
}

/** What is new about a cell. */
export interface CellNews {
  readonly state: "waiting" | "running"
  /** Who computes it. */
  readonly where?: string
  readonly note?: string
}
