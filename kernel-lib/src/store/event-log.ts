// events.jsonl of a run: a line of JSON for each event, only ever appended. What comes by the thousand is gathered and written together.
import { appendFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { redactSecrets } from "../core/errors"
import type { RunEvent } from "../core/run"
import { explainDiskError } from "./atomic"

const fileName = "events.jsonl"
/** Milliseconds that a gathered event may wait for others. */
const longestWait = 50

export class EventLog {
  private readonly path: string
  private gathered: string[] = []
  private timer?: NodeJS.Timeout
  private readonly flushAtExit = () => this.tryFlush()

  constructor(folder: string) {
    this.path = join(folder, fileName)
  }

  /** Writes an event, with its time, before it returns. @throws InputError `disk.full`, `disk.not-writable` */
  append(event: RunEvent): void {
    this.add(event)
    this.flush()
  }

  /** Writes an event soon, at the next `flush` at the latest. A process that is killed before has lost it. */
  gather(event: RunEvent): void {
    this.add(event)
    if (this.timer) return
    this.timer = setTimeout(() => this.tryFlush(), longestWait)
    process.once("exit", this.flushAtExit)
  }

  /** Writes what was gathered. @throws InputError `disk.full`, `disk.not-writable` */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.gathered.length === 0) return
    process.off("exit", this.flushAtExit)
    try {
      appendFileSync(this.path, redactSecrets(this.gathered.join("")))
    } catch (error) {
      throw explainDiskError(error, this.path)
    }
    this.gathered = []
  }

  private add(event: RunEvent): void {
    this.gathered.push(`${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`)
  }

  /** Where nobody could catch it: what could not be written is kept, and the next `flush` says so. */
  private tryFlush(): void {
    try {
      this.flush()
    } catch {}
  }
}

/** Events of an earlier process; a line cut short by a crash is left out. */
export function readEvents(folder: string): RunEvent[] {
  let text: string
  try {
    text = readFileSync(join(folder, fileName), "utf8")
  } catch {
    return []
  }
  return text.split("\n").flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as RunEvent] : []
    } catch {
      return []
    }
  })
}
