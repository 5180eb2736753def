// What a chat completion says, read with care: servers that speak the protocol leave out what they like.
import type { ChatCompletion } from "openai/resources/chat/completions"
import { ServiceError } from "../../core/errors"
import type { TeacherCompletion, TeacherRequest, TokenUsage } from "../../core/teacher"
import { countMessages, guessTokens, type TokenCounter } from "./count-tokens"
import { garbledAnswer, removeKey, type ServerDescription } from "./openai-errors"

export type Answers = Omit<TeacherCompletion, "usd">

/** @throws ServiceError `teacher.garbled-answer`, `teacher.no-answer` */
export async function readCompletion(
  completion: ChatCompletion,
  request: TeacherRequest,
  server: ServerDescription,
  counter: () => Promise<TokenCounter> | undefined,
): Promise<Answers> {
  const choices: unknown = completion?.choices
  if (!Array.isArray(choices)) throw garbledAnswer(server)
  if (choices.length === 0) {
    throw new ServiceError("teacher.no-answer", `${server.model} sent no answer: run it again to go on.`, { isRetryable: true })
  }
  const messages = choices.map((choice) => choice?.message)
  if (!messages.every((message) => typeof message === "object" && message !== null)) throw garbledAnswer(server)
  const texts = messages.map(({ content, refusal }) => {
    const text = typeof content === "string" ? content : typeof refusal === "string" ? refusal : ""
    return server.apiKey && text.includes(server.apiKey) ? removeKey(text, server) : text
  })
  return {
    texts,
    finishReasons: choices.map(({ finish_reason }) => String(finish_reason ?? "stop")),
    usage: await readUsage(completion.usage, request, texts, counter),
  }
}

/** A server whose filter refuses the prompt's draw has answered, with nothing: the next prompt is another. */
export function filteredAnswers({ messages }: TeacherRequest, count: number): Answers {
  const texts = Array.from({ length: count }, () => "")
  const inputTokens = messages.reduce((sum, { content }) => sum + guessTokens(content), 0)
  return { texts, finishReasons: texts.map(() => "content_filter"), usage: { inputTokens, outputTokens: 0 } }
}

/** Tokens as the server counted them; where it did not, with the model's tokenizer, or by a rule of thumb where that is not known. */
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
  }
}
