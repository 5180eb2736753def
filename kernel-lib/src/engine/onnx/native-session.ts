// One graph in ONNX Runtime whose inputs and outputs are our own arrays. The runtime keeps their bare addresses, so every array is held
// until the session is disposed of, and none may be detached or resized before.
import { EngineError } from "../../core/errors"
import { sameShape, sizeOf } from "../recording"
import type { TensorValue } from "../session"
import { defaultThreads } from "../threads"
import { elementTypes, elsewhere } from "./model-format"
import { fatalOnly, type Handle, type RuntimeApi } from "./runtime-api"

/**
 * How long a thread without work waits busily before it sleeps. Long enough for the gaps within a step; the runtime's own milliseconds make
 * a step three times as slow where other programs want the same cores.
 */
const spinMicroseconds = "50"

/** Arrays of live sessions: the garbage collector does not see the runtime's addresses. */
const held = new Set<object>()
/** Live sessions of each runtime; the last one gives the arena's memory back. */
const liveSessions = new WeakMap<RuntimeApi, number>()

export interface NativeSessionOptions {
  readonly inputs: Readonly<Record<string, TensorValue>>
  readonly outputs: Readonly<Record<string, TensorValue>>
  /** Values of the initializers that the model names only. The runtime copies those that it reads in an order of its own. */
  readonly initializers?: Readonly<Record<string, TensorValue>>
  /** Default: one per core, at most 8. */
  readonly threads?: number
  readonly signal?: AbortSignal
}

export class NativeSession {
  private readonly release: (() => void)[] = []
  private readonly session: Handle
  private readonly binding: Handle
  private readonly runOptions: Handle
  /** What `bind` bound, by its side and name. */
  private readonly bound = new Map<string, { readonly value: TensorValue; readonly handle: Handle }>()
  private running: Promise<void> | undefined
  private isDisposed = false

  constructor(
    private readonly api: RuntimeApi,
    model: Uint8Array,
    private readonly arrays: NativeSessionOptions,
  ) {
    held.add(arrays).add(this.bound)
    enterArena(api)
    this.release.push(() => leaveArena(api))
    try {
      this.session = this.createSession(model, arrays.threads)
      this.binding = this.own(api.createBinding(this.session), api.releaseBinding)
      this.runOptions = this.own(api.createRunOptions(), api.releaseRunOptions)
      api.setRunLogSeverityLevel(this.runOptions, fatalOnly)
      for (const [name, value] of Object.entries(arrays.inputs)) api.bindInput(this.binding, name, this.makeTensor(name, value))
      for (const [name, value] of Object.entries(arrays.outputs)) api.bindOutput(this.binding, name, this.makeTensor(name, value))
    } catch (error) {
      this.free()
      throw error
    }
  }

  /** Other memory or sizes for some inputs and outputs, from the next run on. @throws EngineError `engine.busy`, `engine.bad-memory` */
  bind(inputs: Readonly<Record<string, TensorValue>>, outputs: Readonly<Record<string, TensorValue>>): void {
    if (this.running) throw new EngineError("engine.busy", "This session is running: await one call before the next.")
    if (this.isDisposed) throw new EngineError("engine.disposed", "This session was disposed of: make a new one.")
    for (const [name, value] of Object.entries(inputs)) this.rebind("input", name, value)
    for (const [name, value] of Object.entries(outputs)) this.rebind("output", name, value)
  }

  private rebind(side: "input" | "output", name: string, value: TensorValue): void {
    const key = `${side} ${name}`
    const there = this.bound.get(key)
    if (there && isSamePlace(there.value, value)) return
    const handle = this.createTensor(name, value)
    if (side === "input") this.api.bindInput(this.binding, name, handle)
    else this.api.bindOutput(this.binding, name, handle)
    if (there) this.api.releaseValue(there.handle)
    this.bound.set(key, { value, handle })
  }

