// A worker: takes cells from a queue, lets processes of its own compute them, and leaves the results in the folder that it shares with the
// submitter. While one computes, this process does nothing but keep the queue informed, so that a cell is lost only with its machine.
import { once } from "node:events"
import { stat } from "node:fs/promises"
import { hostname } from "node:os"
import { resolve as resolvePath } from "node:path"
import type { Job, Worker } from "bullmq"
import type { Redis } from "ioredis"
import { InputError, InterruptedError, isPrompt2ModelError, messageOf } from "../../core/errors"
import { onOneLine } from "../../display/plain-text"
import { CellChildren } from "./cell-children"
import { type CellTicket, readCellJob, readCellResult } from "./cell-files"
import { connectRedis, type RedisConnection } from "./connect-redis"
import {
  type CellProgressMessage,
  type CellTrouble,
  cancelChannel,
  isQueuedCell,
  markFolder,
  ownVersion,
  usualQueueName,
} from "./queue-protocol"

export interface WorkerOptions {
  /** `redis://:PASSWORD@HOST:PORT`; without a password in it, `REDIS_PASSWORD` is taken. */
  readonly redis: string
  /** The submitter's folder, as this machine sees it. */
  readonly folder: string
  /** Cells at once. With more than one, each sees one of the machine's GPUs, in turn. Default 1. */
  readonly devices?: number
  /** The queue's name. Default `prompt2model`. */
  readonly name?: string
  /** Seconds of silence after which a worker is taken for dead, and its cell given to another. Default 30. */
  readonly leaseSeconds?: number
  /** Stops it: what is computed is saved and handed back. */
  readonly signal: AbortSignal
  notice(sentence: string): void
}

/**
 * Works until it is stopped.
 * @returns how many cells it handed back
 * @throws InputError `queue.*`, `ablate.not-built`; ServiceError `queue.unreachable`
 */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const { redis, leaseSeconds = 30, devices = 1, notice } = options
  const folder = resolvePath(options.folder)
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isFolder)
    throw new InputError("queue.no-folder", `${folder} is no folder of this machine: give --folder the submitter's, as it is mounted here.`)
  const connection = await connectRedis(redis, notice)
  const children = new CellChildren({ slots: devices, leaseSeconds, environmentOf: (slot) => chooseDevice(slot, devices) })
  const worker = new QueueWorker(connection, children, { ...options, folder, leaseSeconds, devices, mark: await markFolder(folder) })
  return worker.run()
}

/** One GPU for each slot, of those that this process may see. */
function chooseDevice(slot: number, devices: number): Record<string, string> {
  if (devices === 1) return {}
  const visible = process.env.CUDA_VISIBLE_DEVICES?.split(",").filter((device) => device !== "")
  return { CUDA_VISIBLE_DEVICES: visible ? (visible[slot % Math.max(1, visible.length)] ?? "") : String(slot) }
}

interface QueueWorkerOptions extends WorkerOptions {
  readonly leaseSeconds: number
  readonly devices: number
  readonly mark: string
}

/** Times that a cell's process may die before the cell is said to have failed. */
const mostDeaths = 2
/** Milliseconds that Redis may take to hear that a worker goes. */
const farewell = 10_000

class QueueWorker {
  private readonly where = `${hostname()} ${process.pid}`
  private readonly cancels = new Map<string, AbortController>()
  private readonly computing = new Set<Promise<unknown>>()
  private readonly stopping = new AbortController()
  private handedBack = 0
  private refusal?: InputError
  private worker!: Worker

  constructor(
    private readonly connection: RedisConnection,
    private readonly children: CellChildren,
    private readonly options: QueueWorkerOptions,
  ) {}

  async run(): Promise<number> {
    const { bullmq, connect, place } = this.connection
    const { name = usualQueueName, devices, leaseSeconds, folder, notice, signal } = this.options
    const connections: Redis[] = [connect(), connect()]
    this.worker = new bullmq.Worker(name, (job, token) => this.process(job, token), {
      ...{ connection: connections[0], autorun: false, concurrency: devices, name: this.where, skipVersionCheck: true },
      ...{ lockDuration: leaseSeconds * 1000, stalledInterval: leaseSeconds * 500, maxStalledCount: 5, drainDelay: 2 },
    })
    // Said already, by the connection; what a lost lock means is the claim's business.
    this.worker.on("error", () => {})
    await connections[1].subscribe(cancelChannel(name))
    connections[1].on("message", (_channel, key) => this.cancels.get(key)?.abort())
    const stop = () => this.stopping.abort()
    signal.addEventListener("abort", stop, { once: true })
    if (signal.aborted) stop()
    notice(`${this.where} takes cells of ${folder} from ${place}, ${devices} at a time.`)
    if (!this.stopping.signal.aborted) {
      this.worker.run().catch(() => {})
      await once(this.stopping.signal, "abort")
    }
    await this.leave()
    for (const one of connections) one.disconnect()
    if (this.refusal) throw this.refusal
    return this.handedBack
  }

