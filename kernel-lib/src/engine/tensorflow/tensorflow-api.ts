// TensorFlow's C API from plain Node, through koffi. The library inside tfjs-node is the same that its add-on drives; called like this a run
// leaves the event loop free, threads are chosen for each session, and no compiler is needed.
import { EngineError, messageOf } from "../../core/errors"
import { allocate, dataTypeOf, sizeOf } from "../recording"
import { setLibraryVariable, silenceStandardError } from "../standard-error"
import type { DataType, TensorData } from "../tensors"
import { elementTypes } from "./graph-format"
import { findTensorFlow, requireKoffi, type TensorFlowLibraries } from "./tensorflow-library"

/** An address that only the runtime reads. */
export type Handle = bigint

/** A tensor in TensorFlow's memory, with a view of its values. */
export interface NativeTensor {
  readonly handle: Handle
  readonly data: TensorData
}

/** The functions that we use. Those that fail throw an EngineError with the runtime's own words. */
export interface TensorFlowApi {
  readonly version: string
  /** A graph with a session on it. */
  openSession(configuration: Uint8Array): Handle
  closeSession(session: Handle): void
  /** Adds a GraphDef to a session's graph. */
  extendGraph(session: Handle, graph: Uint8Array): void
  /** Types of the devices that a session computes on: `CPU`, `GPU`. */
  listDevices(session: Handle): string[]
  /** What a run reads and gives; frees nothing, and is valid as long as the session. */
  prepareRun(session: Handle, names: RunNames): PreparedRun
  /** On a thread of its own. Answers the fetched tensors: delete them. */
  run(session: Handle, prepared: PreparedRun, inputs: readonly Handle[]): Promise<Handle[]>
  /** The same while the event loop waits. */
  runNow(session: Handle, prepared: PreparedRun, inputs: readonly Handle[]): Handle[]
  /** Zeros, which TensorFlow allocates. */
  allocateTensor(dtype: DataType, shape: readonly number[]): NativeTensor
  /** A tensor over `data` itself where TensorFlow's alignment allows it (64 bytes), else over a copy. The array must outlive the tensor. */
  shareTensor(data: TensorData, shape: readonly number[]): Handle
  deleteTensor(tensor: Handle): void
  /** The values of a tensor where they lie, until it is deleted. */
  viewTensor(tensor: Handle, dtype: DataType, shape: readonly number[]): TensorData
}

export interface RunNames {
  readonly feeds: readonly string[]
  readonly fetches: readonly string[]
  /** Nodes that run though nothing of them is fetched. */
  readonly targets: readonly string[]
}

export interface PreparedRun {
  readonly feeds: BigUint64Array
  readonly fetches: BigUint64Array
  readonly targets: BigUint64Array
  readonly numFetches: number
}

/** Prototypes of c_api.h and tf_tensor.h. */
const prototypes = [
  "void* TF_NewStatus()",
  "void TF_DeleteStatus(void* status)",
  "int TF_GetCode(void* status)",
  "str TF_Message(void* status)",
  "void* TF_NewBufferFromString(void* bytes, size_t length)",
  "void TF_DeleteBuffer(void* buffer)",
  "void* TF_AllocateTensor(int type, int64_t* dims, int rank, size_t bytes)",
  "void* TF_NewTensor(int type, int64_t* dims, int rank, void* data, size_t bytes, void* deallocator, void* argument)",
  "void TF_DeleteTensor(void* tensor)",
  "void* TF_TensorData(void* tensor)",
  "str TF_Version()",
  "void* TF_NewGraph()",
  "void TF_DeleteGraph(void* graph)",
  "void* TF_NewImportGraphDefOptions()",
  "void TF_DeleteImportGraphDefOptions(void* options)",
  "void TF_GraphImportGraphDef(void* graph, void* definition, void* options, void* status)",
  "void* TF_GraphOperationByName(void* graph, str name)",
  "void* TF_NewSessionOptions()",
  "void TF_DeleteSessionOptions(void* options)",
  "void TF_SetConfig(void* options, void* proto, size_t bytes, void* status)",
  "void* TF_NewSession(void* graph, void* options, void* status)",
  "void TF_CloseSession(void* session, void* status)",
  "void TF_DeleteSession(void* session, void* status)",
  "void* TF_SessionListDevices(void* session, void* status)",
  "int TF_DeviceListCount(void* list)",
  "str TF_DeviceListType(void* list, int index, void* status)",
  "void TF_DeleteDeviceList(void* list)",
  `void TF_SessionRun(void* session, void* options, void* inputs, void* inputValues, int numInputs, void* outputs, void* outputValues,
      int numOutputs, void* targets, int numTargets, void* metadata, void* status)`,
] as const

