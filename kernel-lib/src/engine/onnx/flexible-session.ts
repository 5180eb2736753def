// Graphs with open sizes in ONNX Runtime: traced once with stand-ins, run on whatever memory and lengths the caller feeds.

import { EngineError } from "../../core/errors"
import { checkInPlace, GrowingMemory } from "../flexible"
import { NamedSizes } from "../named-sizes"
import { dataTypeOf, type Recording, sizeOf } from "../recording"
import type { FlexibleDefinition, FlexibleRunOptions, FlexibleSession, NamedValues, TensorValue } from "../session"
import { traceForward } from "../tracer"
import { emitOnnx, graphNames } from "./emitter"
import { NativeSession } from "./native-session"
import { optimizeForward } from "./passes"
import type { RuntimeApi } from "./runtime-api"

export class OnnxFlexibleSession implements FlexibleSession {
  private readonly named: NamedSizes
  private readonly recording: Recording
  private readonly session: NativeSession
  private readonly memory = new GrowingMemory()

  constructor(
    api: RuntimeApi,
    private readonly definition: FlexibleDefinition,
  ) {
    const { name = "network", forward, parameters, isPrepacked = false, threads } = definition
    this.named = new NamedSizes(
      definition.inputs,
      Object.values(parameters).flatMap(({ shape }) => shape),
    )
    this.recording = optimizeForward(traceForward({ name, inputs: this.named.traceSpecs, parameters, forward }))
    const values: Record<string, TensorValue> = {}
    for (const [parameter, { shape }] of Object.entries(this.recording.parameters)) {
      values[graphNames.parameter(parameter)] = { shape, data: parameters[parameter].data }
    }
    const model = emitOnnx(this.recording, { named: this.named, storesParameters: isPrepacked })
    const given = isPrepacked ? { inputs: {}, initializers: values } : { inputs: values }
    this.session = new NativeSession(api, model, { ...given, outputs: {}, threads })
  }

  async run(inputs: NamedValues, { outputs: given = {}, signal }: FlexibleRunOptions = {}): Promise<NamedValues> {
    const { inPlace = {} } = this.definition
    const sizes = this.named.measure(Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape])))
    const read: Record<string, TensorValue> = {}
    for (const [name, { dtype }] of Object.entries(this.recording.inputs)) {
      checkFeed(name, inputs[name], dtype)
      read[graphNames.input(name)] = inputs[name]
    }
    const outputs: Record<string, TensorValue> = {}
    const written: Record<string, TensorValue> = {}
    for (const [name, spec] of Object.entries(this.recording.outputs)) {
      const shape = this.named.resolve(spec.shape, sizes)
      const source = inPlace[name]
      const data =
        source === undefined ? this.memory.place(name, shape, spec.dtype, given[name]) : checkInPlace(name, shape, source, inputs[source])
      outputs[name] = { shape, data }
      written[graphNames.output(name)] = outputs[name]
    }
    this.session.bind(read, written)
    await this.session.run(signal)
    return outputs
  }

  dispose(): void {
    this.session.dispose()
  }
}

function checkFeed(name: string, { shape, data }: TensorValue, dtype: string): void {
  if (data.length >= sizeOf(shape) && dataTypeOf(data) === dtype) return
  const found = `${data.length} ${dataTypeOf(data)} values`
  throw new EngineError("engine.bad-feed", `The input ${name} got ${found} and needs ${sizeOf(shape)} of ${dtype}.`)
}
