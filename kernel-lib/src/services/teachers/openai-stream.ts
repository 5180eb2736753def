// Chat completions from servers that only stream: all of a stream's events joined to the answer that others send whole.
// The protocol: https://html.spec.whatwg.org/multipage/server-sent-events.html, with a JSON object in each event's data.
import type { ChatCompletion, ChatCompletionChunk } from "openai/resources/chat/completions"

interface Joined {
  readonly index: number
  readonly message: { role: "assistant"; content: string; refusal: string | null; tool_calls?: [{ function: { arguments: string } }] }
  finish_reason: string | null
}

/** Whether `text` is a stream's events and no answer of its own. */
export function isEvents(text: string): boolean {
  return /^\s*(?:data|event|id|retry)?:/.test(text)
}

/**
 * The completion that a stream's events make together; with `error` where one of them says so. A stream that ends before all its answers did
 * throws as JSON does that breaks off.
 * @throws SyntaxError
 */
export function joinEvents(text: string): Partial<ChatCompletion> {
  const choices = new Map<number, Joined>()
  let usage: ChatCompletion["usage"]
  for (const line of text.split(/\r\n|\n|\r/)) {
    const data = /^data: ?(.*)$/s.exec(line)?.[1]
    if (!data || data === "[DONE]") continue
    const chunk = JSON.parse(data) as Partial<ChatCompletionChunk> & { error?: unknown }
    if (chunk.error) return chunk as Partial<ChatCompletion>
    usage = chunk.usage ?? usage
    for (const choice of chunk.choices ?? []) joinChoice(choices, choice)
  }
  const joined = [...choices.values()].sort((a, b) => a.index - b.index)
  if (joined.some(({ finish_reason: ending }) => ending === null)) throw new SyntaxError("the stream broke off")
  return { choices: joined as unknown as ChatCompletion["choices"], usage }
}

function joinChoice(choices: Map<number, Joined>, { index = 0, delta, finish_reason: ending }: ChatCompletionChunk.Choice): void {
  const joined = choices.get(index) ?? { index, message: { role: "assistant" as const, content: "", refusal: null }, finish_reason: null }
  choices.set(index, joined)
  const { message } = joined
  message.content += delta?.content ?? ""
  if (delta?.refusal) message.refusal = (message.refusal ?? "") + delta.refusal
  const called = delta?.tool_calls?.[0]?.function?.arguments
  if (called) message.tool_calls = [{ function: { arguments: (message.tool_calls?.[0].function.arguments ?? "") + called } }]
  joined.finish_reason = ending ?? joined.finish_reason
}