type Native = ((...parameters: unknown[]) => unknown) & { async: (...parameters: unknown[]) => void }
type Functions = Readonly<Record<string, Native>>
type Koffi = typeof import("koffi")

/** koffi closes a library whose object is collected, and the next call would crash. */
const heldLibraries: unknown[] = []

export interface OpenOptions {
  /** Default: where `findTensorFlow` finds them. */
  readonly libraries?: TensorFlowLibraries
  readonly loadKoffi?: () => Koffi
}

/** @throws EngineError `engine.tensorflow-missing`, `engine.tensorflow-broken` in one sentence each */
export function openTensorFlow({ libraries = findTensorFlow(), loadKoffi = requireKoffi }: OpenOptions = {}): TensorFlowApi {
  const koffi = loadKoffi()
  try {
    return bindApi(
      koffi,
      quietly(() => loadFunctions(koffi, libraries)),
    )
  } catch (cause) {
    const reason = messageOf(cause).split("\n")[0]
    throw new EngineError(
      "engine.tensorflow-broken",
      `TensorFlow could not be loaded from ${libraries.core} (${reason}): run \`npm run setup:tensorflow -- --again\`.`,
      { cause },
    )
  }
}

/** TensorFlow greets on standard error while it is loaded, and would report there later, unless TF_CPP_MIN_LOG_LEVEL asks for that. */
function quietly<Result>(load: () => Result): Result {
  if (process.env.TF_CPP_MIN_LOG_LEVEL !== undefined) return load()
  setLibraryVariable("TF_CPP_MIN_LOG_LEVEL", fatalOnly)
  const restore = silenceStandardError()
  try {
    return load()
  } finally {
    restore()
  }
}

const fatalOnly = "3"

function loadFunctions(koffi: Koffi, { framework, core }: TensorFlowLibraries): Functions {
  // A graph's optimizer recurses deeply. Can be set before the process's first call only.
  try {
    koffi.config({ sync_stack_size: 8 << 20, async_stack_size: 8 << 20, resident_async_pools: 1 })
  } catch {}
  keepLoaded(koffi, [framework, core])
  // Its functions and those of the libraries that it needs.
  const library = koffi.load(core)
  heldLibraries.push(library)
  return Object.fromEntries(prototypes.map((prototype) => [/TF_\w+/.exec(prototype)![0], library.func(prototype) as Native]))
}

/** TensorFlow's threads and exit handlers outlive the JavaScript that loaded it: unloaded at the end, they would crash the process. */
function keepLoaded(koffi: Koffi, files: readonly string[]): void {
  if (process.platform === "win32") return
  const now = 2
  const open = koffi.load(null).func("void* dlopen(str file, int flags)")
  for (const file of files) open(file, now)
}

