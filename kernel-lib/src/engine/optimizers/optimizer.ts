// What all optimizers share: parameters with their gradients and state, clipping, and going on from a saved state. An optimizer adds how
// one parameter is updated.
import { EngineError } from "../../core/errors"
import { type WasmMemory, webAssembly } from "../../core/web-assembly"
import { sizeOf } from "../recording"
import type { NamedParameters, TrainingState } from "../session"
import { adamwModule } from "./adamw.wasm"
import { type Call, CallThreads } from "./call-threads"
import { type ParameterPlace, placeParameters, type StateSizes, viewFloats } from "./parameter-memory"

const stateParts = ["firstMoments", "secondMoments", "rowMoments", "columnMoments"] as const
type StatePart = (typeof stateParts)[number]

/** An update of one parameter. */
export interface Update {
  /** Counted from 1. */
  readonly step: number
  readonly learningRate: number
  /** What the gradient is to be multiplied by. */
  readonly scale: number
}

/** Elements of a call: few enough for threads to end together, and the same whatever their number, so that sums are too. */
const elementsACall = 2 ** 20

/** Parameters and what an optimizer knows of each. */
export abstract class Optimizer {
  stepsTaken = 0
  private readonly places: ReadonlyMap<string, ParameterPlace>
  private readonly given: NamedParameters
  private readonly maxGradientNorm: number
  protected readonly threads: CallThreads

  /**
   * @param frozen names of parameters that keep their values; they are read where the caller has them
   * @param threads how many an update may run on
   */
  protected constructor(
    parameters: NamedParameters,
    frozen: readonly string[],
    stateSizes: StateSizes,
    maxGradientNorm = Number.POSITIVE_INFINITY,
    threads = 1,
  ) {
    this.maxGradientNorm = maxGradientNorm
    this.given = parameters
    this.places = placeParameters(parameters, frozen, stateSizes)
    this.threads = new CallThreads(adamwModule, new Set([...this.places.values()].map(({ memory }) => memory)), threads)
  }

  /** Changes the values and the state of these parameters. */
  protected abstract updateParameters(places: readonly ParameterPlace[], update: Update): Promise<void>
  /** The parameter's state, in the session's own memory. */
  protected abstract stateOf(place: ParameterPlace): Partial<Record<StatePart, Float32Array>>

  get names(): string[] {
    return Object.keys(this.given)
  }

  /** Those that are not frozen. */
  get trainedNames(): string[] {
    return [...this.places.keys()]
  }

  /** Names, shapes and values, at no copy. */
  get parameters(): NamedParameters {
    return Object.fromEntries(Object.entries(this.given).map(([name, { shape }]) => [name, { shape, data: this.values(name) }]))
  }

  values(name: string): Float32Array {
    const place = this.places.get(name)
    if (place) return viewFloats(place.memory, place.values, place.size)
    const { shape, data } = this.given[name] ?? refuseName(name)
    return data.subarray(0, sizeOf(shape))
  }

  /** Written by the runtime before each update. */
  gradient(name: string): Float32Array {
    const { memory, gradient, size } = this.place(name)
    return viewFloats(memory, gradient, size)
  }

  /** The norm of the gradients of `names` together. */
  async gradientNorm(names: Iterable<string>): Promise<number> {
    const calls = this.placesOf(names).flatMap((place) =>
      divideCall(place, "sumOfSquares", ({ gradient, bytes }) => [gradient, gradient + bytes]),
    )
    const sums = await this.threads.run(calls)
    return Math.sqrt(sums.reduce((sum, one) => sum + one, 0))
  }

  /**
   * One step for the parameters `names`; the others keep values and state, as parameters without a gradient do in PyTorch.
   * @returns the norm of all gradients together, before clipping
   * @throws EngineError `engine.gradient-not-finite`, before anything is changed
   */
  async update(names: Iterable<string>, learningRate: number): Promise<number> {
    const reached = [...names]
    const norm = await this.gradientNorm(reached)
    const step = this.stepsTaken + 1
    if (!Number.isFinite(norm)) {
      throw new EngineError(
        "engine.gradient-not-finite",
        `The gradients of step ${step} are not finite: use a lower learning rate, or look at the batch. Nothing was updated.`,
      )
    }
    // As torch.nn.utils.clip_grad_norm_.
    const scale = Math.min(1, this.maxGradientNorm / (norm + 1e-6))
    await this.updateParameters(this.placesOf(reached), { step, learningRate, scale })
    this.stepsTaken = step
    return norm
  }

