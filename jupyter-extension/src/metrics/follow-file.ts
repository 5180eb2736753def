// A file that grows, read by ranges of bytes: each look asks only for what came since the last one.

import { trans } from "../settings/language"

/** Of a longer file only so much of its end is read. */
const mostBytes = 24e6

export interface FileAddress {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** Reads whole lines as they are appended. */
export class GrowingFile {
  /** Bytes that were taken. */
  private offset = 0
  /** The line that has no end yet. */
  private rest: Uint8Array = new Uint8Array(0)
  private isStarted = false
  private lastByte = -1

  constructor(private readonly address: () => Promise<FileAddress>) {}

  /**
   * The lines that came since the last look. `isAnew` where the file is another one now: forget what it said before.
   * @throws Error in one sentence
   */
  async look(signal: AbortSignal): Promise<{ readonly lines: readonly string[]; readonly isAnew: boolean }> {
    // The last byte that is known comes again: a range of nothing would be an error, and in it a file that was replaced shows.
    const range = this.isStarted ? `bytes=${this.offset - 1}-` : `bytes=-${mostBytes}`
    const { url, headers } = await this.address()
    const response = await fetch(url, { headers: { ...headers, Range: range }, cache: "no-store", signal })
    if (response.status === 416) return this.beginAgain()
    if (!response.ok) throw new Error(sentenceOf(response.status))
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (response.status === 206 && this.isStarted)
      return bytes[0] === this.lastByte ? { lines: this.take(bytes.subarray(1)), isAnew: false } : this.beginAgain()
    const start = Number(/bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? 0)
    if (response.status !== 206 && this.isStarted) {
      if (bytes.length < this.offset) return this.beginAgain()
      return { lines: this.take(bytes.subarray(this.offset)), isAnew: false }
    }
    this.isStarted = start + bytes.length > 0
    this.offset = start
    const lines = this.take(bytes)
    // Where it began in the middle of a line, that line is none.
    return { lines: start > 0 ? lines.slice(1) : lines, isAnew: false }
  }

  private beginAgain(): { readonly lines: readonly string[]; readonly isAnew: boolean } {
    const isAnew = this.isStarted
    this.isStarted = false
    this.offset = 0
    this.rest = new Uint8Array(0)
    return { lines: [], isAnew }
  }

  private take(bytes: Uint8Array): string[] {
    this.offset += bytes.length
    if (bytes.length > 0) this.lastByte = bytes[bytes.length - 1]
    const all = new Uint8Array(this.rest.length + bytes.length)
    all.set(this.rest)
    all.set(bytes, this.rest.length)
    const end = all.lastIndexOf(10) + 1
    this.rest = all.slice(end)
    return end === 0 ? [] : new TextDecoder().decode(all.subarray(0, end - 1)).split("\n")
  }
}

export function sentenceOf(status: number): string {
  if (status === 404) return trans.__("The file is not there: look for it in the file browser.")
  if (status === 401 || status === 403) return trans.__("The server does not let you read this file: log in again.")
  return trans.__("The server answered %1 instead of the file.", status)
}
