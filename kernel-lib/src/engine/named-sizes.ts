// Sizes that a graph leaves open until it runs. tfjs knows numbers only, so a network is traced with a stand-in for each name: a prime
// that divides none of its other sizes. Whatever size is computed from it can be taken apart again.
import { EngineError } from "../core/errors"
import type { DataType, TensorSpec } from "./tensors"

/** A number, or the name of a size that is known when the graph runs; one name is one size everywhere. */
export type Size = number | string

/** Shape and type of a tensor, some of whose sizes are open. */
export interface FlexibleSpec {
  readonly shape: readonly Size[]
  readonly dtype: DataType
}

/** `factor` times the sizes of these names. */
export interface OpenSize {
  readonly factor: number
  readonly names: readonly string[]
}

/** Large enough that products of a network's own sizes meet none by chance. */
const smallestStandIn = 10007

/** The open sizes of one graph, and what stands for them while it is traced. */
export class NamedSizes {
  private readonly standIns = new Map<string, number>()

  /** @param others all sizes that the network has beside its inputs' */
  constructor(
    private readonly inputs: Readonly<Record<string, FlexibleSpec>>,
    others: Iterable<number>,
  ) {
    const known = new Set(others)
    for (const { shape } of Object.values(inputs)) for (const size of shape) if (typeof size === "number") known.add(size)
    let candidate = smallestStandIn
    for (const { shape } of Object.values(inputs)) {
      for (const size of shape) {
        if (typeof size === "number" || this.standIns.has(size)) continue
        while (!isPrime(candidate) || [...known].some((other) => other > 0 && other % candidate === 0)) candidate += 2
        this.standIns.set(size, candidate)
        candidate += 2
      }
    }
  }

  /** What the inputs look like to a trace. */
  get traceSpecs(): Record<string, TensorSpec> {
    return Object.fromEntries(
      Object.entries(this.inputs).map(([name, { shape, dtype }]) => [
        name,
        { shape: shape.map((size) => (typeof size === "number" ? size : this.standIns.get(size)!)), dtype },
      ]),
    )
  }

  /** What stands for a size in a trace. @throws EngineError `engine.open-size` for one that no input has */
  standInOf(name: string): number {
    const standIn = this.standIns.get(name)
    if (standIn !== undefined) return standIn
    throw new EngineError("engine.open-size", `No input of this graph has the open size ${name}: name one that has.`)
  }

  /** What a size of the trace stands for; undefined where it is simply that number. */
  takeApart(size: number): OpenSize | undefined {
    let factor = size
    const names: string[] = []
    for (const [name, standIn] of this.standIns) {
      while (factor > 0 && factor % standIn === 0) {
        names.push(name)
        factor /= standIn
      }
    }
    return names.length === 0 ? undefined : { factor, names }
  }

  isOpen(shape: readonly number[]): boolean {
    return shape.some((size) => this.takeApart(size))
  }

  /** The sizes that these shapes of the inputs give. @throws EngineError `engine.bad-feed` when they contradict each other or what is fixed */
  measure(shapes: Readonly<Record<string, readonly number[]>>): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>()
    for (const [input, { shape }] of Object.entries(this.inputs)) {
      const given = shapes[input]
      if (!given) throw new EngineError("engine.bad-feed", `The input ${input} is missing: every run of this graph feeds all inputs.`)
      const fits = given.length === shape.length && shape.every((size, axis) => agrees(size, given[axis], sizes))
      if (fits) continue
      const wanted = shape.map((size) => (typeof size === "number" ? size : `${size} = ${sizes.get(size) ?? "any"}`))
      throw new EngineError("engine.bad-feed", `The input ${input} has the shape [${given}] and needs [${wanted.join(", ")}].`)
    }
    return sizes
  }

  /** A shape of the trace, with these sizes. */
  resolve(shape: readonly number[], sizes: ReadonlyMap<string, number>): number[] {
    return shape.map((size) => {
      const open = this.takeApart(size)
      return open ? open.names.reduce((product, name) => product * sizes.get(name)!, open.factor) : size
    })
  }
}

function agrees(size: Size, given: number, sizes: Map<string, number>): boolean {
  if (typeof size === "number") return size === given
  if (!sizes.has(size)) sizes.set(size, given)
  return sizes.get(size) === given
}

function isPrime(value: number): boolean {
  for (let divisor = 3; divisor * divisor <= value; divisor += 2) if (value % divisor === 0) return false
  return value % 2 === 1
}
