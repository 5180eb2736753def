// The run's money: what was spent, what is in flight, and the caps that are checked before a request goes out.
import { BudgetError, InputError, InterruptedError } from "../core/errors"
import type { Limits, RunEvent, SentRecord, Spending } from "../core/run"
import { aroundTeacher, completeAndTake, type Teacher, type TeacherCompletion, type TeacherRequest, tellAnswers } from "../core/teacher"

/** Characters a token has, roughly; used where a teacher cannot count. */
const charactersPerToken = 4

interface Cost {
  readonly usd: number
  readonly tokens: number
}

/** What a request may cost. Where it is not bounded, the dearest before it may be dearer. */
interface Estimate extends Cost {
  readonly isBounded: boolean
}

interface Waiting {
  readonly estimate: Estimate
  admit(cost: Cost): void
  refuse(error: BudgetError): void
}

/** Adds up what leaves the machine and what it costs; goes on from the events of an earlier process. */
export class Purse {
  private usd = 0
  private inputTokens = 0
  private outputTokens = 0
  private requestsSent = 0
  private requestsReused = 0
  private readonly reserved = { usd: 0, tokens: 0, requests: 0 }
  /** Dearest request so far, which a request in flight may cost again. */
  private readonly dearest = { usd: 0, tokens: 0 }
  private readonly waiting: Waiting[] = []
  private readonly sentTo = new Map<string, SentRecord>()

  constructor(
    private readonly limits: Limits,
    events: readonly RunEvent[],
  ) {
    for (const event of events) {
      if (event.type === "teacher.response") this.count(event as unknown as TeacherEvent)
    }
  }

  get spending(): Spending {
    const { usd, inputTokens, outputTokens, requestsSent, requestsReused } = this
    return { usd, inputTokens, outputTokens, requestsSent, requestsReused }
  }

  sent(): SentRecord[] {
    return [...this.sentTo.values()]
  }

  countReused(): void {
    this.requestsReused++
  }

  /**
   * Sets aside what `request` may cost; the function that is answered gives it back. Where it fits only once others in flight have turned
   * out cheaper than they might, it waits for them.
   * @throws BudgetError `budget.usd`, `budget.tokens`; InputError `teacher.price-unknown`; InterruptedError
   */
  async reserve(request: TeacherRequest, teacher: Teacher, signal?: AbortSignal): Promise<() => void> {
    const { maxUsd, maxTokens } = this.limits
    if (maxUsd === undefined && maxTokens === undefined) return () => {}
    const estimate = await estimateCost(request, teacher)
    if (maxUsd !== undefined && estimate.usd === undefined) throw unknownPrice(teacher)
    const cost = await this.wait({ ...estimate, usd: estimate.usd ?? 0 }, signal)
    return () => {
      this.setAside(cost, -1)
      this.admitWaiting()
    }
  }

  count(event: TeacherEvent): void {
    const tokens = event.inputTokens + event.outputTokens
    this.usd += event.usd
    this.inputTokens += event.inputTokens
    this.outputTokens += event.outputTokens
    this.requestsSent++
    this.dearest.usd = Math.max(this.dearest.usd, event.usd)
    this.dearest.tokens = Math.max(this.dearest.tokens, tokens)
    if (!event.to) return
    const key = `${event.to}\n${event.purpose}`
    const known = this.sentTo.get(key)
    this.sentTo.set(key, {
      to: event.to,
      purpose: event.purpose,
      requests: (known?.requests ?? 0) + 1,
      inputTokens: (known?.inputTokens ?? 0) + event.inputTokens,
      usd: (known?.usd ?? 0) + event.usd,
      firstAt: known?.firstAt ?? event.at,
      lastAt: event.at,
    })
  }

  /** What a request may cost, as things stand now. */
  private costOf({ usd, tokens, isBounded }: Estimate): Cost {
    const { dearest } = this
    return isBounded ? { usd, tokens } : { usd: Math.max(usd, dearest.usd), tokens: Math.max(tokens, dearest.tokens) }
  }

  private fits({ usd, tokens }: Cost): boolean {
    const { maxUsd = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY } = this.limits
    // What one request costs at a teacher that cannot say is learnt by sending one.
    const isBlind = usd === 0 && maxUsd < Number.POSITIVE_INFINITY && this.requestsSent === 0 && this.reserved.requests > 0
    return (
      !isBlind &&
      this.usd + this.reserved.usd + usd <= maxUsd &&
      this.inputTokens + this.outputTokens + this.reserved.tokens + tokens <= maxTokens
    )
  }

  private setAside({ usd, tokens }: Cost, times: 1 | -1): void {
    this.reserved.requests += times
    // What was added and taken away in turn leaves crumbs; nothing in flight is nothing.
    this.reserved.usd = this.reserved.requests === 0 ? 0 : this.reserved.usd + times * usd
    this.reserved.tokens = this.reserved.requests === 0 ? 0 : this.reserved.tokens + times * tokens
  }

