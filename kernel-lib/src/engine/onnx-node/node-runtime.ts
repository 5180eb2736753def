// ONNX Runtime through onnxruntime-node's own binding: where koffi has no binary, and for its WebGPU provider. The same calls as the C API's
// (onnx/runtime-api.ts), but tensors are copied in and out, a run holds the event loop, and what is wrong with a model is said by its first run.
import { createRequire } from "node:module"
import { EngineError, messageOf } from "../../core/errors"
import { elementTypes } from "../onnx/model-format"
import { describeFailure, type RuntimeApi } from "../onnx/runtime-api"

type Runtime = typeof import("onnxruntime-node")
type Session = import("onnxruntime-node").InferenceSession

/** Where graphs run: kernels that a provider lacks run on the CPU. */
export type Provider = "cpu" | "webgpu"

interface Options {
  threads?: number
  level?: number
}

interface NodeSession {
  readonly opened: Promise<Session>
}

interface NodeTensor {
  readonly data: Float32Array | Int32Array | Uint8Array
  readonly shape: readonly number[]
  readonly type: "float32" | "int32" | "bool"
}

interface NodeBinding {
  readonly inputs: Map<string, NodeTensor>
  readonly outputs: Map<string, NodeTensor>
}

interface RunOptions {
  isTerminated: boolean
}

const optimizationLevels = new Map([
  [0, "disabled"],
  [1, "basic"],
  [2, "extended"],
  [99, "all"],
] as const)
const typeNames = new Map<number, NodeTensor["type"]>([
  [elementTypes.float32, "float32"],
  [elementTypes.int32, "int32"],
  [elementTypes.bool, "bool"],
])

/** @throws EngineError `engine.onnx-missing` */
export function openNodeRuntime(provider: Provider = "cpu", load: () => Runtime = requireRuntime): RuntimeApi {
  const runtime = loadRuntime(load)
  const executionProviders = provider === "cpu" ? ["cpu"] : [provider, "cpu"]
  const nothing = () => {}
  return {
    version: runtime.env.versions.node ?? "",
    createSessionOptions: (): Options => ({}),
    releaseSessionOptions: nothing,
    disableMemPattern: nothing,
    setGraphOptimizationLevel(options, level) {
      ;(options as Options).level = level
    },
    setIntraOpNumThreads(options, threads) {
      ;(options as Options).threads = threads
    },
    setSessionLogSeverityLevel: nothing,
    addSessionConfigEntry: nothing,
    addInitializer() {
      throw new EngineError("engine.not-available", "onnxruntime-node keeps no prepacked weights: compile the network without them.")
    },
    createSession(model, given): NodeSession {
      const { threads, level = 99 } = given as Options
      const graphOptimizationLevel = optimizationLevels.get(level as 99)
      const options = { executionProviders, graphOptimizationLevel, intraOpNumThreads: threads, logSeverityLevel: 4 as const }
      const opened = runtime.InferenceSession.create(model, options)
      // The first run tells.
      opened.catch(nothing)
      return { opened }
    },
    releaseSession: (session) => void (session as NodeSession).opened.then((opened) => opened.release(), nothing),
    createTensor(data, bytes, shape, elementType): NodeTensor {
      const type = typeNames.get(elementType)!
      const size = type === "bool" ? bytes : bytes / 4
      return { data: (data as NodeTensor["data"]).subarray(0, size), shape, type }
    },
    releaseValue: nothing,
    createBinding: (): NodeBinding => ({ inputs: new Map(), outputs: new Map() }),
    releaseBinding: nothing,
    bindInput: (binding, name, value) => void (binding as NodeBinding).inputs.set(name, value as NodeTensor),
    bindOutput: (binding, name, value) => void (binding as NodeBinding).outputs.set(name, value as NodeTensor),
    createRunOptions: (): RunOptions => ({ isTerminated: false }),
    releaseRunOptions: nothing,
    setRunLogSeverityLevel: nothing,
    terminateRuns(options) {
      ;(options as RunOptions).isTerminated = true
    },
    allowRuns(options) {
      ;(options as RunOptions).isTerminated = false
    },
    async run(session, options, given) {
      const { inputs, outputs } = given as NodeBinding
      const feeds = Object.fromEntries(
        [...inputs].map(([name, { type, data, shape }]) => [name, new runtime.Tensor(type, ownMemory(data), [...shape])]),
      )
      try {
        const opened = await (session as NodeSession).opened
        const results = await opened.run(feeds, [...outputs.keys()], { logSeverityLevel: 4 })
        checkRuns(options as RunOptions)
        for (const [name, { data }] of outputs) data.set(results[name].data as NodeTensor["data"])
        for (const result of Object.values(results)) result.dispose()
      } catch (error) {
        throw error instanceof EngineError ? error : describeFailure(messageOf(error))
      }
    },
    registerArena: nothing,
    unregisterArena: nothing,
  }
}

/** The binding refuses memory that threads share, as the optimizer's is. */
function ownMemory<Data extends NodeTensor["data"]>(data: Data): Data {
  return data.buffer instanceof SharedArrayBuffer ? (data.slice() as Data) : data
}

function checkRuns({ isTerminated }: RunOptions): void {
  if (isTerminated) throw new EngineError("engine.cancelled", "The run was cancelled: nothing was updated.")
}

function requireRuntime(): Runtime {
  return createRequire(import.meta.url)("onnxruntime-node") as Runtime
}

function loadRuntime(load: () => Runtime): Runtime {
  try {
    return load()
  } catch (cause) {
    const reason = messageOf(cause).split("\n")[0]
    throw new EngineError(
      "engine.onnx-missing",
      `onnxruntime-node cannot be loaded (${reason}): run \`npm install onnxruntime-node\`, or use the eager engine.`,
      { cause },
    )
  }
}
