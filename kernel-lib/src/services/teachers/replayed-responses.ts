// The answers of an exported response store, given again: as a teacher of their own, or before a teacher that is asked for the rest.
import { basename } from "node:path"
import { InputError, ServiceError } from "../../core/errors"
import type { Teacher, TeacherCompletion, TeacherRequest } from "../../core/teacher"
import { readExportedResponses, teachersOf } from "../../store/exported-responses"
import type { LogEntry } from "../../store/response-line"
import { keyOfRequest, replay } from "../../store/response-store"

/** A teacher of the answers in `file`; undefined where the file holds something else, or is not there. @throws InputError `responses.several-teachers` */
export async function replayedTeacher(file: string): Promise<Teacher | undefined> {
  const entries = await readExportedResponses(file).catch((error) => {
    if (error?.code === "ENOENT" || error?.code === "ENOTDIR") return undefined
    throw error
  })
  if (!entries) return undefined
  const [teacher, ...others] = teachersOf(entries)
  if (others.length > 0) {
    const names = [teacher, ...others].map(({ identity }) => identity).join(", ")
    throw new InputError(
      "responses.several-teachers",
      `${file} holds the answers of several teachers (${names}): name the one you want, as openaiTeacher(model, { responses: file }).`,
    )
  }
  const { name, identity = name, isSimulated } = teacher
  return {
    ...{ name, identity, isSimulated },
    complete: async (request) => answerFrom(entries, [identity], request, file) ?? Promise.reject(noAnswer(file)),
  }
}

/** The answers in `file` to what is asked of `model`, wherever it was served. */
export class ReplayedResponses {
  private reading?: Promise<{ entries: Map<string, LogEntry>; identities: string[] }>

  constructor(
    private readonly file: string,
    private readonly model: string,
    private readonly identity: string,
  ) {}

  /** @throws InputError `responses.unreadable`; the failure, where the request failed for good */
  async find(request: TeacherRequest): Promise<TeacherCompletion | undefined> {
    this.reading ??= this.read()
    const { entries, identities } = await this.reading
    return answerFrom(entries, identities, request, this.file)
  }

  /** What to say of a request that nobody can answer. */
  missing(): ServiceError {
    return noAnswer(this.file)
  }

  private async read() {
    const entries = await readExportedResponses(this.file).catch((cause) => {
      throw this.unreadable(cause)
    })
    if (!entries) throw this.unreadable()
    const others = teachersOf(entries).flatMap(({ identity }) => (identity && this.isSameTeacher(identity) ? [identity] : []))
    return { entries, identities: [...new Set([this.identity, ...others])] }
  }

  /** Whether an identity differs by its address alone: what was asked for beside the model stands behind that, after a space. */
  private isSameTeacher(identity: string): boolean {
    const start = `${this.model}@`
    const settingsOf = (text: string) => text.slice(start.length).replace(/^\S*/, "")
    return identity.startsWith(start) && settingsOf(identity) === settingsOf(this.identity)
  }

  private unreadable(cause?: unknown): InputError {
    const sentence = `${this.file} holds no answers of a teacher: give a file that exportResponses wrote, or leave responses (PROMPT2MODEL_RESPONSES) out.`
    return new InputError("responses.unreadable", sentence, { cause })
  }
}

function answerFrom(
  entries: ReadonlyMap<string, LogEntry>,
  identities: readonly string[],
  request: TeacherRequest,
  file: string,
): TeacherCompletion | undefined {
  for (const identity of identities) {
    const entry = entries.get(keyOfRequest(identity, request))
    if (entry) return { ...replay(entry, file), isReused: true, usd: 0 }
  }
  return undefined
}

function noAnswer(file: string): ServiceError {
  return new ServiceError(
    "recorded.no-answer",
    `${basename(file)} has no answer to this request, since the recorded run did not ask it: use the same prompt, seed and options as there, or a teacher with a key.`,
    { isRetryable: false },
  )
}
