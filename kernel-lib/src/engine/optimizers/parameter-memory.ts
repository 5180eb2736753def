// Where a training session keeps parameters, gradients and both moments: WebAssembly memories, so that the optimizer passes over them at
// full speed, and a runtime reads parameters and writes gradients in place. A memory holds 4 GiB at most, so there may be several.
import { EngineError } from "../../core/errors"
import { sizeOf } from "../recording"
import type { NamedParameters } from "../session"
import { type WasmMemory, webAssembly } from "./web-assembly"

/** Byte offsets of one parameter in its memory. Frozen parameters have nothing but their values. */
export interface ParameterPlace {
  readonly name: string
  readonly shape: readonly number[]
  readonly size: number
  readonly memory: WasmMemory
  readonly values: number
  /** Where the padded values end. */
  readonly end: number
  readonly gradient: number
  readonly firstMoment: number
  readonly secondMoment: number
  readonly isTrained: boolean
}

const bytesPerPage = 65536
/** Regions start on cache lines. */
const alignment = 64
const largestMemory = 65536 * bytesPerPage
/** Large parameter sets are split at this size: address space of one piece is harder to get. */
const comfortableMemory = 2 ** 31

/** Copies `parameters` in; gradients and moments are zero. @throws EngineError `engine.out-of-memory`, `engine.bad-parameter` */
export function placeParameters(parameters: NamedParameters, frozen: readonly string[]): Map<string, ParameterPlace> {
  for (const name of frozen) {
    if (!(name in parameters)) throw new EngineError("engine.bad-parameter", `There is no parameter ${name} to freeze: check its name.`)
  }
  const places = new Map<string, ParameterPlace>()
  for (const group of splitGroups(planParameters(parameters, new Set(frozen)))) {
    const memory = allocateMemory(group.reduce((sum, { bytes, regions }) => sum + bytes * regions, 0))
    let offset = 0
    for (const { name, shape, size, bytes, regions } of group) {
      const region = (index: number) => offset + bytes * Math.min(index, regions - 1)
      const [values, gradient, firstMoment, secondMoment] = [0, 1, 2, 3].map(region)
      const isTrained = regions === 4
      places.set(name, { name, shape, size, memory, values, end: values + bytes, gradient, firstMoment, secondMoment, isTrained })
      offset += bytes * regions
      viewFloats(memory, values, size).set(parameters[name].data.subarray(0, size))
    }
  }
  return places
}

export function viewFloats(memory: WasmMemory, offset: number, size: number): Float32Array {
  return new Float32Array(memory.buffer, offset, size)
}

interface ParameterPlan {
  readonly name: string
  readonly shape: readonly number[]
  readonly size: number
  /** Of one region, padded. */
  readonly bytes: number
  /** 4 for trained parameters, 1 for frozen ones. */
  readonly regions: number
}

function planParameters(parameters: NamedParameters, frozen: ReadonlySet<string>): ParameterPlan[] {
  return Object.entries(parameters).map(([name, { shape, data }]) => {
    const size = sizeOf(shape)
    if (data.length < size) {
      throw new EngineError(
        "engine.bad-parameter",
        `The parameter ${name} of shape [${shape}] needs ${size} values and has ${data.length}.`,
      )
    }
    const plan = { name, shape, size, bytes: Math.ceil((size * 4) / alignment) * alignment, regions: frozen.has(name) ? 1 : 4 }
    if (plan.bytes * plan.regions > largestMemory) {
      throw new EngineError(
        "engine.out-of-memory",
        `The parameter ${name} has ${size.toLocaleString("en")} values, more than can be trained here: freeze it.`,
      )
    }
    return plan
  })
}

function splitGroups(plans: readonly ParameterPlan[]): ParameterPlan[][] {
  const groups: ParameterPlan[][] = []
  let filled = Number.POSITIVE_INFINITY
  for (const plan of plans) {
    const bytes = plan.bytes * plan.regions
    if (filled + bytes > comfortableMemory) {
      groups.push([])
      filled = 0
    }
    groups[groups.length - 1].push(plan)
    filled += bytes
  }
  return groups
}

function allocateMemory(bytes: number): WasmMemory {
  try {
    return new webAssembly.Memory({ initial: Math.max(1, Math.ceil(bytes / bytesPerPage)) })
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
