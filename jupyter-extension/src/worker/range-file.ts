// A file behind HTTP, read in ranges of bytes, never whole unless it is small.
import type { AsyncBuffer } from "hyparquet"
import { Trouble } from "./trouble"

/** A server that knows no ranges sends all of a file: up to this size that is borne. */
const mostWithoutRanges = 64e6
/** More is not asked for at once, whatever a damaged footer wants. */
const mostAtOnce = 1.5e9

export interface RangeFile extends AsyncBuffer {
  /** How many bytes have come so far. */
  bytesRead(): number
}

/** @throws Error in one sentence, where the file is not there or cannot be read in ranges */
export async function openRangeFile(url: string, headers: Readonly<Record<string, string>>): Promise<RangeFile> {
  let bytesRead = 0
  let whole: ArrayBuffer | undefined
  const first = await request(0, 1)
  let byteLength: number
  if (first.status === 206) {
    byteLength = totalOf(first)
    await first.arrayBuffer()
  } else if (first.status === 416 || first.headers.get("content-length") === "0") {
    byteLength = 0
  } else {
    const length = Number(first.headers.get("content-length") ?? 0)
    if (length > mostWithoutRanges) {
      await first.body?.cancel()
      throw new Trouble("The server does not send parts of files, and this one is too large to be loaded whole.")
    }
    whole = await first.arrayBuffer()
    byteLength = whole.byteLength
    bytesRead = byteLength
  }

  async function request(start: number, end: number): Promise<Response> {
    const response = await fetch(url, { headers: { ...headers, Range: `bytes=${start}-${end - 1}` }, cache: "no-store" })
    if (response.ok || response.status === 416) return response
    if (response.status === 404) throw new Trouble("The file is not there any more: look for it in the file browser.")
    if (response.status === 401 || response.status === 403) throw new Trouble("The server does not let you read this file: log in again.")
    throw new Trouble("The server answered %1 instead of the file.", response.status)
  }

  return {
    byteLength,
    bytesRead: () => bytesRead,
    async slice(start, end = byteLength) {
      // A damaged footer may point anywhere.
      if (!(start >= 0 && start <= end && end <= byteLength))
        throw new Trouble("It points to bytes %1 to %2 of %3.", start, end, byteLength)
      if (start === end) return new ArrayBuffer(0)
      if (end - start > mostAtOnce)
        throw new Trouble("A part of it has %1 MB: that is too much to be read here.", Math.round((end - start) / 1e6))
      if (whole) return whole.slice(start, end)
      const response = await request(start, end)
      // Asked for all of it, some servers send it as if nobody had named a range.
      const isAll = response.status === 200 && end - start === byteLength
      if (!isAll && (response.status !== 206 || totalOf(response) !== byteLength))
        throw new Trouble("The file has changed: close it and open it again.")
      const bytes = await response.arrayBuffer()
      if (bytes.byteLength !== end - start) throw new Trouble("The file was cut short while it was read: open it again.")
      bytesRead += bytes.byteLength
      return bytes
    },
  }
}

function totalOf(response: Response): number {
  const total = Number(/\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1])
  if (!Number.isSafeInteger(total)) throw new Trouble("The server does not say how large the file is.")
  return total
}
