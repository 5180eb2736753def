// ONNX Runtime's C API from plain Node, through koffi: a table of functions, found by their slots. No compiler, and unlike the package's
// own binding it copies no tensor and leaves the event loop free while a graph runs.
import { createRequire } from "node:module"
import { EngineError, messageOf } from "../../core/errors"
import { findRuntimeLibrary } from "./runtime-library"

/** An address that only the runtime reads. */
export type Handle = object | bigint

/** The functions that we use. Those that fail throw an EngineError with the runtime's own words. */
export interface RuntimeApi {
  readonly version: string
  createSessionOptions(): Handle
  releaseSessionOptions(options: Handle): void
  disableMemPattern(options: Handle): void
  setGraphOptimizationLevel(options: Handle, level: number): void
  setIntraOpNumThreads(options: Handle, threads: number): void
  setSessionLogSeverityLevel(options: Handle, level: number): void
  addSessionConfigEntry(options: Handle, key: string, value: string): void
  /** The values of an initializer that the model names only; they are read until the session is released. */
  addInitializer(options: Handle, name: string, value: Handle): void
  createSession(model: Uint8Array, options: Handle): Handle
  releaseSession(session: Handle): void
  createTensor(data: ArrayBufferView, bytes: number, shape: readonly number[], elementType: number): Handle
  releaseValue(value: Handle): void
  createBinding(session: Handle): Handle
  releaseBinding(binding: Handle): void
  bindInput(binding: Handle, name: string, value: Handle): void
  bindOutput(binding: Handle, name: string, value: Handle): void
  createRunOptions(): Handle
  releaseRunOptions(options: Handle): void
  setRunLogSeverityLevel(options: Handle, level: number): void
  terminateRuns(options: Handle): void
  allowRuns(options: Handle): void
  /** Runs on a thread of its own; nothing that it reads or writes may be freed before it ends. */
  run(session: Handle, options: Handle, binding: Handle): Promise<void>
  /** Makes one arena for the memory of all sessions that are made while it is there. */
  registerArena(): void
  /** Gives the arena's memory back; no session may be alive. */
  unregisterArena(): void
}

/** Slots in struct OrtApi, which is append-only: a slot never changes its meaning. Prototypes are those of onnxruntime_c_api.h. */
const prototypes = {
  CreateStatus: [0, "void* (int code, str message)"],
  GetErrorMessage: [2, "str (void* status)"],
  CreateEnv: [3, "void* (int level, str id, _Out_ void** env)"],
  CreateSessionFromArray: [8, "void* (void* env, void* model, size_t bytes, void* options, _Out_ void** session)"],
  CreateSessionOptions: [10, "void* (_Out_ void** options)"],
  DisableMemPattern: [17, "void* (void* options)"],
  SetSessionLogSeverityLevel: [22, "void* (void* options, int level)"],
  SetSessionGraphOptimizationLevel: [23, "void* (void* options, int level)"],
  SetIntraOpNumThreads: [24, "void* (void* options, int threads)"],
  CreateRunOptions: [39, "void* (_Out_ void** options)"],
  RunOptionsSetRunLogSeverityLevel: [41, "void* (void* options, int level)"],
  RunOptionsSetTerminate: [46, "void* (void* options)"],
  RunOptionsUnsetTerminate: [47, "void* (void* options)"],
  CreateTensorWithDataAsOrtValue: [
    49,
    "void* (void* info, void* data, size_t bytes, int64_t* shape, size_t rank, int type, _Out_ void** value)",
  ],
  CreateCpuMemoryInfo: [69, "void* (int allocator, int memory, _Out_ void** info)"],
  ReleaseStatus: [93, "void (void* status)"],
  ReleaseSession: [95, "void (void* session)"],
  ReleaseValue: [96, "void (void* value)"],
  ReleaseRunOptions: [97, "void (void* options)"],
  ReleaseSessionOptions: [100, "void (void* options)"],
  AddSessionConfigEntry: [130, "void* (void* options, str key, str value)"],
  RunWithBinding: [133, "void* (void* session, void* options, void* binding)"],
  CreateIoBinding: [134, "void* (void* session, _Out_ void** binding)"],
  ReleaseIoBinding: [135, "void (void* binding)"],
  BindInput: [136, "void* (void* binding, str name, void* value)"],
  BindOutput: [137, "void* (void* binding, str name, void* value)"],
  CreateAndRegisterAllocator: [144, "void* (void* env, void* info, void* configuration)"],
  AddInitializer: [150, "void* (void* options, str name, void* value)"],
  UnregisterAllocator: [177, "void* (void* env, void* info)"],
} as const satisfies Record<string, readonly [slot: number, prototype: string]>

