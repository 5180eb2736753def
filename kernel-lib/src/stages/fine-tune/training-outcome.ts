// How a training went.
import type { TrainingSettings } from "./choose-settings"

/** [step, loss] pairs, steps counted from 1. */
export type LossCurve = readonly (readonly [number, number])[]

export interface TrainingOutcome {
  readonly status: "done" | "partial"
  /** Why it ended before its last epoch. */
  readonly reason?: string
  readonly settings: TrainingSettings
  readonly engine: string
  readonly steps: number
  readonly totalSteps: number
  /** The step whose weights the student has. */
  readonly bestStep: number
  readonly bestValidationLoss?: number
  /** Mean loss of ten steps each. */
  readonly trainLoss: LossCurve
  readonly validationLoss: LossCurve
  /** Input and output tokens together, padding left out. */
  readonly tokensPerSecond: number
  readonly seconds: number
  /** Rows whose input or output was longer than the limit and was cut. */
  readonly cutRows: number
  /** Rows that were left out because a student of this kind cannot learn them: a classifier's unknown labels, answers that are not in their context. */
  readonly refusedRows: number
  /** Share of what is computed that is padding. */
  readonly padding: number
  /** With `lowRank` and a run folder: where in the stage's folder the trained matrices are, as PEFT reads them. */
  readonly adapters?: string
}
