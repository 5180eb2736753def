// Asks the teacher until there are rows enough: many requests at once, no barrier between them, and their answers taken in the requests' order.
import { setMaxListeners } from "node:events"
import { isPrompt2ModelError, messageOf, type Prompt2ModelError, ServiceError } from "../../core/errors"
import type { Example } from "../../core/prompt-spec"
import type { Teacher, TeacherRequest } from "../../core/teacher"
import type { StageContext } from "../../store/define-stage"
import { isKeptFailure } from "../../store/response-store"
import type { Collector, Outcome } from "./collect-rows"
import { planRequest, type Recipe } from "./plan-request"

export interface Asking {
  readonly recipe: Recipe
  readonly teacher: Teacher
  readonly collector: Collector
  /** Requests in flight at once. */
  readonly concurrency: number
  readonly context: StageContext
  readonly onRow?: (row: Example) => void
  readonly onProgress: () => void
}

/** Requests in a row that bring no new row before the teacher counts as having nothing new to say. */
const mostBarrenRequests = 60
/** Requests in a row that fail for good before the teacher counts as gone. */
const mostFailuresInARow = 32
/** Failures before their share decides whether to go on. */
const fewFailures = 20
/** Answers after which the share that becomes rows is known well enough. */
const enoughAnswers = 40

/** What became of a request, until its turn comes. */
type Settled = { readonly request: TeacherRequest } & (
  | { readonly outcome: Outcome; readonly error?: unknown }
  /** It cannot be answered, and the rows after it cannot be made without it. */
  | { readonly outcome?: undefined; readonly error: unknown }
)

export class RowAsking {
  private readonly settled = new Map<number, Settled>()
  private readonly stop = new AbortController()
  private readonly signal: AbortSignal
  private inFlight = 0
  private next = 0
  /** The first request that is not to be sent. */
  private end = Number.POSITIVE_INFINITY
  private ending?: string
  private failure: unknown
  private barren = 0
  /** The last request that was answered, by its number; -1 before there is one. */
  private lastAnswered = -1
  /** Requests that failed in this process, not in an earlier one. */
  private readonly freshFailures: TeacherRequest[] = []
  private freshAnswers = 0
  private failuresInARow = 0
  private wake: () => void = () => {}

  constructor(private readonly asking: Asking) {
    this.signal = AbortSignal.any([asking.context.signal, this.stop.signal])
    // Every request in flight listens to it.
    setMaxListeners(0, this.signal)
  }

