// A tensor that callers read and write in this process's memory and programs in a device's: what the other side wants is copied when it
// asks, and nothing else.
import { allocate, sizeOf } from "../recording"
import type { TensorValue } from "../session"
import type { DataType, TensorData, TensorSpec } from "../tensors"
import type { DeviceTensor, PjrtClient } from "./pjrt-client"

export class MirroredTensor implements TensorSpec {
  private host: TensorData | undefined
  private device: DeviceTensor | undefined
  /** Which of the two has the values that count; a caller who was handed the host's may write there. */
  private isHostAhead = true

  /** @param values where the values are; default: zeros */
  constructor(
    private readonly client: PjrtClient,
    readonly shape: readonly number[],
    readonly dtype: DataType,
    values?: TensorData,
  ) {
    this.host = values
  }

  isOf(client: PjrtClient): boolean {
    return this.client === client
  }

  /** The values as they are now; what is written there until the next run counts. */
  get data(): TensorData {
    const data = this.refresh()
    this.isHostAhead = true
    return data
  }

  /** The values as they are now, to be read alone. */
  refresh(): TensorData {
    this.host ??= allocate(this.dtype, sizeOf(this.shape))
    if (!this.isHostAhead) this.device!.read(this.host)
    return this.host
  }

  /** The values as they were when the host had them last. */
  get stale(): TensorData {
    this.host ??= allocate(this.dtype, sizeOf(this.shape))
    return this.host
  }

  /** What `refresh` or `stale` answered was, or will be, written to. */
  hostChanged(): void {
    this.isHostAhead = true
  }

  /** On the device, to be read alone, until the next copy or run. */
  onDevice(): DeviceTensor {
    if (!this.isHostAhead && this.device) return this.device
    this.device?.release()
    this.device = this.client.upload(this.stale, this.shape)
    this.isHostAhead = false
    return this.device
  }

  /** Takes what a run gave in place of what the device had. */
  adopt(tensor: DeviceTensor): void {
    this.device?.release()
    this.device = tensor
    this.isHostAhead = false
  }

  /** Frees the device's memory; the host keeps the values as they were there last when `keepsValues`. */
  release(keepsValues = false): void {
    if (keepsValues) this.refresh()
    this.isHostAhead = true
    this.device?.release()
    this.device = undefined
  }

  /** As those see it who overwrite all of it, and say so with `hostChanged`: nothing is copied first. */
  asTarget(): TensorValue {
    const mirror = this
    return {
      shape: this.shape,
      get data() {
        return mirror.stale
      },
    }
  }

  /** As callers see it: `data` is copied when it is asked for. */
  asValue(): TensorValue {
    const mirror = this
    return {
      shape: this.shape,
      get data() {
        return mirror.data
      },
    }
  }
}

/** A parameter's values on a device. */
interface Home {
  readonly tensor: MirroredTensor
  /** Whether they still are. */
  readonly isThere: () => boolean
}

/** Homes by the objects that stand for parameters. */
const homes = new WeakMap<object, Home>()

/** Lets forward sessions of the same device read a parameter where it lies. */
export function rememberHome(parameter: object, home: Home): void {
  homes.set(parameter, home)
}

/** Where the parameter is on the device of `client`; undefined for an array of the caller's. */
export function findHome(parameter: object, client: PjrtClient): MirroredTensor | undefined {
  const home = homes.get(parameter)
  return home?.isThere() && home.tensor.isOf(client) ? home.tensor : undefined
}
