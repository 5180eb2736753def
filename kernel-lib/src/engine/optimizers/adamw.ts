// AdamW (Loshchilov and Hutter, 2019), with PyTorch's names, defaults and order of operations, as one WebAssembly pass, on several threads,
// over the memory that the runtime reads and writes. In the graph the same update would take about ten passes.
import { EngineError } from "../../core/errors"
import type { NamedParameters } from "../session"
import { divideCall, Optimizer, type Update } from "./optimizer"
import type { AdamWOptions } from "./optimizer-options"
import { type ParameterPlace, viewFloats } from "./parameter-memory"

export class AdamW extends Optimizer {
  constructor(
    parameters: NamedParameters,
    frozen: readonly string[],
    private readonly options: AdamWOptions,
    threads?: number,
  ) {
    checkAdamWOptions(options)
    super(parameters, frozen, (_shape, size) => [size, size], options.maxGradientNorm, threads)
  }

  protected async updateParameters(places: readonly ParameterPlace[], { step, learningRate, scale }: Update): Promise<void> {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = this.options
    const stepSize = learningRate / (1 - beta1 ** step)
    const correction = 1 / Math.sqrt(1 - beta2 ** step)
    const calls = places.flatMap((place) => {
      const keep = 1 - learningRate * this.decayOf(place)
      const numbers = [beta1, 1 - beta1, beta2, 1 - beta2, stepSize, correction, epsilon, keep, scale]
      return divideCall(place, "adamw", ({ values, gradient, state, bytes }) => [values, gradient, ...state, values + bytes, ...numbers])
    })
    await this.threads.run(calls)
  }

  protected stateOf({ memory, state, size }: ParameterPlace) {
    const [firstMoments, secondMoments] = state.map((offset) => viewFloats(memory, offset, size))
    return { firstMoments, secondMoments }
  }

  private decayOf({ name, shape }: ParameterPlace): number {
    const { weightDecay = 0.01, decays = (_name: string, shape: readonly number[]) => shape.length >= 2 } = this.options
    return decays(name, shape) ? weightDecay : 0
  }
}

/** @throws EngineError `engine.bad-options` */
export function checkAdamWOptions({ beta1 = 0, beta2 = 0, epsilon = 0, weightDecay = 0, maxGradientNorm = 1 }: AdamWOptions): void {
  const isDecay = (beta: number) => beta >= 0 && beta < 1
  if (isDecay(beta1) && isDecay(beta2) && epsilon >= 0 && weightDecay >= 0 && maxGradientNorm > 0) return
  throw new EngineError(
    "engine.bad-options",
    "AdamW needs betas in [0, 1), epsilon and weightDecay of 0 or more, and maxGradientNorm above 0.",
  )
}
