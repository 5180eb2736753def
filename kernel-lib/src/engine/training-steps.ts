// The rules of a step that hold whichever engine computes it: which batches count how much, what each draws, and that one call comes after another.
import { EngineError } from "../core/errors"
import { mixBits, randomKey } from "./random-stream"
import type { NamedValues, StepOptions } from "./session"

/** A batch of a step, and the share of the step's gradient that is its own. */
export interface StepPart {
  readonly batch: NamedValues
  /** The shares of a step's parts sum to 1. */
  readonly share: number
}

/** @throws EngineError `engine.bad-feed` without a batch, `engine.bad-options` for a rate or weights that make no sense */
export function divideStep(batch: NamedValues | readonly NamedValues[], { learningRate, weights }: StepOptions): StepPart[] {
  const batches = Array.isArray(batch) ? (batch as readonly NamedValues[]) : [batch as NamedValues]
  if (batches.length === 0) throw new EngineError("engine.bad-feed", "A step needs at least one batch.")
  if (!Number.isFinite(learningRate)) throw new EngineError("engine.bad-options", "The learning rate must be a finite number.")
  if (batches.length === 1) return [{ batch: batches[0], share: 1 }]
  const given = weights ?? batches.map(() => 1)
  const total = given.reduce((sum, weight) => sum + weight, 0)
  if (given.length !== batches.length || !given.every((weight) => weight >= 0) || !(total > 0 && total < Number.POSITIVE_INFINITY)) {
    throw new EngineError("engine.bad-options", "A step needs a weight of 0 or more for each of its batches, and one above 0.")
  }
  return batches.map((one, part) => ({ batch: one, share: given[part] / total }))
}

/** What a part of a step draws its dropout from: each part draws its own. */
export function keyOfPart(seed: number, stepsTaken: number, part: number): Int32Array {
  return randomKey(part === 0 ? seed : mixBits(seed ^ mixBits(part)), stepsTaken)
}

/** @throws EngineError `engine.loss-not-finite` */
export function checkLoss(loss: number, stepsTaken: number): void {
  if (Number.isFinite(loss)) return
  throw new EngineError(
    "engine.loss-not-finite",
    `The loss of step ${stepsTaken + 1} is ${loss}: use a lower learning rate, or look at the batch. Nothing was updated.`,
  )
}

/** Lets one call work at a time, until it is closed. */
export class Turn {
  isBusy = false
  isClosed = false

  /** @throws EngineError `engine.disposed`, `engine.busy` */
  check(): void {
    if (this.isClosed) throw new EngineError("engine.disposed", "This training session was disposed of: make a new one.")
    if (this.isBusy) throw new EngineError("engine.busy", "This training session is at work: await one call before the next.")
  }

  /** @throws EngineError as `check` */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    this.check()
    this.isBusy = true
    try {
      return await work()
    } finally {
      this.isBusy = false
    }
  }
}
