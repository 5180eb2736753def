// Files of an index: written from front to back through a buffer, read at any place with the place checked first. Reads are synchronous, because
// each is a few kilobytes that the system mostly has in memory, and a trip through Node's thread pool costs more than the read.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs"
import { InputError } from "../../core/errors"

/** @returns an error to throw for an index whose bytes cannot be what was written */
export function corruptIndex(path: string, what: string): InputError {
  return new InputError("index.corrupt", `${path} is damaged (${what}): build the index again.`)
}

const bufferBytes = 1 << 20

/** Appends to a new file. */
export class FileWriter {
  /** Bytes written so far. */
  length = 0
  private readonly file: number
  private readonly buffer = Buffer.allocUnsafe(bufferBytes)
  private used = 0

  constructor(readonly path: string) {
    this.file = openSync(path, "w")
  }

  write(bytes: Uint8Array): void {
    this.length += bytes.length
    if (this.used + bytes.length > bufferBytes) this.flush()
    if (bytes.length > bufferBytes) writeFully(this.file, bytes)
    else {
      this.buffer.set(bytes, this.used)
      this.used += bytes.length
    }
  }

  flush(): void {
    writeFully(this.file, this.buffer.subarray(0, this.used))
    this.used = 0
  }

  /** Closes the file, its bytes on the disk. */
  close(): void {
    this.flush()
    fsyncSync(this.file)
    closeSync(this.file)
  }
}

function writeFully(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done)
}

/** Reads a file anywhere. */
export class FileReader {
  readonly length: number
  private file: number | undefined

  constructor(readonly path: string) {
    this.file = openSync(path, "r")
    this.length = fstatSync(this.file).size
  }

  /** @throws InputError `index.corrupt` where the file does not have these bytes, `index.closed` */
  read(offset: number, length: number): Buffer {
    // Memory of its own, so that typed arrays may lie over it.
    const bytes = Buffer.allocUnsafeSlow(this.isInside(offset, length) ? length : 0)
    this.readInto(bytes, offset, length)
    return bytes
  }

  /** Reads into the start of `bytes`. @throws InputError `index.corrupt`, `index.closed` */
  readInto(bytes: Uint8Array, offset: number, length: number): void {
    if (this.file === undefined) throw new InputError("index.closed", "The index was closed: open it again.")
    if (!this.isInside(offset, length)) throw corruptIndex(this.path, "it points outside itself")
    for (let done = 0; done < length; ) {
      const read = readSync(this.file, bytes, done, length - done, offset + done)
      if (read === 0) throw corruptIndex(this.path, "it ends early")
      done += read
    }
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file)
    this.file = undefined
  }

  private isInside(offset: number, length: number): boolean {
    return Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= this.length
  }
}
