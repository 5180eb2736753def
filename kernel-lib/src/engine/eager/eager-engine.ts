// The reference engine: the same sessions on any tfjs backend, operation by operation. Slow, and what the other engines are tested against.
import * as tf from "@tensorflow/tfjs-core"
import { EngineError } from "../../core/errors"
import "../gradients"
import { fillInputs, layOutMemory, specsOf } from "../feeds"
import { checkInPlace, GrowingMemory } from "../flexible"
import { NamedSizes } from "../named-sizes"
import { makeOptimizer } from "../optimizers/make-optimizer"
import type { Optimizer } from "../optimizers/optimizer"
import { refuseRounding } from "../precision"
import { RandomStream } from "../random-stream"
import { dataTypeOf, sizeOf } from "../recording"
import type {
  Engine,
  FlexibleDefinition,
  FlexibleRunOptions,
  FlexibleSession,
  ForwardDefinition,
  ForwardSession,
  NamedParameters,
  NamedTensors,
  NamedValues,
  TensorData,
  TrainingDefinition,
} from "../session"
import { checkLoss, checkNames, traceForward } from "../tracer"
import { checkDataType } from "../tracing-backend"
import { type GradientSource, OptimizingSession } from "../training-session"

/** @param backend a tfjs backend that is registered and ready */
export function makeEagerEngine(backend: string): Engine {
  return {
    name: "eager",
    runtime: `tfjs ${tf.version_core}, backend ${backend}`,
    reason: "Operation by operation: slow, for tests and for looking inside.",
    createTrainingSession(definition: TrainingDefinition) {
      refuseRounding("eager", definition)
      const optimizer = makeOptimizer(definition)
      return new OptimizingSession(new EagerGradients(backend, definition, optimizer), optimizer, definition.seed ?? 0)
    },
    compileForward(definition) {
      refuseRounding("eager", definition)
      return new EagerForwardSession(backend, definition)
    },
    compileFlexible: (definition) => new EagerFlexibleSession(backend, definition),
  }
}

class EagerGradients implements GradientSource {
  constructor(
    private readonly backend: string,
    private readonly definition: TrainingDefinition,
    private readonly optimizer: Optimizer,
  ) {}

  async computeGradients(batch: NamedValues, key: Int32Array, signal?: AbortSignal) {
    checkSignal(signal)
    specsOf(batch)
    const { trainedNames } = this.optimizer
    const { value, grads } = onBackend(this.backend, () => {
      const [inputs, parameters] = [makeTensors(batch), makeTensors(this.optimizer.parameters)]
      const random = new RandomStream(tf.tensor1d(key, "int32"))
      const loss = () => this.loss(inputs, parameters, random)
      if (trainedNames.length === 0) return { value: loss(), grads: [] }
      return tf.engine().gradients(
        loss,
        trainedNames.map((name) => parameters[name]),
        undefined,
        true,
      )
    })
    const reached: string[] = []
    for (const [index, name] of trainedNames.entries()) {
      if (!grads[index]) continue
      this.optimizer.gradient(name).set(await readAndDispose(grads[index]))
      reached.push(name)
    }
    return { loss: (await readAndDispose(value))[0], reached }
  }

  async computeLoss(batch: NamedValues, signal?: AbortSignal): Promise<number> {
    checkSignal(signal)
    specsOf(batch)
    const value = onBackend(this.backend, () => this.loss(makeTensors(batch), makeTensors(this.optimizer.parameters), undefined))
    return (await readAndDispose(value))[0]
  }

  dispose(): void {}

  private loss(inputs: NamedTensors, parameters: NamedTensors, random: RandomStream | undefined): tf.Tensor {
    const { name = "network", loss } = this.definition
    return checkLoss(name, loss(checkNames(name, "input", inputs), checkNames(name, "parameter", parameters), random))
  }
}

class EagerForwardSession implements ForwardSession {
  readonly inputs: NamedValues
  readonly outputs: NamedValues

  constructor(
    private readonly backend: string,
    private readonly definition: ForwardDefinition,
  ) {
    const { name = "network", forward, inputs, parameters } = definition
    const recording = traceForward({ name, inputs, parameters, forward })
    const memory = layOutMemory(definition, recording.outputs)
    this.inputs = memory.inputs
    this.outputs = memory.outputs
  }

  async run(feeds: Readonly<Record<string, TensorData>> = {}, options: { readonly signal?: AbortSignal } = {}): Promise<NamedValues> {
    checkSignal(options.signal)
    fillInputs(this.inputs, feeds)
    const { forward, parameters } = this.definition
    const results = onBackend(this.backend, () => forward(makeTensors(this.inputs), makeTensors(parameters)))
    for (const [name, tensor] of Object.entries(results)) this.outputs[name].data.set((await tensor.data()) as TensorData)
    tf.dispose(results)
    return this.outputs
  }

  dispose(): void {}
}

/** Every size is open where nothing is compiled. */
class EagerFlexibleSession implements FlexibleSession {
  private readonly memory = new GrowingMemory()
  private readonly named: NamedSizes

  constructor(
    private readonly backend: string,
    private readonly definition: FlexibleDefinition,
  ) {
    this.named = new NamedSizes(definition.inputs, [])
  }

  async run(inputs: NamedValues, { outputs: given = {}, signal }: FlexibleRunOptions = {}): Promise<NamedValues> {
    checkSignal(signal)
    this.named.measure(Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape])))
    const { forward, parameters, inPlace = {} } = this.definition
    const results = onBackend(this.backend, () => forward(makeTensors(inputs), makeTensors(parameters)))
    const outputs: Record<string, NamedValues[string]> = {}
    for (const [name, tensor] of Object.entries(results)) {
      const source = inPlace[name]
      const data =
        source === undefined
          ? this.memory.place(name, tensor.shape, checkDataType(tensor.dtype), given[name])
          : checkInPlace(name, tensor.shape, source, inputs[source])
      data.set((await tensor.data()) as TensorData)
      outputs[name] = { shape: tensor.shape, data }
    }
    tf.dispose(results)
    return outputs
  }

  dispose(): void {}
}

/** Runs `body` with `backend` as tfjs's own, frees what it leaves but its result, and puts the old backend back. */
function onBackend<Result extends tf.TensorContainer>(backend: string, body: () => Result): Result {
  const { backendName } = tf.engine()
  void tf.setBackend(backend)
  try {
    return tf.tidy(body)
  } finally {
    if (backendName) void tf.setBackend(backendName)
  }
}

function makeTensors(values: NamedValues | NamedParameters): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(values).map(([name, { shape, data }]) => [
      name,
      tf.tensor(data.subarray(0, sizeOf(shape)), [...shape], dataTypeOf(data)),
    ]),
  )
}

async function readAndDispose(tensor: tf.Tensor): Promise<TensorData> {
  const data = await tensor.data()
  tensor.dispose()
  return data as TensorData
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new EngineError("engine.cancelled", "The run was cancelled: nothing was updated.")
}
