// A server on loopback that speaks the OpenAI chat-completions protocol and answers from the date grammar. It knows of a request what
// is in the request, so that everything before it (client, retries, parsing) is the same as with a real server.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { ChatMessage } from "../../../core/teacher"
import { type Answer, answerRequest } from "./answer"

export const simulatedModel = "simulated"
/** The error code of a prompt that the grammar does not know. */
export const noGrammarCode = "simulated_no_grammar"
const noGrammarSentence =
  "The simulated teacher has a grammar only for dates, and this prompt is about something else: use --teacher openai:MODEL or --teacher recorded:FOLDER."

const mostRequestBytes = 8_000_000
const charactersPerToken = 4
const mostResponses = 128

export interface ProtocolServer {
  /** `http://127.0.0.1:PORT/v1` */
  readonly baseURL: string
  close(): Promise<void>
}

/** Starts a server on a free port of 127.0.0.1. It does not keep the process alive. */
export async function startProtocolServer(seed: string | number): Promise<ProtocolServer> {
  const server = createServer((request, response) => {
    handle(request, response, seed).catch((error: Error) => fail(response, 400, error.message, "invalid_request_error"))
  })
  server.on("connection", (socket) => socket.unref())
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  server.unref()
  return { baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, close: () => closeServer(server) }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

async function handle(request: IncomingMessage, response: ServerResponse, seed: string | number): Promise<void> {
  const path = (request.url ?? "").split("?")[0]
  if (request.method === "GET" && path === "/v1/models") {
    return send(response, 200, { object: "list", data: [{ id: simulatedModel, object: "model", created: 0, owned_by: "prompt2model" }] })
  }
  if (request.method !== "POST" || path !== "/v1/chat/completions") return fail(response, 404, `There is nothing at ${path}.`, "not_found")
  const asked = readChatRequest(JSON.parse(await readBody(request)))
  const answers = answerRequest(asked, seed)?.map((answer) => cutToLength(answer, asked.maxTokens))
  if (!answers) return fail(response, 422, noGrammarSentence, noGrammarCode)
  if (asked.isStream) return stream(response, answers)
  send(response, 200, describe(asked.messages, answers))
}

function describe(messages: readonly ChatMessage[], answers: readonly Answer[]) {
  const prompt_tokens = messages.reduce((sum, { content }) => sum + countTokens(content) + 4, 0)
  const completion_tokens = answers.reduce((sum, { text }) => sum + countTokens(text), 0)
  const choices = answers.map(({ text, finishReason }, index) => ({
    index,
    message: { role: "assistant", content: text, refusal: null },
    finish_reason: finishReason,
    logprobs: null,
  }))
  return {
    ...{ id: "chatcmpl-simulated", object: "chat.completion", created: 0, model: simulatedModel, choices },
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  }
}

/** Server-sent events: the answers in pieces, then their end. */
function stream(response: ServerResponse, answers: readonly Answer[]): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" })
  const event = (index: number, delta: object, finish_reason: string | null) => {
    const chunk = {
      id: "chatcmpl-simulated",
      object: "chat.completion.chunk",
      created: 0,
      model: simulatedModel,
      choices: [{ index, delta, finish_reason }],
    }
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  answers.forEach(({ text, finishReason }, index) => {
    event(index, { role: "assistant", content: "" }, null)
    for (const piece of text.match(/[\s\S]{1,8}/g) ?? []) event(index, { content: piece }, null)
    event(index, {}, finishReason)
  })
  response.end("data: [DONE]\n\n")
}

/** The parts of a chat request that answers depend on. Throws a sentence for the client where one has the wrong form. */
function readChatRequest(body: unknown) {
  const { messages, n, temperature, seed, max_tokens, max_completion_tokens, response_format, stream } = (body ?? {}) as Record<
    string,
    unknown
  >
  if (!Array.isArray(messages) || !messages.every((message) => typeof message?.content === "string")) {
    throw new Error("messages must be a list of messages with text content.")
  }
  const format = response_format as { json_schema?: { name?: unknown } } | undefined
  return {
    messages: messages as ChatMessage[],
    numResponses: readNumber("n", n, 1, 1, mostResponses),
    temperature: readNumber("temperature", temperature, 1, 0, 2),
    seed: readNumber("seed", seed, 0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    maxTokens: readNumber("max_tokens", max_completion_tokens ?? max_tokens, Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER),
    schemaName: typeof format?.json_schema?.name === "string" ? format.json_schema.name : undefined,
    isStream: stream === true,
  }
}

function readNumber(name: string, value: unknown, missing: number, min: number, max: number): number {
  if (value === undefined || value === null) return missing
  if (typeof value !== "number" || !(value >= min && value <= max)) throw new Error(`${name} must be a number from ${min} to ${max}.`)
  return value
}

function cutToLength(answer: Answer, maxTokens: number): Answer {
  if (countTokens(answer.text) <= maxTokens) return answer
  return { text: answer.text.slice(0, maxTokens * charactersPerToken), finishReason: "length" }
}

function countTokens(text: string): number {
  return Math.ceil(text.length / charactersPerToken)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > mostRequestBytes) throw new Error(`The request is larger than ${mostRequestBytes} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

function fail(response: ServerResponse, status: number, message: string, code: string): void {
  send(response, status, { error: { message, type: code, code, param: null } })
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}
