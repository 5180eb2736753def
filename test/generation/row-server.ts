// A chat-completions server whose answers follow from the request alone, and which keeps count of what it was asked.
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

export interface RowServer {
  readonly baseURL: string
  /** Times that each request was asked, by its hash, which its answers carry. */
  readonly asked: ReadonlyMap<string, number>
  readonly mostInFlight: number
  /** Called with each request's hash when it arrives. */
  onRequest: (hash: string) => void
  /** Forgets what was counted. */
  reset(): void
  close(): Promise<void>
}

export interface RowServerOptions {
  /** Milliseconds before an answer goes out. */
  readonly latency: number
  /** The answer number `sample` to the request of that hash. */
  readonly answer?: (hash: string, sample: number) => string
}

/** A row with its request's hash beside it; one in some ten repeats an earlier input. */
export function rowOf(hash: string, sample: number): string {
  const number = Number.parseInt(createHash("sha256").update(`${hash}/${sample}`).digest("hex").slice(0, 8), 16) % 12_000
  return JSON.stringify({ input: `What is ${number} + 1?`, output: String(number + 1), request: hash })
}

export async function startRowServer({ latency, answer = rowOf }: RowServerOptions): Promise<RowServer> {
  const asked = new Map<string, number>()
  let inFlight = 0
  const state = { baseURL: "", asked, mostInFlight: 0, onRequest: (_hash: string) => {}, reset() {}, close: async () => {} }
  const server = createServer(async (request, response) => {
    inFlight++
    state.mostInFlight = Math.max(state.mostInFlight, inFlight)
    response.once("close", () => inFlight--)
    let text = ""
    for await (const chunk of request) text += chunk
    const hash = createHash("sha256").update(text).digest("hex")
    asked.set(hash, (asked.get(hash) ?? 0) + 1)
    state.onRequest(hash)
    const { n = 1, model } = JSON.parse(text)
    const choices = Array.from({ length: n }, (_, index) => ({
      index,
      message: { role: "assistant", content: answer(hash, index) },
      finish_reason: "stop",
    }))
    const usage = { prompt_tokens: 100, completion_tokens: 20 * n, total_tokens: 100 + 20 * n }
    const send = () => {
      response.setHeader("content-type", "application/json")
      response.end(JSON.stringify({ id: "x", object: "chat.completion", created: 0, model, choices, usage }))
    }
    if (latency > 0) setTimeout(send, latency)
    else send()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  state.baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  state.reset = () => {
    asked.clear()
    state.mostInFlight = 0
  }
  state.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return state
}
