// What every engine offers, in the same words: a session that trains a network, and sessions that run it forward. Networks are plain
// tfjs functions of named inputs and named parameters; an engine turns one into a graph for each set of input shapes that it meets.
import type * as tf from "@tensorflow/tfjs-core"
import type { EngineName } from "../core/run"
import type { FlexibleSpec } from "./named-sizes"
import type { OptimizerOptions } from "./optimizers/optimizer-options"
import type { RandomStream } from "./random-stream"
import type { TensorData, TensorSpec } from "./tensors"

export type { TensorData, TensorSpec }

/** A tensor's values with their shape. */
export interface TensorValue {
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** Tensors by name, as a caller gives and gets them. */
export type NamedValues = Readonly<Record<string, TensorValue>>

/** Weights by name, in memory that an engine may share: never detach or resize it while a session uses it. */
export type NamedParameters = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>

/** tfjs tensors by name, as a network sees them. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>

/**
 * The loss of one batch: a scalar of plain tfjs and `layers`. It may not read values, and its control flow may depend on shapes alone.
 * `random` is there in training only: hand it to `dropout`.
 */
export type LossFunction = (inputs: NamedTensors, parameters: NamedTensors, random: RandomStream | undefined) => tf.Tensor

/** A network run forward: named outputs of plain tfjs and `layers`, under the same rules as a loss. */
export type ForwardFunction = (inputs: NamedTensors, parameters: NamedTensors) => NamedTensors

/**
 * How numbers are multiplied: `bf16` keeps 8 bits of each factor and of each product, and sums in float32; `tf32` keeps 10 bits of each
 * factor where the device has such products, and is `fp32` elsewhere. Everything else is float32.
 */
export type Precision = "fp32" | "tf32" | "bf16"

export interface TrainingDefinition {
  /** For error messages. */
  readonly name?: string
  /** Initial values: the session copies those that are trained into its own memory, and reads frozen ones where they lie. */
  readonly parameters: NamedParameters
  readonly loss: LossFunction
  /** Names of parameters that keep their values: no gradient, no moments. */
  readonly frozen?: readonly string[]
  /** Default: AdamW with its defaults. */
  readonly optimizer?: OptimizerOptions
  /** Decides what dropout drops, together with the number of the step. Default 0. */
  readonly seed?: number
  /** Default: `fp32`, which every engine knows; `tensorflow` and `xla` know `bf16` too. */
  readonly precision?: Precision
  /** Default: one per core, at most 8. */
  readonly threads?: number
}

export interface StepOptions {
  readonly learningRate: number
  /**
   * How much each of several batches counts, in any unit: the numbers of target tokens make their step that of one large batch.
   * Default: all the same.
   */
  readonly weights?: readonly number[]
  /** Stops within the step, or at its end where a device cannot stop, and rejects with `engine.cancelled`; nothing is updated. */
  readonly signal?: AbortSignal
}

export interface StepResult {
  /** Mean of the batches' losses by their weights, before the update. */
  readonly loss: number
  /** Norm of all gradients together, before clipping. */
  readonly gradientNorm: number
}

/**
 * Everything that a resumed run needs to go on bit for bit, frozen parameters left out. The arrays are the session's own memory: write or
 * copy them before the next step.
 */
export interface TrainingState {
  readonly stepsTaken: number
  readonly parameters: Readonly<Record<string, Float32Array>>
  readonly firstMoments: Readonly<Record<string, Float32Array>>
  readonly secondMoments: Readonly<Record<string, Float32Array>>
  /** Adafactor's second moments of a matrix, by row and by column. */
  readonly rowMoments?: Readonly<Record<string, Float32Array>>
  readonly columnMoments?: Readonly<Record<string, Float32Array>>
}

/** Parameters with their optimizer's state, and a graph for each set of input shapes, made when it is first met. One call at a time. */
export interface TrainingSession {
  readonly stepsTaken: number
  /** Names, shapes and values as they are now, at no copy; forward sessions and files read them here. */
  readonly parameters: NamedParameters
  /** The values of one parameter as they are now, at no copy. */
  parameter(name: string): Float32Array
  /**
   * One optimizer step on a batch, or on the mean of several batches' gradients by their weights (gradient accumulation).
   * @throws EngineError `engine.loss-not-finite`, `engine.gradient-not-finite`, `engine.cancelled`, `engine.bad-feed`; the parameters are
   *   then as before
   */
  step(batch: NamedValues | readonly NamedValues[], options: StepOptions): Promise<StepResult>
  /** The loss without dropout and without an update. */
  evaluate(batch: NamedValues, options?: { readonly signal?: AbortSignal }): Promise<number>
  /** Loss and gradients of one batch without an update; parameters that the loss does not reach are missing. For tests and inspection. */
  computeGradients(batch: NamedValues): Promise<{ readonly loss: number; readonly gradients: Readonly<Record<string, Float32Array>> }>
  exportState(): TrainingState
  /** @throws EngineError `engine.bad-state` when names or sizes are not this session's */
  importState(state: TrainingState): void
  /** Frees graphs and memory; `parameters` may not be read afterwards. */
  dispose(): void
}

export interface ForwardDefinition {
  /** For error messages. */
  readonly name?: string
  readonly forward: ForwardFunction
  readonly inputs: Readonly<Record<string, TensorSpec>>
  /** Read where they lie at each run: a training session's `parameters`, or a loaded model's. */
  readonly parameters: NamedParameters
  /** Memory of the caller's for inputs or outputs by name; an array longer than its tensor is used from its start. Default: the session's own. */
  readonly memory?: Readonly<Record<string, TensorData>>
  /** Output name -> input name: the output is written where the input lies (caches written by `scatterRows`). */
  readonly inPlace?: Readonly<Record<string, string>>
  /** The parameters will not change while the session lives: an engine with memory of its own copies them there once. */
  readonly areParametersFixed?: boolean
  /** Default: `fp32`, which every engine knows; `tensorflow` and `xla` know `bf16` too. */
  readonly precision?: Precision
  /** Default: one per core, at most 8. */
  readonly threads?: number
}

/** A network compiled for fixed shapes. One call at a time. */
export interface ForwardSession {
  /**
   * The memory of each input: write here, or give values to `run`. Ask for `data` before each run: an engine with memory of its own looks
   * there only then.
   */
  readonly inputs: NamedValues
  /** The memory of each output, overwritten by the next run. What is written in place may be copied when `data` is asked for. */
  readonly outputs: NamedValues
  /** Copies `feeds` into the inputs, those that it names, and runs. @returns `outputs` */
  run(feeds?: Readonly<Record<string, TensorData>>, options?: { readonly signal?: AbortSignal }): Promise<NamedValues>
  dispose(): void
}

export interface FlexibleDefinition {
  /** For error messages. */
  readonly name?: string
  /** Under the rules of every network; besides, no constant in it may depend on an open size. */
  readonly forward: ForwardFunction
  readonly inputs: Readonly<Record<string, FlexibleSpec>>
  /** Read where they lie at each run, unless they are prepacked. */
  readonly parameters: NamedParameters
  /** Output name -> input name: the output is written where the input lies (caches written by `scatterRows`). */
  readonly inPlace?: Readonly<Record<string, string>>
  /**
   * Keeps a copy of the weights in the order in which products read them: faster, for their size in memory once more. It does not follow
   * later changes of the weights.
   */
  readonly isPrepacked?: boolean
  /**
   * The parameters will not change while the session lives: an engine with memory of its own copies them there once. Default: `isPrepacked`.
   */
  readonly areParametersFixed?: boolean
  /** Default: one per core, at most 8. */
  readonly threads?: number
}

export interface FlexibleRunOptions {
  /** Memory of the caller's for outputs; an array longer than its tensor is used from its start. Default: the session's own. */
  readonly outputs?: Readonly<Record<string, TensorData>>
  /**
   * Inputs that nobody wrote to since the last run: an engine with memory of its own need not copy them again. With it, what is written in
   * place may stay there until `bringHome`.
   */
  readonly unchanged?: readonly string[]
  /** Stops within the run and rejects with `engine.cancelled`. */
  readonly signal?: AbortSignal
}

/** A network compiled for all sizes. One call at a time. */
export interface FlexibleSession {
  /**
   * Runs on `inputs`, all of them, where they lie; an array longer than its tensor is read from its start.
   * @returns the outputs; the session's own memory is overwritten by the next run
   * @throws EngineError `engine.bad-feed`, `engine.bad-memory`, `engine.cancelled`, `engine.out-of-memory`
   */
  run(inputs: NamedValues, options?: FlexibleRunOptions): Promise<NamedValues>
  /** Brings callers' memory up to date after runs with `unchanged`; there where an engine has memory of its own. */
  bringHome?(): void
  dispose(): void
}

/** Which engine was chosen, and why. */
export interface EngineChoice {
  readonly name: Exclude<EngineName, "auto">
  /** What runs below, with its version: `onnxruntime 1.30.0`. */
  readonly runtime: string
  /** A sentence: why it was chosen. */
  readonly reason: string
}

/** A way to run networks on this machine. */
export interface Engine extends EngineChoice {
  createTrainingSession(definition: TrainingDefinition): TrainingSession
  compileForward(definition: ForwardDefinition): ForwardSession
  /** Where graphs with open sizes can be had; `compileFlexible` of this room serves all engines. */
  compileFlexible?(definition: FlexibleDefinition): FlexibleSession
  /** Whether these are compiled anew for each set of sizes, which takes seconds: callers had better round them up to very few. */
  readonly compilesEachSize?: boolean
}
