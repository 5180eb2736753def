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
  /** One per text: `stop`, `length`, `content_filter`, `reasoning` (empty, since reasoning took all the tokens) ... */
  readonly finishReasons: readonly string[]
  readonly usage: TokenUsage
  /** Price in US dollars; 0 for local and simulated teachers. */
  readonly usd: number
  /** From sending the request to its whole answer, without what it waited before; undefined where nobody measured. */
  readonly seconds?: number
  /** True where the answer was on this machine already: nothing was sent, and nothing is paid. */
  readonly isReused?: boolean
}

export interface TokenUsage {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What a request may take, before it is sent. */
export interface RequestEstimate {
  readonly inputTokens: number
  /** Of all its answers together. At most so many where `isBounded`, else a guess. */
  readonly outputTokens: number
  /** Undefined where nobody knows the price. */
  readonly usd?: number
  /** Whether the request caps its answers, so that it cannot take more. */
  readonly isBounded: boolean
  /** Whether tokens were counted with the model's own tokenizer; otherwise by a rule of thumb, four characters each. */
  readonly isCounted: boolean
}

export interface CompleteOptions {
  readonly signal?: AbortSignal
  /**
   * For teachers with a gate of their own, which await it with the answer before its place at the gate is another request's: so there are never
   * more requests out, and answers in that are not on disk yet, than there are places. Only a `complete` marked by `tellAnswers` is given it.
   */
  readonly onAnswer?: (completion: TeacherCompletion) => Promise<void>
}

/**
 * A teacher. `complete` is the one thing it must have; it rejects with a `ServiceError` when it cannot answer.
 * A text is data: it is parsed and validated by the stage that asked, never evaluated.
 */
export interface Teacher {
  /** As shown to people, e.g. `gpt-6-luna`. */
  readonly name: string
  /** What decides its answers, for fingerprints: model and where it is served. Default: its name. */
  readonly identity?: string
  /** True where answers come from a program and not from a model; shown wherever its figures stand. */
  readonly isSimulated?: boolean
  /** True where the answers are on this machine already, so that keeping each again would be waste. */
  readonly isRecorded?: boolean
  /** How many rows it can give in all, where that is limited: a recording's length. */
  readonly totalRows?: number
  /** Requests that it lets through at once, where it has a gate of its own at which the others wait. */
  readonly maxConcurrency?: number
  /** Requests that it wants at once, where it answers many together, hours later. */
  readonly batchSize?: number
  /** Whether it takes requests of this purpose. Default: all. */
  answers?(purpose: TeacherPurpose): boolean
  /** What leaves the machine goes here; undefined when nothing does. */
  readonly sendsTo?: string
  complete(request: TeacherRequest, options?: CompleteOptions): Promise<TeacherCompletion>
  /** What a request may take, before it is sent. */
  estimate?(request: TeacherRequest): Promise<RequestEstimate>
  /** Keeps that a request failed for good, so that it fails again without being sent. Only teachers behind a response store have it. */
  keepFailure?(request: TeacherRequest, error: unknown): Promise<void>
  /** Takes `keepFailure` back: the request is sent again when it is asked again. */
  forgetFailure?(request: TeacherRequest): Promise<void>
  /** Frees servers and sockets. */
  close?(): Promise<void>
}

/** Whether `teacher` takes requests of `purpose`. */
export function canAnswer(teacher: Teacher | undefined, purpose: TeacherPurpose): teacher is Teacher {
  return teacher !== undefined && (teacher.answers?.(purpose) ?? true)
}

const tellsAnswers: unique symbol = Symbol.for("prompt2model.tellsAnswers")

/**
 * Marks a `complete` that hands its answer to `onAnswer` as it returns it. Whoever wraps a teacher in a function of their own, and passes options
 * on, may change the answer on its way: theirs has no mark, and the answer that counts is the one that it returns.
 */
export function tellAnswers(complete: Teacher["complete"]): Teacher["complete"] {
  return Object.assign(complete, { [tellsAnswers]: true })
}

/** What `take` makes of the teacher's answer, which it is given while that still holds its place, where the teacher has a gate. */
export async function completeAndTake<Taken>(
  teacher: Teacher,
  request: TeacherRequest,
  options: CompleteOptions | undefined,
  take: (completion: TeacherCompletion) => Promise<Taken>,
): Promise<Taken> {
  if (!(tellsAnswers in teacher.complete)) return take(await teacher.complete(request, { signal: options?.signal }))
  let taking = undefined as Promise<Taken> | undefined
  const onAnswer = async (answer: TeacherCompletion) => {
    taking ??= take(answer)
    await taking
  }
  const completion = await teacher.complete(request, { ...options, onAnswer })
  return taking ?? take(completion)
}

/** `teacher` as it describes itself, with `methods` around its own: what stores, meters and gates are made of. */
export function aroundTeacher(
  teacher: Teacher,
  methods: Pick<Teacher, "complete"> & Partial<Pick<Teacher, "close" | "keepFailure" | "forgetFailure" | "maxConcurrency">>,
): Teacher {
  const { name, identity, isSimulated, isRecorded, totalRows, sendsTo, maxConcurrency, batchSize } = teacher
  return {
    ...{ name, identity, isSimulated, isRecorded, totalRows, sendsTo, maxConcurrency, batchSize },
    answers: teacher.answers?.bind(teacher),
    estimate: teacher.estimate?.bind(teacher),
    keepFailure: teacher.keepFailure?.bind(teacher),
    forgetFailure: teacher.forgetFailure?.bind(teacher),
    close: teacher.close?.bind(teacher),
    ...methods,
  }
}
