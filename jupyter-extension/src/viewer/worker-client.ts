// The viewer's side of the line to its worker.
import type { FromWorker, RequestName, Requests, Sentence } from "../protocol"
import { trans } from "../settings/language"

/** A sentence of the worker in the reader's language. */
export function translate({ message, values }: Sentence): string {
  return trans.__(message, ...values)
}

/** Milliseconds between two questions whether the worker still listens, and how many of them may stay without an answer. */
const askEvery = 5000
const mostUnanswered = 5

type Listener = (message: Extract<FromWorker, { event: string }>) => void

export class WorkerClient {
  private readonly worker: Worker
  private readonly pending = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  private nextId = 0
  private unanswered = 0
  private readonly watching: ReturnType<typeof setInterval>

  constructor(private readonly listen: Listener) {
    this.worker = new Worker(new URL("./worker.js", import.meta.url))
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      this.unanswered = 0
      if ("event" in data) return listen(data)
      const pending = this.pending.get(data.id)
      this.pending.delete(data.id)
      if ("error" in data) pending?.reject(new Error(translate(data.error)))
      else pending?.resolve(data.answer)
    }
    this.worker.onerror = (event) => {
      event.preventDefault()
      this.giveUp({ message: "The reader of this file has ended: open the file again.", values: [] })
    }
    this.watching = setInterval(() => this.watch(), askEvery)
  }

  /** @throws Error in one sentence */
  ask<Name extends RequestName>(name: Name, request: Parameters<Requests[Name]>[0]): Promise<ReturnType<Requests[Name]>> {
    const id = this.nextId++
    return new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { resolve, reject })
      this.worker.postMessage({ id, name, request })
    }) as Promise<ReturnType<Requests[Name]>>
  }

  /** Questions that are still open are never answered. */
  dispose(): void {
    clearInterval(this.watching)
    this.worker.terminate()
    this.pending.clear()
  }

  /** Between two chunks the worker listens: one that does not for so long is lost in a part that is damaged. */
  private watch(): void {
    if (++this.unanswered > mostUnanswered)
      this.giveUp({ message: "One part of it has been read for too long: it may be damaged.", values: [] })
    else void this.ask("ping", null).catch(() => {})
  }

  private giveUp(sentence: Sentence): void {
    const pending = [...this.pending.values()]
    this.dispose()
    for (const { reject } of pending) reject(new Error(translate(sentence)))
    this.listen({ event: "trouble", ...sentence })
  }
}