  /** Takes no more, waits until what was interrupted is saved and handed back, and not for a Redis that is away. */
  private async leave(): Promise<void> {
    const closing = this.worker.close().catch(() => {})
    await Promise.allSettled(this.computing)
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, farewell))])
    await this.children.close()
  }

  private async process(job: Job, token: string | undefined): Promise<void> {
    const { bullmq } = this.connection
    const { folder, notice } = this.options
    const cell: unknown = job.data
    if (!isQueuedCell(cell))
      throw this.trouble("queue.no-cell", "The queue holds something that is no cell: empty it, or choose another name.")
    const refusal = this.findRefusal(cell)
    if (refusal) return this.refuse(job, token, refusal)
    if (await readCellResult(folder, cell)) return
    const cancel = new AbortController()
    this.cancels.set(cell.key, cancel)
    try {
      const { name, seed } = await readCellJob(folder, cell)
      const called = onOneLine(`${name}, seed ${seed}`)
      notice(`${called}: training`)
      const answer = await this.compute(job, cell, AbortSignal.any([this.stopping.signal, cancel.signal]))
      if (answer === "done") return notice(`${called}: done`)
      notice(`${called}: another worker has it`)
      await job.moveToDelayed(Date.now() + (this.options.leaseSeconds * 1000) / 2, token)
    } catch (error) {
      if (cancel.signal.aborted) throw this.trouble("run.interrupted", "Nobody wants it any more.")
      const code = isPrompt2ModelError(error) ? error.code : "unexpected"
      const isToBeTriedAgain = error instanceof InterruptedError || (code === "ablate.process-died" && job.attemptsStarted < mostDeaths)
      notice(`${cell.key}: ${messageOf(error)}`)
      if (!isToBeTriedAgain) throw this.trouble(code, messageOf(error))
      return this.handBack(job, token)
    } finally {
      this.cancels.delete(cell.key)
    }
    throw new bullmq.DelayedError()
  }

  private async compute(job: Job, cell: CellTicket, signal: AbortSignal): Promise<"done" | "taken"> {
    const { folder, devices } = this.options
    const computing = this.children.compute(cell, {
      ...{ folder, signal },
      onNews: (note, slot) => this.report(job, { where: devices > 1 ? `${this.where} device ${slot}` : this.where, note }),
    })
    this.computing.add(computing)
    return computing.finally(() => this.computing.delete(computing))
  }

  private findRefusal({ version, folder }: { readonly version: string; readonly folder: string }): InputError | undefined {
    const { mark } = this.options
    const own = ownVersion()
    if (version !== own)
      return new InputError(
        "queue.other-version",
        `The submitter has prompt2model ${version} and this worker ${own}, which may compute something else: install the same version on both.`,
      )
    if (folder !== mark)
      return new InputError(
        "queue.folder-not-shared",
        `${this.options.folder} is not the submitter's folder: give --folder the one that its queue({ folder }) names, as it is mounted here.`,
      )
    return undefined
  }

  /** What one worker cannot compute is for others; it goes, so that it does not take the same cell again. */
  private async refuse(job: Job, token: string | undefined, refusal: InputError): Promise<never> {
    this.refusal = refusal
    this.stopping.abort()
    await job.updateProgress({ where: this.where, note: refusal.message, isRefused: true } satisfies CellProgressMessage)
    return this.giveBack(job, token)
  }

  private async handBack(job: Job, token: string | undefined): Promise<never> {
    this.handedBack++
    return this.giveBack(job, token)
  }

  private async giveBack(job: Job, token: string | undefined): Promise<never> {
    await job.moveToWait(token)
    throw new this.connection.bullmq.WaitingError()
  }

  private trouble(code: string, message: string): Error {
    return new this.connection.bullmq.UnrecoverableError(JSON.stringify({ code, message } satisfies CellTrouble))
  }

  /** News that nobody hears are not kept for later. */
  private report(job: Job, progress: CellProgressMessage): void {
    job.updateProgress(progress).catch(() => {})
  }
}
