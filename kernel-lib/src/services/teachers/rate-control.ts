// Rate control: one gate for all requests of a run to one service. Adaptive concurrency, requests and tokens per minute, time-outs, retries.
// There is no batch and so no barrier: a place that becomes free is taken at once, and whoever waits to try again holds none.
import { setMaxListeners } from "node:events"
import { InterruptedError, ServiceError } from "../../core/errors"
import { aroundTeacher, type Teacher, type TeacherRequest, tellAnswers } from "../../core/teacher"
import { ConcurrencyLimit, type Ticket } from "./concurrency-limit"
import { MinuteBudget } from "./minute-budget"
import { askedWait, giveUp, isRetryable, planRetry, type RetryOptions, sleep } from "./retry"

/** Requests in flight at once where nobody says. */
export const usualConcurrency = 16

export interface RateControlOptions extends RetryOptions {
  /** Most requests in flight at once. Default 16. */
  readonly maxConcurrency?: number
  readonly requestsPerMinute?: number
  /** Input and output tokens together. */
  readonly tokensPerMinute?: number
  /** Longest wait for one answer, in seconds. Default 180. */
  readonly timeoutSeconds?: number
  /** What counts as a minute, in milliseconds; tests take less. */
  readonly minuteMilliseconds?: number
}

interface Work<T> {
  /** One try. Its signal is aborted by the caller and by the time-out. */
  attempt(signal: AbortSignal): Promise<T>
  /** Tokens that it may take, input and output together. */
  readonly tokens?: number
  /** Tokens that it took. */
  tokensUsed?(result: T): number
  /** What is done with the result before its place is another's. */
  keep?(result: T): Promise<void>
  readonly signal?: AbortSignal
}

interface Waiting {
  readonly tokens: number
  admit(): void
}

/** The gate. Everything that goes to one service goes through `run` of one of these. */
export class RateControl {
  private readonly concurrency: ConcurrencyLimit
  private readonly requests?: MinuteBudget
  private readonly tokens?: MinuteBudget
  private readonly waiting: Waiting[] = []
  private held = 0
  private pausedUntil = 0
  private timer?: NodeJS.Timeout

  constructor(private readonly options: RateControlOptions = {}) {
    const { maxConcurrency = usualConcurrency, requestsPerMinute, tokensPerMinute, minuteMilliseconds } = options
    this.concurrency = new ConcurrencyLimit(maxConcurrency)
    if (requestsPerMinute !== undefined) this.requests = new MinuteBudget(requestsPerMinute, minuteMilliseconds)
    if (tokensPerMinute !== undefined) this.tokens = new MinuteBudget(tokensPerMinute, minuteMilliseconds)
  }

  /** Requests that may be in flight now. */
  get limit(): number {
    return this.concurrency.limit
  }

  /** Requests that are in flight now. */
  get inFlight(): number {
    return this.held
  }

  /**
   * Does the work when its turn comes, again where that may help.
   * @throws the work's own error; ServiceError `teacher.timeout`; InterruptedError when the signal is aborted
   */
  async run<T>(work: Work<T>): Promise<T> {
    const errors: ServiceError[] = []
    for (;;) {
      const outcome = await this.tryOnce(work, errors.length > 0)
      if (outcome.kind === "done") return outcome.result
      errors.push(outcome.error)
      const delay = planRetry(errors, this.options)
      if (delay === undefined) throw giveUp(outcome.error, errors.length)
      await sleep(delay, work.signal).catch((cause) => Promise.reject(new InterruptedError(undefined, { cause })))
    }
  }

  private async tryOnce<T>(
    work: Work<T>,
    isAgain: boolean,
  ): Promise<{ kind: "done"; result: T } | { kind: "failed"; error: ServiceError }> {
    const correctTokens = await this.enter(work, isAgain)
    const ticket = this.concurrency.issue()
    const started = performance.now()
    try {
      const result = await withTimeout(work, this.options.timeoutSeconds ?? 180)
      this.concurrency.succeeded(ticket, performance.now() - started)
      correctTokens(work.tokensUsed?.(result) ?? work.tokens ?? 0)
      await work.keep?.(result)
      return { kind: "done", result }
    } catch (error) {
      if (work.signal?.aborted) throw new InterruptedError(undefined, { cause: error })
      if (!isRetryable(error)) throw error
      this.slowDown(ticket, error)
      return { kind: "failed", error }
    } finally {
      this.held--
      this.admitWaiting()
    }
  }