  /** Runs the graph once; one run at a time. @throws EngineError `engine.cancelled`, `engine.busy`, `engine.out-of-memory`, `engine.onnx-failed` */
  async run(signal?: AbortSignal): Promise<void> {
    if (this.isDisposed) throw new EngineError("engine.disposed", "This session was disposed of: make a new one.")
    if (this.running) throw new EngineError("engine.busy", "This session is running: await one call before the next.")
    if (signal?.aborted) throw new EngineError("engine.cancelled", "The run was cancelled: nothing was updated.")
    const cancel = () => this.api.terminateRuns(this.runOptions)
    signal?.addEventListener("abort", cancel, { once: true })
    this.running = this.api.run(this.session, this.runOptions, this.binding)
    try {
      await this.running
    } finally {
      this.running = undefined
      signal?.removeEventListener("abort", cancel)
      if (this.isDisposed) this.free()
      else this.api.allowRuns(this.runOptions)
    }
  }

  /** Frees the graph; a run that is under way is cancelled, and frees it when it ends. */
  dispose(): void {
    if (this.isDisposed) return
    this.isDisposed = true
    if (this.running) this.api.terminateRuns(this.runOptions)
    else this.free()
  }

  private createSession(model: Uint8Array, threads: number | undefined): Handle {
    const { api } = this
    const options = api.createSessionOptions()
    try {
      // Our passes did the work; the runtime's own optimizer would fold our transposes back.
      api.setGraphOptimizationLevel(options, 0)
      api.disableMemPattern(options)
      api.setSessionLogSeverityLevel(options, fatalOnly)
      api.addSessionConfigEntry(options, "session.use_env_allocators", "1")
      api.setIntraOpNumThreads(options, threads ?? defaultThreads())
      api.addSessionConfigEntry(options, "session.intra_op.spin_duration_us", spinMicroseconds)
      if (this.arrays.initializers)
        api.addSessionConfigEntry(options, "session.model_external_initializers_file_folder_path", elsewhere.folder)
      for (const [name, value] of Object.entries(this.arrays.initializers ?? {})) {
        api.addInitializer(options, name, this.makeTensor(name, value))
      }
      return this.own(api.createSession(model, options), api.releaseSession)
    } finally {
      api.releaseSessionOptions(options)
    }
  }

  private makeTensor(name: string, value: TensorValue): Handle {
    return this.own(this.createTensor(name, value), this.api.releaseValue)
  }

  private createTensor(name: string, { data, shape }: TensorValue): Handle {
    const size = sizeOf(shape)
    if (data.length < size) {
      throw new EngineError("engine.bad-memory", `${name} needs ${size} values for the shape [${shape}], its array has ${data.length}.`)
    }
    const type = data instanceof Float32Array ? elementTypes.float32 : data instanceof Int32Array ? elementTypes.int32 : elementTypes.bool
    return this.api.createTensor(data, size * data.BYTES_PER_ELEMENT, shape, type)
  }

  private own(handle: Handle, release: (handle: Handle) => void): Handle {
    this.release.push(() => release(handle))
    return handle
  }

  private free(): void {
    while (this.release.length > 0) this.release.pop()!()
    for (const { handle } of this.bound.values()) this.api.releaseValue(handle)
    this.bound.clear()
    held.delete(this.arrays)
    held.delete(this.bound)
  }
}

/** Views of the same memory may be other objects. */
function isSamePlace(a: TensorValue, b: TensorValue): boolean {
  const isSameArray = a.data.buffer === b.data.buffer && a.data.byteOffset === b.data.byteOffset && a.data.length === b.data.length
  return isSameArray && sameShape(a.shape, b.shape)
}

function enterArena(api: RuntimeApi): void {
  const live = liveSessions.get(api) ?? 0
  if (live === 0) api.registerArena()
  liveSessions.set(api, live + 1)
}

function leaveArena(api: RuntimeApi): void {
  const live = liveSessions.get(api)! - 1
  liveSessions.set(api, live)
  if (live === 0) api.unregisterArena()
}
