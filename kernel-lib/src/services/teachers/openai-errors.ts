// What goes wrong between us and a chat-completions server, as the library's errors: a sentence with the remedy, whether trying again may
// help, and nothing of the key.
import { APIConnectionError, APIError } from "openai"
import { InputError, type Prompt2ModelError, redactSecrets, ServiceError } from "../../core/errors"
import type { Refusal } from "./openai-dialect"
import { readRetryAfter, withRetryHints } from "./retry"

export interface ServerDescription {
  readonly model: string
  readonly baseURL: string
  readonly apiKey?: string
  /** How much it is asked to reason, where somebody asks for that. */
  readonly reasoningEffort?: string
}

const refusals = new WeakMap<object, Refusal>()

/** What the server said when it refused a request, for whoever can ask in another way. */
export function refusalOf(error: unknown): Refusal | undefined {
  return typeof error === "object" && error !== null ? refusals.get(error) : undefined
}

/** `error` of the client or the network as an error of the library. */
export function explainError(error: unknown, server: ServerDescription): Prompt2ModelError {
  if (error instanceof APIError && typeof error.status === "number") return explainStatus(error, error.status, server)
  const cause = withoutKey(error, server)
  const code = networkCode(error)
  if (code === "ECONNREFUSED" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
    const gone = new ServiceError(
      "teacher.unreachable",
      `Nothing answers at ${server.baseURL} (${code}): start the server, or correct OPENAI_BASE_URL.`,
      {
        cause,
        isRetryable: true,
      },
    )
    return withRetryHints(gone, { mostInARow: 3 })
  }
  if (error instanceof APIConnectionError || code !== undefined || (error instanceof TypeError && error.message === "terminated")) {
    return new ServiceError(
      "teacher.connection-lost",
      `The connection to ${server.baseURL} was lost${code ? ` (${code})` : ""}: run it again to go on.`,
      {
        cause,
        isRetryable: true,
      },
    )
  }
  if (error instanceof SyntaxError) {
    return new ServiceError("teacher.garbled-answer", `${server.baseURL} sent an answer that broke off: run it again to go on.`, {
      cause,
      isRetryable: true,
    })
  }
  return garbledAnswer(server, cause)
}

/** The server answered, but not as the protocol says. */
export function garbledAnswer({ baseURL }: ServerDescription, cause?: unknown): ServiceError {
  const sentence = `${baseURL} sent an answer that is no chat completion: check that it is an OpenAI-compatible server and that the address ends as it should (usually /v1).`
  return withRetryHints(new ServiceError("teacher.garbled-answer", sentence, { cause, isRetryable: true }), { mostInARow: 5 })
}

function explainStatus(error: APIError, status: number, server: ServerDescription): Prompt2ModelError {
  const { model, baseURL, apiKey } = server
  const cause = withoutKey(error, server)
  const said = sentenceOf(error, server)
  if (status === 401 || status === 403) {
    if (!apiKey) return missingKey(baseURL, cause)
    return new InputError(
      "teacher.key-refused",
      `${baseURL} refused the key (${status}): check OPENAI_API_KEY, and that it may use ${model}. ${said}`,
      { cause },
    )
  }
  if (status === 404) {
    return new InputError(
      "teacher.no-such-model",
      `${baseURL} has no model ${model} (404): check its name, and that the address ends as it should (usually /v1). ${said}`,
      {
        cause,
      },
    )
  }
  if (error.code === "insufficient_quota") {
    return new InputError(
      "teacher.out-of-credit",
      `The account behind the key has no credit left: add some, or use another key or teacher. ${said}`,
      { cause },
    )
  }
  const retryAfterMilliseconds = readWait(error)
  if (status === 429) {
    const busy = new ServiceError(
      "teacher.rate-limited",
      `${baseURL} refused the request for its rate (429): set requestsPerMinute, or try again later. ${said}`,
      {
        ...{ cause, status, isRetryable: true },
      },
    )
    return withRetryHints(busy, { retryAfterMilliseconds })
  }
  if (status === 408 || status === 409 || (status >= 500 && status !== 501)) {
    const broken = new ServiceError("teacher.server-error", `${baseURL} failed (${status}): try again later. ${said}`, {
      cause,
      status,
      isRetryable: true,
    })
    return withRetryHints(broken, { retryAfterMilliseconds })
  }
  const refused = new ServiceError(
    "teacher.request-refused",
    `${baseURL} refused the request (${status}): change the prompt or the options. ${said}`,
    {
      ...{ cause, status, isRetryable: false },
    },
  )
  refusals.set(refused, { status, code: error.code ?? undefined, parameter: error.param ?? undefined, message: said })
  return refused
}

/** The server does not take the effort of reasoning that was asked for. Answers without it would be others than were asked for. */
export function refusedEffort(
  { baseURL, model, reasoningEffort }: ServerDescription,
  { status, message }: Refusal,
  cause: unknown,
): InputError {
  return new InputError(
    "teacher.effort-refused",
    `${baseURL} refused reasoningEffort "${reasoningEffort}" for ${model} (${status}): give an effort that it takes, or leave it out. ${message}`,
    { cause },
  )
}

/** No key was given, and the server wants one. */
export function missingKey(baseURL: string, cause?: unknown): InputError {
  return new InputError(
    "teacher.no-key",
    `${baseURL} wants a key: set OPENAI_API_KEY, set OPENAI_BASE_URL to a server of your own (Ollama, vLLM, llama.cpp), or use --teacher recorded:FOLDER or --teacher simulated.`,
    { cause },
  )
}

/** A date is compared with the server's own clock, which it sends along: this machine's may be wrong, or jump. */
function readWait({ headers }: APIError): number | undefined {
  const milliseconds = Number(headers?.get("retry-after-ms") ?? Number.NaN)
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds
  const serverTime = Date.parse(headers?.get("date") ?? "")
  return readRetryAfter(headers?.get("retry-after"), Number.isNaN(serverTime) ? undefined : serverTime)
}

const mostSaid = 300

/** What the server said, shortened, without the status that the client puts before it. */
function sentenceOf(error: APIError, server: ServerDescription): string {
  const text = removeKey(error.message, server)
    .replace(/^\d{3} /, "")
    .replace(/\s+/g, " ")
    .trim()
  if (/<(?:!doctype|html|head|body|title|h1)\b/i.test(text)) return describePage(text)
  return text.length > mostSaid ? `${text.slice(0, mostSaid)}...` : text
}

/** What a gateway shows to people instead of an answer, by its title. */
function describePage(page: string): string {
  const title = /<(title|h1)[^>]*>([^<]+)/i.exec(page)?.[2].trim()
  return `It sent a web page${title ? ` ("${title.slice(0, 80)}")` : ""}.`
}

/** Servers quote keys back, in whole. */
export function removeKey(text: string, { apiKey }: ServerDescription): string {
  return redactSecrets(apiKey ? text.replaceAll(apiKey, "[redacted]") : text)
}

/** A copy of the raw error that may be printed: the client's own carries what the server sent, which may quote the key. */
function withoutKey(error: unknown, server: ServerDescription): Error {
  const copy = new Error(removeKey(error instanceof Error ? error.message : String(error), server))
  copy.name = error instanceof Error ? error.constructor.name : "Error"
  copy.stack = error instanceof Error && error.stack ? removeKey(error.stack, server) : copy.stack
  return copy
}

/** The system's code (`ECONNRESET` ...) in an error or what caused it. */
function networkCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = at as NodeJS.ErrnoException
    if (typeof code === "string" && /^(?:E[A-Z_]+|UND_ERR_[A-Z_]+)$/.test(code)) return code
  }
  return undefined
}
