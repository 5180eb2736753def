// A chat-completions server for tests that does what each test tells it, faults included, and counts what reaches it.
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface SeenRequest {
  readonly number: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever was sent
  readonly body: any
  readonly authorization: string | undefined
  readonly path: string
}

export interface FaultServer {
  readonly baseURL: string
  readonly seen: SeenRequest[]
  /** Requests that are being answered now, and the most that ever were. */
  readonly inFlight: number
  readonly mostInFlight: number
  close(): Promise<void>
}

export type Behaviour = (request: SeenRequest, response: ServerResponse, server: FaultServer) => unknown

export async function startFaultServer(behave: Behaviour): Promise<FaultServer> {
  const state = { baseURL: "", seen: [] as SeenRequest[], inFlight: 0, mostInFlight: 0, close: async () => {} }
  const server = createServer(async (request, response) => {
    state.inFlight++
    state.mostInFlight = Math.max(state.mostInFlight, state.inFlight)
    response.once("close", () => state.inFlight--)
    let text = ""
    for await (const chunk of request) text += chunk
    const seen = {
      number: state.seen.length,
      body: JSON.parse(text || "null"),
      authorization: request.headers.authorization,
      path: request.url ?? "",
    }
    state.seen.push(seen)
    await behave(seen, response, state)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  state.baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  state.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return state
}

/** An answer as the protocol has it: one choice per text. */
export function completionOf(
  texts: readonly string[],
  usage: object | undefined = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
) {
  const choices = texts.map((content, index) => ({ index, message: { role: "assistant", content }, finish_reason: "stop" }))
  return { id: "1", object: "chat.completion", created: 0, model: "m", choices, usage }
}

export function reply(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(typeof body === "string" ? body : JSON.stringify(body))
}

export function refuse(
  response: ServerResponse,
  status: number,
  error: object = { message: "no" },
  headers: Record<string, string> = {},
): void {
  reply(response, { error }, status, headers)
}

/** A promise with its handle. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
