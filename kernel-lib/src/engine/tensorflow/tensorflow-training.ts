// Training on TensorFlow: parameters, gradients and AdamW's moments are variables that stay where TensorFlow computes. The optimizer's own
// memory is where callers read and write them: it is brought up to date when somebody asks, and handed over before the next run.
import { EngineError } from "../../core/errors"
import { makeOptimizer } from "../optimizers/make-optimizer"
import type { Optimizer } from "../optimizers/optimizer"
import { mixBits, randomKey } from "../random-stream"
import type { NamedParameters, NamedValues, StepOptions, StepResult, TrainingDefinition, TrainingSession, TrainingState } from "../session"
import { AdamWGraph } from "./adamw-graph"
import type { GraphSession } from "./graph-session"
import { type GatherOptions, LossGraphs } from "./loss-graphs"
import { SharedState } from "./shared-state"

export class TensorFlowTraining implements TrainingSession {
  private readonly optimizer: Optimizer
  private readonly graphs: LossGraphs
  private readonly state: SharedState
  /** Undefined for an optimizer that works on its own memory. */
  private readonly adamw: AdamWGraph | undefined
  private isBusy = false
  private isDisposed = false

  constructor(
    private readonly session: GraphSession,
    private readonly definition: TrainingDefinition,
  ) {
    this.optimizer = makeOptimizer(definition)
    const { optimizer = {}, parameters } = definition
    const { names, trainedNames } = this.optimizer
    this.graphs = new LossGraphs(session, definition, trainedNames)
    this.state = new SharedState(session, this.optimizer, parameters)
    this.state.memoryChanged("value", names)
    if (optimizer.kind !== "adafactor") {
      this.adamw = new AdamWGraph(session, parameters, optimizer)
      for (const kind of ["firstMoment", "secondMoment"] as const) this.state.memoryChanged(kind, trainedNames)
    }
  }

  get stepsTaken(): number {
    return this.optimizer.stepsTaken
  }

  /** `data` is brought up to date when it is asked for. */
  get parameters(): NamedParameters {
    const { definition } = this
    const valuesOf = (name: string) => this.parameter(name)
    return Object.fromEntries(
      this.optimizer.names.map((name) => {
        const parameter = {
          shape: definition.parameters[name].shape,
          get data() {
            return valuesOf(name)
          },
        }
        return [name, parameter]
      }),
    )
  }

  parameter(name: string): Float32Array {
    if (!this.isBusy && !this.isDisposed) this.lend([name])
    return this.optimizer.values(name)
  }

  step(batch: NamedValues | readonly NamedValues[], { learningRate, weights, signal }: StepOptions): Promise<StepResult> {
    return this.exclusively(async () => {
      const batches = Array.isArray(batch) ? (batch as readonly NamedValues[]) : [batch as NamedValues]
      if (batches.length === 0) throw new EngineError("engine.bad-feed", "A step needs at least one batch.")
      if (!Number.isFinite(learningRate)) throw new EngineError("engine.bad-options", "The learning rate must be a finite number.")
      const { loss, reached } =
        batches.length === 1 ? await this.differentiate(batches[0], 0, { signal }) : await this.accumulate(batches, weights, signal)
      return { loss, gradientNorm: await this.update(reached, learningRate, signal) }
    })
  }

  evaluate(batch: NamedValues, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.exclusively(() => this.graphs.evaluate(batch, signal))
  }

  computeGradients(batch: NamedValues): Promise<{ loss: number; gradients: Record<string, Float32Array> }> {
    return this.exclusively(async () => {
      const { loss, reached } = await this.differentiate(batch, 0)
      this.state.pull("gradient", reached)
      return { loss, gradients: Object.fromEntries(reached.map((name) => [name, this.optimizer.gradient(name).slice()])) }
    })
  }

  exportState(): TrainingState {
    this.checkIdle()
    this.lend(this.optimizer.names)
    for (const kind of ["firstMoment", "secondMoment"] as const) this.state.pull(kind, this.optimizer.trainedNames)
    return this.optimizer.exportState()
  }

  importState(state: TrainingState): void {
    this.exportState()
    this.optimizer.importState(state)
    if (!this.adamw) return
    for (const kind of ["firstMoment", "secondMoment"] as const) this.state.memoryChanged(kind, this.optimizer.trainedNames)
  }

  /** What callers read of the parameters stays as it is then. */
  dispose(): void {
    if (this.isDisposed) return
    if (!this.isBusy) this.lend(this.optimizer.names)
    this.isDisposed = true
    this.session.close()
  }

  /** Brings the optimizer's memory up to date for someone who may write there. */
  private lend(names: readonly string[]): void {
    this.state.pull("value", names)
    this.state.memoryChanged("value", names)
  }

  /** Each part of an accumulated step draws its own dropout. */
  private async differentiate(batch: NamedValues, part: number, options: GatherOptions = {}) {
    const seed = this.definition.seed ?? 0
    const key = randomKey(part === 0 ? seed : mixBits(seed ^ mixBits(part)), this.stepsTaken)
    const result = await this.graphs.differentiate(batch, key, options)
    this.state.variablesChanged("gradient", result.reached)
    if (Number.isFinite(result.loss)) return result
    throw new EngineError(
      "engine.loss-not-finite",
      `The loss of step ${this.stepsTaken + 1} is ${result.loss}: use a lower learning rate, or look at the batch. Nothing was updated.`,
    )
  }

  /** The mean of the batches' gradients by their weights. */
  private async accumulate(batches: readonly NamedValues[], weights: readonly number[] = batches.map(() => 1), signal?: AbortSignal) {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    if (weights.length !== batches.length || !weights.every((weight) => weight >= 0) || !(total > 0 && total < Number.POSITIVE_INFINITY)) {
      throw new EngineError("engine.bad-options", "A step needs a weight of 0 or more for each of its batches, and one above 0.")
    }
    const begun = new Set<string>()
    let mean = 0
    for (const [part, batch] of batches.entries()) {
      const share = weights[part] / total
      const { loss, reached } = await this.differentiate(batch, part, { begun, share, signal })
      mean += share * loss
      for (const name of reached) begun.add(name)
    }
    return { loss: mean, reached: [...begun] }
  }

  private async update(reached: readonly string[], learningRate: number, signal?: AbortSignal): Promise<number> {
    if (!this.adamw) {
      this.state.pull("gradient", reached)
      const norm = this.optimizer.update(reached, learningRate)
      this.state.memoryChanged("value", reached)
      return norm
    }
    const norm = await this.adamw.update(reached, learningRate, this.stepsTaken + 1, signal)
    for (const kind of ["value", "firstMoment", "secondMoment"] as const) this.state.variablesChanged(kind, reached)
    this.optimizer.stepsTaken++
    return norm
  }

  private async exclusively<Result>(body: () => Promise<Result>): Promise<Result> {
    this.checkIdle()
    this.isBusy = true
    try {
      this.state.push()
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
