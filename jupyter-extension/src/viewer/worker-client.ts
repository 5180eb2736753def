// The viewer's side of the line to its worker.
import type { FromWorker, RequestName, Requests, Sentence } from "../protocol"
import { trans } from "../settings/language"

/** A sentence of the worker in the reader's language. */
export function translate({ message, values }: Sentence): string {
  return trans.__(message, ...values)
}

type Listener = (message: Extract<FromWorker, { event: string }>) => void

export class WorkerClient {
  private readonly worker: Worker
  private readonly pending = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  private nextId = 0

  constructor(listen: Listener) {
    this.worker = new Worker(new URL("./worker.js", import.meta.url))
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ("event" in data) return listen(data)
      const pending = this.pending.get(data.id)
      this.pending.delete(data.id)
      if ("error" in data) pending?.reject(new Error(translate(data.error)))
      else pending?.resolve(data.answer)
    }
    this.worker.onerror = (event) => {
      event.preventDefault()
      listen({ event: "trouble", message: "The reader of this file has ended: open the file again.", values: [] })
    }
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
    this.worker.terminate()
    this.pending.clear()
  }
}
