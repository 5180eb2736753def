// AdamW (Loshchilov and Hutter, 2019), with PyTorch's names, defaults and order of operations, as one WebAssembly pass over the memory that
// the runtime reads and writes. In the graph the same update would take about ten passes.
import { EngineError } from "../../core/errors"
import type { NamedParameters, TrainingState } from "../session"
import { adamwModule } from "./adamw.wasm"
import type { AdamWOptions } from "./adamw-options"
import { type ParameterPlace, placeParameters, viewFloats } from "./parameter-memory"
import { type WasmMemory, webAssembly } from "./web-assembly"

interface AdamWFunctions {
  adamw(
    ...numbers: [
      ...[p: number, g: number, m: number, v: number, end: number],
      ...[beta1: number, rest1: number, beta2: number, rest2: number],
      ...[step: number, correction: number, epsilon: number, keep: number, scale: number],
    ]
  ): void
  sumOfSquares(g: number, end: number): number
}

/** Parameters and what the optimizer knows of each. */
export class AdamW {
  stepsTaken = 0
  private readonly places: Map<string, ParameterPlace>
  private readonly functions = new Map<WasmMemory, AdamWFunctions>()

  constructor(
    parameters: NamedParameters,
    frozen: readonly string[],
    private readonly options: AdamWOptions,
  ) {
    checkOptions(options)
    this.places = placeParameters(parameters, frozen)
    const module = new webAssembly.Module(Buffer.from(adamwModule, "base64"))
    for (const { memory } of this.places.values()) {
      if (this.functions.has(memory)) continue
      const instance = new webAssembly.Instance(module, { parameters: { memory } })
      this.functions.set(memory, instance.exports as unknown as AdamWFunctions)
    }
  }

  get names(): string[] {
    return [...this.places.keys()]
  }

  /** Those that are not frozen. */
  get trainedNames(): string[] {
    return this.trained.map(({ name }) => name)
  }

  /** Names, shapes and values, at no copy. */
  get parameters(): NamedParameters {
    return Object.fromEntries([...this.places.values()].map(({ name, shape }) => [name, { shape, data: this.values(name) }]))
  }

  values(name: string): Float32Array {
    const { memory, values, size } = this.place(name)
    return viewFloats(memory, values, size)
  }

  /** Written by the runtime before each update. */
  gradient(name: string): Float32Array {
    const { memory, gradient, size } = this.place(name)
    return viewFloats(memory, gradient, size)
  }

  /** The norm of the gradients of `names` together. */
  gradientNorm(names: Iterable<string>): number {
    let sum = 0
    for (const name of names) {
      const { memory, gradient, values, end } = this.place(name)
      sum += this.functions.get(memory)!.sumOfSquares(gradient, gradient + end - values)
    }
    return Math.sqrt(sum)
  }

  /**
   * One step for the parameters `names`; the others keep values and moments, as parameters without a gradient do in PyTorch.
   * @returns the norm of all gradients together, before clipping
   * @throws EngineError `engine.gradient-not-finite`, before anything is changed
   */
  update(names: Iterable<string>, learningRate: number): number {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, maxGradientNorm = Number.POSITIVE_INFINITY } = this.options
    const reached = [...names]
    const norm = this.gradientNorm(reached)
    if (!Number.isFinite(norm)) {
      throw new EngineError(
        "engine.gradient-not-finite",
        `The gradients of step ${this.stepsTaken + 1} are not finite: use a lower learning rate, or look at the batch. Nothing was updated.`,
      )
    }
    // As torch.nn.utils.clip_grad_norm_.
    const scale = Math.min(1, maxGradientNorm / (norm + 1e-6))
    const step = this.stepsTaken + 1
    const stepSize = learningRate / (1 - beta1 ** step)
    const correction = 1 / Math.sqrt(1 - beta2 ** step)
    for (const name of reached) {
      const { memory, values, gradient, firstMoment, secondMoment, end, shape } = this.place(name)
      const keep = 1 - learningRate * this.decayOf(name, shape)
      this.functions
        .get(memory)!
        .adamw(
          values,
          gradient,
          firstMoment,
          secondMoment,
          end,
          beta1,
          1 - beta1,
          beta2,
          1 - beta2,
          stepSize,
          correction,
          epsilon,
          keep,
          scale,
        )
    }
    this.stepsTaken = step
    return norm
  }

  /** The session's own memory, at no copy. */
  exportState(): TrainingState {
    const collect = (offset: (place: ParameterPlace) => number, places: Iterable<ParameterPlace>) =>
      Object.fromEntries([...places].map((place) => [place.name, viewFloats(place.memory, offset(place), place.size)]))
    return {
      stepsTaken: this.stepsTaken,
      parameters: collect(({ values }) => values, this.places.values()),
      firstMoments: collect(({ firstMoment }) => firstMoment, this.trained),
      secondMoments: collect(({ secondMoment }) => secondMoment, this.trained),
    }
  }

  /** @throws EngineError `engine.bad-state`, before anything is changed */
  importState(state: TrainingState): void {
    const own = this.exportState()
    const pairs: [Float32Array, Float32Array][] = []
    for (const part of ["parameters", "firstMoments", "secondMoments"] as const) {
      const names = new Set([...Object.keys(own[part]), ...Object.keys(state[part])])
      for (const name of names) {
        const [target, source] = [own[part][name], state[part][name]]
        if (target?.length !== source?.length) {
          const sizes = `${source?.length ?? "no"} values where the model has ${target?.length ?? "none"}`
          throw new EngineError(
            "engine.bad-state",
            `The saved state has ${sizes} for ${name} (${part}): it belongs to another model or another choice of frozen parameters.`,
          )
        }
        pairs.push([target, source])
      }
    }
    for (const [target, source] of pairs) target.set(source)
    this.stepsTaken = state.stepsTaken
  }

  private get trained(): ParameterPlace[] {
    return [...this.places.values()].filter(({ isTrained }) => isTrained)
  }

  private decayOf(name: string, shape: readonly number[]): number {
    const { weightDecay = 0.01, decays = (_name: string, shape: readonly number[]) => shape.length >= 2 } = this.options
    return decays(name, shape) ? weightDecay : 0
  }

  private place(name: string): ParameterPlace {
    const place = this.places.get(name)
    if (!place) throw new EngineError("engine.bad-parameter", `There is no parameter ${name}: check its name.`)
    return place
  }
}

function checkOptions({ beta1 = 0, beta2 = 0, epsilon = 0, weightDecay = 0, maxGradientNorm = 1 }: AdamWOptions): void {
  const isDecay = (beta: number) => beta >= 0 && beta < 1
  if (isDecay(beta1) && isDecay(beta2) && epsilon >= 0 && weightDecay >= 0 && maxGradientNorm > 0) return
  throw new EngineError(
    "engine.bad-options",
    "AdamW needs betas in [0, 1), epsilon and weightDecay of 0 or more, and maxGradientNorm above 0.",
  )
}
