// A network run forward at sizes that change from run to run: a program for each set of sizes, all on the same tensors. What callers did
// not change since the last run, and what was written in place, stays on the device.
import { EngineError } from "../../core/errors"
import { keyOfSpecs, specsOf } from "../feeds"
import { checkInPlace, GrowingMemory } from "../flexible"
import { NamedSizes } from "../named-sizes"
import { type Recording, sameShape, sizeOf } from "../recording"
import type { FlexibleDefinition, FlexibleRunOptions, FlexibleSession, NamedValues, TensorValue } from "../session"
import type { TensorData, TensorSpec } from "../tensors"
import { traceForward } from "../tracer"
import { cancelled, LazyProgram, makeForwardProgram, type ProgramInput } from "./compiled-recording"
import type { Plugin } from "./open-plugin"
import { ParameterPlaces } from "./parameter-places"
import { optimizeForXla } from "./passes"
import { type DeviceTensor, releaseAll } from "./pjrt-client"

interface CompiledSizes {
  readonly recording: Recording
  readonly program: LazyProgram
  readonly inputs: readonly ProgramInput[]
}

/** Programs that are kept, of the sizes that were met last. */
const maxPrograms = 64

export class XlaFlexibleSession implements FlexibleSession {
  private readonly programs = new Map<string, CompiledSizes>()
  private readonly places: ParameterPlaces
  private readonly named: NamedSizes
  private readonly memory = new GrowingMemory()
  /** Inputs on the device, as they were when they were last copied or written there. */
  private readonly tensors = new Map<string, DeviceTensor>()
  /** Of inputs that are newer on the device: where callers have them. */
  private readonly behind = new Map<string, TensorData>()
  private isRunning = false
  private isDisposed = false

  constructor(
    private readonly plugin: Plugin,
    private readonly definition: FlexibleDefinition,
  ) {
    const { parameters, inputs, isPrepacked = false, areParametersFixed = isPrepacked } = definition
    this.places = new ParameterPlaces(plugin.client, parameters, areParametersFixed)
    this.named = new NamedSizes(inputs, [])
  }

  async run(inputs: NamedValues, { outputs = {}, unchanged, signal }: FlexibleRunOptions = {}): Promise<NamedValues> {
    if (this.isDisposed) throw new EngineError("engine.disposed", "This session was disposed of: make a new one.")
    if (this.isRunning) throw new EngineError("engine.busy", "This session is running: await one call before the next.")
    if (signal?.aborted) throw cancelled()
    this.named.measure(Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape])))
    const fitting = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, data }]) => [name, { shape, data: data.subarray(0, sizeOf(shape)) }]),
    )
    const graph = this.prepare(fitting)
    this.isRunning = true
    try {
      const isKept = (name: string) => unchanged?.includes(name) ?? false
      const results = await this.plugin.client.exclusively(() => this.runNow(graph, fitting, isKept, signal))
      const handed = await this.handOver(graph, results, inputs, outputs, unchanged !== undefined)
      if (signal?.aborted || this.isDisposed) throw cancelled()
      return handed
    } finally {
      this.isRunning = false
      if (this.isDisposed) this.free()
    }
  }

  bringHome(): void {
    for (const [name, data] of this.behind) {
      const tensor = this.tensors.get(name)!
      tensor.read(data)
    }
    this.behind.clear()
  }

  dispose(): void {
    if (this.isDisposed) return
    this.isDisposed = true
    if (!this.isRunning) this.free()
  }

  private async runNow(
    { program, inputs }: CompiledSizes,
    values: NamedValues,
    isKept: (name: string) => boolean,
    signal: AbortSignal | undefined,
  ): Promise<DeviceTensor[]> {
    const passing: DeviceTensor[] = []
    try {
      const tensors = inputs.map(({ kind, name }) =>
        kind === "parameter" ? this.places.find(name, passing) : this.place(name, values[name], isKept(name)),
      )
      return await program.run(tensors, signal)
    } finally {
      releaseAll(passing)
    }
  }

  /** An input on the device. */
  private place(name: string, { shape, data }: TensorValue, isKept: boolean): DeviceTensor {
    const there = this.tensors.get(name)
    if (there && isKept && sameShape(there.shape, shape)) return there
    there?.release()
    this.behind.delete(name)
    const tensor = this.plugin.client.upload(data, shape)
    this.tensors.set(name, tensor)
    return tensor
  }

  private async handOver(
    { recording }: CompiledSizes,
    results: readonly DeviceTensor[],
    inputs: NamedValues,
    given: Readonly<Record<string, TensorData>>,
    mayStay: boolean,
  ): Promise<NamedValues> {
    const { inPlace = {} } = this.definition
    const handed: Record<string, TensorValue> = {}
    for (const [index, [name, { shape, dtype }]] of Object.entries(recording.outputs).entries()) {
      const [source, tensor] = [inPlace[name], results[index]]
      const data = source === undefined ? this.memory.place(name, shape, dtype, given[name]) : inputs[source].data
      handed[name] = { shape, data }
      if (source === undefined || !mayStay) await tensor.readAsync(data)
      if (source === undefined) tensor.release()
      else {
        this.tensors.get(source)?.release()
        this.tensors.set(source, tensor)
        if (mayStay) this.behind.set(source, data)
      }
    }
    return handed
  }

  private prepare(inputs: NamedValues): CompiledSizes {
    const specs = specsOf(inputs)
    const key = keyOfSpecs(specs)
    const graph = this.programs.get(key) ?? this.compile(specs, inputs)
    this.programs.delete(key)
    this.programs.set(key, graph)
    if (this.programs.size > maxPrograms) {
      const [oldest, unused] = this.programs.entries().next().value!
      this.programs.delete(oldest)
      unused.program.release()
    }
    return graph
  }

  private compile(specs: Readonly<Record<string, TensorSpec>>, values: NamedValues): CompiledSizes {
    const { name = "network", forward, parameters, inPlace = {} } = this.definition
    const recording = optimizeForXla(traceForward({ name, inputs: specs, parameters, forward }))
    for (const parameter of Object.keys(recording.parameters)) this.places.check(parameter)
    for (const [output, source] of Object.entries(inPlace)) {
      const { shape } = recording.outputs[output] ?? { shape: [] }
      checkInPlace(output, shape, source, values[source])
    }
    const { program, inputs } = makeForwardProgram(recording, { inPlace }, this.plugin.platform)
    return { recording, inputs, program: new LazyProgram(this.plugin.client, program) }
  }

  private free(): void {
    for (const { program } of this.programs.values()) program.release()
    for (const tensor of this.tensors.values()) tensor.release()
    this.tensors.clear()
    this.places.release()
  }
}
