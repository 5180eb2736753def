// The file behind the response store: one line of JSON for each answer, only ever appended to. Every process that shares it appends with
// O_APPEND, so that the order of lines is one for all: of two answers to one request the first line counts. A line that was damaged, or cut
// short by a kill, is found by its checksum and costs nothing but itself, since every line begins and ends with a line feed.
import { constants, statSync } from "node:fs"
import { type FileHandle, mkdir, open } from "node:fs/promises"
import { dirname } from "node:path"
import { InputError } from "../core/errors"
import { explainDiskError } from "./atomic"
import { checkLine, type EntryKind, type LogEntry, readLine } from "./response-line"

interface Place {
  readonly kind: EntryKind
  readonly offset: number
  readonly length: number
  readonly check: string
}

export interface AppendOptions {
  /** Called before the line is written, once for all that are written together and name the same: what must be on disk before them. */
  readonly before?: () => void
  /** Called when the line is written and not flushed yet: a kill does not lose it any more, a power cut might. */
  readonly onWritten?: () => void
}

interface Writing extends AppendOptions {
  readonly key: string
  readonly line: string
  settle(error?: unknown): void
}

const lineFeed = 0x0a
/** Bytes that are read at once. */
const pieceBytes = 1 << 20
/** Times that a line is written which is not found where it was written, because somebody took the file away or wrote into it. */
const mostWritings = 3

const logs = new Map<string, ResponseLog>()

/** One file of answers. What is in it is indexed once; the texts stay on disk. */
export class ResponseLog {
  private readonly places = new Map<string, Place>()
  private file?: FileHandle
  private inode = -1
  /** Where the first line begins that is not in `places` yet, and how long the file was when that was seen. */
  private known = 0
  private seenSize = 0
  private opening?: Promise<FileHandle>
  private reading?: Promise<void>
  private waiting: Writing[] = []
  private writing?: Promise<void>
  /** Lines that are written and not flushed. */
  private written: Writing[] = []
  private flushing?: Promise<void>

  /** The log at `path`; one for each file in a process. */
  static at(path: string): ResponseLog {
    const log = logs.get(path) ?? new ResponseLog(path)
    logs.set(path, log)
    return log
  }

  private constructor(readonly path: string) {}

  /** What `key` came to; undefined where nothing whole is on disk. */
  async read(key: string): Promise<LogEntry | undefined> {
    await this.catchUp()
    const place = this.places.get(key)
    if (!place || place.kind === "forgotten") return undefined
    const file = await this.open()
    const bytes = Buffer.allocUnsafe(place.length)
    const { bytesRead } = await file.read(bytes, 0, place.length, place.offset)
    const entry = readLine(bytes.toString("utf8", 0, bytesRead))
    if (entry?.key === key) return entry
    this.places.delete(key)
    return undefined
  }

  /**
   * Appends a line of `writeLine` and resolves once it is on disk, flushed; with what another process had put there for `key` before it,
   * where one had. Lines that come while others are being written go together, so that one flush serves many.
   * @throws InputError `disk.full`, `disk.not-writable`
   */
  async append(key: string, line: string, options: AppendOptions = {}): Promise<LogEntry | undefined> {
    for (let times = 0; times < mostWritings; times++) {
      await this.write(key, line, options)
      const place = this.places.get(key)
      if (place && line.includes(place.check)) return undefined
      const first = place && (await this.read(key))
      if (first) return first
    }
    throw new InputError("disk.not-kept", `${this.path} does not keep what is written to it: choose another folder with --out.`)
  }

  /** Waits for what is being written. */
  async settled(): Promise<void> {
    while (this.writing || this.flushing) await (this.writing ?? this.flushing)
  }

