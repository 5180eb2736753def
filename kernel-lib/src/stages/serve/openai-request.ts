// What OpenAI's clients ask, read as what a student can answer. What it cannot do is refused in a sentence instead of being ignored.
import { randomInt } from "node:crypto"
import type { Decoding } from "../../core/student"
import { Refusal } from "./http"

export interface Asked {
  readonly kind: "chat" | "text"
  /** One for a chat; a completion may ask for several prompts. */
  readonly inputs: readonly string[]
  /** Answers to each input. */
  readonly n: number
  /** Default: the student's own. */
  readonly decoding?: Decoding
  readonly seed: number
  readonly maxNewTokens?: number
  /** Texts before which an answer ends. */
  readonly stop: readonly string[]
  readonly wantsLogProbabilities: boolean
  readonly isStreamed: boolean
  readonly includesUsage: boolean
}

type Members = Readonly<Record<string, unknown>>

const mostAnswers = 16
const mostPrompts = 64

/** @throws Refusal 400 for what makes no sense or cannot be done, 404 for another model */
export function readAsked(kind: Asked["kind"], body: unknown, model: string): Asked {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw new Refusal(400, "invalid_request", "Send a JSON object.")
  const members = body as Members
  if (members.model !== undefined && members.model !== model)
    throw new Refusal(404, "model_not_found", `There is no model ${String(members.model).slice(0, 100)} here; there is ${model}.`, "model")
  refuseUnsupported(members)
  const n = readNumber(members, "n", { least: 1, most: mostAnswers, isWhole: true }) ?? 1
  if ((readNumber(members, "best_of", { least: 1, most: mostAnswers, isWhole: true }) ?? n) !== n)
    throw unsupported("best_of", "Only best_of equal to n can be asked.")
  return {
    kind,
    inputs: kind === "chat" ? [readMessages(members.messages)] : readPrompts(members.prompt),
    n,
    decoding: readDecoding(members, n),
    seed:
      readNumber(members, "seed", { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER, isWhole: true }) ?? randomInt(2 ** 31),
    maxNewTokens:
      readNumber(members, "max_completion_tokens", { least: 1, most: 4096, isWhole: true }) ??
      readNumber(members, "max_tokens", { least: 1, most: 4096, isWhole: true }),
    stop: readStop(members.stop),
    wantsLogProbabilities: kind === "chat" ? members.logprobs === true : typeof members.logprobs === "number",
    isStreamed: members.stream === true,
    includesUsage: (members.stream_options as Members | undefined | null)?.include_usage === true,
  }
}

/** No temperature: the student's own decoding, which several answers to one input could not differ by. */
function readDecoding(members: Members, n: number): Decoding | undefined {
  const temperature = readNumber(members, "temperature", { least: 0, most: 2 })
  const p = readNumber(members, "top_p", { least: 0, most: 1 })
  if (temperature === 0) return { kind: "greedy" }
  if (temperature === undefined && p === undefined && n === 1) return undefined
  return { kind: "top-p", p: p || 1, temperature: temperature ?? 1 }
}

/** The text of the last message of the user: a student answers one input, and what stands before is its template's. */
function readMessages(messages: unknown): string {
  const isList = Array.isArray(messages) && messages.every((one) => typeof one === "object" && one !== null)
  const last = isList ? (messages as Members[]).findLast(({ role }) => role === "user") : undefined
  if (!last)
    throw new Refusal(400, "invalid_request", "Send messages, a list with a message of the user; the last one is the input.", "messages")
  const { content } = last
  if (typeof content === "string") return content
  if (Array.isArray(content) && content.every((part) => part?.type === "text" && typeof part.text === "string"))
    return content.map(({ text }) => text).join("")
  throw new Refusal(400, "invalid_request", "A message's content is a text, or parts of the type text.", "messages")
}

function readPrompts(prompt: unknown): string[] {
  const prompts = typeof prompt === "string" ? [prompt] : prompt
  if (Array.isArray(prompts) && prompts.length > 0 && prompts.length <= mostPrompts && prompts.every((one) => typeof one === "string"))
    return prompts
  throw new Refusal(400, "invalid_request", `Send a prompt: a text, or 1 to ${mostPrompts} of them. Token ids are not read.`, "prompt")
}

function readStop(stop: unknown): string[] {
  const texts = stop === undefined || stop === null ? [] : typeof stop === "string" ? [stop] : stop
  if (Array.isArray(texts) && texts.length <= 4 && texts.every((one) => typeof one === "string" && one !== "")) return texts
  throw new Refusal(400, "invalid_request", "stop is a text, or up to four of them.", "stop")
}

function readNumber(
  members: Members,
  name: string,
  { least, most, isWhole = false }: { readonly least: number; readonly most: number; readonly isWhole?: boolean },
): number | undefined {
  const value = members[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === "number" && value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value
  const range = `${Math.max(least, -1e9)} to ${Math.min(most, 1e9)}`
  throw new Refusal(400, "invalid_request", `${name} must be a ${isWhole ? "whole " : ""}number from ${range}.`, name)
}

function unsupported(name: string, message: string): Refusal {
  return new Refusal(400, "unsupported_parameter", message, name)
}

function refuseUnsupported(members: Members): void {
  for (const name of ["tools", "functions", "audio", "modalities", "suffix", "logit_bias"]) {
    const value = members[name]
    const isEmpty = value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0)
    const isText = name === "modalities" && Array.isArray(value) && value.join() === "text"
    if (!isEmpty && !isText) throw unsupported(name, `A student cannot do ${name}: leave it out.`)
  }
  for (const name of ["presence_penalty", "frequency_penalty"])
    if (members[name]) throw unsupported(name, `${name} is not supported: leave it at 0.`)
  if (members.echo) throw unsupported("echo", "echo is not supported: leave it out.")
  const format = (members.response_format as Members | undefined | null)?.type ?? "text"
  if (format !== "text") throw unsupported("response_format", "A student answers as it was trained to: leave response_format out.")
  const most = Math.max(Number(members.top_logprobs ?? 0), typeof members.logprobs === "number" ? members.logprobs : 0)
  if (most > 1) throw unsupported("top_logprobs", "Only the chosen token's probability is known: ask for at most one.")
}
