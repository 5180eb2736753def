// A language model behind the OpenAI chat-completions protocol: OpenAI's own, or any server that speaks it (Ollama, vLLM, llama.cpp ...).
import OpenAI, { APIError } from "openai"
import type { ChatCompletion } from "openai/resources/chat/completions"
import { InputError, isPrompt2ModelError, ServiceError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import type { Teacher, TeacherCompletion, TeacherRequest, TokenUsage } from "../../core/teacher"
import { type Dialect, firstDialect, learn, narrowDialect, writeBody } from "./openai-dialect"
import { explainError, garbledAnswer, missingKey, refusalOf, type ServerDescription } from "./openai-errors"
import { costOf, findPrice, type Price } from "./prices"
import { estimateTokens, RateControl, type RateControlOptions } from "./rate-control"

export interface OpenAITeacherOptions extends RateControlOptions {
  /** Default: `OPENAI_API_KEY`. A server on this machine needs none. */
  readonly apiKey?: string
  /** Where the server is. Default: `OPENAI_BASE_URL`, else OpenAI's. */
  readonly baseURL?: string
  /** US dollars for a million tokens by model, before the table of prices.ts. */
  readonly prices?: Readonly<Record<string, Price>>
  /** Told once about each thing that a server does not take, such as temperature. Default: a warning of the process. */
  readonly onNotice?: (sentence: string) => void
}

export interface OpenAITeacher extends Teacher {
  /** False where neither table knows the model's price: `usd` is 0 then, which is no price but ignorance. True for servers on this machine. */
  readonly isPriceKnown: boolean
}

const openaiURL = "https://api.openai.com/v1"

/**
 * A teacher behind the chat-completions protocol. Requests of all stages share one gate: concurrency that adapts to the server, requests
 * and tokens per minute, retries of what may succeed later.
 *
 * @throws InputError `teacher.no-key`, `teacher.bad-address`. `complete` rejects with InputError where every further request would fail too
 *   (`teacher.key-refused`, `teacher.no-such-model`, `teacher.out-of-credit`), with ServiceError where this one did (`teacher.rate-limited`,
 *   `teacher.server-error`, `teacher.timeout`, `teacher.connection-lost`, `teacher.unreachable`, `teacher.no-answer`, `teacher.garbled-answer`,
 *   `teacher.request-refused`), and with InterruptedError when the signal was aborted.
 * @example
 * const teacher = openaiTeacher("qwen3:8b", { baseURL: "http://127.0.0.1:11434/v1", maxConcurrency: 4 })
 * teacher.identity // "qwen3:8b@http://127.0.0.1:11434/v1"
 */
export function openaiTeacher(model: string, options: OpenAITeacherOptions = {}): OpenAITeacher {
  const baseURL = checkAddress(options.baseURL ?? (process.env.OPENAI_BASE_URL || openaiURL))
  const apiKey = (options.apiKey ?? process.env.OPENAI_API_KEY) || undefined
  if (!apiKey && baseURL === openaiURL) throw missingKey(baseURL)
  const isLocal = isLoopback(baseURL)
  const price = findPrice(model, options.prices) ?? (isLocal ? { input: 0, output: 0 } : undefined)
  const server = { model, baseURL, apiKey }
  const asker = new Asker(server, options)
  return {
    name: model,
    identity: `${model}@${baseURL}`,
    sendsTo: isLocal ? undefined : new URL(baseURL).origin,
    isPriceKnown: price !== undefined,
    async complete(request, { signal } = {}) {
      const { texts, finishReasons, usage } = await asker.ask(request, signal)
      return { texts, finishReasons, usage, usd: price ? costOf(price, usage) : 0 }
    },
  }
}

type Answers = Omit<TeacherCompletion, "usd">

/** Asks one server, in the dialect that it has been found to take. */
class Asker {
  private readonly client: OpenAI
  private readonly control: RateControl
  private dialect: Dialect

  constructor(
    private readonly server: ServerDescription,
    private readonly options: OpenAITeacherOptions,
  ) {
    const { baseURL, apiKey } = server
    this.client = new OpenAI({
      baseURL,
      apiKey: apiKey ?? "none",
      // Retries are the gate's business, and so is the time-out, which also covers the body of an answer.
      ...{ maxRetries: 0, timeout: 24 * 3_600_000, logLevel: "off" },
      ...(apiKey ? {} : { defaultHeaders: { Authorization: null } }),
    })
    this.control = new RateControl(options)
    this.dialect = firstDialect(baseURL)
  }

  /** All answers of a request: in one exchange where the server takes `n`, else in as many as there are answers. */
  async ask(request: TeacherRequest, signal: AbortSignal | undefined): Promise<Answers> {
    const { numResponses } = request
    if (numResponses <= 1) return this.exchange(request, 0, signal)
    const parts: Answers[] = []
    if (this.dialect.takesSeveral) {
      const answers = await this.exchange(request, 0, signal)
      if (answers.texts.length > 1) return answers
      this.adopt({ ...this.dialect, takesSeveral: false }, this.dialect)
      parts.push(answers)
    }
    const single = { ...request, numResponses: 1 }
    const missing = Array.from({ length: numResponses - parts.length }, (_, index) => this.exchange(single, parts.length + index, signal))
    return join([...parts, ...(await keepFulfilled(missing))])
  }

  /** One answer to a request or, with `n`, several; `sample` says which of the request's answers the first one is. */
  private async exchange(request: TeacherRequest, sample: number, signal: AbortSignal | undefined): Promise<Answers> {
    const known = this.dialect
    for (let dialect = known; ; ) {
      try {
        const answers = await this.send(request, dialect, sample, signal)
        if (dialect !== known) this.adopt(dialect, known)
        return answers
      } catch (error) {
        const refusal = refusalOf(error)
        const narrower = refusal && narrowDialect(dialect, request, refusal)
        if (!narrower) throw error
        dialect = narrower
      }
    }
  }

  private send(request: TeacherRequest, dialect: Dialect, sample: number, signal: AbortSignal | undefined): Promise<Answers> {
    const count = dialect.takesSeveral ? request.numResponses : 1
    const body = writeBody(this.server.model, request, dialect, { count, seed: sampleSeed(request, sample) })
    return this.control.run({
      attempt: async (attemptSignal) => {
        try {
          const completion = await this.client.chat.completions.create({ ...body, stream: false }, { signal: attemptSignal })
          return readCompletion(completion, request, this.server)
        } catch (error) {
          if (error instanceof APIError && error.code === "content_filter") return filteredAnswers(request, count)
          throw isPrompt2ModelError(error) ? error : explainError(error, this.server)
        }
      },
      tokens: estimateTokens({ ...request, numResponses: count }),
      tokensUsed: ({ usage }) => usage.inputTokens + usage.outputTokens,
      signal,
    })
  }

  /** Keeps what a server was found to take, and says so where it changes what was asked for. */
  private adopt(dialect: Dialect, before: Dialect): void {
    const notice = this.options.onNotice ?? ((sentence) => process.emitWarning(sentence, "Prompt2ModelWarning"))
    const isNews = this.dialect.takesTemperature && !dialect.takesTemperature
    this.dialect = learn(this.dialect, before, dialect)
    if (isNews) notice(`${this.server.model} takes no temperature: it answers at its own, and annealing has no effect.`)
  }
}

/** Equal requests of one stage, and the answers to one request, must not be drawn from the same random numbers. */
function sampleSeed({ seed, index }: TeacherRequest, sample: number): number | undefined {
  return seed === undefined ? undefined : Number.parseInt(fingerprintOf([seed, index, sample]).slice(0, 8), 16) >>> 1
}

/** @throws ServiceError `teacher.garbled-answer`, `teacher.no-answer` */
function readCompletion(completion: ChatCompletion, request: TeacherRequest, server: ServerDescription): Answers {
  const choices: unknown = completion?.choices
  if (!Array.isArray(choices)) throw garbledAnswer(server)
  if (choices.length === 0) {
    throw new ServiceError("teacher.no-answer", `${server.model} sent no answer: run it again to go on.`, { isRetryable: true })
  }
  const messages = choices.map((choice) => choice?.message)
  if (!messages.every((message) => typeof message === "object" && message !== null)) throw garbledAnswer(server)
  const texts = messages.map(({ content, refusal }) => (typeof content === "string" ? content : typeof refusal === "string" ? refusal : ""))
  return {
    texts,
    finishReasons: choices.map(({ finish_reason }) => String(finish_reason ?? "stop")),
    usage: readUsage(completion.usage, request, texts),
  }
}

/** A server whose filter refuses the prompt's draw has answered, with nothing: the next prompt is another. */
function filteredAnswers(request: TeacherRequest, count: number): Answers {
  const texts = Array.from({ length: count }, () => "")
  return {
    texts,
    finishReasons: texts.map(() => "content_filter"),
    usage: { inputTokens: estimateTokens({ ...request, numResponses: 0 }), outputTokens: 0 },
  }
}

/** Tokens as the server counted them; by a rule of thumb where it did not. */
function readUsage(usage: ChatCompletion["usage"], request: TeacherRequest, texts: readonly string[]): TokenUsage {
  const count = (value: unknown) => (typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined)
  const guess = estimateTokens({ ...request, numResponses: 0 })
  return {
    inputTokens: count(usage?.prompt_tokens) ?? guess,
    outputTokens: count(usage?.completion_tokens) ?? Math.ceil(texts.join("").length / 4),
  }
}

/** What arrived is kept though some did not; where nothing did, or the run is to end, the first error stands. */
async function keepFulfilled(promises: readonly Promise<Answers>[]): Promise<Answers[]> {
  const settled = await Promise.allSettled(promises)
  const errors = settled.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []))
  const final = errors.find((error) => !(error instanceof ServiceError))
  if (final !== undefined || errors.length === settled.length) throw final ?? errors[0]
  return settled.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []))
}

function join(parts: readonly Answers[]): Answers {
  const sum = (read: (usage: TokenUsage) => number) => parts.reduce((total, { usage }) => total + read(usage), 0)
  return {
    texts: parts.flatMap(({ texts }) => texts),
    finishReasons: parts.flatMap(({ finishReasons }) => finishReasons),
    usage: { inputTokens: sum(({ inputTokens }) => inputTokens), outputTokens: sum(({ outputTokens }) => outputTokens) },
  }
}

/** The address without a slash at its end. It stands in identities and messages, so it may hold no password. */
function checkAddress(text: string): string {
  const url = parseURL(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search) {
    throw new InputError(
      "teacher.bad-address",
      "The teacher's address must look like http://127.0.0.1:11434/v1: no password and no question mark; a key goes into OPENAI_API_KEY.",
    )
  }
  return url.href.replace(/\/+$/, "")
}

function parseURL(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

function isLoopback(baseURL: string): boolean {
  const { hostname } = new URL(baseURL)
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    hostname === "0.0.0.0" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  )
}