  private write(key: string, line: string, options: AppendOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ ...options, key, line, settle: (error) => (error === undefined ? resolve() : reject(error)) })
      this.writing ??= this.writeWaiting()
    })
  }

  /** Writes at once what has arrived, while what was written before is still being flushed: only what is written survives a kill. */
  private async writeWaiting(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting
      this.waiting = []
      try {
        const file = await this.open()
        for (const before of new Set(batch.map((writing) => writing.before))) before?.()
        await writeWhole(file, Buffer.from(batch.map(({ line }) => `\n${line}\n`).join("")))
        this.written.push(...batch)
        for (const { onWritten } of batch) onWritten?.()
        this.flushing ??= this.flushWritten()
      } catch (error) {
        const failure = explainDiskError(error, this.path)
        for (const { settle } of batch) settle(failure)
      }
    }
    // At once, not when the promise has been seen to: a line that came in between would wait for the next.
    this.writing = undefined
  }

  private async flushWritten(): Promise<void> {
    while (this.written.length > 0) {
      const batch = this.written
      this.written = []
      let failure: unknown
      try {
        // Lines that went into a file which was taken away meanwhile are missing in this one, and are written again.
        await (await this.open()).datasync()
        await this.catchUp()
      } catch (error) {
        failure = explainDiskError(error, this.path)
      }
      for (const { settle } of batch) settle(failure)
    }
    this.flushing = undefined
  }

  /** The file as it is at its path now: opened again where somebody put another in its place. */
  private async open(): Promise<FileHandle> {
    if (this.file && statusOf(this.path)?.ino === this.inode) return this.file
    this.opening ??= this.reopen().finally(() => {
      this.opening = undefined
    })
    return this.opening
  }

  private async reopen(): Promise<FileHandle> {
    const before = this.file
    await mkdir(dirname(this.path), { recursive: true })
    const { O_RDWR, O_APPEND, O_CREAT } = constants
    const file = await open(this.path, O_RDWR | O_APPEND | O_CREAT, 0o644)
    this.forgetAll()
    this.inode = (await file.stat()).ino
    this.file = file
    await before?.close()
    return file
  }

  private forgetAll(): void {
    this.places.clear()
    this.known = 0
    this.seenSize = 0
  }

  /** Takes in what this or another process has appended. */
  private async catchUp(): Promise<void> {
    for (;;) {
      const status = statusOf(this.path)
      if (!status) return this.forgetAll()
      if (this.file && status.ino === this.inode && status.size === this.seenSize) return
      this.reading ??= this.readOn().finally(() => {
        this.reading = undefined
      })
      await this.reading
    }
  }

  private async readOn(): Promise<void> {
    const file = await this.open()
    const { size } = await file.stat()
    if (size < this.seenSize) this.forgetAll()
    let [rest, restAt] = [Buffer.alloc(0), this.known]
    for (let at = this.known; at < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size - at))
      const { bytesRead } = await file.read(piece, 0, piece.length, at)
      if (bytesRead === 0) break
      at += bytesRead
      const text = rest.length > 0 ? Buffer.concat([rest, piece.subarray(0, bytesRead)]) : piece.subarray(0, bytesRead)
      let start = 0
      for (let end = text.indexOf(lineFeed); end !== -1; end = text.indexOf(lineFeed, start)) {
        if (end > start) this.note(text.subarray(start, end), restAt + start)
        start = end + 1
      }
      rest = text.subarray(start)
      restAt += start
    }
    this.known = restAt
    this.seenSize = size
  }

  /** Where a line is, if it is whole. */
  private note(line: Buffer, offset: number): void {
    const told = checkLine(line)
    if (!told) return
    const { key, kind, check } = told
    const before = this.places.get(key)?.kind
    // An answer stays, whatever comes after it; a failure stays until it is forgotten, or an answer comes.
    if (before === "answer" || (before === "failure" && kind === "failure")) return
    this.places.set(key, { kind, offset, length: line.length, check })
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
}

function statusOf(path: string): { ino: number; size: number } | undefined {
  try {
    return statSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === "ENOENT" || code === "ENOTDIR") return undefined
    throw explainDiskError(error, path)
  }
}
