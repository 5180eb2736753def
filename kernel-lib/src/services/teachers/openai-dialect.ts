// Servers that speak the chat-completions protocol differ in what they take. A dialect is what one server has been found to take; each
// refusal narrows it, and what was learnt holds for all further requests.
import type { ChatMessage, ResponseSchema, TeacherRequest } from "../../core/teacher"

export interface Dialect {
  /** How an answer's form is asked for: by JSON schema, by JSON mode, or by words alone. */
  readonly format: "schema" | "object" | "words"
  /** Whether several answers may be asked for at once (`n`). */
  readonly takesSeveral: boolean
  readonly tokenCap: "max_completion_tokens" | "max_tokens"
  readonly takesTemperature: boolean
  readonly takesSeed: boolean
  /** Whether a model that reasons by default is told not to: hidden reasoning is paid for, and takes from the cap on an answer's tokens. */
  readonly isReasoningOff: boolean
  /** Whether the server answers only as a stream. */
  readonly isStreaming: boolean
}

/** What a dialect begins with, and what its requests carry whatever is refused. */
export interface Asked {
  readonly model: string
  /** `reasoning_effort` as the user wants it. */
  readonly reasoningEffort?: string
}

/** OpenAI's models that reason, and can be told not to. Those before gpt-5.1 cannot. */
const offModels = /^gpt-(?:5\.\d|6(?!\d))/

/** OpenAI's own server calls the cap on tokens by a newer name than most others know, and its newer models reason by default. */
export function firstDialect({ baseURL, model, reasoningEffort }: Asked & { readonly baseURL: string }): Dialect {
  const isOpenAI = new URL(baseURL).hostname === "api.openai.com"
  return {
    format: "schema",
    takesSeveral: true,
    tokenCap: isOpenAI ? "max_completion_tokens" : "max_tokens",
    takesTemperature: true,
    takesSeed: true,
    isReasoningOff: isOpenAI && reasoningEffort === undefined && offModels.test(model),
    isStreaming: false,
  }
}

/** What a server said when it refused a request. */
export interface Refusal {
  readonly status: number
  readonly code?: string
  /** The parameter it objects to, where it says so. */
  readonly parameter?: string
  readonly message: string
}

