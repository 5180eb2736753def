// What can go wrong, as classes by what the reader can do about it. Every error has a stable code, one sentence that
// names the remedy, and the raw cause. Secrets are taken out of every sentence before it is kept.

/** Brand shared by the CommonJS and the ES module copy of the library. */
const brand = Symbol.for("prompt2model.error")

export interface ErrorDetails {
  /** The error that led here, as it was thrown. */
  readonly cause?: unknown
}

/** Every error of the library. Ask `error.code`, never the class: CommonJS and ES module copies may meet in one process. */
export class Prompt2ModelError extends Error {
  readonly [brand] = true
  /** Stable, dotted, lower case: `room.what-happened`. */
  readonly code: string

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(redactSecrets(message), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.name = new.target.name
  }
}

/** What was passed in is not usable: change the input. */
export class InputError extends Prompt2ModelError {}

/** A service outside this process failed. `isRetryable` says whether the same request may succeed later. */
export class ServiceError extends Prompt2ModelError {
  readonly isRetryable: boolean
  /** HTTP status, where there was one. */
  readonly status?: number

  constructor(code: string, message: string, details: ErrorDetails & { isRetryable: boolean; status?: number }) {
    super(code, message, details)
    this.isRetryable = details.isRetryable
    this.status = details.status
  }
}

/** A model answered, but not in the form that was asked for. `raw` is its answer. */
export class ModelOutputError extends Prompt2ModelError {
  readonly raw: string

  constructor(code: string, message: string, details: ErrorDetails & { raw: string }) {
    super(code, message, details)
    this.raw = redactSecrets(details.raw)
  }
}

/** An engine is missing, broken or out of memory, or a network uses what an engine does not know. */
export class EngineError extends Prompt2ModelError {}

/** A cap on money, tokens or time was reached. */
export class BudgetError extends Prompt2ModelError {}

/** The user interrupted a stage; what was done is saved, and the same call goes on from there. */
export class InterruptedError extends Prompt2ModelError {
  constructor(message = "Interrupted. What was done is saved: run the same cell or command again to go on.", details: ErrorDetails = {}) {
    super("run.interrupted", message, details)
  }
}

/** Whether `value` is an error of this library, from whichever copy of it. */
export function isPrompt2ModelError(value: unknown): value is Prompt2ModelError {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[brand] === true
}

const secretPatterns = [/\b(sk|pk|rk)-[A-Za-z0-9_-]{8,}/g, /\bhf_[A-Za-z0-9]{8,}/g, /\b(Bearer|Basic)\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{16,}/g]
const secretNames = /(KEY|TOKEN|SECRET|PASSWORD)$/

/** `text` with API keys, tokens and the values of secret environment variables replaced by `[redacted]`. */
export function redactSecrets(text: string): string {
  let clean = text
  // By name first: each value of the environment that is read costs as much as a search for it.
  for (const name of Object.keys(process.env)) {
    const value = secretNames.test(name) ? process.env[name] : undefined
    if (value && value.length >= 8) clean = clean.replaceAll(value, "[redacted]")
  }
  for (const pattern of secretPatterns) clean = clean.replace(pattern, "[redacted]")
  return clean
}

/** The sentence of any thrown value, secrets removed. */
export function messageOf(error: unknown): string {
  return redactSecrets(error instanceof Error ? error.message : String(error))
}
