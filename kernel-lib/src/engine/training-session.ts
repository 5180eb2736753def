// The training session that all engines share: it owns parameters and optimizer, an engine computes losses and gradients for it.
import { EngineError } from "../core/errors"
import type { Optimizer } from "./optimizers/optimizer"
import { mixBits, randomKey } from "./random-stream"
import type { NamedParameters, NamedValues, StepOptions, StepResult, TrainingSession, TrainingState } from "./session"

/** What an engine does for a training session. */
export interface GradientSource {
  /** Writes the gradients of the trained parameters that the loss reaches into the optimizer's memory, and names them. */
  computeGradients(
    batch: NamedValues,
    key: Int32Array,
    signal?: AbortSignal,
  ): Promise<{ readonly loss: number; readonly reached: readonly string[] }>
  computeLoss(batch: NamedValues, signal?: AbortSignal): Promise<number>
  dispose(): void
}

export class OptimizingSession implements TrainingSession {
  private readonly sums = new Map<string, Float32Array>()
  private isBusy = false
  private isDisposed = false

  constructor(
    private readonly source: GradientSource,
    private readonly optimizer: Optimizer,
    private readonly seed: number,
  ) {}

  get stepsTaken(): number {
    return this.optimizer.stepsTaken
  }

  get parameters(): NamedParameters {
    return this.optimizer.parameters
  }

  parameter(name: string): Float32Array {
    return this.optimizer.values(name)
  }

  step(batch: NamedValues | readonly NamedValues[], { learningRate, weights, signal }: StepOptions): Promise<StepResult> {
    return this.exclusively(async () => {
      const batches = Array.isArray(batch) ? (batch as readonly NamedValues[]) : [batch as NamedValues]
      if (batches.length === 0) throw new EngineError("engine.bad-feed", "A step needs at least one batch.")
      if (!Number.isFinite(learningRate)) throw new EngineError("engine.bad-options", "The learning rate must be a finite number.")
      const { loss, reached } =
        batches.length === 1 ? await this.differentiate(batches[0], 0, signal) : await this.accumulate(batches, weights, signal)
      return { loss, gradientNorm: this.optimizer.update(reached, learningRate) }
    })
  }

  evaluate(batch: NamedValues, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.exclusively(() => this.source.computeLoss(batch, options.signal))
  }

  computeGradients(batch: NamedValues): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    return this.exclusively(async () => {
      const { loss, reached } = await this.differentiate(batch, 0)
      return { loss, gradients: Object.fromEntries(reached.map((name) => [name, this.optimizer.gradient(name).slice()])) }
    })
  }

  exportState(): TrainingState {
    return this.optimizer.exportState()
  }

  importState(state: TrainingState): void {
    this.checkIdle()
    this.optimizer.importState(state)
  }

  dispose(): void {
    if (this.isDisposed) return
    this.isDisposed = true
    this.sums.clear()
    this.source.dispose()
  }

  /** Each part of an accumulated step draws its own dropout. */
  private async differentiate(batch: NamedValues, part: number, signal?: AbortSignal) {
    const seed = part === 0 ? this.seed : mixBits(this.seed ^ mixBits(part))
    const result = await this.source.computeGradients(batch, randomKey(seed, this.stepsTaken), signal)
    if (Number.isFinite(result.loss)) return result
    throw new EngineError(
      "engine.loss-not-finite",
      `The loss of step ${this.stepsTaken + 1} is ${result.loss}: use a lower learning rate, or look at the batch. Nothing was updated.`,
    )
  }

  /** The mean of the batches' gradients by their weights, summed beside the optimizer's memory. */
  private async accumulate(batches: readonly NamedValues[], weights: readonly number[] = batches.map(() => 1), signal?: AbortSignal) {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    if (weights.length !== batches.length || !weights.every((weight) => weight >= 0) || !(total > 0 && total < Number.POSITIVE_INFINITY)) {
      throw new EngineError("engine.bad-options", "A step needs a weight of 0 or more for each of its batches, and one above 0.")
    }
    const reached = new Set<string>()
    let mean = 0
    for (const [part, batch] of batches.entries()) {
      const share = weights[part] / total
      const result = await this.differentiate(batch, part, signal)
      mean += share * result.loss
      for (const name of result.reached) {
        addShare(this.sumOf(name, reached.has(name)), this.optimizer.gradient(name), share)
        reached.add(name)
      }
    }
    for (const name of reached) this.optimizer.gradient(name).set(this.sums.get(name)!)
    return { loss: mean, reached: [...reached] }
  }

  /** Memory for a gradient's sum, which is kept for the steps to come; zero at a step's first use. */
  private sumOf(name: string, isBegun: boolean): Float32Array {
    const kept = this.sums.get(name)
    const sum = kept ?? new Float32Array(this.optimizer.gradient(name).length)
    if (!kept) this.sums.set(name, sum)
    else if (!isBegun) sum.fill(0)
    return sum
  }

  private async exclusively<Result>(body: () => Promise<Result>): Promise<Result> {
    this.checkIdle()
    this.isBusy = true
    try {
      return await body()
    } finally {
      this.isBusy = false
    }
  }

  private checkIdle(): void {
    if (this.isDisposed) throw new EngineError("engine.disposed", "This training session was disposed of: make a new one.")
    if (this.isBusy) throw new EngineError("engine.busy", "This training session is at work: await one call before the next.")
  }
}

function addShare(sum: Float32Array, gradient: Float32Array, share: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] += share * gradient[i]
}
