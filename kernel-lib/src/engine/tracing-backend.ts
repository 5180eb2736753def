// A tfjs backend that computes nothing: each kernel (tracing-kernels.ts) infers shapes and records a node. tfjs's own gradients run on it
// unchanged, so the backward pass is recorded too. One object lives for one trace.
import { randomUUID } from "node:crypto"
import * as tf from "@tensorflow/tfjs-core"
import { EngineError } from "../core/errors"
import type { Attributes, OperationName } from "./operations"
import { type DataType, dataTypeOf, makeNode, type RecordedNode, sizeOf, type Value } from "./recording"
import { currentScope } from "./scope"
import type { TensorData, TensorSpec } from "./session"

const namePrefix = "prompt2model-trace"

/** As tfjs knows the backend; registered only while a trace is made. Each copy of this library has its own: CommonJS and ES modules may meet. */
export const tracingBackendName = `${namePrefix}-${randomUUID()}`

/** Whether tfjs is recording, for whichever copy of this library. */
export function isTracing(): boolean {
  return tf.engine().backendName?.startsWith(namePrefix) ?? false
}

/** Tensors of the caller's own backend become constants up to this size. More than that is a weight that was not handed over as one. */
const largestCapture = 1 << 20

export class TracingBackend extends tf.KernelBackend {
  readonly nodes: RecordedNode[] = []
  /** Where gradients are recorded, no scope of the network is open. */
  isBackward = false
  private readonly values = new Map<object, Value>()
  private readonly captured = new WeakMap<object, Value>()

  /** Records a node and answers its results. */
  record<Operation extends OperationName>(
    operation: Operation,
    inputs: readonly Value[],
    attributes: Attributes[Operation],
    ...results: TensorSpec[]
  ): readonly Value[] {
    const scope = this.isBackward ? "gradient" : currentScope()
    const node = makeNode(operation, inputs, attributes, results, scope)
    this.nodes.push(node as RecordedNode)
    return node.results
  }

  /** A constant: one number where all elements are the same. */
  recordConstant(values: TensorData, shape: readonly number[]): Value {
    const dtype = dataTypeOf(values)
    const isUniform = values.length > 0 && (values as Float32Array).every((value) => Object.is(value, values[0]))
    if (isUniform) return this.record("Fill", [], { value: values[0] }, { shape, dtype })[0]
    return this.record("Constant", [], { values: values.slice() }, { shape, dtype })[0]
  }

  /** What tfjs is to hold for a recorded value. */
  hold(value: Value): tf.TensorInfo {
    const dataId = {}
    this.values.set(dataId, value)
    return { dataId, shape: [...value.shape], dtype: value.dtype }
  }

  /** A tensor for a recorded value, outside of any kernel. */
  makeTensor(value: Value): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.hold(value), this)
  }

  /** The recorded value of a kernel's input; a small tensor of another backend becomes a constant, and stays where it is. */
  lookUp(info: tf.TensorInfo): Value {
    const value = this.values.get(info.dataId) ?? this.capture(info)
    const isSame = value.shape.length === info.shape.length && value.shape.every((length, axis) => length === info.shape[axis])
    return isSame ? value : this.record("Reshape", [value], {}, { shape: [...info.shape], dtype: value.dtype })[0]
  }

  private capture(info: tf.TensorInfo): Value {
    const known = this.captured.get(info.dataId)
    if (known) return known
    const size = sizeOf(info.shape)
    if (info instanceof tf.Variable || size > largestCapture) {
      const what = info instanceof tf.Variable ? `the variable ${info.name}` : `a tensor of ${size.toLocaleString("en")} values`
      throw new EngineError(
        "engine.captured-weight",
        `The network uses ${what} that is not among its parameters: hand it over as a parameter.`,
      )
    }
    const home = tf.engine().state.tensorInfo.get(info.dataId)
    if (!home)
      throw new EngineError(
        "engine.disposed-tensor",
        "The network uses a tensor that was disposed of: keep it, or make it inside the network.",
      )
    const value = this.recordConstant(toTensorData(home.backend.readSync(info.dataId), checkDataType(info.dtype)), info.shape)
    this.captured.set(info.dataId, value)
    return value
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    return this.hold(this.recordConstant(toTensorData(values, checkDataType(dtype)), shape)).dataId
  }

  override readSync(dataId: object): never {
    const producer = this.values.get(dataId)?.producer
    const where = producer?.scope ? ` in ${producer.scope}` : ""
    throw new EngineError(
      "engine.traced-read",
      `The value of ${producer?.operation ?? "a tensor"}${where} was read while the network was traced; a network is recorded before it has values: decide by shapes, or compute with tfjs operations.`,
    )
  }

  override async read(dataId: object): Promise<never> {
    return this.readSync(dataId)
  }

  override disposeData(dataId: object): boolean {
    return this.values.delete(dataId) || true
  }

  override numDataIds(): number {
    return this.values.size
  }

  override incRef(): void {}
  override refCount(): number {
    return 1
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true }
  }
  override timerAvailable(): boolean {
    return false
  }
  override floatPrecision(): 32 {
    return 32
  }
  override epsilon(): number {
    return 1e-7
  }
  override dispose(): void {
    this.values.clear()
  }
}

/** @throws EngineError `engine.data-type` for types that no engine takes */
export function checkDataType(dtype: string): DataType {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype
  throw new EngineError("engine.data-type", `The network makes a ${dtype} tensor; engines know float32, int32 and bool.`)
}

function toTensorData(values: tf.backend_util.BackendValues, dtype: DataType): TensorData {
  const numbers = values as ArrayLike<number>
  return dtype === "float32" ? Float32Array.from(numbers) : dtype === "int32" ? Int32Array.from(numbers) : Uint8Array.from(numbers)
}
