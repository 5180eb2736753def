// Asks one chat-completions server, in the dialect that it has been found to take, through one gate or in batches.
import OpenAI, { APIError } from "openai"
import type { ChatCompletion } from "openai/resources/chat/completions"
import { isPrompt2ModelError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { RequestEstimate, TeacherRequest } from "../../core/teacher"
import { countMessages, guessTokens, type TokenCounter, tokenCounterOf } from "./count-tokens"
import { type Answers, filteredAnswers, joinAnswers, keepFulfilled, readCompletion, spentOnReasoning } from "./openai-answers"
import { type BatchOptions, BatchQueue } from "./openai-batch"
import { type Dialect, firstDialect, learn, narrowDialect, objectsToEffort, writeBody } from "./openai-dialect"
import { explainError, refusalOf, refusedEffort, type ServerDescription } from "./openai-errors"
import { isEvents, joinEvents } from "./openai-stream"
import { plainFetch } from "./plain-fetch"
import { estimateTokens, RateControl, type RateControlOptions } from "./rate-control"

export interface AskerOptions extends RateControlOptions {
  readonly batch?: BatchOptions
  readonly onNotice?: (sentence: string) => void
}

interface Asking {
  readonly signal?: AbortSignal
  readonly keep?: (answers: Answers) => Promise<void>
}

type Body = ReturnType<typeof writeBody>

/** Tokens of an answer where no cap is given and nobody knows better. */
const usualAnswerTokens = 200

/** What each server was found to take, by address, model and effort of reasoning: for all teachers of a process that ask it. */
const knownDialects = new Map<string, Dialect>()

export class OpenAIAsker {
  private readonly client: OpenAI
  private readonly control: RateControl
  private readonly batches?: BatchQueue
  private readonly place: string
  private hasToldOfReasoning = false

  constructor(
    private readonly server: ServerDescription,
    private readonly options: AskerOptions,
  ) {
    const { baseURL, apiKey, model, reasoningEffort = "" } = server
    this.client = new OpenAI({
      baseURL,
      apiKey: apiKey ?? "none",
      // Retries are the gate's business, and so is the time-out, which also covers the body of an answer.
      ...{ maxRetries: 0, timeout: 24 * 3_600_000, logLevel: "off", fetch: plainFetch },
      ...(apiKey ? {} : { defaultHeaders: { Authorization: null } }),
    })
    this.control = new RateControl(options)
    this.batches = options.batch && new BatchQueue(this.client, server, this.control, options.batch)
    // What a model takes may depend on how much it reasons.
    this.place = `${model}@${baseURL} ${reasoningEffort}`
  }

  private get dialect(): Dialect {
    return knownDialects.get(this.place) ?? firstDialect(this.server)
  }

  /**
   * All answers of a request: in one exchange where the server takes `n`, else in as many as there are answers. `keep` is awaited with them while
   * an exchange that brought all still holds its place.
   */
  async ask(request: TeacherRequest, { signal, keep }: Asking): Promise<Answers> {
    const { numResponses } = request
    const isAll = ({ texts }: Answers) => numResponses <= 1 || texts.length > 1
    const keepAll = async (answers: Answers) => {
      if (isAll(answers)) await keep?.(answers)
    }
    if (numResponses <= 1) return this.exchange(request, 0, { signal, keep: keepAll })
    const parts: Answers[] = []
    if (this.dialect.takesSeveral) {
      const answers = await this.exchange(request, 0, { signal, keep: keepAll })
      if (isAll(answers)) return answers
      this.adopt({ ...this.dialect, takesSeveral: false }, this.dialect)
      parts.push(answers)
    }
    const single = { ...request, numResponses: 1 }
    const missing = Array.from({ length: numResponses - parts.length }, (_, index) =>
      this.exchange(single, parts.length + index, { signal }),
    )
    return joinAnswers([...parts, ...(await keepFulfilled(missing))])
  }

  /** Tokens that a request may take. */
  async estimate({ messages, schema, maxTokens, numResponses }: TeacherRequest): Promise<Omit<RequestEstimate, "usd">> {
    const count = await this.counter()
    const inputTokens = count
      ? countMessages(messages, schema, count)
      : messages.reduce((sum, { content }) => sum + guessTokens(content), 0)
    return {
      inputTokens,
      outputTokens: (maxTokens ?? usualAnswerTokens) * numResponses,
      isBounded: maxTokens !== undefined,
      isCounted: count !== undefined,
    }
  }

  private counter(): Promise<TokenCounter> | undefined {
    return tokenCounterOf(this.server.model)
  }

  /** One answer to a request or, with `n`, several; `sample` says which of the request's answers the first one is. */
  private async exchange(request: TeacherRequest, sample: number, asking: Asking): Promise<Answers> {
    const known = this.dialect
    for (let dialect = known; ; ) {
      try {
        const answers = await this.send(request, dialect, sample, asking)
        if (dialect !== known) this.adopt(dialect, known)
        return answers
      } catch (error) {
        const refusal = refusalOf(error)
        if (refusal && this.server.reasoningEffort !== undefined && objectsToEffort(refusal, dialect))
          throw refusedEffort(this.server, refusal, (error as Error).cause)
        const narrower = refusal && narrowDialect(dialect, request, refusal)
        if (!narrower) throw error
        dialect = narrower
      }
    }
  }

  private async send(request: TeacherRequest, dialect: Dialect, sample: number, { signal, keep }: Asking): Promise<Answers> {
    const count = dialect.takesSeveral ? request.numResponses : 1
    const body = writeBody(this.server, request, dialect, { count, seed: sampleSeed(request, sample) })
    const read = async (asking: Promise<Partial<ChatCompletion>>) => {
      try {
        return this.tellOfReasoning(await readCompletion(await asking, request, this.server, () => this.counter()))
      } catch (error) {
        if (error instanceof APIError && error.code === "content_filter") return filteredAnswers(request, count)
        throw isPrompt2ModelError(error) ? error : explainError(error, this.server)
      }
    }
    if (this.batches) return read(this.batches.ask(body, `${request.index}.${sample}`, signal))
    return this.control.run({
      attempt: async (attemptSignal) => {
        const started = performance.now()
        const answers = await read(this.create(body, attemptSignal))
        return { ...answers, seconds: (performance.now() - started) / 1000 }
      },
      keep,
      tokens: await this.tokensOf({ ...request, numResponses: count }),
      tokensUsed: ({ usage }) => usage.inputTokens + usage.outputTokens,
      signal,
    })
  }

  private async create(body: Body, signal: AbortSignal): Promise<Partial<ChatCompletion>> {
    // Whatever is asked for: there are servers that stream all the same, and some that call JSON a plain text.
    const answer: unknown = await this.client.post("/chat/completions", { body, signal })
    if (typeof answer !== "string") return answer as Partial<ChatCompletion>
    if (isEvents(answer)) return joinEvents(answer)
    return answer.trimStart().startsWith("{") ? JSON.parse(answer) : {}
  }

  /** What to reserve of the minute's tokens; counted only where there is such a limit, since counting takes time. */
  private async tokensOf(request: TeacherRequest): Promise<number> {
    if (this.options.tokensPerMinute === undefined) return estimateTokens(request)
    const { inputTokens, outputTokens } = await this.estimate(request)
    return inputTokens + outputTokens
  }

  /** Keeps what a server was found to take, and says so where it changes what was asked for. */
  private adopt(dialect: Dialect, before: Dialect): void {
    const isNews = this.dialect.takesTemperature && !dialect.takesTemperature
    knownDialects.set(this.place, learn(this.dialect, before, dialect))
    if (isNews) this.notice(`${this.server.model} takes no temperature: it answers at its own, and annealing has no effect.`)
  }

  /** `answers`, having said once where reasoning left nothing for them. */
  private tellOfReasoning(answers: Answers): Answers {
    if (this.hasToldOfReasoning || !answers.finishReasons.includes(spentOnReasoning)) return answers
    this.hasToldOfReasoning = true
    this.notice(
      `${this.server.model} reasoned until the cap on an answer's tokens and wrote nothing, which is paid for: raise maxAnswerTokens or lower reasoningEffort.`,
    )
    return answers
  }

  private notice(sentence: string): void {
    const { onNotice = (sentence) => process.emitWarning(sentence, "Prompt2ModelWarning") } = this.options
    onNotice(sentence)
  }
}

/** Equal requests of one stage, and the answers to one request, must not be drawn from the same random numbers. */
function sampleSeed({ seed, index }: TeacherRequest, sample: number): number | undefined {
  return seed === undefined ? undefined : Number.parseInt(fingerprintOf([seed, index, sample]).slice(0, 8), 16) >>> 1
}
