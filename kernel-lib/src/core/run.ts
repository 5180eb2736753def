// The run: what all stages share. The interface only; the folder behind it is the store's business.
import type { Hub } from "./hub"
import type { Teacher } from "./teacher"

/** What a stage costs, has cost, and may cost. */
export interface Limits {
  /** US dollars over the whole run. */
  readonly maxUsd?: number
  /** Teacher tokens, input and output together, over the whole run. */
  readonly maxTokens?: number
  /** Seconds a stage may take. */
  readonly maxSeconds?: number
}

export interface Spending {
  readonly usd: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** Requests that went to the teacher. */
  readonly requestsSent: number
  /** Requests answered from the response store. */
  readonly requestsReused: number
}

export type EngineName = "auto" | "onnx" | "tensorflow" | "xla" | "eager"

/** One line of `events.jsonl`. `type` is dotted: `stage.started`, `training.step`, `evaluation.done` ... */
export interface RunEvent {
  readonly type: string
  readonly stage?: string
  readonly [field: string]: unknown
}

/** What left the machine: one line per neighbour and purpose. */
export interface SentRecord {
  readonly to: string
  readonly purpose: string
  readonly requests: number
  readonly inputTokens: number
  readonly usd: number
  readonly firstAt: string
  readonly lastAt: string
}

/** State of a long step, for whoever shows it. */
export interface Progress {
  readonly done: number
  /** Undefined when nobody knows. */
  readonly total?: number
  /** What is counted: `rows`, `steps`. */
  readonly unit: string
  /** A few words: `epoch 7 of 10`. */
  readonly note?: string
  /** Per second, with its unit: `41,300 tokens/s`. */
  readonly rate?: string
  /** Seconds that are left, as estimated. */
  readonly secondsLeft?: number
  /** The losses of a training so far, as [step, loss] pairs. */
  readonly losses?: { readonly train: readonly (readonly [number, number])[]; readonly validation: readonly (readonly [number, number])[] }
  /** The folder of the run that trains, where its events are written. */
  readonly run?: string
  /** What an experiment's cells do, in their order. */
  readonly cells?: readonly CellProgress[]
}

/** One of the many trainings of an experiment. */
export interface CellProgress {
  readonly name: string
  readonly state: "waiting" | "running" | "done" | "failed"
  /** The machine that has it. */
  readonly where?: string
  /** How far it is, or why it failed. */
  readonly note?: string
}

/** Shows stages as they happen. Calls must be cheap; a reporter throttles itself. */
export interface Reporter {
  stageStarted(stage: string): void
  stageProgress(stage: string, progress: Progress): void
  /** `summary` is the sentence of the result; `isReused` when it was in the run already. */
  stageEnded(stage: string, outcome: { summary: string; seconds: number; isReused: boolean; status: "done" | "partial" | "failed" }): void
  /** A sentence that the reader should see whatever else is shown. */
  notice(sentence: string): void
}

export interface Run {
  /** Undefined for a run that keeps nothing. */
  readonly folder?: string
  /** Already behind the response store and the money cap. */
  readonly teacher?: Teacher
  readonly hub?: Hub
  readonly seed: number
  readonly engine: EngineName
  readonly limits: Limits
  readonly reporter: Reporter
  /** Aborted when the whole run is to stop. */
  readonly signal?: AbortSignal
  readonly spending: Spending
  /** Appends to `events.jsonl`; time and stage are added. */
  record(event: RunEvent): void
  /** What left the machine, to whom, when and at what price. */
  sent(): readonly SentRecord[]
}

export interface StageInlineOptions {
  /** What all stages share; or give the same fields one by one, and nothing is kept on disk but the teacher's answers. */
  readonly run?: Run
  readonly teacher?: Teacher
  readonly hub?: Hub
  readonly seed?: number
  readonly engine?: EngineName
  /** Interrupts the stage: it saves its work and rejects with `InterruptedError`. */
  readonly signal?: AbortSignal
}
