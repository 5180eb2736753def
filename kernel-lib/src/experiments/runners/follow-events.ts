// The events of a cell, read as they are appended by another process, maybe of another machine. Nothing of them is trusted.
import { open } from "node:fs/promises"
import { join } from "node:path"
import type { RunEvent } from "../../core/run"

/** Bytes read at once: what is more comes the next time. */
const mostBytes = 4_000_000

export class FollowedEvents {
  private offset = 0
  private reading: Promise<RunEvent[]> = Promise.resolve([])
  private readonly path: string

  constructor(folder: string) {
    this.path = join(folder, "events.jsonl")
  }

  /** What was appended since the last time; a line that is being written comes the next time. */
  look(): Promise<RunEvent[]> {
    this.reading = this.reading.then(() => this.read()).catch(() => [])
    return this.reading
  }

  private async read(): Promise<RunEvent[]> {
    const file = await open(this.path, "r").catch(() => undefined)
    if (!file) return []
    try {
      const { size } = await file.stat()
      if (size <= this.offset) return []
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(Math.min(mostBytes, size - this.offset)),
        0,
        Math.min(mostBytes, size - this.offset),
        this.offset,
      )
      const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1
      this.offset += end
      return buffer.subarray(0, end).toString("utf8").split("\n").flatMap(parseEvent)
    } finally {
      await file.close()
    }
  }
}

function parseEvent(line: string): RunEvent[] {
  if (line === "") return []
  try {
    const event = JSON.parse(line)
    return typeof event === "object" && event !== null && typeof event.type === "string" ? [event] : []
  } catch {
    return []
  }
}
