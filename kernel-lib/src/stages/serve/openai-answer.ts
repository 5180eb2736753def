// A student's answers in the form of OpenAI's chat completions and completions, whole or in pieces as they are written.
import { randomBytes } from "node:crypto"
import type { ServerResponse } from "node:http"
import { InterruptedError } from "../../core/errors"
import type { Decoding, Prediction, WrittenToken } from "../../core/student"
import type { AnswerQueue } from "./answer-queue"
import { AnswerText, dropHalf } from "./answer-text"
import { Refusal, sendJson } from "./http"
import type { Asked } from "./openai-request"

interface Answerer {
  readonly queue: AnswerQueue
  readonly model: string
  /** Tokens of an input with its template. */
  readonly countInput: (input: string) => number
  /** The client is gone, or has waited long enough. */
  readonly signal: AbortSignal
}

interface Choice {
  readonly text: string
  readonly tokens: readonly SpelledToken[]
  readonly numTokens: number
  readonly finishReason: "stop" | "length"
}

/** A token with the text that it added: half a character adds nothing, and the token that completes it adds all of it. */
interface SpelledToken {
  text: string
  readonly logProbability: number
}

/** Bytes that may wait for a client that reads slowly, before it is cut off. */
const mostUnread = 1 << 20

/** @throws Refusal 503 when too many wait; what the student throws */
export async function answerAsked(asked: Asked, answerer: Answerer, response: ServerResponse): Promise<void> {
  const { inputs, n } = asked
  if (!answerer.queue.hasRoom(inputs.length * n))
    throw new Refusal(503, "overloaded", "Too many questions are waiting: ask again in a second.")
  const head = {
    id: `${asked.kind === "chat" ? "chatcmpl" : "cmpl"}-${randomBytes(12).toString("hex")}`,
    created: Math.floor(Date.now() / 1000),
  }
  const questions = inputs.flatMap((input) => Array.from({ length: n }, (_, copy) => ({ input, copy })))
  const promptTokens = inputs.reduce((sum, input) => sum + answerer.countInput(input), 0)
  const usageOf = (choices: readonly Choice[]) => {
    const completionTokens = choices.reduce((sum, { numTokens }) => sum + numTokens, 0)
    return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens }
  }
  if (!asked.isStreamed) {
    const choices = await Promise.all(questions.map(({ input, copy }) => answerOne(asked, answerer, input, copy)))
    const object = asked.kind === "chat" ? "chat.completion" : "text_completion"
    const listed = choices.map((choice, index) => describeChoice(asked, choice, index))
    return sendJson(response, 200, { ...head, object, model: answerer.model, choices: listed, usage: usageOf(choices) })
  }
  const stream = new EventStream(response, {
    ...head,
    object: asked.kind === "chat" ? "chat.completion.chunk" : "text_completion",
    model: answerer.model,
  })
  try {
    const choices = await Promise.all(
      questions.map(async ({ input, copy }, index) => {
        if (asked.kind === "chat") stream.send([{ index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }])
        const choice = await answerOne(asked, answerer, input, copy, (text, tokens) =>
          stream.send([{ index, ...describePiece(asked, text, tokens), finish_reason: null }]),
        )
        stream.send([{ index, ...describePiece(asked, "", []), logprobs: null, finish_reason: choice.finishReason }])
        return choice
      }),
    )
    stream.end(asked.includesUsage ? usageOf(choices) : undefined)
  } catch (error) {
    stream.fail(error)
    throw error
  }
}