function bindApi(koffi: Koffi, call: Functions): TensorFlowApi {
  const checked = <Result>(body: (status: Handle) => Result): Result => {
    const status = call.TF_NewStatus() as Handle
    try {
      const result = body(status)
      checkStatus(call, status)
      return result
    } finally {
      call.TF_DeleteStatus(status)
    }
  }
  const graphs = new Map<Handle, Handle>()
  const noDeallocator = harmlessFunction(koffi)
  const viewTensor: TensorFlowApi["viewTensor"] = (tensor, dtype, shape) => {
    const size = sizeOf(shape)
    if (size === 0) return allocate(dtype, 0)
    const bytes = koffi.view(call.TF_TensorData(tensor), dtype === "bool" ? size : size * 4)
    return dtype === "float32" ? new Float32Array(bytes) : dtype === "int32" ? new Int32Array(bytes) : new Uint8Array(bytes)
  }
  return {
    version: String(call.TF_Version()),
    openSession(configuration) {
      const graph = call.TF_NewGraph() as Handle
      const options = call.TF_NewSessionOptions()
      try {
        checked((status) => call.TF_SetConfig(options, configuration, configuration.byteLength, status))
        const session = checked((status) => call.TF_NewSession(graph, options, status)) as Handle
        graphs.set(session, graph)
        return session
      } finally {
        call.TF_DeleteSessionOptions(options)
      }
    },
    closeSession(session) {
      const graph = graphs.get(session)
      graphs.delete(session)
      checked((status) => call.TF_CloseSession(session, status))
      checked((status) => call.TF_DeleteSession(session, status))
      call.TF_DeleteGraph(graph)
    },
    extendGraph(session, graph) {
      const options = call.TF_NewImportGraphDefOptions()
      const buffer = call.TF_NewBufferFromString(graph, graph.byteLength)
      try {
        checked((status) => call.TF_GraphImportGraphDef(graphs.get(session), buffer, options, status))
      } finally {
        call.TF_DeleteBuffer(buffer)
        call.TF_DeleteImportGraphDefOptions(options)
      }
    },
    listDevices(session) {
      const list = checked((status) => call.TF_SessionListDevices(session, status))
      try {
        const count = call.TF_DeviceListCount(list) as number
        return Array.from({ length: count }, (_, index) => checked((status) => String(call.TF_DeviceListType(list, index, status))))
      } finally {
        call.TF_DeleteDeviceList(list)
      }
    },
    prepareRun(session, { feeds, fetches, targets }) {
      const find = (name: string) => {
        const [node, index = "0"] = name.split(":")
        const operation = call.TF_GraphOperationByName(graphs.get(session), node) as Handle | null
        if (!operation) throw new EngineError("engine.tensorflow-failed", `There is no operation ${node} in the graph.`)
        return [operation, BigInt(index)]
      }
      // struct TF_Output { TF_Operation* oper; int index; }
      const outputs = (names: readonly string[]) => BigUint64Array.from(names.flatMap(find))
      const nodes = BigUint64Array.from(targets.map((name) => find(name)[0]))
      return { feeds: outputs(feeds), fetches: outputs(fetches), targets: nodes, numFetches: fetches.length }
    },
    run(session, prepared, inputs) {
      const status = call.TF_NewStatus() as Handle
      const { pieces, results } = layOutRun(prepared, inputs)
      return new Promise((resolve, reject) => {
        call.TF_SessionRun.async(session, null, ...pieces, null, status, (error: unknown) => {
          try {
            if (error) throw error
            checkStatus(call, status)
            resolve(Array.from(results))
          } catch (failure) {
            reject(failure)
          } finally {
            call.TF_DeleteStatus(status)
            // Named here so that they live as long as the run reads and writes them.
            pieces.length = 0
          }
        })
      })
    },
    runNow(session, prepared, inputs) {
      const { pieces, results } = layOutRun(prepared, inputs)
      checked((status) => call.TF_SessionRun(session, null, ...pieces, null, status))
      return Array.from(results)
    },
    allocateTensor(dtype, shape) {
      const bytes = sizeOf(shape) * (dtype === "bool" ? 1 : 4)
      const handle = call.TF_AllocateTensor(elementTypes[dtype], dimensions(shape), shape.length, bytes) as Handle
      const data = viewTensor(handle, dtype, shape)
      data.fill(0)
      return { handle, data }
    },
    shareTensor(data, shape) {
      const type = elementTypes[dataTypeOf(data)]
      const bytes = sizeOf(shape) * data.BYTES_PER_ELEMENT
      return call.TF_NewTensor(type, dimensions(shape), shape.length, data, bytes, noDeallocator, null) as Handle
    },
    deleteTensor: (tensor) => void call.TF_DeleteTensor(tensor),
    viewTensor,
  }
}

/** The arguments of a run between its options and its metadata. */
function layOutRun({ feeds, fetches, targets, numFetches }: PreparedRun, inputs: readonly Handle[]) {
  const results = new BigUint64Array(numFetches)
  const pieces: unknown[] = [feeds, BigUint64Array.from(inputs), inputs.length, fetches, results, numFetches, targets, targets.length]
  return { pieces, results }
}

function dimensions(shape: readonly number[]): BigInt64Array {
  return BigInt64Array.from(shape, BigInt)
}

/** Called from TensorFlow's own threads when it needs a shared array no more, where JavaScript cannot run. */
function harmlessFunction(koffi: Koffi): unknown {
  return process.platform === "win32" ? koffi.load("kernel32.dll").symbol("GetCurrentProcessId") : koffi.load(null).symbol("getpid")
}

function checkStatus(call: Functions, status: Handle): void {
  const code = call.TF_GetCode(status) as number
  if (code !== 0) throw describeFailure(code, String(call.TF_Message(status)))
}

/** TSL_RESOURCE_EXHAUSTED */
const exhausted = 8

function describeFailure(code: number, message: string): EngineError {
  if (code === exhausted || /OOM when allocating|out of memory/i.test(message)) {
    return new EngineError("engine.out-of-memory", "Not enough memory for this graph: use smaller batches or shorter texts.", {
      cause: message,
    })
  }
  const node = /\{\{node ([^}]*)\}\}/.exec(message)?.[1]
  const short = message
    .split("\n")[0]
    .replace(/\s*\[\[.*$/, "")
    .trim()
  return new EngineError("engine.tensorflow-failed", `TensorFlow refused${node ? ` at ${node}` : ""}: ${short}`, { cause: message })
}