type FunctionName = keyof typeof prototypes
type Native = ((...parameters: unknown[]) => unknown) & { async: (...parameters: unknown[]) => void }
type Koffi = typeof import("koffi")

/** Every slot above is in tables of this version and later. */
const apiVersion = 16
/** OrtLoggingLevel: only what ends the process. Errors come back as text, and standard error belongs to the program. */
export const fatalOnly = 4

/** koffi closes a library whose object is collected, and the next call would crash. */
const heldLibraries: unknown[] = []

export interface OpenOptions {
  /** Default: the library inside onnxruntime-node. */
  readonly file?: string
  readonly loadKoffi?: () => Koffi
}

/** @throws EngineError `engine.onnx-missing`, `engine.onnx-broken` in one sentence each */
export function openRuntime({ file = findRuntimeLibrary(), loadKoffi = requireKoffi }: OpenOptions = {}): RuntimeApi {
  try {
    return bindApi(loadTable(loadKoffi(), file))
  } catch (cause) {
    if (cause instanceof EngineError) throw cause
    const reason = messageOf(cause).split("\n")[0]
    throw new EngineError(
      "engine.onnx-broken",
      `ONNX Runtime could not be loaded from ${file} (${reason}): reinstall onnxruntime-node and koffi.`,
      { cause },
    )
  }
}

function requireKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)("koffi") as Koffi
  } catch (cause) {
    const reason = messageOf(cause).split("\n")[0]
    throw new EngineError(
      "engine.onnx-missing",
      `koffi cannot be loaded (${reason}): run \`npm install koffi\` with optional dependencies.`,
      { cause },
    )
  }
}

interface Table {
  readonly version: string
  readonly call: Readonly<Record<FunctionName, Native>>
}

function loadTable(koffi: Koffi, file: string): Table {
  // One run touches 84 KiB of stack, koffi's default for asynchronous calls is 128. Can be set before the process's first call only.
  try {
    koffi.config({ sync_stack_size: 8 << 20, async_stack_size: 8 << 20, resident_async_pools: 1 })
  } catch {}
  const library = koffi.load(file)
  heldLibraries.push(library)
  const at = (table: unknown, slot: number, prototype: string): Native =>
    koffi.decode(koffi.decode(table, 8 * slot, "void*"), koffi.proto(prototype))
  // struct OrtApiBase { GetApi(version), GetVersionString() }
  const base = library.func("void* OrtGetApiBase()")()
  const version = String(at(base, 1, "str ()")())
  const table = at(base, 0, "void* (uint32_t version)")(apiVersion)
  if (!table)
    throw new EngineError(
      "engine.onnx-broken",
      `ONNX Runtime ${version} is older than this library needs: install onnxruntime-node 1.16 or newer.`,
    )
  const call = Object.fromEntries(
    Object.entries(prototypes).map(([name, [slot, prototype]]) => [name, at(table, slot, prototype)]),
  ) as Table["call"]
  const probe = call.CreateStatus(1, "probe")
  const isTable = call.GetErrorMessage(probe) === "probe"
  if (!isTable) throw new EngineError("engine.onnx-broken", `${file} is no ONNX Runtime library: reinstall onnxruntime-node.`)
  call.ReleaseStatus(probe)
  return { version, call }
}

