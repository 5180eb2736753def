// Training on TensorFlow: parameters, gradients and AdamW's moments are variables that stay where TensorFlow computes. The optimizer's own
// memory is where callers read and write them: it is brought up to date when somebody asks, and handed over before the next run.
import { makeOptimizer } from "../optimizers/make-optimizer"
import type { Optimizer } from "../optimizers/optimizer"
import type { NamedParameters, NamedValues, StepOptions, StepResult, TrainingDefinition, TrainingSession, TrainingState } from "../session"
import { checkLoss, divideStep, keyOfPart, type StepPart, Turn } from "../training-steps"
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
  private readonly turn = new Turn()

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
    if (!this.turn.isBusy && !this.turn.isClosed) this.lend([name])
    return this.optimizer.values(name)
  }

  step(batch: NamedValues | readonly NamedValues[], options: StepOptions): Promise<StepResult> {
    return this.exclusively(async () => {
      const { learningRate, signal } = options
      const parts = divideStep(batch, options)
      const { loss, reached } =
        parts.length === 1 ? await this.differentiate(parts[0].batch, 0, { signal }) : await this.accumulate(parts, signal)
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
    this.turn.check()
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
    if (this.turn.isClosed) return
    if (!this.turn.isBusy) this.lend(this.optimizer.names)
    this.turn.isClosed = true
    this.optimizer.dispose()
    this.session.close()
  }

  /** Brings the optimizer's memory up to date for someone who may write there. */
  private lend(names: readonly string[]): void {
    this.state.pull("value", names)
    this.state.memoryChanged("value", names)
  }

  private async differentiate(batch: NamedValues, part: number, options: GatherOptions = {}) {
    const key = keyOfPart(this.definition.seed ?? 0, this.stepsTaken, part)
    const result = await this.graphs.differentiate(batch, key, options)
    this.state.variablesChanged("gradient", result.reached)
    checkLoss(result.loss, this.stepsTaken)
    return result
  }

  /** The parts' gradients by their shares, summed where they are. */
  private async accumulate(parts: readonly StepPart[], signal?: AbortSignal) {
    const begun = new Set<string>()
    let mean = 0
    for (const [part, { batch, share }] of parts.entries()) {
      const { loss, reached } = await this.differentiate(batch, part, { begun, share, signal })
      mean += share * loss
      for (const name of reached) begun.add(name)
    }
    return { loss: mean, reached: [...begun] }
  }

  private async update(reached: readonly string[], learningRate: number, signal?: AbortSignal): Promise<number> {
    if (!this.adamw) {
      this.state.pull("gradient", reached)
      const norm = await this.optimizer.update(reached, learningRate)
      this.state.memoryChanged("value", reached)
      return norm
    }
    const norm = await this.adamw.update(reached, learningRate, this.stepsTaken + 1, signal)
    for (const kind of ["value", "firstMoment", "secondMoment"] as const) this.state.variablesChanged(kind, reached)
    this.optimizer.stepsTaken++
    return norm
  }

  private exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.turn.take(async () => {
      this.state.push()
      return work()
    })
  }
}
