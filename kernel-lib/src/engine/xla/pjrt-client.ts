// One device of a PJRT plug-in: compiles programs, keeps tensors in the device's memory and runs the one on the other.
import { EngineError } from "../../core/errors"
import { dataTypeOf, sameShape, sizeOf } from "../recording"
import type { DataType, TensorData, TensorSpec } from "../tensors"
import { type Address, describeFailure, type PluginTable } from "./plugin-table"
import { ProgramCache } from "./program-cache"

/** PJRT_Buffer_Type */
const bufferTypes: Record<DataType, number> = { bool: 1, int32: 4, float32: 11 }
/** PJRT_HostBufferSemantics_kImmutableOnlyDuringCall */
const onlyDuringCall = 0
/** PJRT_Buffer_MemoryLayout_Type_Tiled */
const tiled = 0
/** A serialized CompileOptionsProto: executable_build_options { num_replicas: 1, num_partitions: 1 } */
const compileOptions = Uint8Array.of(0x1a, 4, 0x20, 1, 0x28, 1)
/** What a serialized program is no larger than. */
const largestProgram = 2 ** 31 - 1

/** A tensor in a device's memory; it stays there until it is released or donated to a run. */
export class DeviceTensor implements TensorSpec {
  private isReleased = false

  constructor(
    private readonly client: PjrtClient,
    readonly address: Address,
    readonly shape: readonly number[],
    readonly dtype: DataType,
  ) {}

  /** Copies the values into `data`, which holds as many. */
  read(data: TensorData): void {
    this.client.download(this, data)
  }

  /** The same, on a thread of its own. */
  readAsync(data: TensorData): Promise<void> {
    return this.client.downloadAsync(this, data)
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    this.client.destroyBuffer(this.address)
  }
}

export function releaseAll(tensors: Iterable<DeviceTensor>): void {
  for (const tensor of tensors) tensor.release()
}

/** A program with what goes in and out, in order. */
export interface Program {
  /** StableHLO. */
  readonly text: string
  readonly numInputs: number
  readonly outputs: readonly TensorSpec[]
}

/** A compiled program. */
export class Executable {
  private isReleased = false

  constructor(
    private readonly client: PjrtClient,
    readonly address: Address,
    readonly program: Program,
  ) {}

  /**
   * Runs on `inputs` on a thread of its own; those that the program donates are gone afterwards, and released.
   * @throws EngineError `engine.out-of-memory`, `engine.xla-failed`
   */
  run(inputs: readonly DeviceTensor[]): Promise<DeviceTensor[]> {
    if (this.isReleased) throw new EngineError("engine.disposed", "This program was released: compile it again.")
    return this.client.execute(this, inputs)
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    this.client.destroyExecutable(this.address)
  }
}

