// Training a student: the engine's session for its network, rows made into batches, checkpoints, and the best weights so far.
// The loop (epochs, order, schedule, when to stop) is its caller's.
import { InputError } from "../core/errors"
import type { EngineName } from "../core/run"
import {
  type AdamWOptions,
  type NamedParameters,
  type OptimizerOptions,
  type Precision,
  selectEngine,
  type TrainingSession,
} from "../engine"
import type { Architecture, RowLimits, TrainingRow } from "./architecture"
import { loadTrainingState, saveTrainingState } from "./checkpoint"
import { LowRankAdapters, type LowRankOptions } from "./low-rank"
import { copyWeights, modelOf, type NetworkStudent } from "./network-student"
import type { LoadedStudent, StudentDetails } from "./student"
import { type BatchOptions, countTokens, makeBatches, sortByLength } from "./training-batches"
import { checkTeacher, type Distillation, makeTrainingLoss, teacherParameters } from "./training-loss"

export interface TrainingOptions extends RowLimits, BatchOptions, Pick<AdamWOptions, "beta1" | "beta2" | "epsilon" | "maxGradientNorm"> {
  /** Default AdamW; Adafactor as transformers' Trainer sets it, which takes hardly any memory beside the weights and their gradients. */
  readonly optimizer?: "adamw" | "adafactor"
  /** Decoupled decay, of matrices only. Default 0, as transformers' Trainer. */
  readonly weightDecay?: number
  /** How numbers are multiplied. Default: `fp32`; the engine `tensorflow` knows `bf16` too. */
  readonly precision?: Precision
  /** Default: the model's own `dropout_rate`. */
  readonly dropout?: number
  /** Share of each target's weight that is spread over all tokens. Default 0. */
  readonly labelSmoothing?: number
  /** Which tokens a step learns of a model that goes on with its input: those of the completion, or the prompt's too. Default: `completion`. */
  readonly lossOn?: "completion" | "all"
  /** Trains thin matrices beside the model's own (LoRA), which are merged into them at the end. Default: all weights are trained. */
  readonly lowRank?: LowRankOptions
  /** A student whose answers are learnt beside the rows' own: one of the same kind and vocabulary. It stays as it is. */
  readonly distillFrom?: LoadedStudent
  /** Share of the loss that compares with `distillFrom`. Default 0.5. */
  readonly distillWeight?: number
  /** What both students' logits are divided by before they are compared. Default 2. */
  readonly distillTemperature?: number
  /** Default: `auto`. */
  readonly engine?: EngineName
  readonly threads?: number
  /** Decides what dropout drops, and the first values of `lowRank`'s matrices. Default 0. */
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
   * One optimizer step: on rows, which are divided into batches in their order, or on batches whose gradients count together (gradient
   * accumulation), each by its targets.
   * @throws EngineError `engine.loss-not-finite`, `engine.gradient-not-finite`, `engine.out-of-memory`; the weights are then as before
   */
  step(
    rows: readonly TrainingRow[] | readonly (readonly TrainingRow[])[],
    options: { readonly learningRate: number; readonly signal?: AbortSignal },
  ): Promise<BatchLoss & { readonly gradientNorm?: number }>
  /** The loss of any number of rows, without dropout, smoothing and teacher, and without a step. */
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
  /**
   * Writes the matrices of `lowRank` as they are, as PEFT reads them (`adapter_model.safetensors`, `adapter_config.json`).
   * @param baseName where PEFT finds the base model. Default: the student's name
   * @throws InputError `train.low-rank` without `lowRank`
   */
  saveAdapters(folder: string, baseName?: string): Promise<void>
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
  const { dropout = model.dropoutRate, labelSmoothing = 0, lowRank, distillFrom, seed = 0 } = options
  if (labelSmoothing > 0 && model.choosesPlaces)
    throw new InputError(
      "train.label-smoothing",
      `${name} chooses places of its input, some of which are padding: leave labelSmoothing at 0.`,
    )
  if (options.lossOn === "all" && !model.learnInput)
    throw new InputError(
      "train.loss-on",
      `${name} (${model.modelType}) answers apart from its input and cannot learn that: leave lossOn out, or take a GPT-2 or Llama as base.`,
    )
  const adapters = lowRank && new LowRankAdapters(model.modelType, weights, lowRank, seed)
  const distillation = distillFrom && openTeacher(student, distillFrom, options)
  const teacher = distillation ? teacherParameters(distillation) : {}
  const session = engine.createTrainingSession({
    name,
    parameters: { ...weights, ...adapters?.parameters, ...teacher },
    frozen: [...(adapters?.frozen ?? []), ...Object.keys(teacher)],
    loss: makeTrainingLoss(model, { dropout, labelSmoothing, adapters, distillation }),
    optimizer: describeOptimizer(model, options),
    seed,
    precision: options.precision,
    threads: options.threads,
  })
  return new StudentTraining(engine.name, session, student as NetworkStudent, options, adapters)
}

/**
 * The lengths of a row, cut to `limits`, that a batch pads each by itself: of a T5 the input's and the output's.
 * @returns one length, of input and output together, where `TrainingOptions.lengths` says nothing to the student's family
 */
export function measureRow(student: LoadedStudent, row: TrainingRow, limits: RowLimits): readonly number[] {
  const model = modelOf(student)
  const cut = model.cutRow(row, limits)
  return model.paddedLengths?.(cut) ?? [cut.inputIds.length + cut.labelIds.length]
}

/** What a place that is padded costs in training, as a share of what a token costs, in (0, 1]. */
export function paddingShare(student: LoadedStudent): number {
  return modelOf(student).paddingShare ?? 1
}

