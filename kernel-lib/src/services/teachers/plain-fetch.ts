// The way of requests with a text for a body, for the openai client: Node's own http with connections that stay open. Node's fetch does the
// same at three times the processor time, through web streams that a whole answer has no use for. Everything else goes to it all the same.
import { type IncomingMessage, Agent as PlainAgent, request as requestPlain } from "node:http"
import { request as requestSecure, Agent as SecureAgent } from "node:https"
import { brotliDecompressSync, unzipSync } from "node:zlib"

const plainAgent = new PlainAgent({ keepAlive: true })
const secureAgent = new SecureAgent({ keepAlive: true })

/** `fetch` for requests whose body is a text: the answer is there as a whole when it resolves, and has no stream. Others are fetch's own. */
export const plainFetch: typeof fetch = async (address, init) => {
  const { body, headers, method = "GET", signal } = init ?? {}
  if (typeof address !== "string" || typeof body !== "string") return fetch(address, init)
  const url = new URL(address)
  const sent = { ...Object.fromEntries(new Headers(headers)), "content-length": String(Buffer.byteLength(body)) }
  const { response, content } = await exchange({ url, method, headers: sent, body, signal: signal ?? undefined })
  const status = response.statusCode ?? 0
  // Whoever redirects has not done the work yet.
  if (status >= 300 && status < 400 && response.headers.location) return fetch(address, init)
  return describeResponse(response, status, address, unpack(content, response.headers["content-encoding"]))
}

interface Exchange {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal?: AbortSignal
}

function exchange({ url, method, headers, body, signal }: Exchange): Promise<{ response: IncomingMessage; content: Buffer }> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const isSecure = url.protocol === "https:"
    const request = isSecure
      ? requestSecure(url, { method, headers, agent: secureAgent })
      : requestPlain(url, { method, headers, agent: plainAgent })
    const stop = () => request.destroy(signal?.reason)
    const fail = (error: unknown) => {
      signal?.removeEventListener("abort", stop)
      reject(error)
    }
    signal?.addEventListener("abort", stop, { once: true })
    let hasAnswered = false
    request.on("error", (error: NodeJS.ErrnoException) => {
      // The server has closed the connection while it lay idle: that is no sign of trouble, and not to be counted as one.
      const isStale = request.reusedSocket && !hasAnswered && (error.code === "ECONNRESET" || error.code === "EPIPE")
      if (!isStale || signal?.aborted) return fail(error)
      signal?.removeEventListener("abort", stop)
      exchange({ url, method, headers, body, signal }).then(resolve, reject)
    })
    request.on("response", (response) => {
      hasAnswered = true
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", fail)
      response.on("end", () => {
        signal?.removeEventListener("abort", stop)
        resolve({ response, content: chunks.length === 1 ? chunks[0] : Buffer.concat(chunks) })
      })
    })
    request.end(body)
  })
}

/** Nothing was said to be understood, and yet there are servers that compress. */
function unpack(content: Buffer, encoding: string | undefined): Buffer {
  if (encoding === "br") return brotliDecompressSync(content)
  return encoding === "gzip" || encoding === "deflate" ? unzipSync(content) : content
}

/** What the client reads of a response. */
function describeResponse(response: IncomingMessage, status: number, url: string, content: Buffer): Response {
  const headers = new Headers()
  for (let index = 0; index < response.rawHeaders.length; index += 2)
    headers.append(response.rawHeaders[index], response.rawHeaders[index + 1])
  const read = () => new TextDecoder().decode(content)
  const described: Pick<Response, "ok" | "status" | "statusText" | "url" | "headers" | "body" | "text" | "json"> = {
    ok: status >= 200 && status < 300,
    ...{ status, statusText: response.statusMessage ?? "", url, headers, body: null },
    text: async () => read(),
    json: async () => JSON.parse(read()),
  }
  return described as Response
}
