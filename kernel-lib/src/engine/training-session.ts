// The training session that all engines share: it owns parameters and optimizer, an engine computes losses and gradients for it.
import { EngineError } from "../core/errors"
import type { AdamW } from "./optimizers/adamw"
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
  private isBusy = false
  private isDisposed = false

  constructor(
    private readonly source: GradientSource,
    private readonly optimizer: AdamW,
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

  step(batch: NamedValues | readonly NamedValues[], { learningRate, signal }: StepOptions): Promise<StepResult> {
    return this.exclusively(async () => {
      const batches = Array.isArray(batch) ? (batch as readonly NamedValues[]) : [batch as NamedValues]
      if (batches.length === 0) throw new EngineError("engine.bad-feed", "A step needs at least one batch.")
      if (!Number.isFinite(learningRate)) throw new EngineError("engine.bad-options", "The learning rate must be a finite number.")
      const { loss, reached } =
        batches.length === 1 ? await this.differentiate(batches[0], 0, signal) : await this.accumulate(batches, signal)
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

  /** The mean of the batches' gradients, summed beside the optimizer's memory. */
  private async accumulate(batches: readonly NamedValues[], signal?: AbortSignal) {
    const sums = new Map<string, Float32Array>()
    let total = 0
    for (const [part, batch] of batches.entries()) {
      const { loss, reached } = await this.differentiate(batch, part, signal)
      total += loss
      for (const name of reached) addTo(sums, name, this.optimizer.gradient(name))
    }
    for (const [name, sum] of sums) {
      const gradient = this.optimizer.gradient(name)
      for (let i = 0; i < sum.length; i++) gradient[i] = sum[i] / batches.length
    }
    return { loss: total / batches.length, reached: [...sums.keys()] }
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

function addTo(sums: Map<string, Float32Array>, name: string, gradient: Float32Array): void {
  const sum = sums.get(name)
  if (!sum) sums.set(name, gradient.slice())
  else for (let i = 0; i < sum.length; i++) sum[i] += gradient[i]
}
