// A TensorFlow session whose graph grows: recordings are added as they are met, and share variables by name.
import { EngineError } from "../../core/errors"
import type { DataType } from "../tensors"
import { defaultThreads } from "../threads"
import { GraphBuilder } from "./graph-builder"
import { encodeConfiguration } from "./graph-format"
import type { Handle, NativeTensor, PreparedRun, RunNames, TensorFlowApi } from "./tensorflow-api"

export class GraphSession {
  private readonly session: Handle
  private running: Promise<unknown> | undefined
  private isClosed = false
  private graphs = 0
  private readonly tensors: NativeTensor[] = []

  constructor(
    readonly api: TensorFlowApi,
    threads = defaultThreads(),
  ) {
    this.session = api.openSession(encodeConfiguration({ threads }))
  }

  /** A tensor to feed runs with, for as long as the session is open. */
  allocate(dtype: DataType, shape: readonly number[]): NativeTensor {
    const tensor = this.api.allocateTensor(dtype, shape)
    this.tensors.push(tensor)
    return tensor
  }

  /** Types of the devices that it computes on: `CPU`, `GPU`. */
  listDevices(): string[] {
    return this.api.listDevices(this.session)
  }

  /** Names of its nodes are not those of other graphs. */
  newGraph(): GraphBuilder {
    return new GraphBuilder(`graph${this.graphs++}`)
  }

  extend(graph: GraphBuilder): void {
    this.api.extendGraph(this.session, graph.encode())
  }

  prepare(names: RunNames): PreparedRun {
    return this.api.prepareRun(this.session, names)
  }

  /**
   * Runs part of the graph and hands the fetched tensors to `read`, which must copy what it keeps.
   * @throws EngineError `engine.cancelled`, `engine.busy`, `engine.out-of-memory`, `engine.tensorflow-failed`
   */
  async run<Result>(
    prepared: PreparedRun,
    inputs: readonly Handle[],
    read: (fetched: readonly Handle[]) => Result,
    signal?: AbortSignal,
  ): Promise<Result> {
    this.checkReady()
    if (signal?.aborted) throw cancelled()
    const run = this.api.run(this.session, prepared, inputs)
    this.running = run
    try {
      return this.readAll(await run, (fetched) => {
        if (signal?.aborted || this.isClosed) throw cancelled()
        return read(fetched)
      })
    } finally {
      this.running = undefined
      if (this.isClosed) this.free()
    }
  }

  /** The same in this very turn of the event loop: for copies between memories. */
  runNow<Result>(prepared: PreparedRun, inputs: readonly Handle[], read: (fetched: readonly Handle[]) => Result): Result {
    this.checkReady()
    return this.readAll(this.api.runNow(this.session, prepared, inputs), read)
  }

  /** To be called before a run's inputs are written. @throws EngineError `engine.disposed`, `engine.busy` */
  checkReady(): void {
    if (this.isClosed) throw new EngineError("engine.disposed", "This session was disposed of: make a new one.")
    if (this.running) throw new EngineError("engine.busy", "This session is running: await one call before the next.")
  }

  private readAll<Result>(fetched: readonly Handle[], read: (fetched: readonly Handle[]) => Result): Result {
    try {
      return read(fetched)
    } finally {
      for (const tensor of fetched) this.api.deleteTensor(tensor)
    }
  }

  /** Frees graph and variables; a run that is under way ends first, and its results are thrown away. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    if (!this.running) this.free()
  }

  private free(): void {
    this.api.closeSession(this.session)
    for (const { handle } of this.tensors) this.api.deleteTensor(handle)
  }
}

function cancelled(): EngineError {
  return new EngineError("engine.cancelled", "The run was cancelled: nothing was updated.")
}