  /** The session's own memory, at no copy. */
  exportState(): TrainingState {
    const parts: Record<string, Record<string, Float32Array>> = { parameters: {}, firstMoments: {}, secondMoments: {} }
    for (const place of this.places.values()) {
      parts.parameters[place.name] = this.values(place.name)
      for (const [part, data] of Object.entries(this.stateOf(place))) {
        parts[part] ??= {}
        parts[part][place.name] = data
      }
    }
    return { stepsTaken: this.stepsTaken, ...parts } as unknown as TrainingState
  }

  /** @throws EngineError `engine.bad-state`, before anything is changed */
  importState(state: TrainingState): void {
    for (const [target, source] of pairStates(this.exportState(), state)) target.set(source)
    this.stepsTaken = state.stepsTaken
  }

  /** Ends the threads that updates ran on. */
  dispose(): void {
    this.threads.dispose()
  }

  /** The functions of a WebAssembly module on the memory of each parameter. */
  protected link<Functions>(module: string): LinkedModule<Functions> {
    const compiled = new webAssembly.Module(Buffer.from(module, "base64"))
    const instances = new Map<WasmMemory, Functions>()
    for (const { memory } of this.places.values()) {
      if (instances.has(memory)) continue
      instances.set(memory, new webAssembly.Instance(compiled, { parameters: { memory } }).exports as Functions)
    }
    return ({ memory }) => instances.get(memory)!
  }

  private placesOf(names: Iterable<string>): ParameterPlace[] {
    return [...names].map((name) => this.place(name))
  }

  private place(name: string): ParameterPlace {
    return this.places.get(name) ?? refuseName(name)
  }
}

/** A part of a parameter: byte offsets, and how many bytes it has in each region. */
interface PlacePart extends Pick<ParameterPlace, "values" | "gradient" | "state"> {
  readonly bytes: number
}

/** Calls of a function, each for a part of a parameter of which every region has as many elements. */
export function divideCall(place: ParameterPlace, name: string, parametersOf: (part: PlacePart) => readonly number[]): Call[] {
  const { memory, values, gradient, state, end } = place
  const calls: Call[] = []
  for (let from = 0; from < end - values; from += elementsACall * 4) {
    const bytes = Math.min(elementsACall * 4, end - values - from)
    const part = { values: values + from, gradient: gradient + from, state: state.map((at) => at + from), bytes }
    calls.push({ memory, name, parameters: parametersOf(part), size: bytes / 4 })
  }
  return calls
}

type LinkedModule<Functions> = (place: ParameterPlace) => Functions

function refuseName(name: string): never {
  throw new EngineError("engine.bad-parameter", `There is no parameter ${name} that is trained: check its name.`)
}

/** A session's own arrays, each with what a saved state has for it. @throws EngineError `engine.bad-state` when the two do not fit */
export function pairStates(own: TrainingState, state: TrainingState): [target: Float32Array, source: Float32Array][] {
  const pairs: [Float32Array, Float32Array][] = []
  for (const part of ["parameters", ...stateParts] as const) {
    const [targets, sources] = [own[part] ?? {}, state[part] ?? {}]
    for (const name of new Set([...Object.keys(targets), ...Object.keys(sources)])) {
      const [target, source] = [targets[name], sources[name]]
      if (target?.length !== source?.length) {
        const sizes = `${source?.length ?? "no"} values where the model has ${target?.length ?? "none"}`
        throw new EngineError(
          "engine.bad-state",
          `The saved state has ${sizes} for ${name} (${part}): it belongs to another model, another optimizer or another choice of frozen parameters.`,
        )
      }
      pairs.push([target, source])
    }
  }
  return pairs
}
