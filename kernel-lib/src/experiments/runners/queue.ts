// Cells on a queue: any machine that runs a worker takes some. The queue is BullMQ on Redis; it says when, and what is said through it may be
// lost without harm: results are in the shared folder, and what Redis forgot is put in again.
import { mkdir } from "node:fs/promises"
import { resolve as resolvePath } from "node:path"
import type { Queue, QueueEvents } from "bullmq"
import type { Redis } from "ioredis"
import { EngineError, InputError, InterruptedError, messageOf, ServiceError } from "../../core/errors"
import { explainDiskError } from "../../store/atomic"
import { CellFailure } from "./cell-children"
import type { CellTicket } from "./cell-files"
import { connectRedis } from "./connect-redis"
import { cancelChannel, isProgressMessage, markFolder, ownVersion, type QueuedCell, readTrouble, usualQueueName } from "./queue-protocol"
import type { ComputeCellOptions, OpenRunner, OpenRunnerOptions, Runner } from "./runner"

export interface QueueOptions {
  /** `redis://:PASSWORD@HOST:PORT`; without a password in it, `REDIS_PASSWORD` is taken. */
  readonly redis: string
  /** A folder that this machine and all workers see, under whatever path. It is made where it is not there. */
  readonly folder: string
  /** Queues of one Redis that have nothing to do with each other have different names, each with workers of its own. Default `prompt2model`. */
  readonly name?: string
  /** Trials of a search at once: each learns from those that many before it. Cells of an ablation are all given to the workers. Default 4. */
  readonly parallel?: number
}

/**
 * Trainings on all machines that run `npx prompt2model worker --redis URL --folder FOLDER`. This process prepares rows and asks the teacher, so
 * caps and rates hold as ever; workers need no keys. When this process is killed, workers finish what was handed out, and the same call goes on
 * from there; an interrupt takes back what nobody has begun, and stops the rest, which is saved.
 *
 * @throws InputError `queue.bad-address`, `runner.parallel`. When it is used: `queue.not-installed`, `queue.password`, `disk.*`; ServiceError
 *   `queue.unreachable`
 * @example
 * const runOn = queue({ redis: "redis://127.0.0.1:6379", folder: "/shared/cells" })
 * runOn.kind // "queue"
 */
export function queue({ redis, folder, name = usualQueueName, parallel = 4 }: QueueOptions): Runner {
  if (!Number.isSafeInteger(parallel) || parallel < 1)
    throw new InputError("runner.parallel", `parallel is a whole number of at least 1, not ${parallel}.`)
  if (!/^[\w.-]{1,60}$/.test(name))
    throw new InputError("queue.bad-name", `A queue's name has letters, digits, dots, dashes and underscores, not ${JSON.stringify(name)}.`)
  return { kind: "queue", parallel, open: (options) => QueueRunner.open({ redis, folder: resolvePath(folder), name }, options) }
}

interface Pending {
  readonly ticket: CellTicket
  readonly options: ComputeCellOptions
  isActive: boolean
  settle(error?: Error): void
}

/** Milliseconds between two looks at cells that nothing was heard of, and cells at one look. */
const lookEvery = 3000
const cellsAtOnce = 50
/** Milliseconds after which somebody should have a worker started. */
const workersDue = 10_000
/** Milliseconds that workers may take to save what nobody wants any more, and that Redis may take to hear that we go. */
const patience = 20_000
const farewell = 2000

class QueueRunner implements OpenRunner {
  private readonly pending = new Map<string, Pending>()
  private readonly timers: NodeJS.Timeout[] = []
  /** Sentences that were said: several workers may have the same reason. */
  private readonly said = new Set<string>()

  private constructor(
    readonly folder: string,
    private readonly mark: string,
    private readonly name: string,
    private readonly redis: readonly Redis[],
    private readonly jobs: Queue,
    private readonly events: QueueEvents,
    private readonly notice: (sentence: string) => void,
  ) {
    this.listen()
    this.timers.push(setInterval(() => void this.lookAround(), lookEvery))
    this.timers.push(setTimeout(() => void this.askForWorkers(), workersDue))
  }

  static async open(
    { redis, folder, name }: { readonly redis: string; readonly folder: string; readonly name: string },
    { notice }: OpenRunnerOptions,
  ): Promise<QueueRunner> {
    const { bullmq, connect } = await connectRedis(redis, notice)
    await mkdir(folder, { recursive: true }).catch((error) => Promise.reject(explainDiskError(error, folder)))
    const mark = await markFolder(folder)
    const connections = [connect(), connect()]
    const jobs = new bullmq.Queue(name, { connection: connections[0], skipVersionCheck: true })
    const events = new bullmq.QueueEvents(name, { connection: connections[1], skipVersionCheck: true })
    // Said already, by the connection.
    jobs.on("error", () => {})
    events.on("error", () => {})
    await events.waitUntilReady()
    return new QueueRunner(folder, mark, name, connections, jobs, events, notice)
  }

