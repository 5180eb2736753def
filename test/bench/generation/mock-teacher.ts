// A chat-completions server for measuring: every answer is a new row, after a wait as real services have it or none, and one request in so many
// is refused. A process of its own, so that it takes nothing from those who are measured but a core. Answers questions (serve-contender.ts).
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { serveContender } from "../harness/serve-contender"

interface Behaviour {
  /** Median of a lognormal distribution, in milliseconds; 0 for none. */
  readonly latency: number
  /** Standard deviation of its logarithm. */
  readonly sigma: number
  /** Share of requests that are refused with 429. */
  readonly refused: number
}

let behaviour: Behaviour = { latency: 0, sigma: 0, refused: 0 }
let served = 0
let answered = 0
let inFlight = 0
/** Milliseconds that requests were in flight together: its mean over time is the concurrency that was reached. */
let area = 0
let since = performance.now()
let first = 0

function count(change: number): void {
  const now = performance.now()
  area += inFlight * (now - since)
  since = now
  inFlight += change
}

function normal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
}

function answer(response: ServerResponse, responses: number): void {
  const choices = Array.from({ length: responses }, () => {
    const number = answered++
    const content = JSON.stringify({ input: `What comes after ${number}, as a numeral and in few words?`, output: String(number + 1) })
    return { index: 0, message: { role: "assistant", content }, finish_reason: "stop" }
  })
  const usage = { prompt_tokens: 100, completion_tokens: 30 * responses, total_tokens: 100 + 30 * responses }
  response.setHeader("content-type", "application/json")
  response.end(JSON.stringify({ id: "x", object: "chat.completion", created: 0, model: "mock", choices, usage }))
}

const server = createServer({ keepAlive: true }, (request, response) => {
  count(1)
  if (served++ === 0) first = performance.now()
  response.once("close", () => count(-1))
  const chunks: Buffer[] = []
  request.on("data", (chunk) => chunks.push(chunk))
  request.on("end", () => {
    const responses = Number(/"n":\s*(\d+)/.exec(Buffer.concat(chunks).toString("latin1"))?.[1] ?? 1)
    if (Math.random() < behaviour.refused) {
      response.writeHead(429, { "content-type": "application/json" }).end('{"error":{"message":"slow down"}}')
    } else if (behaviour.latency === 0) answer(response, responses)
    else setTimeout(() => answer(response, responses), behaviour.latency * Math.exp(behaviour.sigma * normal()))
  })
})
server.keepAliveTimeout = 60_000

await serveContender({
  listen: () =>
    new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`))
    }),
  begin(next: Behaviour) {
    behaviour = next
    served = answered = area = 0
    since = performance.now()
  },
  /** Mean requests in flight between the first request and now; requests in all. */
  end() {
    count(0)
    return { meanInFlight: area / (since - first), served }
  },
})
process.exit(0)