function describeOptimizer(model: Architecture, options: TrainingOptions): OptimizerOptions {
  const { optimizer = "adamw", beta1, beta2, epsilon, maxGradientNorm, weightDecay = 0 } = options
  const shared = { maxGradientNorm, weightDecay, decays: (parameter: string, shape: readonly number[]) => model.decays(parameter, shape) }
  if (optimizer === "adamw") return { ...shared, beta1, beta2, epsilon }
  return { ...shared, kind: "adafactor", scaleParameter: false, relativeStep: false }
}

function openTeacher(student: LoadedStudent, teacher: LoadedStudent, options: TrainingOptions): Distillation {
  const { distillWeight: weight = 0.5, distillTemperature: temperature = 2 } = options
  if (!(weight >= 0 && weight <= 1 && temperature > 0)) {
    throw new InputError("train.distillation", "distillWeight must be from 0 to 1, and distillTemperature above 0.")
  }
  const [own, other] = [student, teacher].map((one) => ({ name: one.name, model: modelOf(one), tokenizer: one.tokenizer }))
  checkTeacher(own, other)
  return { teacher: { model: other.model, weights: teacher.weights }, weight, temperature }
}

class StudentTraining implements Training {
  private best?: Map<string, Float32Array>
  private isOpen = true
  private readonly weightNames: readonly string[]

  constructor(
    readonly engine: string,
    private readonly session: TrainingSession,
    readonly student: NetworkStudent,
    private readonly options: TrainingOptions,
    private readonly adapters: LowRankAdapters | undefined,
  ) {
    this.weightNames = Object.keys(student.weights)
    if (adapters) student.change({ weights: adapters.allocateMerged(), isInTraining: true })
    else student.change({ weights: this.ownWeights(), isInTraining: true })
  }

  private get model(): Architecture {
    return this.student.model
  }

  get stepsTaken(): number {
    return this.session.stepsTaken
  }

  /** The student's weights in the session's memory, a teacher's and adapters left out. */
  private ownWeights(): NamedParameters {
    const { parameters } = this.session
    return Object.fromEntries(this.weightNames.map((name) => [name, parameters[name]]))
  }

  /** The weights changed: adapters are merged in when somebody asks for them. */
  private weightsChanged(): void {
    this.student.weightsChanged()
    if (this.adapters) this.student.change({ refresh: () => this.mergeAdapters() })
  }

  private mergeAdapters(): void {
    this.student.change({ refresh: undefined })
    this.adapters?.merge(this.student.weights, (name) => this.session.parameter(name))
  }

  async step(
    rows: readonly TrainingRow[] | readonly (readonly TrainingRow[])[],
    options: { readonly learningRate: number; readonly signal?: AbortSignal },
  ) {
    const groups = (isGrouped(rows) ? rows : [rows]).map((group) => this.learntRows(group))
    const batches = groups.flatMap((group) => makeBatches(this.model, group, this.options))
    const { loss, gradientNorm } = await this.session.step(
      batches.map(({ feeds }) => feeds),
      { ...options, weights: batches.map(({ weight }) => weight) },
    )
    this.weightsChanged()
    return { loss, gradientNorm, tokens: countTokens(groups.flat()) }
  }

  async loss(rows: readonly TrainingRow[], options: { readonly signal?: AbortSignal } = {}): Promise<BatchLoss> {
    // From the shortest to the longest, so that each batch has another number of tokens.
    const batchOptions = { ...this.options, areTokensEven: false }
    const sorted = sortByLength(this.model, this.cutRows(rows), batchOptions)
    let sum = 0
    let targets = 0
    for (const { feeds, weight } of makeBatches(this.model, sorted, batchOptions)) {
      if (weight > 0) sum += weight * (await this.session.evaluate(feeds, options))
      targets += weight
    }
    return { loss: sum / targets, tokens: countTokens(sorted) }
  }

  /** Rows as a step learns them. */
  private learntRows(rows: readonly TrainingRow[]): TrainingRow[] {
    const cut = this.cutRows(rows)
    return this.options.lossOn === "all" ? cut.map((row) => this.model.learnInput!(row)) : cut
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
    for (const [name, data] of Object.entries(this.session.exportState().parameters)) {
      const kept = best.get(name)
      if (kept) kept.set(data)
      else best.set(name, data.slice())
    }
    this.best = best
  }

  restoreBest(): void {
    for (const [name, data] of this.best ?? []) this.session.parameter(name).set(data)
    this.weightsChanged()
  }

  async saveCheckpoint(folder: string): Promise<void> {
    await saveTrainingState(folder, this.session, this.best)
  }

  async loadCheckpoint(folder: string): Promise<void> {
    this.best = await loadTrainingState(folder, this.session)
    this.weightsChanged()
  }

  async saveAdapters(folder: string, baseName: string = this.student.name): Promise<void> {
    if (!this.adapters) throw new InputError("train.low-rank", "This training has no adapters to save: open it with lowRank.")
    await this.adapters.save(folder, baseName, (name) => this.session.parameter(name))
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
    // Adapters end up in weights that the student has by itself already; asking for them merges them.
    const weights = this.adapters ? this.student.weights : copyWeights(this.ownWeights())
    this.student.change({ ...details, weights, isInTraining: false, refresh: undefined })
    this.session.dispose()
  }
}

function isGrouped(rows: readonly TrainingRow[] | readonly (readonly TrainingRow[])[]): rows is readonly (readonly TrainingRow[])[] {
  return Array.isArray(rows[0])
}
