// Calls of a WebAssembly module's functions on shared memories, divided among threads: one thread alone does not reach the speed that a
// machine's memory has.
import { Worker } from "node:worker_threads"
import { EngineError } from "../../core/errors"
import { type WasmMemory, webAssembly } from "../../core/web-assembly"

export interface Call {
  readonly memory: WasmMemory
  /** The exported function. */
  readonly name: string
  readonly parameters: readonly number[]
  /** Elements that it passes over. */
  readonly size: number
}

type Functions = Readonly<Record<string, (...parameters: readonly number[]) => number | undefined>>

/** Work of fewer elements is done before a thread has woken up. */
const leastShared = 2 ** 22

/** Takes the next call until none is left. As text, since a thread starts from plain JavaScript, and tests, bundles and notebooks have files elsewhere. */
const threadText = `
const { parentPort, workerData: { module, memories } } = require("node:worker_threads")
const functions = memories.map((memory) => new WebAssembly.Instance(module, { parameters: { memory } }).exports)
parentPort.on("message", ({ calls, progress, results }) => {
  for (let i = Atomics.add(progress, 0, 1); i < calls.length; i = Atomics.add(progress, 0, 1)) {
    const { memory, name, parameters } = calls[i]
    results[i] = functions[memory][name](...parameters) ?? 0
    Atomics.add(progress, 1, 1)
  }
  parentPort.postMessage(undefined)
})`

export class CallThreads {
  private readonly module: object
  private readonly memories: readonly WasmMemory[]
  private readonly functions: readonly Functions[]
  private others: Worker[] | undefined
  private isWorking = false
  private isDisposed = false

  /** @param threads how many work at once, the caller's own among them; they start when there is work for them */
  constructor(
    module: string,
    memories: Iterable<WasmMemory>,
    private readonly threads: number,
  ) {
    this.module = new webAssembly.Module(Buffer.from(module, "base64"))
    this.memories = [...memories]
    this.functions = this.memories.map((memory) => new webAssembly.Instance(this.module, { parameters: { memory } }).exports as Functions)
  }

  /**
   * Results in the calls' order, 0 for a function without one; calls run in any order, and must not touch each other's places.
   * @throws EngineError `engine.thread-failed`
   */
  async run(calls: readonly Call[]): Promise<Float64Array> {
    this.isWorking = true
    try {
      return await this.divide(calls)
    } finally {
      this.isWorking = false
      if (this.isDisposed) this.endThreads()
    }
  }

  /** Ends the threads, after the calls that are under way. */
  dispose(): void {
    this.isDisposed = true
    if (!this.isWorking) this.endThreads()
  }

  private async divide(calls: readonly Call[]): Promise<Float64Array> {
    const size = calls.reduce((sum, call) => sum + call.size, 0)
    const others = size < leastShared ? [] : this.startThreads()
    // Calls taken, and calls done.
    const progress = new Int32Array(new SharedArrayBuffer(8))
    const results = new Float64Array(new SharedArrayBuffer(calls.length * 8))
    const numbered = calls.map(({ memory, name, parameters }) => ({ memory: this.memories.indexOf(memory), name, parameters }))
    const answers = others.map((thread) => ask(thread, { calls: numbered, progress, results }))
    const failures: unknown[] = []
    try {
      for (let i = Atomics.add(progress, 0, 1); i < calls.length; i = Atomics.add(progress, 0, 1)) {
        const { memory, name, parameters } = numbered[i]
        results[i] = this.functions[memory][name](...parameters) ?? 0
        Atomics.add(progress, 1, 1)
      }
    } catch (failure) {
      failures.push(failure)
    }
    // Also after a fault: nobody may be at work when the next calls come.
    for (const failure of await Promise.all(answers)) if (failure !== undefined) failures.push(failure)
    if (failures.length > 0) this.endThreads()
    if (progress[1] < calls.length) {
      throw new EngineError(
        "engine.thread-failed",
        "The optimizer failed within a step, which may be half done: go on from the last checkpoint.",
        {
          cause: failures[0],
        },
      )
    }
    return results
  }

  private endThreads(): void {
    for (const thread of this.others ?? []) void thread.terminate()
    this.others = undefined
  }

  private startThreads(): readonly Worker[] {
    this.others ??= Array.from({ length: this.threads - 1 }, () => {
      const thread = new Worker(threadText, { eval: true, workerData: { module: this.module, memories: this.memories } })
      thread.unref()
      return thread
    })
    return this.others
  }
}

/** Resolves when the thread has nothing left to do, with the error when it ended instead. */
function ask(thread: Worker, work: object): Promise<unknown> {
  return new Promise((resolve) => {
    const end = (failure?: unknown) => {
      thread.off("message", answered).off("error", end).off("exit", end)
      thread.unref()
      resolve(failure)
    }
    const answered = () => end()
    thread.on("message", answered).on("error", end).on("exit", end)
    // The process must not end while a step is under way.
    thread.ref()
    thread.postMessage(work)
  })
}
