// A language model behind the OpenAI chat-completions protocol: OpenAI's own, or any server that speaks it (Ollama, vLLM, llama.cpp ...).
import { InputError } from "../../core/errors"
import { type Teacher, tellAnswers } from "../../core/teacher"
import type { Answers } from "./openai-answers"
import { OpenAIAsker } from "./openai-asker"
import { type BatchOptions, usualBatchSize } from "./openai-batch"
import { missingKey } from "./openai-errors"
import { costOf, findPrice, type Price } from "./prices"
import { type RateControlOptions, usualConcurrency } from "./rate-control"
import { ReplayedResponses } from "./replayed-responses"

export interface OpenAITeacherOptions extends RateControlOptions {
  /** Default: `OPENAI_API_KEY`. A server on this machine needs none. */
  readonly apiKey?: string
  /** Where the server is. Default: `OPENAI_BASE_URL`, else OpenAI's. */
  readonly baseURL?: string
  /**
   * US dollars for a million tokens by model, before the library's own table, which is dated (`pricesAsOf`): `{ "my-model": { input: 0.2, output:
   * 0.8 } }`. A model that neither knows costs nobody knows what: it is said to, and `maxUsd` is refused for it (`teacher.price-unknown`).
   */
  readonly prices?: Readonly<Record<string, Price>>
  /**
   * How much a reasoning model thinks before it answers, as its server calls it: `"none"`, `"low"`, `"medium"`, `"high"` ... Hidden reasoning
   * is paid for as output, and counts against `maxAnswerTokens`. Sent as it is to any server; one that refuses it ends the request
   * (`teacher.effort-refused`). It is part of the teacher's identity. Default: `"none"` for OpenAI's own models since gpt-5.1, which reason at
   * length else; left to the server everywhere else.
   */
  readonly reasoningEffort?: string
  /**
   * Sends requests through the batch API, at half the price and within a day. A process that is killed meanwhile finds its batches again.
   * Works where the server has `/files` and `/batches` as OpenAI's does.
   */
  readonly batch?: boolean | BatchOptions
  /**
   * A file that `exportResponses` wrote: what is in it is answered from there, without a key and without cost.
   * Default: `PROMPT2MODEL_RESPONSES`.
   */
  readonly responses?: string
  /** Told once about each thing that a server does not take, such as temperature. Default: a warning of the process. */
  readonly onNotice?: (sentence: string) => void
}

export interface OpenAITeacher extends Teacher {
  /** False where neither table knows the model's price: `usd` is 0 then, which is no price but ignorance. True for servers on this machine. */
  readonly isPriceKnown: boolean
}

const openaiURL = "https://api.openai.com/v1"
/** What a request costs in a batch, as a share of its price. From OpenAI's guide to the batch API. */
const batchShare = 0.5

/**
 * A teacher behind the chat-completions protocol. Requests of all stages share one gate: concurrency that adapts to the server, requests
 * and tokens per minute, retries of what may succeed later.
 *
 * @throws InputError `teacher.no-key`, `teacher.bad-address`. `complete` rejects with InputError where every further request would fail too
 *   (`teacher.key-refused`, `teacher.no-such-model`, `teacher.out-of-credit`, `teacher.effort-refused`, `teacher.no-batches`,
 *   `teacher.batch-refused`), with ServiceError where this one did (`teacher.rate-limited`, `teacher.server-error`, `teacher.timeout`,
 *   `teacher.connection-lost`, `teacher.unreachable`, `teacher.no-answer`, `teacher.garbled-answer`, `teacher.request-refused`), and with InterruptedError when the signal was aborted.
 * @example
 * const teacher = openaiTeacher("qwen3:8b", { baseURL: "http://127.0.0.1:11434/v1", maxConcurrency: 4 })
 * teacher.identity // "qwen3:8b@http://127.0.0.1:11434/v1"
 */
export function openaiTeacher(model: string, options: OpenAITeacherOptions = {}): OpenAITeacher {
  const baseURL = checkAddress(options.baseURL ?? (process.env.OPENAI_BASE_URL || openaiURL))
  const apiKey = (options.apiKey ?? process.env.OPENAI_API_KEY) || undefined
  const { reasoningEffort } = options
  // An answer with more thought is another answer; without the option, answers are who they were before there was one.
  const identity = `${model}@${baseURL}${reasoningEffort === undefined ? "" : ` reasoning_effort=${reasoningEffort}`}`
  const file = options.responses ?? (process.env.PROMPT2MODEL_RESPONSES || undefined)
  const responses = file === undefined ? undefined : new ReplayedResponses(file, model, identity)
  const isKeyMissing = !apiKey && baseURL === openaiURL
  if (isKeyMissing && !responses) throw missingKey(baseURL)
  const isLocal = isLoopback(baseURL)
  // Without a key nothing is sent, and what is replayed costs nothing.
  const isFree = isLocal || isKeyMissing
  const price = findPrice(model, options.prices) ?? (isFree ? { input: 0, output: 0 } : undefined)
  const batch = options.batch === true ? {} : options.batch || undefined
  const share = batch ? batchShare : 1
  const asker = new OpenAIAsker({ model, baseURL, apiKey, reasoningEffort }, { ...options, batch })
  return {
    name: model,
    identity,
    sendsTo: isLocal ? undefined : new URL(baseURL).origin,
    isPriceKnown: price !== undefined,
    maxConcurrency: batch ? undefined : (options.maxConcurrency ?? usualConcurrency),
    batchSize: batch && (batch.size ?? usualBatchSize),
    async estimate(request) {
      const estimate = await asker.estimate(request)
      return { ...estimate, usd: price && costOf(price, estimate) * share }
    },
    complete: tellAnswers(async (request, { signal, onAnswer } = {}) => {
      const known = await responses?.find(request)
      if (known) return known
      if (responses && isKeyMissing) throw responses.missing()
      const priced = (answers: Answers) => ({ ...answers, usd: price ? costOf(price, answers.usage) * share : 0 })
      return priced(await asker.ask(request, { signal, keep: onAnswer && ((answers) => onAnswer(priced(answers))) }))
    }),
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
