// The run's money: what was spent, what is in flight, and the caps that are checked before a request goes out.
import { BudgetError } from "../core/errors"
import type { Limits, RunEvent, SentRecord, Spending } from "../core/run"
import { aroundTeacher, type Teacher, type TeacherCompletion, type TeacherRequest } from "../core/teacher"

/** Characters a token has, roughly; used only to reserve what is in flight. */
const charactersPerToken = 4

/** Adds up what leaves the machine and what it costs; goes on from the events of an earlier process. */
export class Purse {
  private usd = 0
  private inputTokens = 0
  private outputTokens = 0
  private requestsSent = 0
  private requestsReused = 0
  private reservedUsd = 0
  private reservedTokens = 0
  /** Dearest request so far, which a request in flight may cost again. */
  private dearestUsd = 0
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
   * Sets aside what `request` may cost; the function that is answered gives it back.
   * @throws BudgetError `budget.usd`, `budget.tokens`
   */
  reserve(request: TeacherRequest): () => void {
    const { maxUsd, maxTokens } = this.limits
    const usd = this.dearestUsd
    const tokens =
      Math.ceil(request.messages.reduce((sum, message) => sum + message.content.length, 0) / charactersPerToken) +
      (request.maxTokens ?? 0) * request.numResponses
    if (maxUsd !== undefined && this.usd + this.reservedUsd + usd > maxUsd) {
      throw new BudgetError(
        "budget.usd",
        `The cap of $${maxUsd} is reached ($${this.usd.toFixed(4)} spent): raise maxUsd (--max-usd) to go on from here.`,
      )
    }
    if (maxTokens !== undefined && this.inputTokens + this.outputTokens + this.reservedTokens + tokens > maxTokens) {
      throw new BudgetError("budget.tokens", `The cap of ${maxTokens} tokens is reached: raise maxTokens to go on from here.`)
    }
    this.reservedUsd += usd
    this.reservedTokens += tokens
    return () => {
      this.reservedUsd -= usd
      this.reservedTokens -= tokens
    }
  }

  count(event: TeacherEvent): void {
    this.usd += event.usd
    this.inputTokens += event.inputTokens
    this.outputTokens += event.outputTokens
    this.requestsSent++
    this.dearestUsd = Math.max(this.dearestUsd, event.usd)
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
    async complete(request, options): Promise<TeacherCompletion> {
      const giveBack = purse.reserve(request)
      try {
        const completion = await teacher.complete(request, options)
        const event = {
          at: new Date().toISOString(),
          to: teacher.sendsTo,
          purpose: request.purpose,
          usd: completion.usd,
          ...completion.usage,
        }
        purse.count(event)
        record({ type: "teacher.response", index: request.index, ...event })
        return completion
      } finally {
        giveBack()
      }
    },
  })
}