  /** Asks until the collector is full. Answers why it ended before, where it did. @throws what no request can get past */
  async run(): Promise<string | undefined> {
    const { collector, context, onProgress } = this.asking
    const { maxSeconds } = context.run.limits
    const alarm =
      maxSeconds === undefined
        ? undefined
        : setTimeout(() => this.endAt(0, `the cap of ${maxSeconds} seconds is reached`), maxSeconds * 1000)
    // Whatever ends the asking, answers that are on their way have been paid for: they are waited for and collected.
    while (!collector.isFull && !this.failure && !context.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve
      })
      this.dispatch()
      if (this.inFlight === 0 && !this.settled.has(collector.requests)) break
      if (!this.settled.has(collector.requests)) await woken
      await this.takeSettled()
      onProgress()
    }
    clearTimeout(alarm)
    this.stop.abort()
    while (this.inFlight > 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    if (collector.isFull) return undefined
    if (this.failure) throw this.failure
    return context.signal.aborted ? "interrupted" : (this.ending ?? this.describeEnd())
  }

  private describeEnd(): string | undefined {
    return Number.isFinite(this.asking.collector.options.target) ? "the recording has no more rows" : undefined
  }

  private endAt(call: number, reason: string): void {
    this.ending ??= reason
    this.end = Math.min(this.end, call)
    this.wake()
  }

  private dispatch(): void {
    const { collector, concurrency, teacher, recipe } = this.asking
    // A teacher with a gate of its own lets no more through than it should, and loses no time between two.
    const isGated = teacher.maxConcurrency !== undefined && teacher.maxConcurrency <= concurrency
    const most = isGated ? 2 * concurrency : concurrency
    const needed = this.neededRequests()
    while (
      this.inFlight < most &&
      this.next < this.end &&
      this.next - recipe.window < collector.requests &&
      this.next - collector.requests < needed
    ) {
      void this.ask(this.next++)
    }
  }

  /** Requests that are still needed, as answers went so far, and one more; asking for others would be paid for and dropped. */
  private neededRequests(): number {
    const { collector, recipe } = this.asking
    const { accepted, asked, options } = collector
    const rate = asked < enoughAnswers ? 1 : Math.max(0.05, accepted / asked)
    return Math.ceil((options.target - accepted) / (recipe.responsesPerRequest * rate)) + 1
  }

  private async ask(call: number): Promise<void> {
    const { teacher, collector, recipe } = this.asking
    const request = planRequest(recipe, collector, call)
    this.inFlight++
    try {
      const { texts, finishReasons } = await teacher.complete(request, { signal: this.signal })
      this.lastAnswered = Math.max(this.lastAnswered, call)
      const temperature = teacher.isRecorded ? undefined : request.temperature
      this.settled.set(call, { request, outcome: { kind: "answered", texts, finishReasons, temperature } })
    } catch (error) {
      if (!this.signal.aborted) this.noteError(call, request, error)
    } finally {
      this.inFlight--
      this.wake()
    }
  }

  private noteError(call: number, request: TeacherRequest, error: unknown): void {
    const code = isPrompt2ModelError(error) ? (error as Prompt2ModelError).code : undefined
    if (code === "recorded.exhausted") this.end = Math.min(this.end, call)
    else if (code === "recorded.no-answer") this.settled.set(call, { request, error })
    else if (code?.startsWith("budget.")) this.endAt(call, messageOf(error))
    else if (isFinal(error) || (this.lastAnswered < 0 && neverReached.has(code ?? ""))) this.failure ??= error
    else this.settled.set(call, { request, outcome: { kind: "failed" }, error })
  }

  private async takeSettled(): Promise<void> {
    const { collector, onRow } = this.asking
    for (let turn = this.settled.get(collector.requests); turn && !collector.isFull; turn = this.settled.get(collector.requests)) {
      if (!turn.outcome) {
        this.failure ??= turn.error
        return
      }
      await this.noteFailure(turn)
      this.settled.delete(collector.requests)
      const accepted = collector.accepted
      collector.take(turn.outcome)
      for (let number = accepted; number < collector.accepted; number++) onRow?.(collector.firstRow(number))
      this.barren = collector.accepted > accepted ? 0 : this.barren + 1
      if (this.failure) return
    }
    if (this.barren < mostBarrenRequests) return
    this.endAt(this.next, `the teacher made nothing new in ${mostBarrenRequests} requests: ${collector.describeRejections()}`)
  }

  /** Later requests will be made without this one's rows: it must fail again when it is asked again, or the rows would be others then. */
  private async noteFailure({ request, outcome, error }: Settled): Promise<void> {
    const { teacher, recipe } = this.asking
    if (outcome?.kind !== "failed") {
      this.failuresInARow = 0
      this.freshAnswers++
      return
    }
    if (isKeptFailure(error)) return
    await teacher.keepFailure?.(request, error)
    this.freshFailures.push(request)
    this.failuresInARow++
    const isMost = this.freshFailures.length > fewFailures && this.freshFailures.length > this.freshAnswers
    if (!isMost && this.failuresInARow < mostFailuresInARow) return
    this.failure ??= new ServiceError("teacher.mostly-failing", `Most requests failed: ${messageOf(error)}`, {
      isRetryable: true,
      cause: error,
    })
    // No request that was answered had to do without the rows of these: when the teacher is there again, they may succeed.
    const vain = this.freshFailures.filter(({ index }) => index > this.lastAnswered - recipe.window)
    for (const failed of vain) await teacher.forgetFailure?.(failed)
  }
}

/** What a request meets when nobody is there; before the first answer, further requests would wait as long and meet the same. */
const neverReached = new Set(["teacher.unreachable", "teacher.connection-lost"])

/** Whether every further request would meet this error too. A service's error is one request's; when most requests fail, that ends it as well. */
function isFinal(error: unknown): boolean {
  return !isPrompt2ModelError(error) || (error as ServiceError).isRetryable === undefined
}
