// The way to a Hugging Face hub: one fetch with the token, timeouts and retries, and its failures as the library's errors.
import { HubApiError } from "@huggingface/hub"
import { InputError, isPrompt2ModelError, messageOf, type Prompt2ModelError, ServiceError } from "../../core/errors"
import { giveUp, planRetry, type RetryOptions, readRetryAfter, sleep, withRetryHints } from "../teachers/retry"

export interface HubConnection {
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly accessToken?: string
  readonly retry: RetryOptions
}

/** Architectures that students may have, as the hub tags them. */
export const architectures: readonly string[] = ["t5", "mt5", "gpt2", "llama", "qwen2", "qwen3", "bert", "roberta", "distilbert"]

/** Seconds until a server has begun to answer. */
const patienceSeconds = 30

/**
 * A fetch for `@huggingface/hub`. The token goes to the hub's own origin only, never to the servers that it redirects to.
 * Rejects with a `ServiceError` where the hub cannot be reached or is overloaded after all tries.
 */
export function connect({ endpoint, accessToken, retry }: HubConnection, signal?: AbortSignal): typeof fetch {
  const origin = new URL(endpoint).origin
  return async (input, init) => {
    const url = String(input instanceof Request ? input.url : input)
    const headers = new Headers(init?.headers)
    if (accessToken && new URL(url).origin === origin) headers.set("Authorization", `Bearer ${accessToken}`)
    const errors: ServiceError[] = []
    for (;;) {
      signal?.throwIfAborted()
      const outcome = await ask(url, { ...init, headers }, endpoint, signal)
      if (outcome instanceof Response) return outcome
      errors.push(outcome)
      const wait = planRetry(errors, retry)
      if (wait === undefined) throw giveUp(outcome, errors.length)
      await sleep(wait, signal)
    }
  }
}

/** The response, or an error after which it is worth asking again. */
async function ask(url: string, init: RequestInit, endpoint: string, signal: AbortSignal | undefined): Promise<Response | ServiceError> {
  const impatience = new AbortController()
  const timer = setTimeout(() => impatience.abort(new Error(`no answer within ${patienceSeconds} s`)), patienceSeconds * 1000)
  try {
    const response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, impatience.signal]) : impatience.signal })
    const { status } = response
    if (status !== 429 && status < 500) return response
    await response.body?.cancel()
    const sentence =
      status === 429
        ? `${endpoint} asks for fewer requests: wait a while, set HF_TOKEN, or use --hub bundled.`
        : `${endpoint} is out of order (status ${status}): try again later, or use --hub bundled.`
    const error = new ServiceError(status === 429 ? "hub.rate-limited" : "hub.out-of-order", sentence, { isRetryable: true, status })
    return withRetryHints(error, { retryAfterMilliseconds: readWait(response.headers) })
  } catch (error) {
    signal?.throwIfAborted()
    return withRetryHints(unreachable(endpoint, error), { mostInARow: 2 })
  } finally {
    clearTimeout(timer)
  }
}

/** The wait that the hub asks for: `Retry-After`, or the seconds until its window ends, as `RateLimit: "api";r=0;t=55` says. */
function readWait(headers: Headers): number | undefined {
  const window = /;\s*t=(\d+)/.exec(headers.get("RateLimit") ?? "")?.[1]
  return readRetryAfter(headers.get("Retry-After") ?? window)
}

function unreachable(endpoint: string, cause: unknown): ServiceError {
  const { code } = ((cause as Error)?.cause ?? {}) as { code?: string }
  const reason = code ?? messageOf(cause)
  return new ServiceError(
    "hub.unreachable",
    `${endpoint} cannot be reached (${reason}): check the network and HF_ENDPOINT, or use --hub bundled, which needs no network.`,
    { cause, isRetryable: true },
  )
}

/** `error`, met on the way to `id`, as an error of the library. */
export function explainHubError(error: unknown, { endpoint }: HubConnection, id: string, what: "dataset" | "model"): Prompt2ModelError {
  if (isPrompt2ModelError(error)) return error
  const page = `${endpoint}/${what === "dataset" ? "datasets/" : ""}${id}`
  if (error instanceof HubApiError) {
    if (error.statusCode === 404)
      return new InputError(`hub.no-such-${what}`, `${endpoint} has no ${what} ${id}: check its name.`, { cause: error })
    if (error.statusCode === 401 || error.statusCode === 403) {
      // A gated repository says so; of a private one the hub tells nobody that it is there.
      const isGated = /gated|restricted|awaiting/i.test(error.message)
      return new InputError(
        "hub.no-access",
        isGated
          ? `${id} is gated: accept its terms on ${page}, and set HF_TOKEN to a token that may read it.`
          : `${id} is gated or private, or is not there at all: check its name, accept its terms on ${page} where it has some, and set HF_TOKEN to a token that may read it.`,
        { cause: error },
      )
    }
    return new ServiceError("hub.refused", `${endpoint} refused to answer about ${id} (status ${error.statusCode}): ${messageOf(error)}`, {
      cause: error,
      isRetryable: false,
      status: error.statusCode,
    })
  }
  return new ServiceError(
    "hub.garbled-answer",
    `${endpoint} sent about ${id} what could not be read (${messageOf(error)}): try again, check HF_ENDPOINT, or use --hub bundled.`,
    { cause: error, isRetryable: true },
  )
}