function bindApi({ version, call }: Table): RuntimeApi {
  const check = (status: unknown) => {
    if (!status) return
    const message = String(call.GetErrorMessage(status))
    call.ReleaseStatus(status)
    throw describeFailure(message)
  }
  const make = (name: FunctionName, ...parameters: unknown[]): Handle => {
    const out: unknown[] = [null]
    check(call[name](...parameters, out))
    return out[0] as Handle
  }
  const environment = make("CreateEnv", fatalOnly, "prompt2model")
  const cpu = make("CreateCpuMemoryInfo", 0, 0)
  const arena = make("CreateCpuMemoryInfo", 1, 0)
  return {
    version,
    createSessionOptions: () => make("CreateSessionOptions"),
    releaseSessionOptions: (options) => void call.ReleaseSessionOptions(options),
    disableMemPattern: (options) => check(call.DisableMemPattern(options)),
    setGraphOptimizationLevel: (options, level) => check(call.SetSessionGraphOptimizationLevel(options, level)),
    setIntraOpNumThreads: (options, count) => check(call.SetIntraOpNumThreads(options, count)),
    setSessionLogSeverityLevel: (options, level) => check(call.SetSessionLogSeverityLevel(options, level)),
    addSessionConfigEntry: (options, key, value) => check(call.AddSessionConfigEntry(options, key, value)),
    addInitializer: (options, name, value) => check(call.AddInitializer(options, name, value)),
    createSession: (model, options) => make("CreateSessionFromArray", environment, model, model.byteLength, options),
    releaseSession: (session) => void call.ReleaseSession(session),
    createTensor: (data, bytes, shape, elementType) =>
      make("CreateTensorWithDataAsOrtValue", cpu, data, bytes, BigInt64Array.from(shape, BigInt), shape.length, elementType),
    releaseValue: (value) => void call.ReleaseValue(value),
    createBinding: (session) => make("CreateIoBinding", session),
    releaseBinding: (binding) => void call.ReleaseIoBinding(binding),
    bindInput: (binding, name, value) => check(call.BindInput(binding, name, value)),
    bindOutput: (binding, name, value) => check(call.BindOutput(binding, name, value)),
    createRunOptions: () => make("CreateRunOptions"),
    releaseRunOptions: (options) => void call.ReleaseRunOptions(options),
    setRunLogSeverityLevel: (options, level) => check(call.RunOptionsSetRunLogSeverityLevel(options, level)),
    terminateRuns: (options) => check(call.RunOptionsSetTerminate(options)),
    allowRuns: (options) => check(call.RunOptionsUnsetTerminate(options)),
    run: (session, options, binding) =>
      new Promise((resolve, reject) => {
        call.RunWithBinding.async(session, options, binding, (error: unknown, status: unknown) => {
          try {
            if (error) throw error
            resolve(check(status))
          } catch (failure) {
            reject(failure)
          }
        })
      }),
    registerArena: () => check(call.CreateAndRegisterAllocator(environment, arena, null)),
    unregisterArena: () => check(call.UnregisterAllocator(environment, arena)),
  }
}

export function describeFailure(message: string): EngineError {
  if (/bad_alloc|failed to allocate memory|out of memory/i.test(message)) {
    return new EngineError("engine.out-of-memory", "Not enough memory for this graph: use smaller batches or shorter texts.", {
      cause: message,
    })
  }
  if (/terminate flag/i.test(message))
    return new EngineError("engine.cancelled", "The run was cancelled: nothing was updated.", { cause: message })
  const [, node, reason] = /Name:'([^']*)' Status Message: (.*)/s.exec(message) ?? [undefined, undefined, message]
  const short = reason.split("\n")[0].trim()
  return new EngineError("engine.onnx-failed", `ONNX Runtime refused${node ? ` at ${node}` : ""}: ${short}`, { cause: message })
}
