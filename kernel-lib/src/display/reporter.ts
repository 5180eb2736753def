// What shows stages while they run: its shape, and the words that terminals and notebooks share.
import type { ShownCell } from "./cell-table"
import { onOneLine } from "./plain-text"
import { formatCount, formatSeconds } from "./wording"

export interface StageProgress {
  readonly done: number
  readonly total?: number
  readonly unit: string
  readonly note?: string
  readonly rate?: string
  readonly secondsLeft?: number
  readonly losses?: { readonly train: readonly (readonly [number, number])[]; readonly validation: readonly (readonly [number, number])[] }
  /** What an experiment's cells do, in their order. */
  readonly cells?: readonly ShownCell[]
  readonly run?: string
}

export interface StageOutcome {
  readonly summary: string
  readonly seconds: number
  readonly isReused: boolean
  readonly status: "done" | "partial" | "failed"
}

/** Shows stages as they happen; throttles itself. The same shape as the core's `Reporter`. */
export interface StageReporter {
  stageStarted(stage: string): void
  stageProgress(stage: string, progress: StageProgress): void
  stageEnded(stage: string, outcome: StageOutcome): void
  notice(sentence: string): void
}

/** `retrieveDatasets` as `retrieve datasets`. */
export function wordsOfStage(stage: string): string {
  return onOneLine(stage).replace(/([a-z0-9])([A-Z])/g, (_, before: string, capital: string) => `${before} ${capital.toLowerCase()}`)
}

/** Where a stage is, in pieces: `epoch 7 of 10`, `41,300 tokens/s`, `34 s left`. */
export function describeProgress({ done, total, unit, note, rate, secondsLeft }: StageProgress): {
  where: string
  rate: string
  left: string
} {
  const counted = total === undefined ? `${formatCount(done)} ${unit}` : `${formatCount(done)} of ${formatCount(total)} ${unit}`
  return {
    where: onOneLine(note || counted),
    rate: onOneLine(rate ?? ""),
    left: secondsLeft === undefined || !Number.isFinite(secondsLeft) ? "" : `${formatSeconds(Math.max(0, secondsLeft))} left`,
  }
}

/** Share of the work that is done, in [0, 1]; undefined when nobody knows the whole. */
export function shareDone({ done, total }: StageProgress): number | undefined {
  return total === undefined || !(total > 0) ? undefined : Math.min(1, Math.max(0, done / total))
}

/** How a stage ended, in a word or two; empty when it simply did. */
export function wordsOfOutcome({ status, isReused }: StageOutcome): string {
  if (status === "failed") return "failed"
  if (status === "partial") return "ended early"
  return isReused ? "from the run" : ""
}