  private wait(estimate: Estimate, signal?: AbortSignal): Promise<Cost> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.waiting.splice(this.waiting.indexOf(waiting), 1)
        this.admitWaiting()
        reject(new InterruptedError(undefined, { cause: signal?.reason }))
      }
      const listenNoMore = () => signal?.removeEventListener("abort", stop)
      const waiting: Waiting = {
        estimate,
        admit: (cost) => {
          listenNoMore()
          resolve(cost)
        },
        refuse: (error) => {
          listenNoMore()
          reject(error)
        },
      }
      if (signal?.aborted) return reject(new InterruptedError(undefined, { cause: signal.reason }))
      signal?.addEventListener("abort", stop, { once: true })
      this.waiting.push(waiting)
      this.admitWaiting()
    })
  }

  private admitWaiting(): void {
    for (;;) {
      const [first] = this.waiting
      if (!first) return
      const cost = this.costOf(first.estimate)
      const isAdmitted = this.fits(cost)
      // Nothing in flight can turn out cheaper any more.
      if (!isAdmitted && this.reserved.requests > 0) return
      this.waiting.shift()
      if (isAdmitted) this.setAside(cost, 1)
      if (isAdmitted) first.admit(cost)
      else first.refuse(this.explain(cost))
    }
  }

  private explain({ usd, tokens }: Cost): BudgetError {
    const { maxUsd, maxTokens } = this.limits
    if (maxUsd !== undefined && (this.usd >= maxUsd || this.usd + usd > maxUsd)) {
      const spent = `$${this.usd.toFixed(4)} spent, and the next request may cost $${usd.toFixed(4)}`
      return new BudgetError("budget.usd", `The cap of $${maxUsd} is reached (${spent}): raise maxUsd (--max-usd) to go on from here.`)
    }
    const used = (this.inputTokens + this.outputTokens).toLocaleString("en")
    return new BudgetError(
      "budget.tokens",
      `The cap of ${maxTokens} tokens is reached (${used} used, and the next request may take ${tokens}): raise maxTokens (--max-tokens) to go on from here.`,
    )
  }
}

/** `usd` is undefined at a teacher that can say what it takes, and not what that costs. */
async function estimateCost(request: TeacherRequest, teacher: Teacher): Promise<Omit<Estimate, "usd"> & { readonly usd?: number }> {
  const known = await teacher.estimate?.(request)
  if (known)
    return { usd: known.usd, tokens: known.inputTokens + known.outputTokens, isBounded: known.isBounded && known.usd !== undefined }
  const characters = request.messages.reduce((sum, message) => sum + message.content.length, 0)
  const tokens = Math.ceil(characters / charactersPerToken) + (request.maxTokens ?? 0) * request.numResponses
  return { usd: 0, tokens, isBounded: false }
}

/** A cap that cannot be kept is refused before anything is sent. */
function unknownPrice({ name }: Teacher): InputError {
  return new InputError(
    "teacher.price-unknown",
    `The price of ${name} is not known, so maxUsd (--max-usd) cannot be kept: tell it with openaiTeacher("${name}", { prices: { "${name}": { input, output } } }), in US dollars for a million tokens, or cap maxTokens (--max-tokens) instead.`,
  )
}

interface TeacherEvent {
  readonly at: string
  /** Where it went; undefined when it stayed on this machine. */
  readonly to?: string
  readonly purpose: string
  readonly usd: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** `teacher` with its caps checked before each request and its answers counted. */
export function meterTeacher(teacher: Teacher, purse: Purse, record: (event: RunEvent) => void): Teacher {
  return aroundTeacher(teacher, {
    complete: tellAnswers(async (request, options): Promise<TeacherCompletion> => {
      const giveBack = await purse.reserve(request, teacher, options?.signal)
      const started = performance.now()
      try {
        return await completeAndTake(teacher, request, options, async (answer) => {
          const completion = timed(answer, started, teacher)
          if (completion.isReused) {
            purse.countReused()
            return completion
          }
          const event = {
            at: new Date().toISOString(),
            to: teacher.sendsTo,
            purpose: request.purpose,
            usd: completion.usd,
            ...completion.usage,
          }
          purse.count(event)
          record({ type: "teacher.response", index: request.index, ...event })
          await options?.onAnswer?.(completion)
          return completion
        })
      } finally {
        giveBack()
      }
    }),
  })
}

/** `completion` with the seconds that it took, where the teacher does not tell them itself: one with a gate counts no waiting. */
function timed(completion: TeacherCompletion, started: number, { isRecorded, batchSize, maxConcurrency }: Teacher): TeacherCompletion {
  const isKnown = completion.seconds !== undefined || completion.isReused || isRecorded
  if (isKnown || batchSize !== undefined || maxConcurrency !== undefined) return completion
  return { ...completion, seconds: (performance.now() - started) / 1000 }
}
