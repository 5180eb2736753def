// The viewer's side of the line to its worker: who does not answer any more is given up, and who answers is not.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { FromWorker, ToWorker } from "../../jupyter-extension/src/protocol"
import { WorkerClient } from "../../jupyter-extension/src/viewer/worker-client"

class FakeWorker {
  static last: FakeWorker
  onmessage: ((event: { data: FromWorker }) => void) | undefined
  onerror: ((event: { preventDefault(): void }) => void) | undefined
  isListening = true
  isTerminated = false
  constructor() {
    FakeWorker.last = this
  }
  postMessage({ id, name }: ToWorker): void {
    if (this.isListening && name === "ping") queueMicrotask(() => this.onmessage?.({ data: { id, answer: null } }))
  }
  terminate(): void {
    this.isTerminated = true
  }
}

describe("WorkerClient", () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal("Worker", FakeWorker)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it("waits as long as the worker listens, and gives it up with a sentence when it does not", async () => {
    const heard: FromWorker[] = []
    const client = new WorkerClient((message) => heard.push(message))
    const asked = client.ask("row", { row: 1 }).then(
      () => "answered",
      (error: Error) => error.message,
    )
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(FakeWorker.last.isTerminated).toBe(false)
    FakeWorker.last.isListening = false
    await vi.advanceTimersByTimeAsync(60_000)
    expect(FakeWorker.last.isTerminated).toBe(true)
    const sentence = "One part of it has been read for too long: it may be damaged."
    expect(await asked).toBe(sentence)
    expect(heard).toEqual([{ event: "trouble", message: sentence, values: [] }])
    expect(vi.getTimerCount()).toBe(0)
  })

  it("says that a worker has ended, once", async () => {
    const heard: FromWorker[] = []
    const client = new WorkerClient((message) => heard.push(message))
    FakeWorker.last.onerror?.({ preventDefault() {} })
    expect(heard).toHaveLength(1)
    expect(FakeWorker.last.isTerminated).toBe(true)
    client.dispose()
    expect(vi.getTimerCount()).toBe(0)
  })
})
