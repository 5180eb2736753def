// Training a student: the engine's session for its network, rows made into batches, checkpoints, and the best weights so far.
// The loop (epochs, order, schedule, when to stop) is its caller's.
import { InputError } from "../core/errors"
import type { EngineName } from "../core/run"
import { type AdamWOptions, selectEngine, type TrainingSession } from "../engine"
import type { Architecture, RowLimits, TrainingRow } from "./architecture"
import { loadTrainingState, saveTrainingState } from "./checkpoint"
import { copyWeights, modelOf, type NetworkStudent } from "./network-student"
import type { LoadedStudent, StudentDetails } from "./student"

export interface TrainingOptions extends RowLimits, Pick<AdamWOptions, "beta1" | "beta2" | "epsilon" | "maxGradientNorm"> {
  /** Rows of a batch; a step on more of them takes the mean of several batches' gradients. */
  readonly batchSize: number
  /** AdamW's decoupled decay, of matrices only. Default 0, as transformers' Trainer. */
  readonly weightDecay?: number
  /** Default: the model's own `dropout_rate`. */
  readonly dropout?: number
  /** Default: `auto`. */
  readonly engine?: EngineName
  readonly threads?: number
  /** Decides what dropout drops. Default 0. */
  readonly seed?: number
}

export interface BatchLoss {
  /** Mean cross-entropy of the target tokens, in nats. */
  readonly loss: number
  /** Tokens of input and output together, padding left out. */
  readonly tokens: number
}

/** A training in progress. One call at a time. */
export interface Training {
  /** The engine that was chosen. */
  readonly engine: string
  /** It answers with the weights as they are now. */
  readonly student: LoadedStudent
  readonly stepsTaken: number
  /**
   * One optimizer step.
   * @throws EngineError `engine.loss-not-finite`; the weights are then as before
   */
  step(
    rows: readonly TrainingRow[],
    options: { readonly learningRate: number; readonly signal?: AbortSignal },
  ): Promise<BatchLoss & { readonly gradientNorm?: number }>
  /** The loss of any number of rows, without dropout and without a step. */
  loss(rows: readonly TrainingRow[], options?: { readonly signal?: AbortSignal }): Promise<BatchLoss>
  countTokens(rows: readonly TrainingRow[]): number
  /** Remembers the weights as they are, in place of those remembered before. */
  keepBest(): void
  /** Goes back to the weights that `keepBest` remembered last; nothing happens when it was never called. */
  restoreBest(): void
  /** Writes what a resumed training needs to go on bit for bit, `keepBest`'s weights too. The folder appears whole or not at all. */
  saveCheckpoint(folder: string): Promise<void>
  /** @throws InputError `checkpoint.*` when it is damaged or of another model */
  loadCheckpoint(folder: string): Promise<void>
  /** Ends the training: the student keeps the weights as they are, and what else it should know of itself. */
  finish(details?: Partial<StudentDetails>): Promise<void>
  /** Frees the engine's memory; without `finish` before, the student keeps the weights as they are. */
  dispose(): void
}

/**
 * Opens the training of `student`, which changes; train `await base.copy()` to keep a base as it is.
 *
 * @example
 * const training = await openTraining(await base.copy(), { batchSize: 16 })
 * const rows = [training.student.encodeRow("3rd of May 1999", "1999-05-03")]
 * const { loss } = await training.step(rows, { learningRate: 1e-4 })
 * await training.finish()
 */
export async function openTraining(student: LoadedStudent, options: TrainingOptions): Promise<Training> {
  const engine = await selectEngine(options.engine ?? "auto")
  const model = modelOf(student)
  const { weights, name } = student
  const { beta1, beta2, epsilon, maxGradientNorm, weightDecay = 0, dropout = model.dropoutRate } = options
  const session = engine.createTrainingSession({
    name,
    parameters: weights,
    loss: model.loss(dropout),
    optimizer: { beta1, beta2, epsilon, maxGradientNorm, weightDecay, decays: (parameter, shape) => model.decays(parameter, shape) },
    seed: options.seed ?? 0,
    threads: options.threads,
  })
  return new StudentTraining(engine.name, session, student as NetworkStudent, options)
}

class StudentTraining implements Training {
  private best?: Map<string, Float32Array>
  private isOpen = true

  constructor(
    readonly engine: string,
    private readonly session: TrainingSession,
    readonly student: NetworkStudent,
    private readonly options: TrainingOptions,
  ) {
    student.change({ weights: session.parameters, isInTraining: true })
  }

  private get model(): Architecture {
    return this.student.model
  }

  get stepsTaken(): number {
    return this.session.stepsTaken
  }

  async step(rows: readonly TrainingRow[], options: { readonly learningRate: number; readonly signal?: AbortSignal }) {
    const cut = this.cutRows(rows)
    const batches = split(cut, this.options.batchSize).map((part) => this.model.makeBatch(part, this.options.batchSize))
    const { loss, gradientNorm } = await this.session.step(batches, options)
    this.student.weightsChanged()
    return { loss, gradientNorm, tokens: countTokens(cut) }
  }

  async loss(rows: readonly TrainingRow[], options: { readonly signal?: AbortSignal } = {}): Promise<BatchLoss> {
    const sorted = this.cutRows(rows).sort((a, b) => a.inputIds.length - b.inputIds.length)
    let sum = 0
    let targets = 0
    for (const part of split(sorted, this.options.batchSize)) {
      const labels = part.reduce((count, row) => count + row.labelIds.length, 0)
      sum += labels * (await this.session.evaluate(this.model.makeBatch(part, this.options.batchSize), options))
      targets += labels
    }
    return { loss: sum / targets, tokens: countTokens(sorted) }
  }

  private cutRows(rows: readonly TrainingRow[]): TrainingRow[] {
    if (rows.length === 0) throw new InputError("train.no-rows", "A step needs at least one row.")
    return rows.map((row) => this.model.cutRow(row, this.options))
  }

  countTokens(rows: readonly TrainingRow[]): number {
    return countTokens(this.cutRows(rows))
  }

  keepBest(): void {
    const best = this.best ?? new Map<string, Float32Array>()
    for (const [name, { data }] of Object.entries(this.session.parameters)) {
      const kept = best.get(name)
      if (kept) kept.set(data)
      else best.set(name, data.slice())
    }
    this.best = best
  }

  restoreBest(): void {
    for (const [name, data] of this.best ?? []) this.session.parameter(name).set(data)
    this.student.weightsChanged()
  }

  async saveCheckpoint(folder: string): Promise<void> {
    await saveTrainingState(folder, this.session, this.best)
  }

  async loadCheckpoint(folder: string): Promise<void> {
    this.best = await loadTrainingState(folder, this.session)
    this.student.weightsChanged()
  }

  async finish(details: Partial<StudentDetails> = {}): Promise<void> {
    this.close(details)
  }

  dispose(): void {
    this.close({})
  }

  private close(details: Partial<StudentDetails>): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.student.change({ ...details, weights: copyWeights(this.session.parameters), isInTraining: false })
    this.session.dispose()
  }
}

function split<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

/** Tokens of input and output together, padding left out. */
function countTokens(rows: readonly TrainingRow[]): number {
  return rows.reduce((sum, row) => sum + row.inputIds.length + row.labelIds.length, 0)
}
