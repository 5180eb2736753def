// The engine on ONNX Runtime's CPU kernels: the default on a fresh machine, from npm alone.

import { EngineError } from "../../core/errors"
import { fillInputs, layOutMemory } from "../feeds"
import { makeOptimizer } from "../optimizers/make-optimizer"
import { refuseRounding } from "../precision"
import { sizeOf } from "../recording"
import type { Engine, ForwardDefinition, ForwardSession, NamedValues, TensorData, TensorValue, TrainingDefinition } from "../session"
import { traceForward } from "../tracer"
import { OptimizingSession } from "../training-session"
import { emitOnnx, graphNames } from "./emitter"
import { OnnxFlexibleSession } from "./flexible-session"
import { NativeSession } from "./native-session"
import { OnnxGradients } from "./onnx-training"
import { optimizeForOnnx } from "./passes"
import type { RuntimeApi } from "./runtime-api"

export function makeOnnxEngine(api: RuntimeApi): Engine {
  return {
    name: "onnx",
    runtime: `onnxruntime ${api.version}`,
    reason: "One graph for each step on the CPU, from npm alone.",
    createTrainingSession(definition: TrainingDefinition) {
      refuseRounding("onnx", definition)
      const optimizer = makeOptimizer(definition)
      return new OptimizingSession(new OnnxGradients(api, definition, optimizer), optimizer, definition.seed ?? 0)
    },
    compileForward(definition) {
      refuseRounding("onnx", definition)
      return new OnnxForwardSession(api, definition)
    },
    compileFlexible: (definition) => new OnnxFlexibleSession(api, definition),
  }
}

class OnnxForwardSession implements ForwardSession {
  readonly inputs: NamedValues
  readonly outputs: NamedValues
  private readonly session: NativeSession

  constructor(api: RuntimeApi, definition: ForwardDefinition) {
    const { name = "network", forward, parameters } = definition
    const recording = optimizeForOnnx(traceForward({ name, inputs: definition.inputs, parameters, forward }))
    const { inputs, outputs } = layOutMemory(definition, recording.outputs)
    this.inputs = inputs
    this.outputs = outputs
    const bound: Record<string, TensorValue> = {}
    for (const input of Object.keys(recording.inputs)) bound[graphNames.input(input)] = inputs[input]
    for (const [parameter, { shape }] of Object.entries(recording.parameters)) {
      const { data } = parameters[parameter]
      if (data.length < sizeOf(shape))
        throw new EngineError("engine.bad-parameter", `The parameter ${parameter} needs ${sizeOf(shape)} values and has ${data.length}.`)
      bound[graphNames.parameter(parameter)] = { shape, data }
    }
    const results = Object.fromEntries(Object.entries(outputs).map(([output, value]) => [graphNames.output(output), value]))
    this.session = new NativeSession(api, emitOnnx(recording), { inputs: bound, outputs: results, threads: definition.threads })
  }

  async run(feeds: Readonly<Record<string, TensorData>> = {}, options: { readonly signal?: AbortSignal } = {}): Promise<NamedValues> {
    fillInputs(this.inputs, feeds)
    await this.session.run(options.signal)
    return this.outputs
  }

  dispose(): void {
    this.session.dispose()
  }
}
