// Where a training session keeps parameters, gradients and the optimizer's state: WebAssembly memories, so that the optimizer passes over
// them at full speed and on several threads, and a runtime reads parameters and writes gradients in place. A memory holds 4 GiB at most, so
// there may be several. Frozen parameters stay where the caller has them.
import { EngineError } from "../../core/errors"
import { type WasmMemory, webAssembly } from "../../core/web-assembly"
import { sizeOf } from "../recording"
import type { NamedParameters } from "../session"

/** Byte offsets of one trained parameter in its memory. */
export interface ParameterPlace {
  readonly name: string
  readonly shape: readonly number[]
  /** Number of values. */
  readonly size: number
  readonly memory: WasmMemory
  readonly values: number
  /** Where the padded values end. */
  readonly end: number
  readonly gradient: number
  /** Of each array that the optimizer asked for. */
  readonly state: readonly number[]
}

/** Lengths of the arrays that an optimizer keeps for a parameter. */
export type StateSizes = (shape: readonly number[], size: number) => readonly number[]

const bytesPerPage = 65536
/** Regions start on cache lines. */
const alignment = 64
const largestMemory = 65536 * bytesPerPage
/** Large parameter sets are split at this size: address space of one piece is harder to get. */
const comfortableMemory = 2 ** 31

/** Copies the parameters that are trained in; gradients and state are zero. @throws EngineError `engine.out-of-memory`, `engine.bad-parameter` */
export function placeParameters(
  parameters: NamedParameters,
  frozen: readonly string[],
  stateSizes: StateSizes,
): Map<string, ParameterPlace> {
  checkParameters(parameters, frozen)
  const places = new Map<string, ParameterPlace>()
  for (const group of splitGroups(planParameters(parameters, new Set(frozen), stateSizes))) {
    const memory = allocateMemory(group.reduce((sum, { regions }) => sum + sumOf(regions), 0))
    let offset = 0
    for (const { name, shape, size, regions } of group) {
      const [values, gradient, ...state] = regions.map((bytes) => {
        offset += bytes
        return offset - bytes
      })
      places.set(name, { name, shape, size, memory, values, end: values + regions[0], gradient, state })
      viewFloats(memory, values, size).set(parameters[name].data.subarray(0, size))
    }
  }
  return places
}

/** @throws EngineError `engine.bad-parameter` for values that do not fill a shape, and for a frozen name that is none */
export function checkParameters(parameters: NamedParameters, frozen: readonly string[]): void {
  for (const name of frozen) {
    if (!(name in parameters)) throw new EngineError("engine.bad-parameter", `There is no parameter ${name} to freeze: check its name.`)
  }
  for (const [name, { shape, data }] of Object.entries(parameters)) {
    const size = sizeOf(shape)
    if (data.length >= size) continue
    throw new EngineError("engine.bad-parameter", `The parameter ${name} of shape [${shape}] needs ${size} values and has ${data.length}.`)
  }
}

export function viewFloats(memory: WasmMemory, offset: number, size: number): Float32Array {
  return new Float32Array(memory.buffer, offset, size)
}

interface ParameterPlan {
  readonly name: string
  readonly shape: readonly number[]
  readonly size: number
  /** Bytes of values, gradient and state, each padded. */
  readonly regions: readonly number[]
}

function planParameters(parameters: NamedParameters, frozen: ReadonlySet<string>, stateSizes: StateSizes): ParameterPlan[] {
  const plans: ParameterPlan[] = []
  for (const [name, { shape }] of Object.entries(parameters)) {
    const size = sizeOf(shape)
    if (frozen.has(name)) continue
    const regions = [size, size, ...stateSizes(shape, size)].map((length) => Math.ceil((length * 4) / alignment) * alignment)
    if (sumOf(regions) > largestMemory) {
      throw new EngineError(
        "engine.out-of-memory",
        `The parameter ${name} has ${size.toLocaleString("en")} values, more than can be trained here: freeze it.`,
      )
    }
    plans.push({ name, shape, size, regions })
  }
  return plans
}

function splitGroups(plans: readonly ParameterPlan[]): ParameterPlan[][] {
  const groups: ParameterPlan[][] = []
  let filled = Number.POSITIVE_INFINITY
  for (const plan of plans) {
    const bytes = sumOf(plan.regions)
    if (filled + bytes > comfortableMemory) {
      groups.push([])
      filled = 0
    }
    groups[groups.length - 1].push(plan)
    filled += bytes
  }
  return groups
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function allocateMemory(bytes: number): WasmMemory {
  try {
    const pages = Math.max(1, Math.ceil(bytes / bytesPerPage))
    return new webAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  } catch (cause) {
    const megabytes = Math.ceil(bytes / 2 ** 20).toLocaleString("en")
    throw new EngineError(
      "engine.out-of-memory",
      `No ${megabytes} MB of memory for parameters and optimizer: train a smaller model, or freeze more of it.`,
      {
        cause,
      },
    )
  }
}
