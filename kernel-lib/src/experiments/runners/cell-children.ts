// Processes that compute cells, one to a slot, each kept for the next cell as long as there is one. What a cell breaks ends with its process.
import { type ChildProcess, fork } from "node:child_process"
import { existsSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { EngineError, InputError, InterruptedError } from "../../core/errors"
import { packageFolder } from "../../store/package-folder"
import type { CellTicket } from "./cell-files"
import type { CellMessage, CellOrder } from "./cell-process"

/** An error of another process, with its code and sentence. */
export class CellFailure extends InputError {}

export interface CellChildrenOptions {
  readonly slots: number
  /** What is different in a slot's environment: the device that it sees. */
  environmentOf?(slot: number): Readonly<Record<string, string>>
  /** After so many seconds a claim that stands still is nobody's. */
  readonly leaseSeconds: number
}

export interface ComputeOptions {
  /** That all share. */
  readonly folder: string
  readonly signal: AbortSignal
  onNews(note: string, slot: number): void
}

interface Child {
  readonly process: ChildProcess
  readonly slot: number
  said: string
  /** Where what it says goes while it computes. */
  listener?: { onMessage(message: CellMessage): void; onEnd(how: string): void }
}

/** Milliseconds after which a process without work is ended: it holds memory, its device's too. */
const idleLimit = 20_000
/** Milliseconds that an interrupted process may take to save its work. */
const patience = 60_000

export class CellChildren {
  private readonly idle: Child[] = []
  private readonly all = new Set<Child>()
  private readonly freeSlots: number[]
  private readonly waiting: (() => void)[] = []
  private busy = 0

  /** @throws InputError `ablate.not-built` */
  constructor(private readonly options: CellChildrenOptions) {
    this.freeSlots = Array.from({ length: options.slots }, (_, slot) => slot)
    if (!existsSync(programPath()))
      throw new InputError(
        "ablate.not-built",
        "Cells in processes of their own need the built package: run npm run build, or leave out parallel and runOn.",
      )
  }

  /**
   * Resolves when a cell's results are in the folder, or with `taken` where another process computes the same.
   * @throws CellFailure with the cell's own error; EngineError `ablate.process-died`; InterruptedError
   */
  async compute(ticket: CellTicket, options: ComputeOptions): Promise<"done" | "taken"> {
    await this.enter(options.signal)
    try {
      const child = this.takeChild()
      options.onNews("starting", child.slot)
      const answer = await this.ask(child, ticket, options)
      if (answer.type === "failed" && answer.code === "run.interrupted") throw new InterruptedError()
      if (answer.type === "failed") throw new CellFailure(answer.code, answer.message)
      return answer.type === "taken" ? "taken" : "done"
    } finally {
      this.busy--
      this.waiting.shift()?.()
    }
  }

  /** Ends all processes, when none computes any more. */
  async close(): Promise<void> {
    await Promise.all([...this.all].map((child) => this.end(child)))
  }

  private async enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new InterruptedError()
    if (this.busy < this.options.slots) {
      this.busy++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        this.waiting.splice(this.waiting.indexOf(admit), 1)
        reject(new InterruptedError())
      }
      const admit = () => {
        signal.removeEventListener("abort", stop)
        this.busy++
        resolve()
      }
      signal.addEventListener("abort", stop, { once: true })
      this.waiting.push(admit)
    })
  }

  private takeChild(): Child {
    const known = this.idle.pop()
    if (known) return known
    const { slots, environmentOf } = this.options
    const slot = this.freeSlots.shift() ?? 0
    const threads = Math.max(1, Math.floor(availableParallelism() / slots))
    const child: Child = {
      slot,
      said: "",
      process: fork(programPath(), [], {
        execArgv: [],
        env: { ...process.env, PROMPT2MODEL_THREADS: process.env.PROMPT2MODEL_THREADS ?? String(threads), ...environmentOf?.(slot) },
        stdio: ["ignore", "ignore", "pipe", "ipc"],
      }),
    }
    this.all.add(child)
    child.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      child.said = `${child.said}${text}`.slice(-2000)
    })
    child.process.on("message", (message) => child.listener?.onMessage(message as CellMessage))
    child.process.on("error", (error) => child.listener?.onEnd(error.message))
    child.process.on("close", (code, killedBy) => {
      this.all.delete(child)
      if (this.idle.includes(child)) this.idle.splice(this.idle.indexOf(child), 1)
      this.freeSlots.unshift(slot)
      child.listener?.onEnd(String(killedBy ?? code))
    })
    return child
  }

  private ask(child: Child, ticket: CellTicket, { folder, signal, onNews }: ComputeOptions): Promise<CellMessage> {
    return new Promise<CellMessage>((resolve, reject) => {
      let deadline: NodeJS.Timeout | undefined
      const interrupt = () => {
        send(child, { type: "interrupt" })
        deadline = setTimeout(() => child.process.kill("SIGKILL"), patience)
      }
      const settle = () => {
        clearTimeout(deadline)
        signal.removeEventListener("abort", interrupt)
        child.listener = undefined
      }
      child.listener = {
        onMessage: (message) => {
          if (message.type === "news") return onNews(message.note, child.slot)
          settle()
          this.keep(child, message)
          resolve(message)
        },
        onEnd: (how) => {
          settle()
          if (signal.aborted) reject(new InterruptedError())
          else
            reject(
              new EngineError("ablate.process-died", `The process of a cell ended with ${how}: run the same call again to go on.`, {
                cause: child.said,
              }),
            )
        },
      }
      signal.addEventListener("abort", interrupt, { once: true })
      send(child, { type: "cell", folder, ticket, leaseSeconds: this.options.leaseSeconds })
      if (signal.aborted) interrupt()
    })
  }

  /** A process whose cell broke is not trusted with another. */
  private keep(child: Child, { type }: CellMessage): void {
    if (type === "failed") {
      void this.end(child)
      return
    }
    this.idle.push(child)
    setTimeout(() => {
      if (this.idle.includes(child) && !child.listener) void this.end(child)
    }, idleLimit).unref()
  }

  private async end(child: Child): Promise<void> {
    if (this.idle.includes(child)) this.idle.splice(this.idle.indexOf(child), 1)
    if (child.process.exitCode !== null || child.process.signalCode !== null) return
    const ended = new Promise((resolve) => child.process.once("close", resolve))
    // It has nothing to save: what a cell leaves was written before it answered.
    child.process.kill("SIGKILL")
    await ended
  }
}

function send({ process }: Child, order: CellOrder): void {
  if (process.connected) process.send(order, () => {})
}

/** The program, in the built package. */
function programPath(): string {
  return join(packageFolder(), "dist", "cell-process.mjs")
}
