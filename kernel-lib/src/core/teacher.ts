// The teacher: whatever answers chat messages. One method is enough to be one.

/** What a request is for. A teacher that is no language model (a recording) answers only some. */
export type TeacherPurpose = "parsePrompt" | "generate" | "transform" | "rerank" | "answer"

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant"
  readonly content: string
}

/** A JSON schema that the answer must follow, with the name that the protocol sends along. */
export interface ResponseSchema {
  readonly name: string
  readonly schema: Readonly<Record<string, unknown>>
}

export interface TeacherRequest {
  readonly purpose: TeacherPurpose
  readonly messages: readonly ChatMessage[]
  /** 0 is greedy; models accept up to 2. */
  readonly temperature: number
  /** How many independent answers (`n` of the protocol). */
  readonly numResponses: number
  /** Cap on each answer, in the model's tokens. */
  readonly maxTokens?: number
  readonly schema?: ResponseSchema
  /** Position among the requests of its stage; makes two otherwise equal requests two. */
  readonly index: number
  readonly seed?: number
}

export interface TeacherCompletion {
  /** One text per response; where the server gave fewer than asked, fewer. */
  readonly texts: readonly string[]
  /** One per text: `stop`, `length`, `content_filter` ... */
  readonly finishReasons: readonly string[]
  readonly usage: TokenUsage
  /** Price in US dollars; 0 for local and simulated teachers. */
  readonly usd: number
}

export interface TokenUsage {
  readonly inputTokens: number
  readonly outputTokens: number
}

/**
 * A teacher. `complete` is the one thing it must have; it rejects with a `ServiceError` when it cannot answer.
 * A text is data: it is parsed and validated by the stage that asked, never evaluated.
 */
export interface Teacher {
  /** As shown to people, e.g. `gpt-4o-mini`. */
  readonly name: string
  /** What decides its answers, for fingerprints: model and where it is served. Default: its name. */
  readonly identity?: string
  /** True where answers come from a program and not from a model; shown wherever its figures stand. */
  readonly isSimulated?: boolean
  /** True where the answers are on this machine already, so that keeping each again would be waste. */
  readonly isRecorded?: boolean
  /** How many rows it can give in all, where that is limited: a recording's length. */
  readonly totalRows?: number
  /** Whether it takes requests of this purpose. Default: all. */
  answers?(purpose: TeacherPurpose): boolean
  /** What leaves the machine goes here; undefined when nothing does. */
  readonly sendsTo?: string
  complete(request: TeacherRequest, options?: { signal?: AbortSignal }): Promise<TeacherCompletion>
  /** Frees servers and sockets. */
  close?(): Promise<void>
}

/** Whether `teacher` takes requests of `purpose`. */
export function canAnswer(teacher: Teacher | undefined, purpose: TeacherPurpose): teacher is Teacher {
  return teacher !== undefined && (teacher.answers?.(purpose) ?? true)
}

/** `teacher` as it describes itself, with `methods` around its own: what stores, meters and gates are made of. */
export function aroundTeacher(teacher: Teacher, methods: Pick<Teacher, "complete"> & Partial<Pick<Teacher, "close">>): Teacher {
  const { name, identity, isSimulated, isRecorded, totalRows, sendsTo } = teacher
  return {
    ...{ name, identity, isSimulated, isRecorded, totalRows, sendsTo },
    answers: teacher.answers?.bind(teacher),
    close: teacher.close?.bind(teacher),
    ...methods,
  }
}
