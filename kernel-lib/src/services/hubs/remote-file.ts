// A file on a hub as ranges of bytes: each range is checked to be whole, and to be of the same file as the first.
import { HubApiError } from "@huggingface/hub"
import { ServiceError } from "../../core/errors"
import type { AsyncBuffer } from "../../store/tables"
import { connect, type HubConnection } from "./hub-connection"

/** Tries for one range whose body broke off. */
const maxRangeTries = 3
/** A server that knows no ranges sends the whole file; one that is no larger is kept in memory. */
const maxWholeBytes = 32_000_000

/**
 * Opens what lies at `listed`. Rejects with a `ServiceError` `hub.no-ranges` where a large file can only be had whole.
 * @throws HubApiError where it is not there; reading throws ServiceError `hub.broken-download`, `hub.changed-file`
 */
export async function openRemoteFile(connection: HubConnection, listed: string, signal?: AbortSignal): Promise<AsyncBuffer> {
  const fetchRange = connect(connection, signal)
  // The listing names huggingface.co even when it comes from a mirror.
  const url = listed.replace(/^https:\/\/huggingface\.co(?=\/)/, connection.endpoint)
  const request = async (start: number, end: number) => {
    // A compressed answer's ranges would be those of the compressed file.
    const response = await fetchRange(url, { headers: { Range: `bytes=${start}-${end - 1}`, "Accept-Encoding": "identity" } })
    if (response.ok) return response
    await response.body?.cancel()
    // Past the end of a file that was as long when it was opened.
    if (response.status === 416 && start > 0) throw changed(url)
    throw new HubApiError(url, response.status)
  }
  const first = await request(0, 1)
  if (first.status !== 206) return holdWhole(first, url)
  const size = readRange(first)?.size
  const tag = tagOf(first)
  await first.body?.cancel()
  if (size === undefined) throw new Error(`${url} does not say how long it is`)

  const read = async (start: number, end: number): Promise<ArrayBuffer> => {
    for (let tries = 1; ; tries++) {
      const response = await request(start, end)
      const range = readRange(response)
      const isOther = tag !== undefined && (tagOf(response) ?? tag) !== tag
      if (range?.size !== size || range.start !== start || isOther) {
        await response.body?.cancel()
        throw changed(url)
      }
      const bytes = await response.arrayBuffer().catch((error: unknown) => {
        signal?.throwIfAborted()
        return error
      })
      if (bytes instanceof ArrayBuffer && bytes.byteLength === end - start) return bytes
      if (tries === maxRangeTries) {
        throw new ServiceError("hub.broken-download", `${url} broke off ${tries} times between bytes ${start} and ${end}: try again.`, {
          cause: bytes instanceof Error ? bytes : undefined,
          isRetryable: true,
        })
      }
    }
  }
  return { byteLength: size, slice: async (start, end = size) => (start === end ? new ArrayBuffer(0) : read(start, end)) }
}

/** The file's mark; undefined for a weak one, which may differ between servers that have the same file. */
function tagOf({ headers }: Response): string | undefined {
  const tag = headers.get("ETag")
  return tag === null || tag.startsWith("W/") ? undefined : tag
}

/** What `Content-Range: bytes 0-1/900` says. */
export function readRange({ headers }: Response): { readonly start: number; readonly size: number } | undefined {
  const [, start, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("Content-Range") ?? "") ?? []
  return size === undefined ? undefined : { start: Number(start), size: Number(size) }
}

async function holdWhole(response: Response, url: string): Promise<AsyncBuffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxWholeBytes) {
      throw new ServiceError("hub.no-ranges", `${url} cannot be read in parts: download the file and read it with Dataset.from.`, {
        isRetryable: false,
      })
    }
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(Buffer.concat(chunks)).buffer
  return { byteLength: size, slice: (start, end) => bytes.slice(start, end) }
}

function changed(url: string): ServiceError {
  return new ServiceError("hub.changed-file", `${url} was changed while it was read: try again.`, { isRetryable: true })
}
