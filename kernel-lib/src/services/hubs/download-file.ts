// One file of a hub onto this disk: what was begun is gone on with, also by another process, and counts only when size and hash are right.
import { createHash, type Hash, randomBytes } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { HubApiError } from "@huggingface/hub"
import { InputError, ServiceError } from "../../core/errors"
import { explainDiskError } from "../../store/atomic"
import { isAtWork } from "./folder-lock"
import { readRange } from "./remote-file"

export interface WantedFile {
  readonly url: string
  readonly size: number
  /** `sha256` of the content of a large file; `git` over its length too, as git names files. Undefined where nobody says. */
  readonly hash?: { readonly kind: "sha256" | "git"; readonly hex: string }
}

/** Times that a body may break off in a row without one byte of progress. */
const maxTries = 4

/**
 * Fills `path` with the file. What came before a failure stays beside it, and is gone on with by the next call.
 * @throws InputError `disk.full`, `disk.not-writable`; ServiceError `hub.broken-download`; HubApiError
 */
export async function downloadFile(path: string, file: WantedFile, fetchHub: typeof fetch, signal?: AbortSignal): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    const part = await takePart(path)
    taken.add(part)
    try {
      if (!(await fillPart(part, file, fetchHub, signal))) {
        // What an earlier call left was not of this file, or was damaged: once more, from its start.
        await rm(part)
        if (!(await fillPart(part, file, fetchHub, signal))) {
          await rm(part)
          throw broken(file.url, new Error("its hash is another"))
        }
      }
      await rename(part, path)
    } finally {
      taken.delete(part)
    }
  } catch (error) {
    throw explainDiskError(error, path)
  }
}

/** Parts that calls of this process write. */
const taken = new Set<string>()
const partPattern = /^\.(.+)\.(\d+)\.[0-9a-f]{8}\.part$/

/** A place for what comes; it holds what a call that is no more had got. */
async function takePart(path: string): Promise<string> {
  const folder = dirname(path)
  const own = join(folder, `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.part`)
  for (const name of await readdir(folder)) {
    const [, of, id] = partPattern.exec(name) ?? []
    const left = join(folder, name)
    if (of !== basename(path) || taken.has(left) || (Number(id) !== process.pid && isAtWork(Number(id)))) continue
    // Of two that take the same one, one finds it gone.
    const isMine = await rename(left, own).then(
      () => true,
      () => false,
    )
    if (isMine) break
  }
  return own
}

/** Whether the part is the whole file now. */
async function fillPart(part: string, wanted: WantedFile, fetchHub: typeof fetch, signal?: AbortSignal): Promise<boolean> {
  const { size, hash: expected } = wanted
  const hash = createHash(expected?.kind === "git" ? "sha1" : "sha256")
  if (expected?.kind === "git") hash.update(`blob ${size}\0`)
  let written = await hashPart(part, size, hash)
  const file = await open(part, "a")
  try {
    for (let tries = 1; written < size; ) {
      const before = written
      try {
        for await (const chunk of readFrom(written, wanted, fetchHub)) {
          if (written + chunk.length > size) throw new Error(`more than ${size} bytes came`)
          await file.writeFile(chunk)
          hash.update(chunk)
          written += chunk.length
        }
        if (written < size) throw new Error(`${written} of ${size} bytes came`)
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof HubApiError || error instanceof ServiceError || isOfDisk(error)) throw error
        tries = written > before ? 1 : tries + 1
        if (tries > maxTries) throw broken(wanted.url, error)
      }
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return expected === undefined || hash.digest("hex") === expected.hex
}

/** Adds what is there already to `hash`; a part that is too long is begun anew. */
async function hashPart(part: string, size: number, hash: Hash): Promise<number> {
  const known = await stat(part).catch(() => undefined)
  if (!known) return 0
  if (known.size > size) {
    await rm(part)
    return 0
  }
  for await (const chunk of createReadStream(part)) hash.update(chunk)
  return known.size
}

/** The file's bytes from `start` on, from a server that knows ranges or not. */
async function* readFrom(start: number, { url }: WantedFile, fetchHub: typeof fetch): AsyncGenerator<Uint8Array> {
  // A compressed answer's ranges would be those of the compressed file.
  const response = await fetchHub(url, {
    headers: { "Accept-Encoding": "identity", ...(start > 0 && { Range: `bytes=${start}-` }) },
  })
  if (!response.ok || !response.body) {
    await response.body?.cancel()
    throw new HubApiError(url, response.status)
  }
  if (response.status === 206 && readRange(response)?.start !== start) {
    await response.body.cancel()
    throw new Error("another range came")
  }
  let skip = response.status === 206 ? 0 : start
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    if (skip < chunk.length) yield chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
  }
}

function isOfDisk(error: unknown): boolean {
  return explainDiskError(error, "") instanceof InputError
}

function broken(url: string, cause: unknown): ServiceError {
  return new ServiceError("hub.broken-download", `${url} did not come whole: try again.`, { cause, isRetryable: true })
}
