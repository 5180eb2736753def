// Where a forward session finds its parameters on the device: a training's where they lie, a caller's as copies. Sessions whose parameters
// do not change share one copy of each.
import { EngineError } from "../../core/errors"
import { sizeOf } from "../recording"
import type { NamedParameters } from "../session"
import { findHome } from "./mirrored-tensor"
import type { DeviceTensor, PjrtClient } from "./pjrt-client"

interface SharedCopy {
  readonly tensor: DeviceTensor
  users: number
}

/** By client and by the caller's array. */
const copies = new WeakMap<PjrtClient, Map<Float32Array, SharedCopy>>()

export class ParameterPlaces {
  /** The arrays of which this session uses copies, by parameter. */
  private readonly used = new Map<string, Float32Array>()

  /** @param areFixed the values will not change while this is in use */
  constructor(
    private readonly client: PjrtClient,
    private readonly parameters: NamedParameters,
    private readonly areFixed: boolean,
  ) {}

  /** @throws EngineError `engine.bad-parameter` when there are too few values for the shape */
  check(name: string): void {
    const { shape } = this.parameters[name]
    if (findHome(this.parameters[name], this.client) || this.used.has(name)) return
    const { length } = this.parameters[name].data
    if (length >= sizeOf(shape)) return
    throw new EngineError("engine.bad-parameter", `The parameter ${name} needs ${sizeOf(shape)} values and has ${length}.`)
  }

  /** @param passing takes what the caller is to release after the run */
  find(name: string, passing: DeviceTensor[]): DeviceTensor {
    const parameter = this.parameters[name]
    const home = findHome(parameter, this.client)
    if (home) return home.onDevice()
    if (this.areFixed) return this.share(name)
    const tensor = this.client.upload(parameter.data, parameter.shape)
    passing.push(tensor)
    return tensor
  }

  release(): void {
    const shared = copies.get(this.client)
    for (const data of this.used.values()) {
      const copy = shared!.get(data)!
      copy.users--
      if (copy.users > 0) continue
      copy.tensor.release()
      shared!.delete(data)
    }
    this.used.clear()
  }

  private share(name: string): DeviceTensor {
    const shared = copies.get(this.client) ?? new Map<Float32Array, SharedCopy>()
    copies.set(this.client, shared)
    const { shape, data } = this.parameters[name]
    const key = this.used.get(name) ?? data
    const copy = shared.get(key) ?? { tensor: this.client.upload(data, shape), users: 0 }
    shared.set(key, copy)
    if (!this.used.has(name)) copy.users++
    this.used.set(name, key)
    return copy.tensor
  }
}