  private slowDown(ticket: Ticket, error: ServiceError): void {
    this.concurrency.refused(ticket)
    const asked = askedWait(error)
    // A refusal for the rate holds for all requests; a busy server's 503 only for this one.
    if (error.status === 429 && asked !== undefined) this.pausedUntil = Math.max(this.pausedUntil, performance.now() + asked)
  }

  /** Waits for a place; whoever tries again goes first, since others may wait for it. Answers what corrects the tokens that were reserved. */
  private enter({ tokens = 0, signal }: Work<unknown>, isAgain: boolean): Promise<(tokens: number) => void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.waiting.splice(this.waiting.indexOf(waiting), 1)
        this.admitWaiting()
        reject(new InterruptedError(undefined, { cause: signal?.reason }))
      }
      const waiting: Waiting = {
        tokens,
        admit: () => {
          signal?.removeEventListener("abort", stop)
          const now = performance.now()
          this.requests?.spend(1, now)
          resolve(this.tokens?.spend(tokens, now) ?? (() => {}))
        },
      }
      if (signal?.aborted) return reject(new InterruptedError(undefined, { cause: signal.reason }))
      // Node warns of a leak from the eleventh listener on; requests that wait are more.
      if (signal) setMaxListeners(0, signal)
      signal?.addEventListener("abort", stop, { once: true })
      if (isAgain) this.waiting.unshift(waiting)
      else this.waiting.push(waiting)
      this.admitWaiting()
    })
  }

  /** Lets in whoever may go now, in their order, and sets an alarm for the next. */
  private admitWaiting(): void {
    clearTimeout(this.timer)
    while (this.waiting.length > 0 && this.held < this.concurrency.limit) {
      const now = performance.now()
      const delay = Math.max(
        this.pausedUntil - now,
        this.requests?.waitFor(1, now) ?? 0,
        this.tokens?.waitFor(this.waiting[0].tokens, now) ?? 0,
      )
      if (delay > 0) {
        this.timer = setTimeout(() => this.admitWaiting(), Math.ceil(delay))
        return
      }
      this.held++
      this.waiting.shift()?.admit()
    }
  }
}

/** One try, ended by the caller's signal or after so many seconds, even when it does not listen. */
async function withTimeout<T>({ attempt, signal }: Work<T>, seconds: number): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  let stop: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  const ended = new Promise<never>((_, reject) => {
    stop = () => {
      controller.abort(signal?.reason)
      reject(signal?.reason)
    }
    signal?.addEventListener("abort", stop, { once: true })
    timer = setTimeout(() => {
      reject(
        new ServiceError("teacher.timeout", `No answer came within ${seconds} seconds: raise timeoutSeconds where answers take longer.`, {
          isRetryable: true,
        }),
      )
      controller.abort()
    }, seconds * 1000)
  })
  try {
    return await Promise.race([attempt(controller.signal), ended])
  } finally {
    clearTimeout(timer)
    if (stop) signal?.removeEventListener("abort", stop)
  }
}

const charactersPerToken = 4
/** Tokens that an answer is taken to need where no cap is given. */
const usualAnswerTokens = 200

/** Tokens that a request may take, roughly, before anybody has counted them. */
export function estimateTokens({ messages, maxTokens = usualAnswerTokens, numResponses }: TeacherRequest): number {
  return Math.ceil(messages.reduce((sum, { content }) => sum + content.length, 0) / charactersPerToken) + maxTokens * numResponses
}

/**
 * `teacher` behind a gate of its own: for teachers of one's own that talk to a service. The built-in ones have theirs.
 * What may be tried again is what rejects with a `ServiceError` whose `isRetryable` is true.
 *
 * @example
 * const completion = { texts: ["fine"], finishReasons: ["stop"], usage: { inputTokens: 1, outputTokens: 1 }, usd: 0 }
 * const teacher = withRateControl({ name: "own", complete: async () => completion }, { requestsPerMinute: 60 })
 */
export function withRateControl(teacher: Teacher, options: RateControlOptions = {}): Teacher {
  const control = new RateControl(options)
  return aroundTeacher(teacher, {
    maxConcurrency: options.maxConcurrency ?? usualConcurrency,
    complete: tellAnswers((request, { signal, onAnswer } = {}) =>
      control.run({
        attempt: (attemptSignal) => teacher.complete(request, { signal: attemptSignal }),
        keep: onAnswer,
        tokens: estimateTokens(request),
        tokensUsed: ({ usage }) => usage.inputTokens + usage.outputTokens,
        signal,
      }),
    ),
  })
}