async function answerOne(
  asked: Asked,
  { queue, signal }: Answerer,
  input: string,
  copy: number,
  onPiece?: (text: string, tokens: readonly SpelledToken[]) => void,
): Promise<Choice> {
  const answer = new AnswerText(asked.stop)
  const stopped = new AbortController()
  const tokens: SpelledToken[] = []
  let numTokens = 0
  let last: WrittenToken | undefined
  let numSpelled = 0
  let pieceTokens: SpelledToken[] = []
  const write = (whole: string, isLast: boolean) => {
    const piece = answer.take(whole, isLast)
    if (piece === "" || !onPiece) return
    onPiece(piece, pieceTokens)
    pieceTokens = []
  }
  const onToken = (token: WrittenToken) => {
    if (answer.isStopped) return
    numTokens++
    if (!token.isEnd) {
      const whole = dropHalf(token.output)
      const spelled = { text: whole.slice(numSpelled), logProbability: token.logProbability }
      numSpelled = Math.max(numSpelled, whole.length)
      tokens.push(spelled)
      pieceTokens.push(spelled)
    }
    last = token
    write(token.output, false)
    if (answer.isStopped) stopped.abort()
  }
  let prediction: Prediction | undefined
  try {
    prediction = await queue.ask({
      input,
      decoding: seeded(asked.decoding, asked.seed, copy),
      maxNewTokens: asked.maxNewTokens,
      signal: AbortSignal.any([signal, stopped.signal]),
      onToken,
    })
  } catch (error) {
    if (!answer.isStopped || !(error instanceof InterruptedError)) throw error
  }
  const left = prediction?.output.slice(numSpelled)
  const lastSpelled = tokens.at(-1)
  if (left && lastSpelled && !answer.isStopped) lastSpelled.text += left
  if (prediction) write(prediction.output, true)
  const isCut = last !== undefined && !last.isEnd && !answer.isStopped
  return { text: answer.text, tokens, numTokens: numTokens || (prediction?.tokens.length ?? 0), finishReason: isCut ? "length" : "stop" }
}

/** The answers to one question draw different numbers; the first draws those of `predict` with the same seed. */
function seeded(decoding: Decoding | undefined, seed: number, copy: number): Decoding | undefined {
  return decoding?.kind === "top-p" ? { ...decoding, seed: seed + copy * 1_000_003 } : decoding
}

function describeChoice(asked: Asked, { text, tokens, finishReason }: Choice, index: number) {
  const logprobs = describeTokens(asked, tokens)
  const ending = { logprobs, finish_reason: finishReason }
  return asked.kind === "chat"
    ? { index, message: { role: "assistant", content: text, refusal: null }, ...ending }
    : { index, text, ...ending }
}

function describePiece(asked: Asked, text: string, tokens: readonly SpelledToken[]) {
  const logprobs = describeTokens(asked, tokens)
  return asked.kind === "chat" ? { delta: text === "" ? {} : { content: text }, logprobs } : { text, logprobs }
}

/** Null where they were not asked for, or where the decoding has none: beams and classifiers. */
function describeTokens({ kind, wantsLogProbabilities }: Asked, tokens: readonly SpelledToken[]) {
  if (!wantsLogProbabilities || tokens.length === 0) return null
  if (kind === "chat") {
    const content = tokens.map(({ text, logProbability }) => ({
      token: text,
      logprob: logProbability,
      bytes: [...Buffer.from(text)],
      top_logprobs: [],
    }))
    return { content, refusal: null }
  }
  let offset = 0
  const offsets = tokens.map(({ text }) => {
    const start = offset
    offset += text.length
    return start
  })
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logProbability }) => logProbability),
    top_logprobs: null,
    text_offset: offsets,
  }
}

/** Server-sent events. Whoever does not read is cut off, and holds up nobody. */
class EventStream {
  constructor(
    private readonly response: ServerResponse,
    private readonly head: Readonly<Record<string, unknown>>,
  ) {
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    })
    response.flushHeaders()
  }

  send(choices: readonly unknown[], members: Readonly<Record<string, unknown>> = {}): void {
    this.write(JSON.stringify({ ...this.head, choices, ...members }))
  }

  end(usage: unknown): void {
    if (usage) this.send([], { usage })
    this.write("[DONE]")
    this.response.end()
  }

  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.write(JSON.stringify({ error: { message, type: "server_error", param: null, code: null } }))
    this.response.end()
  }

  private write(data: string): void {
    if (this.response.destroyed) return
    this.response.write(`data: ${data}\n\n`)
    if (this.response.writableLength > mostUnread) this.response.destroy()
  }
}
