// The engine on TensorFlow: bf16 products on CPUs that have them, and CUDA GPUs that the installed TensorFlow knows.
import { EngineError } from "../../core/errors"
import { fillInputs, layOutMemory } from "../feeds"
import { dataTypeOf, sizeOf } from "../recording"
import type {
  Engine,
  FlexibleDefinition,
  FlexibleSession,
  ForwardDefinition,
  ForwardSession,
  NamedParameters,
  NamedValues,
  TensorData,
  TrainingDefinition,
} from "../session"
import { traceForward } from "../tracer"
import { emitRecording } from "./emitter"
import type { Name } from "./graph-builder"
import { GraphSession } from "./graph-session"
import { optimizeForTensorFlow } from "./passes"
import type { Handle, NativeTensor, PreparedRun, TensorFlowApi } from "./tensorflow-api"
import { TensorFlowTraining } from "./tensorflow-training"

export interface TensorFlowOptions {
  /** Runs networks forward in place of TensorFlow where that has no GPU, and decodes everywhere: one that answers faster on a CPU. */
  readonly forwardEngine?: Engine
}

export function makeTensorFlowEngine(api: TensorFlowApi, { forwardEngine }: TensorFlowOptions = {}): Engine {
  let hasGpu: boolean | undefined
  const forwardEngineOf = ({ precision, threads }: ForwardDefinition): Engine | undefined => {
    if (!forwardEngine || precision === "bf16") return undefined
    hasGpu ??= findsGpu(api, threads)
    return hasGpu ? undefined : forwardEngine
  }
  return {
    name: "tensorflow",
    runtime: `tensorflow ${api.version}`,
    reason: "One graph for each step, with bf16 products where they are asked for.",
    createTrainingSession: (definition: TrainingDefinition) =>
      new TensorFlowTraining(new GraphSession(api, definition.threads), definition),
    compileForward(definition) {
      const engine = forwardEngineOf(definition)
      return engine ? new UpToDateSession(engine.compileForward(definition), definition) : new TensorFlowForwardSession(api, definition)
    },
    ...(forwardEngine?.compileFlexible && {
      compileFlexible: (definition) => new UpToDateFlexibleSession(forwardEngine.compileFlexible!(definition), definition),
    }),
  }
}

/** Opened as the session that follows it will be, since the first one decides the number of threads of a process. */
export function findsGpu(api: TensorFlowApi, threads?: number): boolean {
  const session = new GraphSession(api, threads)
  try {
    return session.listDevices().includes("GPU")
  } finally {
    session.close()
  }
}

/** A forward session of another engine on parameters that a TensorFlow session trains: asking for their values brings them up to date. */
class UpToDateSession implements ForwardSession {
  constructor(
    private readonly session: ForwardSession,
    private readonly definition: ForwardDefinition,
  ) {}

  get inputs(): NamedValues {
    return this.session.inputs
  }

  get outputs(): NamedValues {
    return this.session.outputs
  }

  run(...parameters: Parameters<ForwardSession["run"]>): Promise<NamedValues> {
    bringUpToDate(this.definition.parameters)
    return this.session.run(...parameters)
  }

  dispose(): void {
    this.session.dispose()
  }
}

/** The same for graphs of open sizes. */
class UpToDateFlexibleSession implements FlexibleSession {
  constructor(
    private readonly session: FlexibleSession,
    private readonly definition: FlexibleDefinition,
  ) {}

  run(...parameters: Parameters<FlexibleSession["run"]>): Promise<NamedValues> {
    if (!this.definition.isPrepacked) bringUpToDate(this.definition.parameters)
    return this.session.run(...parameters)
  }

  dispose(): void {
    this.session.dispose()
  }
}

function bringUpToDate(parameters: NamedParameters): void {
  for (const parameter of Object.values(parameters)) void parameter.data
}

class TensorFlowForwardSession implements ForwardSession {
  readonly inputs: NamedValues
  readonly outputs: NamedValues
  private readonly session: GraphSession
  private readonly prepared: PreparedRun
  private readonly tensors = new Map<string, NativeTensor>()
  /** Names of the inputs and parameters that runs are fed with, in order. */
  private readonly inputNames: string[] = []
  private readonly parameterNames: string[] = []

  constructor(
    private readonly api: TensorFlowApi,
    private readonly definition: ForwardDefinition,
  ) {
    const { name = "network", forward, parameters, precision, threads } = definition
    const recording = optimizeForTensorFlow(traceForward({ name, inputs: definition.inputs, parameters, forward }))
    const { inputs, outputs } = layOutMemory(definition, recording.outputs)
    this.inputs = inputs
    this.outputs = outputs
    for (const [parameter, { shape }] of Object.entries(recording.parameters)) {
      const { length } = parameters[parameter].data
      if (length < sizeOf(shape))
        throw new EngineError("engine.bad-parameter", `The parameter ${parameter} needs ${sizeOf(shape)} values and has ${length}.`)
    }
    this.session = new GraphSession(api, threads)
    const graph = this.session.newGraph()
    const inputFeeds: Name[] = []
    const parameterFeeds: Name[] = []
    const names = emitRecording(graph, recording, {
      precision,
      source: (node) => {
        const [{ shape, dtype }] = node.results
        const feed = graph.placeholder(dtype, shape)
        const isInput = node.operation === "Input"
        ;(isInput ? inputFeeds : parameterFeeds).push(feed)
        ;(isInput ? this.inputNames : this.parameterNames).push(node.attributes.name)
        if (isInput) this.tensors.set(node.attributes.name, this.session.allocate(dtype, shape))
        return feed
      },
    })
    this.session.extend(graph)
    const fetches = Object.keys(outputs).map((output) => names[output])
    this.prepared = this.session.prepare({ feeds: [...inputFeeds, ...parameterFeeds], fetches, targets: [] })
  }

  async run(feeds: Readonly<Record<string, TensorData>> = {}, options: { readonly signal?: AbortSignal } = {}): Promise<NamedValues> {
    this.session.checkReady()
    fillInputs(this.inputs, feeds)
    for (const name of this.inputNames) {
      const { data } = this.tensors.get(name)!
      data.set(this.inputs[name].data.subarray(0, data.length))
    }
    const shared = this.parameterNames.map((name) => this.share(name))
    const handles = [...this.inputNames.map((name) => this.tensors.get(name)!.handle), ...shared]
    try {
      await this.session.run(this.prepared, handles, (fetched) => this.readOutputs(fetched), options.signal)
    } finally {
      for (const tensor of shared) this.api.deleteTensor(tensor)
    }
    return this.outputs
  }

  dispose(): void {
    this.session.close()
  }

  /** Without a copy where the values lie as TensorFlow wants them. */
  private share(name: string): Handle {
    const { shape, data } = this.definition.parameters[name]
    return this.api.shareTensor(data, shape)
  }

  private readOutputs(fetched: readonly Handle[]): void {
    for (const [index, { shape, data }] of Object.values(this.outputs).entries()) {
      const values = this.api.viewTensor(fetched[index], dataTypeOf(data), shape)
      data.set(values)
    }
  }
}
