// The response store: every answer of a teacher is on disk before it counts, and what is there is never asked for again.
// Answers are addressed by what decides them: the teacher, purpose, messages, parameters and index. A file for each teacher holds them.
import { join } from "node:path"
import { isPrompt2ModelError, redactSecrets, ServiceError } from "../core/errors"
import { fingerprintOf } from "../core/fingerprint"
import {
  aroundTeacher,
  type CompleteOptions,
  completeAndTake,
  type Teacher,
  type TeacherCompletion,
  type TeacherRequest,
} from "../core/teacher"
import { type EntryKind, type LogEntry, writeLine } from "./response-line"
import { ResponseLog } from "./response-log"

export interface ResponseStoreOptions {
  /** Called when the teacher was asked and its answer is on disk. */
  readonly onSent?: (request: TeacherRequest, completion: TeacherCompletion) => void
  /** Called when the answer was on disk already. */
  readonly onReused?: (request: TeacherRequest, completion: TeacherCompletion) => void
  /** Called before answers are written, however many at once: what must be on disk before them. What it throws, `complete` rejects with. */
  readonly beforeWriting?: () => void
  /**
   * Whether the same request would fail again, so that its failure is kept and replayed like an answer.
   * Default: a server found the request itself wrong (status 400, 413, 422).
   */
  readonly isFinal?: (error: unknown) => boolean
}

/** A teacher as an entry names it. */
export type KeptTeacher = Pick<Teacher, "name" | "identity" | "isSimulated">

interface Failure {
  readonly code: string
  readonly message: string
  readonly status?: number
}

const keptFailures = new WeakSet<object>()

/** Whether `error` is a failure from an earlier run that was kept, so that nothing was sent now. */
export function isKeptFailure(error: unknown): boolean {
  return typeof error === "object" && error !== null && keptFailures.has(error)
}

/**
 * `teacher`, with every answer kept under `folder`: content-addressed by the teacher's identity, purpose, messages, parameters and index.
 * An answer is on disk, without secrets, before `complete` resolves. A damaged entry is asked for again. Several processes may share a
 * folder: where two ask the same, the first answer on disk is the one that both get.
 * @throws InputError `disk.full`, `disk.not-writable`, `disk.not-kept`, and what the teacher throws
 */
export function storeResponses(teacher: Teacher, folder: string, options: ResponseStoreOptions = {}): Teacher {
  const { onSent, onReused, beforeWriting, isFinal = isRequestWrong } = options
  const identity = teacher.identity ?? teacher.name
  const log = ResponseLog.at(join(folder, `${fingerprintOf(identity).slice(0, 16)}.jsonl`))
  const named: KeptTeacher = { name: teacher.name, identity, isSimulated: teacher.isSimulated }

  /** `request` and `outcome` have no secrets any more. */
  function keep(key: string, kind: EntryKind, request: TeacherRequest, outcome: object, onWritten?: () => void) {
    const line = writeLine(key, kind, { at: new Date().toISOString(), teacher: named, request, ...outcome })
    return log.append(key, line, { before: beforeWriting, onWritten })
  }

  /** Asks, and resolves with the answer once it is on disk; its place at the teacher's gate is free as soon as it is written. */
  async function ask(key: string, request: TeacherRequest, options: CompleteOptions | undefined): Promise<TeacherCompletion> {
    const { answered, keeping } = await completeAndTake(teacher, request, options, async (completion) => {
      const [asked, answered] = redactExchange(request, completion)
      const keeping = await new Promise<{ first: Promise<LogEntry | undefined> }>((resolve, reject) => {
        const first = keep(key, "answer", asked, { completion: answered }, () => resolve({ first }))
        first.catch(reject)
      })
      return { answered, keeping }
    })
    const first = await keeping.first
    return first ? replay(first, log.path) : answered
  }

  return aroundTeacher(teacher, {
    async complete(request, completeOptions) {
      const key = keyOfRequest(identity, request)
      const known = await log.read(key)
      if (known) {
        const completion = replay(known, log.path)
        onReused?.(request, completion)
        return completion
      }
      const completion = await ask(key, request, completeOptions).catch(async (error) => {
        if (isFinal(error)) await keep(key, "failure", redactRequest(request), { failure: describeFailure(error) })
        throw error
      })
      onSent?.(request, completion)
      return completion
    },
    async keepFailure(request, error) {
      if (isKeptFailure(error)) return
      await keep(keyOfRequest(identity, request), "failure", redactRequest(request), { failure: describeFailure(error) })
    },
    async forgetFailure(request) {
      const key = keyOfRequest(identity, request)
      if ((await log.read(key))?.kind === "failure") await keep(key, "forgotten", redactRequest(request), {})
    },
    async close() {
      await log.settled()
      await teacher.close?.()
    },
  })
}

/** What decides an answer, as 32 hexadecimal digits. */
export function keyOfRequest(teacher: string, request: TeacherRequest): string {
  const { purpose, messages, temperature, numResponses, maxTokens, schema, index, seed } = request
  return fingerprintOf({ teacher, purpose, messages, temperature, numResponses, maxTokens, schema, index, seed })
}

/** The answer of an entry. Throws the error of a failure. */
export function replay({ key, kind, content }: LogEntry, path: string): TeacherCompletion {
  if (kind === "answer") return content.completion
  const { code, message, status } = content.failure as Failure
  const sentence = `${message} (It failed in an earlier run, and is not sent again: to ask again, delete the line with ${key} from ${path}.)`
  const error = new ServiceError(code, sentence, { isRetryable: false, status })
  keptFailures.add(error)
  throw error
}

function isRequestWrong(error: unknown): boolean {
  if (!isPrompt2ModelError(error)) return false
  const { isRetryable, status } = error as Partial<ServiceError>
  return isRetryable === false && (status === 400 || status === 413 || status === 422)
}

function describeFailure(error: unknown): Failure {
  const { code = "teacher.failed", message, status } = error as Partial<ServiceError>
  return { code, message: redactSecrets(message ?? String(error)), status }
}

function redactRequest(request: TeacherRequest): TeacherRequest {
  return withContents(request, redactTexts(request.messages.map(({ content }) => content)))
}

/** A request and its answer with secrets taken out of both. */
function redactExchange(request: TeacherRequest, completion: TeacherCompletion): [TeacherRequest, TeacherCompletion] {
  const contents = request.messages.map(({ content }) => content)
  const clean = redactTexts([...contents, ...completion.texts])
  return [withContents(request, clean.slice(0, contents.length)), { ...completion, texts: clean.slice(contents.length) }]
}

function withContents(request: TeacherRequest, contents: readonly string[]): TeacherRequest {
  return { ...request, messages: request.messages.map((message, index) => ({ ...message, content: contents[index] })) }
}

/** Texts with secrets taken out. Together, since looking secrets up costs more than looking for them. */
function redactTexts(texts: readonly string[]): readonly string[] {
  const separator = "\u0000\u0001"
  const clean = redactSecrets(texts.join(separator)).split(separator)
  return clean.length === texts.length ? clean : texts.map(redactSecrets)
}
