// What a chat completion says, read with care: servers that speak the protocol leave out what they like.
import { APIError } from "openai"
import type { ChatCompletion } from "openai/resources/chat/completions"
import { ServiceError } from "../../core/errors"
import type { TeacherCompletion, TeacherRequest, TokenUsage } from "../../core/teacher"
import { countMessages, guessTokens, type TokenCounter } from "./count-tokens"
import { garbledAnswer, removeKey, type ServerDescription } from "./openai-errors"

export type Answers = Omit<TeacherCompletion, "usd">

/** How an answer ended that is empty because its model reasoned until the cap: the protocol says `length`, as of one that was cut in its midst. */
export const spentOnReasoning = "reasoning"

/** @throws ServiceError `teacher.garbled-answer`, `teacher.no-answer`; APIError where the answer is an error, whatever its status */
export async function readCompletion(
  completion: Partial<ChatCompletion> | undefined,
  request: TeacherRequest,
  server: ServerDescription,
  counter: () => Promise<TokenCounter> | undefined,
): Promise<Answers> {
  const choices: unknown = completion?.choices
  const { error } = (completion ?? {}) as { error?: unknown }
  if (error && !(Array.isArray(choices) && choices.length > 0))
    throw APIError.generate(statusOf(error), { error }, undefined, new Headers())
  if (!Array.isArray(choices)) throw garbledAnswer(server)
  if (choices.length === 0) {
    throw new ServiceError("teacher.no-answer", `${server.model} sent no answer: run it again to go on.`, { isRetryable: true })
  }
  const messages = choices.map((choice) => choice?.message)
  if (!messages.every((message) => typeof message === "object" && message !== null)) throw garbledAnswer(server)
  const contents = messages.map(textOf)
  const texts = messages.map(({ refusal }, index) => {
    const text = contents[index] || (typeof refusal === "string" ? refusal : "")
    return server.apiKey && text.includes(server.apiKey) ? removeKey(text, server) : text
  })
  const reasoningTokens = Number(completion?.usage?.completion_tokens_details?.reasoning_tokens)
  const endingOf = (ending: unknown, index: number) => {
    if (contents[index] === "" && texts[index] !== "") return "refusal"
    if (texts[index] === "" && ending === "length" && reasoningTokens > 0) return spentOnReasoning
    return String(ending ?? "stop")
  }
  return {
    texts,
    finishReasons: choices.map(({ finish_reason }, index) => endingOf(finish_reason, index)),
    usage: await readUsage(completion?.usage, request, texts, counter),
  }
}

/** A message's text, which servers also send in parts, or as what a tool is to be called with. */
function textOf({ content, tool_calls: calls }: { content?: unknown; tool_calls?: readonly Call[] }): string {
  if (typeof content === "string" && content !== "") return content
  const isText = ({ type = "text", text }: Part) => type === "text" && typeof text === "string"
  if (Array.isArray(content)) return content.filter((part) => part && isText(part)).reduce((whole, { text }) => whole + text, "")
  const called: unknown = Array.isArray(calls) ? calls[0]?.function?.arguments : undefined
  return typeof called === "string" ? called : ""
}

interface Part {
  readonly type?: unknown
  readonly text?: unknown
}

interface Call {
  readonly function?: { readonly arguments?: unknown }
}

/** The status of an error that came as an answer: what it says itself, or a server's failure. */
function statusOf(error: unknown): number {
  const { code, status } = error as { code?: unknown; status?: unknown }
  const said = [status, code].map(Number).find((number) => number >= 400 && number < 600)
  return said ?? (/rate.?limit/i.test(String(code)) ? 429 : 500)
}

/** A server whose filter refuses the prompt's draw has answered, with nothing: the next prompt is another. */
export function filteredAnswers({ messages }: TeacherRequest, count: number): Answers {
  const texts = Array.from({ length: count }, () => "")
  const inputTokens = messages.reduce((sum, { content }) => sum + guessTokens(content), 0)
  return { texts, finishReasons: texts.map(() => "content_filter"), usage: { inputTokens, outputTokens: 0 } }
}

/**
 * Tokens as the server counted them: hidden reasoning is among those of the completion, and `completion_tokens_details` only says how much of
 * it. Where it did not count, with the model's tokenizer, or by a rule of thumb where that is not known.
 */
async function readUsage(
  usage: ChatCompletion["usage"],
  { messages, schema }: TeacherRequest,
  texts: readonly string[],
  counter: () => Promise<TokenCounter> | undefined,
): Promise<TokenUsage> {
  const read = (value: unknown) => (typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined)
  const [input, output] = [read(usage?.prompt_tokens), read(usage?.completion_tokens)]
  if (input !== undefined && output !== undefined) return { inputTokens: input, outputTokens: output }
  const count = await counter()
  const sum = (all: readonly string[]) => all.reduce((total, text) => total + (count ?? guessTokens)(text), 0)
  return {
    inputTokens: input ?? (count ? countMessages(messages, schema, count) : sum(messages.map(({ content }) => content))),
    outputTokens: output ?? sum(texts),
  }
}

/** What arrived is kept though some did not; where nothing did, or the run is to end, the first error stands. */
export async function keepFulfilled(promises: readonly Promise<Answers>[]): Promise<Answers[]> {
  const settled = await Promise.allSettled(promises)
  const errors = settled.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []))
  const final = errors.find((error) => !(error instanceof ServiceError))
  if (final !== undefined || errors.length === settled.length) throw final ?? errors[0]
  return settled.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []))
}

export function joinAnswers(parts: readonly Answers[]): Answers {
  const sum = (read: (usage: TokenUsage) => number) => parts.reduce((total, { usage }) => total + read(usage), 0)
  return {
    texts: parts.flatMap(({ texts }) => texts),
    finishReasons: parts.flatMap(({ finishReasons }) => finishReasons),
    usage: { inputTokens: sum(({ inputTokens }) => inputTokens), outputTokens: sum(({ outputTokens }) => outputTokens) },
    // They were under way together.
    ...(parts.every(({ seconds }) => seconds !== undefined) ? { seconds: Math.max(...parts.map(({ seconds = 0 }) => seconds)) } : {}),
  }
}
