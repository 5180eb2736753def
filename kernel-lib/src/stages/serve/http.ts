// What every path of the server shares: bodies read within limits, JSON and errors sent, refusals by status.
import type { IncomingMessage, ServerResponse } from "node:http"

/** A request that is refused: the status, and a sentence for whoever asked. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    /** Stable, for programs. */
    readonly code: string,
    message: string,
    /** The member of the request that is at fault. */
    readonly parameter?: string,
  ) {
    super(message)
  }
}

/** Largest request, in bytes. */
export const mostBytes = 1 << 20

/** The body as JSON. @throws Refusal 413, 415, 400 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!request.headers["content-type"]?.startsWith("application/json"))
    throw new Refusal(415, "unsupported_media_type", "Send application/json.")
  const tooLarge = () => new Refusal(413, "request_too_large", `A request may have at most ${mostBytes} bytes.`)
  if (Number(request.headers["content-length"]) > mostBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  // Not `for await`: leaving it early would destroy the socket before the refusal is sent.
  await new Promise<void>((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size > mostBytes) reject(tooLarge())
      else chunks.push(chunk)
    })
    request.on("end", resolve)
    request.on("error", reject)
    request.on("close", () => reject(new Refusal(499, "client_closed_request", "The client is gone.")))
  })
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"))
  } catch {
    throw new Refusal(400, "invalid_json", "The request is not JSON.")
  }
}

/** Milliseconds for which what is left of a refused request is read and thrown away: some clients send all before they listen. */
const lettingGo = 5000

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent || response.destroyed) return
  const { req: request } = response
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...headers,
  })
  response.end(JSON.stringify(body))
  if (request.complete) return
  // Closing at once would tear the answer down with the connection.
  request.resume()
  const timer = setTimeout(() => request.destroy(), lettingGo)
  request.once("close", () => clearTimeout(timer))
}
