// A training session whose optimizer works on the parameters' own memory: an engine computes losses and gradients for it.
import type { Optimizer } from "./optimizers/optimizer"
import type { NamedParameters, NamedValues, StepOptions, StepResult, TrainingSession, TrainingState } from "./session"
import { checkLoss, divideStep, keyOfPart, type StepPart, Turn } from "./training-steps"

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
  private readonly turn = new Turn()

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

  step(batch: NamedValues | readonly NamedValues[], options: StepOptions): Promise<StepResult> {
    return this.turn.take(async () => {
      const parts = divideStep(batch, options)
      const { loss, reached } =
        parts.length === 1 ? await this.differentiate(parts[0].batch, 0, options.signal) : await this.accumulate(parts, options.signal)
      return { loss, gradientNorm: await this.optimizer.update(reached, options.learningRate) }
    })
  }

  evaluate(batch: NamedValues, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.turn.take(() => this.source.computeLoss(batch, options.signal))
  }

  computeGradients(batch: NamedValues): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    return this.turn.take(async () => {
      const { loss, reached } = await this.differentiate(batch, 0)
      return { loss, gradients: Object.fromEntries(reached.map((name) => [name, this.optimizer.gradient(name).slice()])) }
    })
  }

  exportState(): TrainingState {
    return this.optimizer.exportState()
  }

  importState(state: TrainingState): void {
    this.turn.check()
    this.optimizer.importState(state)
  }

  dispose(): void {
    if (this.turn.isClosed) return
    this.turn.isClosed = true
    this.sums.clear()
    this.source.dispose()
    this.optimizer.dispose()
  }

  private async differentiate(batch: NamedValues, part: number, signal?: AbortSignal) {
    const result = await this.source.computeGradients(batch, keyOfPart(this.seed, this.stepsTaken, part), signal)
    checkLoss(result.loss, this.stepsTaken)
    return result
  }

  /** The parts' gradients by their shares, summed beside the optimizer's memory. */
  private async accumulate(parts: readonly StepPart[], signal?: AbortSignal) {
    const reached = new Set<string>()
    let mean = 0
    for (const [part, { batch, share }] of parts.entries()) {
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
}

function addShare(sum: Float32Array, gradient: Float32Array, share: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] += share * gradient[i]
}