  compute(ticket: CellTicket, options: ComputeCellOptions): Promise<void> {
    const { signal } = options
    if (signal.aborted) return Promise.reject(new InterruptedError())
    return new Promise((resolve, reject) => {
      const cancel = () => void this.cancel(pending)
      const pending: Pending = {
        ...{ ticket, options, isActive: false },
        settle: (error) => {
          signal.removeEventListener("abort", cancel)
          if (this.pending.get(ticket.key) === pending) this.pending.delete(ticket.key)
          if (error) reject(error)
          else resolve()
        },
      }
      this.pending.set(ticket.key, pending)
      signal.addEventListener("abort", cancel, { once: true })
      this.enqueue(pending).catch((error) => pending.settle(refused(error)))
    })
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer)
    const closing = Promise.allSettled([this.events.close(), this.jobs.close()])
    await Promise.race([closing, delay(farewell)])
    for (const connection of this.redis) connection.disconnect()
  }

  /** A cell has its key for a job's id, so that it is in the queue once, whoever asks for it. */
  private async enqueue({ ticket }: Pending): Promise<void> {
    const known = await this.jobs.getJob(ticket.key)
    const state = await known?.getState()
    if (state === "completed" || state === "failed") await known?.remove()
    const data: QueuedCell = { ...ticket, version: ownVersion(), folder: this.mark }
    await this.jobs.add("cell", data, { jobId: ticket.key, removeOnComplete: true, removeOnFail: { age: 7 * 24 * 3600 } })
  }

  private listen(): void {
    const on = (jobId: string, hear: (pending: Pending) => void) => {
      const pending = this.pending.get(jobId)
      if (pending) hear(pending)
    }
    this.events.on("active", ({ jobId }) => on(jobId, (pending) => this.note(pending, true)))
    this.events.on("waiting", ({ jobId }) => on(jobId, (pending) => this.note(pending, false)))
    this.events.on("delayed", ({ jobId }) => on(jobId, (pending) => this.note(pending, false)))
    this.events.on("completed", ({ jobId }) => on(jobId, (pending) => pending.settle()))
    this.events.on("failed", ({ jobId, failedReason }) => on(jobId, (pending) => void this.fail(pending, failedReason)))
    this.events.on("progress", ({ jobId, data }) =>
      on(jobId, (pending) => {
        if (!isProgressMessage(data)) return
        if (data.isRefused) return this.say(`${data.where} takes no cells: ${data.note}`)
        pending.isActive = true
        pending.options.onNews({ state: "running", where: data.where, note: data.note })
      }),
    )
  }

  private note(pending: Pending, isActive: boolean): void {
    if (pending.isActive === isActive) return
    pending.isActive = isActive
    pending.options.onNews(isActive ? { state: "running" } : { state: "waiting", where: "" })
  }

  private async fail(pending: Pending, reason: string | undefined): Promise<void> {
    // The next call tries it again.
    await Promise.race([this.jobs.remove(pending.ticket.key).catch(() => {}), delay(farewell)])
    const { code, message } = readTrouble(reason)
    if (code === "run.interrupted") pending.settle(new InterruptedError())
    else if (code === "queue.worker-died") pending.settle(new EngineError(code, message))
    else pending.settle(new CellFailure(code, message))
  }

  /** Events are lost while Redis is away, or when it forgets; the folder and the queue itself know how things are. */
  private async lookAround(): Promise<void> {
    if (this.redis[0].status !== "ready") return
    for (const pending of [...this.pending.values()].slice(0, cellsAtOnce)) {
      // Others come first the next time.
      this.pending.delete(pending.ticket.key)
      this.pending.set(pending.ticket.key, pending)
      await this.look(pending).catch(() => {})
    }
  }

  private async look(pending: Pending): Promise<void> {
    const { ticket, options } = pending
    if (await options.isDone()) return pending.settle()
    const job = await this.jobs.getJob(ticket.key)
    const state = await job?.getState()
    if (!this.pending.has(ticket.key) || options.signal.aborted) return
    if (!job || state === "unknown") return this.enqueue(pending)
    if (state === "failed") return this.fail(pending, job.failedReason)
    if (state === "completed") return pending.settle()
    this.note(pending, state === "active")
  }

  /** What nobody has begun is taken back; who computes is told to stop. */
  private async cancel(pending: Pending): Promise<void> {
    const { key } = pending.ticket
    const take = async () => {
      const isRemoved = await this.jobs.remove(key).catch(() => 0)
      if (isRemoved === 1) return pending.settle(new InterruptedError())
      await this.redis[0].publish(cancelChannel(this.name), key)
      await delay(patience)
    }
    await Promise.race([take().catch(() => {}), delay(patience)])
    pending.settle(new InterruptedError())
  }

  private async askForWorkers(): Promise<void> {
    const count = await this.jobs.getWorkersCount().catch(() => 1)
    if (count === 0 && this.pending.size > 0)
      this.say(
        `No worker is there yet: start npx prompt2model worker --redis redis://HOST:PORT --folder ${this.folder}${this.name === usualQueueName ? "" : ` --queue ${this.name}`} on any machine that sees the folder.`,
      )
  }

  private say(sentence: string): void {
    if (this.said.has(sentence)) return
    this.said.add(sentence)
    this.notice(sentence)
  }
}

/** Redis is there, and does not take it. */
function refused(error: unknown): ServiceError {
  const sentence = messageOf(error)
  return new ServiceError("queue.refused", `Redis does not take a cell (${sentence}): look at its memory and its rights.`, {
    cause: new Error(sentence),
    isRetryable: true,
  })
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref())
}