export class PjrtClient {
  private readonly cache: ProgramCache
  private last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly table: PluginTable,
    private readonly client: Address,
    private readonly device: Address,
    identity: string,
  ) {
    this.cache = new ProgramCache(identity)
  }

  /**
   * Runs `work` when everything before it is done: whoever collects tensors, runs on them and keeps what comes back does so undisturbed, as
   * runs donate tensors that others know too.
   */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(work)
    this.last = result.catch(() => {})
    return result
  }

  /** On a thread of its own, or from the cache on disk. @throws EngineError `engine.xla-failed`, `engine.out-of-memory` */
  async compile(program: Program): Promise<Executable> {
    const found = await this.cache.find(program.text)
    const cached = found && (await this.load(found, program))
    if (cached) return cached
    const [code, format] = [Buffer.from(program.text), Buffer.from("mlir")]
    const structure = this.table.struct([code, code.length, format, format.length])
    const fields = { client: this.client, program: structure, options: compileOptions, optionsSize: compileOptions.length }
    const answer = await this.table.callAsync("Client_Compile", fields)
    const executable = this.own(answer("executable"), program)
    const serialized = this.serialize(executable)
    if (serialized) await this.cache.keep(program.text, serialized)
    return executable
  }

  /** A copy of `data` in the device's memory. */
  upload(data: TensorData, shape: readonly number[]): DeviceTensor {
    const dtype = dataTypeOf(data)
    if (data.length < sizeOf(shape)) {
      throw new EngineError("engine.bad-memory", `The shape [${shape}] needs ${sizeOf(shape)} values and has ${data.length}.`)
    }
    const dims = BigInt64Array.from(shape, BigInt)
    const answer = this.table.call("Client_BufferFromHostBuffer", {
      client: this.client,
      // A tensor without values has an address all the same.
      data: data.length > 0 ? data : new Uint8Array(new ArrayBuffer(8)),
      type: bufferTypes[dtype],
      dims,
      numDims: shape.length,
      semantics: onlyDuringCall,
      device: this.device,
    })
    const event = answer("doneEvent")
    const tensor = new DeviceTensor(this, answer("buffer"), shape, dtype)
    if (event) this.finish(event)
    return tensor
  }

  download(tensor: DeviceTensor, data: TensorData): void {
    if (sizeOf(tensor.shape) === 0) return
    const fields = this.layOutDownload(tensor, data)
    this.table.hold(fields, () => this.finish(this.table.call("Buffer_ToHostBuffer", fields)("event")))
  }

  async downloadAsync(tensor: DeviceTensor, data: TensorData): Promise<void> {
    if (sizeOf(tensor.shape) === 0) return
    const fields = this.layOutDownload(tensor, data)
    await this.finishAsync(this.table.call("Buffer_ToHostBuffer", fields)("event"), fields)
  }

  async execute({ address, program }: Executable, inputs: readonly DeviceTensor[]): Promise<DeviceTensor[]> {
    const { table } = this
    if (inputs.length !== program.numInputs) {
      throw new EngineError("engine.xla-failed", `A program for ${program.numInputs} tensors was given ${inputs.length}: report this.`)
    }
    const list = BigUint64Array.from(inputs, (tensor) => tensor.address)
    const lists = table.pointerTo(list)
    const outputs = new BigUint64Array(new ArrayBuffer(8 * Math.max(1, program.outputs.length)))
    const outputLists = table.pointerTo(outputs)
    const events = new BigUint64Array(new ArrayBuffer(8))
    const options = table.struct(new Array(12).fill(0))
    await table.callAsync("LoadedExecutable_Execute", {
      executable: address,
      options,
      argumentLists: lists,
      numDevices: 1,
      numArguments: inputs.length,
      outputLists,
      completeEvents: events,
    })
    const results = program.outputs.map(({ shape, dtype }, index) => new DeviceTensor(this, outputs[index], shape, dtype))
    try {
      if (events[0]) await this.finishAsync(events[0])
    } catch (error) {
      for (const tensor of results) tensor.release()
      throw error
    }
    return results
  }

  /** Bytes of the device's memory that are in use, and that were at most; undefined where the plug-in does not tell. */
  measureMemory(): { readonly inUse: number; readonly peak: number | undefined } | undefined {
    try {
      const answer = this.table.call("Device_MemoryStats", { device: this.device })
      const isKnown = (answer("isPeakKnown") & 1n) === 1n
      return { inUse: Number(answer("inUse")), peak: isKnown ? Number(answer("peakInUse")) : undefined }
    } catch {
      return undefined
    }
  }

  destroyBuffer(buffer: Address): void {
    this.table.call("Buffer_Destroy", { buffer })
  }

  destroyExecutable(executable: Address): void {
    this.table.call("LoadedExecutable_Destroy", { executable })
  }

  /** Undefined when the bytes are of no use, which costs a compilation. */
  private async load(bytes: Uint8Array, program: Program): Promise<Executable | undefined> {
    try {
      const fields = { client: this.client, bytes, bytesSize: bytes.length }
      return this.own((await this.table.callAsync("Executable_DeserializeAndLoad", fields))("loaded"), program)
    } catch {
      return undefined
    }
  }

  /** Undefined for a plug-in that cannot. */
  private serialize({ address }: Executable): Uint8Array | undefined {
    const { table } = this
    try {
      const executable = table.call("LoadedExecutable_GetExecutable", { loaded: address })("executable")
      try {
        const answer = table.call("Executable_Serialize", { executable })
        const bytes = table.readBytes(answer("bytes"), answer("bytesSize"), largestProgram)
        table.callBack(answer("deleter"), answer("serialized"))
        return bytes
      } finally {
        table.call("Executable_Destroy", { executable })
      }
    } catch {
      return undefined
    }
  }

  /** @throws EngineError when the program does not give what it should */
  private own(address: Address, program: Program): Executable {
    const { table } = this
    const executable = table.call("LoadedExecutable_GetExecutable", { loaded: address })("executable")
    const count = Number(table.call("Executable_NumOutputs", { executable })("numOutputs"))
    table.call("Executable_Destroy", { executable })
    if (count === program.outputs.length) return new Executable(this, address, program)
    this.destroyExecutable(address)
    throw new EngineError(
      "engine.xla-failed",
      `The compiled program gives ${count} tensors in place of ${program.outputs.length}: install the plug-in again.`,
    )
  }

  private layOutDownload({ address, shape, dtype }: DeviceTensor, data: TensorData) {
    const size = sizeOf(shape)
    if (data.length < size || dataTypeOf(data) !== dtype) {
      throw new EngineError("engine.bad-memory", `The memory does not hold ${size} values of ${dtype}.`)
    }
    this.checkShape(address, shape)
    // Rows last, whatever the device prefers.
    const order = BigInt64Array.from(shape, (_, axis) => BigInt(shape.length - 1 - axis))
    const layout = this.table.struct([7 * 8, 0, order, order.length, 0, 0, 0, tiled])
    return { buffer: address, layout, destination: data, destinationSize: size * data.BYTES_PER_ELEMENT }
  }

  /** The plug-in writes as many bytes as its own shape has. */
  private checkShape(buffer: Address, shape: readonly number[]): void {
    const answer = this.table.call("Buffer_Dimensions", { buffer })
    const found = Array.from(this.table.readWords(answer("dims"), answer("numDims")), Number)
    if (sameShape(found, shape)) return
    throw describeFailure("Buffer_Dimensions", 0, `a tensor is [${found}] and should be [${shape}]`)
  }

  private finish(event: Address): void {
    try {
      this.table.call("Event_Await", { event })
    } finally {
      this.table.call("Event_Destroy", { event })
    }
  }

  /** @param held what is read or written until then */
  private async finishAsync(event: Address, held?: object): Promise<void> {
    try {
      await this.table.callAsync("Event_Await", { event }, held)
    } finally {
      this.table.call("Event_Destroy", { event })
    }
  }
}