/** Refusals that are about the prompt itself, which no other way of asking helps. */
const promptCodes = new Set(["context_length_exceeded", "content_filter", "simulated_no_grammar"])
const formatWords = /response_format|json_schema|json_object|json mode|structured|schema|grammar/i
const streamWords = /\bstream(?:ing|ed)?\b/i
const effortWords = /reasoning[_. ](?:effort|value)|\bthinking\b/i
const severalWords = /['"`]n['"`]|\bn\s*(?:=|>|!=|must|should|greater)|only one (?:completion )?choice|multiple (?:completions|choices)/i

const isAboutParameters = ({ status }: Refusal) => status === 400 || status === 422

/** Whether a refusal is about `reasoning_effort`. One of the temperature may name it too: some models take a temperature only without reasoning. */
export function objectsToEffort(refusal: Refusal, { takesTemperature }: Dialect): boolean {
  const { parameter, message } = refusal
  if (!isAboutParameters(refusal)) return false
  if (parameter) return /^reasoning(?:[_.]effort)?$/.test(parameter)
  return effortWords.test(message) && !(takesTemperature && message.includes("temperature"))
}

/** A dialect that avoids what was refused, or undefined when there is nothing left to avoid. Every step takes less than the one before. */
export function narrowDialect(
  dialect: Dialect,
  { schema, numResponses, maxTokens }: TeacherRequest,
  refusal: Refusal,
): Dialect | undefined {
  const { parameter, message } = refusal
  if (!isAboutParameters(refusal) || promptCodes.has(refusal.code ?? "")) return undefined
  const objectsTo = (name: string) => (parameter ? parameter === name : message.includes(name))
  if (!dialect.isStreaming && (parameter ? parameter === "stream" : streamWords.test(message))) return { ...dialect, isStreaming: true }
  if (dialect.isReasoningOff && objectsToEffort(refusal, dialect)) return { ...dialect, isReasoningOff: false }
  const usesFormat = schema !== undefined && dialect.format !== "words"
  const lowerFormat = { ...dialect, format: dialect.format === "schema" ? ("object" as const) : ("words" as const) }
  if (usesFormat && (parameter ? parameter.startsWith("response_format") : formatWords.test(message))) return lowerFormat
  if (maxTokens !== undefined && dialect.tokenCap === "max_tokens" && objectsTo("max_tokens"))
    return { ...dialect, tokenCap: "max_completion_tokens" }
  if (dialect.takesTemperature && objectsTo("temperature")) return { ...dialect, takesTemperature: false }
  if (dialect.takesSeed && objectsTo("seed")) return { ...dialect, takesSeed: false }
  if (numResponses > 1 && dialect.takesSeveral && (parameter ? parameter === "n" : severalWords.test(message)))
    return { ...dialect, takesSeveral: false }
  // Many servers do not say what they object to, and the form of the answer is what they differ in most.
  return usesFormat && !parameter ? lowerFormat : undefined
}

/** What was learnt on the way from `before` to `after`, put into `current`, which other requests may have changed meanwhile. */
export function learn(current: Dialect, before: Dialect, after: Dialect): Dialect {
  const changed = Object.entries(after).filter(([name, value]) => before[name as keyof Dialect] !== value)
  return { ...current, ...Object.fromEntries(changed) }
}

/** The body of a chat-completions request, in the server's dialect. */
export function writeBody(asked: Asked, request: TeacherRequest, dialect: Dialect, sample: { count: number; seed?: number }) {
  const { messages, schema, temperature, maxTokens } = request
  const { model, reasoningEffort = dialect.isReasoningOff ? "none" : undefined } = asked
  return {
    model,
    messages: schema && dialect.format !== "schema" ? describeForm(messages, schema) : [...messages],
    ...(reasoningEffort !== undefined ? { reasoning_effort: reasoningEffort } : {}),
    ...(dialect.takesTemperature ? { temperature } : {}),
    ...(sample.count > 1 ? { n: sample.count } : {}),
    ...(sample.seed !== undefined && dialect.takesSeed ? { seed: sample.seed } : {}),
    ...(maxTokens !== undefined ? { [dialect.tokenCap]: maxTokens } : {}),
    ...(schema ? writeFormat(schema, dialect.format) : {}),
    ...(dialect.isStreaming ? { stream: true, stream_options: { include_usage: true } } : { stream: false }),
  }
}

function writeFormat({ name, schema }: ResponseSchema, format: Dialect["format"]) {
  if (format === "words") return {}
  if (format === "object") return { response_format: { type: "json_object" as const } }
  return { response_format: { type: "json_schema" as const, json_schema: { name, schema, strict: isStrict(schema) } } }
}

/** Without the schema beside them, the messages have to say which form is wanted. */
function describeForm(messages: readonly ChatMessage[], { schema }: ResponseSchema): ChatMessage[] {
  const sentence = `Answer with one JSON object that follows this JSON schema, and nothing else: ${JSON.stringify(schema)}`
  const [first, ...rest] = messages
  if (first?.role === "system") return [{ role: "system", content: `${first.content}\n\n${sentence}` }, ...rest]
  return [{ role: "system", content: sentence }, ...messages]
}

/** Whether a schema is of the kind that `strict` asks for: every member of every object required, and no others. */
function isStrict(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null) return true
  const { type, properties, required, additionalProperties, items } = schema as Record<string, unknown>
  if (type !== "object") return isStrict(items)
  const names = Object.keys(properties ?? {})
  if (additionalProperties !== false || !names.every((name) => Array.isArray(required) && required.includes(name))) return false
  return Object.values(properties ?? {}).every(isStrict)
}
