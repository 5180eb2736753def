// Retries: what may be asked again, and how long to wait before. Nothing here knows which service it is.
import { setTimeout as wait } from "node:timers/promises"
import { isPrompt2ModelError, ServiceError } from "../../core/errors"

export interface RetryOptions {
  /** Tries in all, the first one included. Default 8. */
  readonly maxTries?: number
  /** Wait before the second try, in milliseconds; it doubles with each further one. Default 500. */
  readonly backOffMilliseconds?: number
  /** Longest wait of the doubling, in milliseconds. Default 60,000. */
  readonly maxBackOffMilliseconds?: number
  /** Longest `Retry-After` that is waited for, in seconds; a longer one ends the request. Default 300. */
  readonly maxRetryAfterSeconds?: number
}

/** What a `ServiceError` says beside its status, for whoever tries again. */
export interface RetryHints {
  /** The service asked to wait this long. */
  readonly retryAfterMilliseconds?: number
  /** Give up after so many errors of this code in a row: waiting longer would hardly help. */
  readonly mostInARow?: number
}

const hints = new WeakMap<object, RetryHints>()

/** Notes hints for an error, and answers it. */
export function withRetryHints<E extends Error>(error: E, known: RetryHints): E {
  hints.set(error, known)
  return error
}

/** The wait that `Retry-After` asks for, in milliseconds: seconds or an HTTP date. Undefined when it says nothing usable. */
export function readRetryAfter(value: string | null | undefined, now = Date.now()): number | undefined {
  if (!value?.trim()) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/**
 * Milliseconds to wait before another try, given the errors of all tries so far, or undefined to give up. A wait that the service asked
 * for is obeyed; otherwise it doubles, with jitter, so that many clients do not come back at the same moment.
 */
export function planRetry(errors: readonly ServiceError[], options: RetryOptions = {}): number | undefined {
  const { maxTries = 8, backOffMilliseconds = 500, maxBackOffMilliseconds = 60_000, maxRetryAfterSeconds = 300 } = options
  const tries = errors.length
  const error = errors[tries - 1]
  const known = hints.get(error)
  const inARow = tries - 1 - errors.findLastIndex(({ code }) => code !== error.code)
  if (tries >= maxTries || inARow >= (known?.mostInARow ?? maxTries)) return undefined
  // Not one of the library's seeded draws: two processes with one seed must not come back together.
  const jitter = 0.5 + Math.random() / 2
  const backOff = Math.min(maxBackOffMilliseconds, backOffMilliseconds * 2 ** (tries - 1)) * jitter
  const asked = known?.retryAfterMilliseconds
  if (asked === undefined) return backOff
  return asked > maxRetryAfterSeconds * 1000 ? undefined : asked + backOffMilliseconds * 0.1 * jitter
}

/** Whether the service asked to wait, and how long. */
export function askedWait(error: unknown): number | undefined {
  return isRetryable(error) ? hints.get(error)?.retryAfterMilliseconds : undefined
}

export function isRetryable(error: unknown): error is ServiceError {
  return isPrompt2ModelError(error) && (error as Partial<ServiceError>).isRetryable === true
}

/** The error of the last try, saying how many there were. */
export function giveUp(error: ServiceError, tries: number): ServiceError {
  if (tries === 1) return error
  return new ServiceError(error.code, `${error.message} It was tried ${tries} times.`, {
    cause: error.cause,
    isRetryable: true,
    status: error.status,
  })
}

/** Waits; rejects with the signal's reason when it is aborted. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await wait(milliseconds, undefined, { signal })
}
