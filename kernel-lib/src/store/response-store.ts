// The response store: every answer of a teacher is on disk before it counts, and what is there is never asked for again.
// An entry is one line of JSON in a file that is named by the request's content, so entries put one after another are JSON lines.
import { randomBytes } from "node:crypto"
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { isPrompt2ModelError, redactSecrets, ServiceError } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import { aroundTeacher, type Teacher, type TeacherCompletion, type TeacherRequest } from "../core/teacher"
import { explainDiskError } from "./atomic"

export interface ResponseStoreOptions {
  /** Called when the teacher was asked and its answer is on disk. */
  readonly onSent?: (request: TeacherRequest, completion: TeacherCompletion) => void
  /** Called when the answer was on disk already. */
  readonly onReused?: (request: TeacherRequest, completion: TeacherCompletion) => void
  /**
   * Whether the same request would fail again, so that its failure is kept and replayed like an answer.
   * Default: a server found the request itself wrong (status 400, 413, 422).
   */
  readonly isFinal?: (error: unknown) => boolean
}

/** Raised when the members of an entry change their meaning. */
const entryFormat = 1

type Outcome =
  | { readonly completion: TeacherCompletion; readonly failure?: undefined }
  | { readonly completion?: undefined; readonly failure: { readonly code: string; readonly message: string; readonly status?: number } }

interface Entry {
  readonly format: number
  readonly key: string
  /** Identity of the teacher. */
  readonly teacher: string
  readonly request: TeacherRequest
  readonly outcome: Outcome
  /** Fingerprint of key and outcome: tells an entry that was damaged from one that is whole. */
  readonly check: string
}

/**
 * `teacher`, with every answer kept under `folder`: content-addressed by the teacher's identity, purpose, messages, parameters and index.
 * An answer is on disk, without secrets, before `complete` resolves. A damaged entry is asked for again. Several processes may share a
 * folder: where two ask the same, the first answer on disk is the one that both get.
 * @throws InputError `disk.full`, `disk.not-writable`, and what the teacher throws
 */
export function storeResponses(teacher: Teacher, folder: string, options: ResponseStoreOptions = {}): Teacher {
  const { onSent, onReused, isFinal = isRequestWrong } = options
  const identity = teacher.identity ?? teacher.name
  const pending = new Set<Promise<unknown>>()

  async function keep(key: string, request: TeacherRequest, outcome: Outcome): Promise<Outcome> {
    const clean = redactAll({ request, outcome })
    const entry: Entry = { format: entryFormat, key, teacher: identity, ...clean, check: fingerprintOf([key, clean.outcome]) }
    const placing = placeEntry(pathOf(folder, key), entry)
    pending.add(placing)
    try {
      return (await placing).outcome
    } finally {
      pending.delete(placing)
    }
  }

  return aroundTeacher(teacher, {
    async complete(request, completeOptions) {
      const key = keyOf(identity, request)
      const path = pathOf(folder, key)
      const known = await readEntry(path, key)
      if (known) {
        const completion = replay(known.outcome, path)
        onReused?.(request, completion)
        return completion
      }
      let completion: TeacherCompletion
      try {
        completion = await teacher.complete(request, completeOptions)
      } catch (error) {
        if (isFinal(error)) await keep(key, request, { failure: describeFailure(error) })
        throw error
      }
      const kept = replay(await keep(key, request, { completion }), path)
      onSent?.(request, kept)
      return kept
    },
    async close() {
      await Promise.allSettled(pending)
      await teacher.close?.()
    },
  })
}

function keyOf(teacher: string, request: TeacherRequest): string {
  const { purpose, messages, temperature, numResponses, maxTokens, schema, index, seed } = request
  return fingerprintOf({ teacher, purpose, messages, temperature, numResponses, maxTokens, schema, index, seed })
}

/** 256 folders keep each small at a hundred thousand entries. */
function pathOf(folder: string, key: string): string {
  return join(folder, key.slice(0, 2), `${key}.json`)
}

/** The entry at `path`; undefined where there is none that is whole. */
async function readEntry(path: string, key: string): Promise<Entry | undefined> {
  let text: string
  try {
    text = await readFile(path, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw explainDiskError(error, path)
  }
  try {
    const entry = JSON.parse(text) as Entry
    return entry.format === entryFormat && entry.key === key && entry.check === fingerprintOf([key, entry.outcome]) ? entry : undefined
  } catch {
    return undefined
  }
}

/** Puts `entry` in place unless a whole one is there, which is then the answer. */
async function placeEntry(path: string, entry: Entry): Promise<Entry> {
  const temporary = join(dirname(path), `.${entry.key}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`)
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(temporary, "wx")
    try {
      await file.writeFile(`${JSON.stringify(entry)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    try {
      await link(temporary, path)
    } catch {
      // Either another process was first, or this disk knows no links.
      const first = await readEntry(path, entry.key)
      if (first) return first
      await rename(temporary, path)
    }
    return entry
  } catch (error) {
    throw explainDiskError(error, path)
  } finally {
    await rm(temporary, { force: true }).catch(() => {})
  }
}

function replay(outcome: Outcome, path: string): TeacherCompletion {
  if (outcome.completion) return outcome.completion
  const { code, message, status } = outcome.failure
  throw new ServiceError(code, `${message} (kept from an earlier request: delete ${path} to ask again)`, { isRetryable: false, status })
}

function isRequestWrong(error: unknown): boolean {
  if (!isPrompt2ModelError(error)) return false
  const { isRetryable, status } = error as Partial<ServiceError>
  return isRetryable === false && (status === 400 || status === 413 || status === 422)
}

function describeFailure(error: unknown) {
  const { code = "teacher.failed", message, status } = error as Partial<ServiceError>
  return { code, message: message ?? String(error), status }
}

/** A copy with secrets taken out of every text. */
function redactAll<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, member) => (typeof member === "string" ? redactSecrets(member) : member))
}
