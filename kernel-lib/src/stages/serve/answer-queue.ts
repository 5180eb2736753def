// Questions of all clients in, answers out: what waits is answered together as soon as the student is free, so that many clients cost
// hardly more than one. An answer is the same whatever stands beside it.
import { InputError, InterruptedError } from "../../core/errors"
import type { Decoding, Prediction, Student, WrittenToken } from "../../core/student"

export interface Question {
  readonly input: string
  /** Default: the student's own. A `seed` is this question's alone. */
  readonly decoding?: Decoding
  readonly maxNewTokens?: number
  /** Whoever asked is gone, or waits no longer. */
  readonly signal?: AbortSignal
  readonly onToken?: (token: WrittenToken) => void
}

/** Told of each batch when it is answered. */
export type OnBatch = (batch: { readonly rows: number; readonly tokens: number; readonly seconds: number }) => void

interface Waiting {
  readonly question: Question
  readonly resolve: (prediction: Prediction) => void
  readonly reject: (error: unknown) => void
}

/** Rows that are answered at once: from there on more of them make none faster. */
const mostRows = 64

export class AnswerQueue {
  private waiting: Waiting[] = []
  private isAnswering = false

  constructor(
    private readonly student: Student,
    private readonly options: { readonly mostWaiting?: number; readonly onBatch?: OnBatch } = {},
  ) {}

  /** Questions that nobody works on yet. */
  get length(): number {
    return this.waiting.length
  }

  /** Whether `count` more questions may wait. */
  hasRoom(count: number): boolean {
    return this.waiting.length + count <= (this.options.mostWaiting ?? Number.POSITIVE_INFINITY)
  }

  /** @throws InterruptedError when the question's signal is aborted; what `student.predict` throws */
  ask(question: Question): Promise<Prediction> {
    return new Promise((resolve, reject) => {
      const one: Waiting = { question, resolve, reject }
      question.signal?.addEventListener("abort", () => this.giveUp(one), { once: true })
      this.waiting.push(one)
      if (question.signal?.aborted) this.giveUp(one)
      // Questions of one moment go together.
      setImmediate(() => void this.answerWaiting())
    })
  }

  private giveUp(one: Waiting): void {
    this.waiting = this.waiting.filter((other) => other !== one)
    one.reject(new InterruptedError("Nobody waits for this answer any more."))
  }

  private async answerWaiting(): Promise<void> {
    if (this.isAnswering) return
    this.isAnswering = true
    try {
      while (this.waiting.length > 0) await this.answerTogether(this.takeBatch())
    } finally {
      this.isAnswering = false
    }
  }

  /** The question that has waited longest, and those after it that are decoded in the same way. */
  private takeBatch(): Waiting[] {
    const way = wayOf(this.waiting[0].question)
    const batch = this.waiting.filter(({ question }) => wayOf(question) === way).slice(0, mostRows)
    this.waiting = this.waiting.filter((one) => !batch.includes(one))
    return batch
  }

  private async answerTogether(batch: readonly Waiting[]): Promise<void> {
    const started = performance.now()
    try {
      const predictions = await this.predict(batch)
      for (const [row, { resolve }] of batch.entries()) resolve(predictions[row])
      const tokens = predictions.reduce((sum, prediction) => sum + prediction.tokens.length, 0)
      this.options.onBatch?.({ rows: batch.length, tokens, seconds: (performance.now() - started) / 1000 })
    } catch (error) {
      // An input that cannot be answered must not spoil its neighbours' answers.
      if (error instanceof InputError && batch.length > 1) for (const one of batch) await this.answerTogether([one])
      else for (const { reject } of batch) reject(error)
    }
  }

  private async predict(batch: readonly Waiting[]): Promise<Prediction[]> {
    const questions = batch.map(({ question }) => question)
    const { decoding, maxNewTokens } = questions[0]
    const seeds = questions.map(({ decoding }) => (decoding && "seed" in decoding ? Number(decoding.seed) : 0))
    const isSampled = decoding?.kind === "top-k" || decoding?.kind === "top-p"
    const gone = new AbortController()
    const stopWhenAllAreGone = () => questions.every(({ signal }) => signal?.aborted) && gone.abort()
    for (const { signal } of questions) signal?.addEventListener("abort", stopWhenAllAreGone)
    stopWhenAllAreGone()
    try {
      return await this.student.predict(
        questions.map(({ input }) => input),
        {
          decoding: isSampled ? { ...decoding, seed: seeds } : decoding,
          maxNewTokens,
          signal: gone.signal,
          onToken: questions.some(({ onToken }) => onToken)
            ? (row, token) => questions[row].signal?.aborted || questions[row].onToken?.(token)
            : undefined,
        },
      )
    } finally {
      for (const { signal } of questions) signal?.removeEventListener("abort", stopWhenAllAreGone)
    }
  }
}

/** Questions with the same way can be answered together. */
function wayOf({ decoding, maxNewTokens }: Question): string {
  return JSON.stringify([decoding && { ...decoding, seed: undefined }, maxNewTokens])
}
