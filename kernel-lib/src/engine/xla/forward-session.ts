// A network run forward on a device: parameters of a training lie there already, inputs are copied when they change, and what is written in
// place stays there until somebody asks for it.
import { EngineError } from "../../core/errors"
import { fillInputs, layOutMemory } from "../feeds"
import { dataTypeOf } from "../recording"
import type { ForwardDefinition, ForwardSession, NamedValues, TensorData } from "../session"
import { traceForward } from "../tracer"
import { cancelled, LazyProgram, makeForwardProgram, type ProgramInput } from "./compiled-recording"
import { MirroredTensor } from "./mirrored-tensor"
import type { Plugin } from "./open-plugin"
import { ParameterPlaces } from "./parameter-places"
import { optimizeForXla } from "./passes"
import { type DeviceTensor, releaseAll } from "./pjrt-client"

export class XlaForwardSession implements ForwardSession {
  readonly inputs: NamedValues
  readonly outputs: NamedValues
  /** The inputs, to be overwritten as a whole. */
  private readonly targets: NamedValues
  private readonly program: LazyProgram
  private readonly read: readonly ProgramInput[]
  private readonly mirrors = new Map<string, MirroredTensor>()
  private readonly places: ParameterPlaces
  private isRunning = false
  private isDisposed = false

  constructor(
    private readonly plugin: Plugin,
    private readonly definition: ForwardDefinition,
  ) {
    const { name = "network", forward, parameters, memory = {}, inPlace = {} } = definition
    const recording = optimizeForXla(traceForward({ name, inputs: definition.inputs, parameters, forward }))
    this.places = new ParameterPlaces(plugin.client, parameters, definition.areParametersFixed ?? false)
    for (const parameter of Object.keys(recording.parameters)) this.places.check(parameter)
    const laidOut = layOutMemory(definition, recording.outputs)
    for (const [input, { shape, data }] of Object.entries(laidOut.inputs)) {
      this.mirrors.set(input, new MirroredTensor(plugin.client, shape, dataTypeOf(data), data))
    }
    const view = (side: NamedValues, mirrorOf: (name: string) => string | undefined) =>
      Object.fromEntries(
        Object.entries(side).map(([name, value]) => {
          const mirror = mirrorOf(name)
          return [name, mirror === undefined || mirror in memory ? value : this.mirrors.get(mirror)!.asValue()]
        }),
      )
    this.inputs = view(laidOut.inputs, (input) => input)
    this.outputs = view(laidOut.outputs, (output) => inPlace[output])
    this.targets = Object.fromEntries([...this.mirrors].map(([input, mirror]) => [input, mirror.asTarget()]))
    const { program, inputs } = makeForwardProgram(recording, definition, plugin.platform)
    this.read = inputs
    this.program = new LazyProgram(plugin.client, program)
  }

  async run(feeds: Readonly<Record<string, TensorData>> = {}, { signal }: { readonly signal?: AbortSignal } = {}): Promise<NamedValues> {
    if (this.isDisposed) throw new EngineError("engine.disposed", "This session was disposed of: make a new one.")
    if (this.isRunning) throw new EngineError("engine.busy", "This session is running: await one call before the next.")
    if (signal?.aborted) throw cancelled()
    fillInputs(this.targets, feeds)
    for (const name of Object.keys(feeds)) this.mirrors.get(name)!.hostChanged()
    this.isRunning = true
    try {
      await this.plugin.client.exclusively(() => this.runNow(signal))
    } finally {
      this.isRunning = false
      if (this.isDisposed) this.free()
    }
    if (signal?.aborted || this.isDisposed) throw cancelled()
    return this.outputs
  }

  dispose(): void {
    if (this.isDisposed) return
    this.isDisposed = true
    if (!this.isRunning) this.free()
  }

  private async runNow(signal: AbortSignal | undefined): Promise<void> {
    const { inPlace = {}, memory = {} } = this.definition
    // Whoever gave memory may have written there.
    for (const name of Object.keys(memory)) this.mirrors.get(name)?.hostChanged()
    const passing: DeviceTensor[] = []
    const run = () => {
      const tensors = this.read.map((input) => this.place(input, passing))
      return this.program.run(tensors, signal)
    }
    const results = await run().finally(() => releaseAll(passing))
    for (const [index, [name, value]] of Object.entries(this.outputs).entries()) {
      const mirror = inPlace[name] === undefined ? undefined : this.mirrors.get(inPlace[name])!
      if (!mirror) {
        await results[index].readAsync(value.data)
        results[index].release()
        continue
      }
      mirror.adopt(results[index])
      if (inPlace[name] in memory) mirror.refresh()
    }
  }

  private place({ kind, name }: ProgramInput, passing: DeviceTensor[]): DeviceTensor {
    if (kind === "input") return this.mirrors.get(name)!.onDevice()
    return this.places.find(name, passing)
  }

  private free(): void {
    for (const mirror of this.mirrors.values()) mirror.release(true)
    this.places.release()
    this.program.release()
  }
}
