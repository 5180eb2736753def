// A server with files and batches as OpenAI's has them: https://platform.openai.com/docs/api-reference/batch. A test says when a batch ends
// and what becomes of each line.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface BatchLine {
  readonly custom_id: string
  readonly method: string
  readonly url: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever was sent
  readonly body: any
}

export interface SeenBatch {
  readonly id: string
  status: string
  readonly lines: readonly BatchLine[]
  readonly metadata: Record<string, string>
  outputFile?: string
  errorFile?: string
  errors?: { data: { message: string }[] }
}

export type LineOutcome = { status: number; body: unknown } | { error: { code: string; message: string } } | undefined

export interface BatchServer {
  readonly baseURL: string
  readonly batches: SeenBatch[]
  /** Requests that it answers with a broken connection, after it did what was asked: `POST /v1/batches` ... */
  readonly losesAnswersTo: Set<string>
  /** Looks at batches so far. */
  readonly polls: number
  /** Ends a batch: each line has the outcome that `answer` gives it; one without an outcome stands in no file. */
  end(batch: SeenBatch, answer: (line: BatchLine) => LineOutcome, status?: string): void
  close(): Promise<void>
}

export async function startBatchServer(onPoll: (batch: SeenBatch, server: BatchServer) => void = () => {}): Promise<BatchServer> {
  const files = new Map<string, string>()
  const state = { baseURL: "", batches: [] as SeenBatch[], losesAnswersTo: new Set<string>(), polls: 0, close: async () => {} }
  const addFile = (text: string) => {
    const id = `file-${files.size}`
    files.set(id, text)
    return id
  }
  const server: BatchServer = Object.assign(state, {
    end(batch: SeenBatch, answer: (line: BatchLine) => LineOutcome, status = "completed") {
      const [output, failed]: string[][] = [[], []]
      for (const line of batch.lines) {
        const outcome = answer(line)
        if (!outcome) continue
        const isError = "error" in outcome
        const response = isError ? null : { status_code: outcome.status, request_id: "r", body: outcome.body }
        const text = JSON.stringify({ id: "b", custom_id: line.custom_id, response, error: isError ? outcome.error : null })
        if (isError || outcome.status !== 200) failed.push(text)
        else output.push(text)
      }
      batch.status = status
      if (output.length > 0) batch.outputFile = addFile(`${output.reverse().join("\n")}\n`)
      if (failed.length > 0) batch.errorFile = addFile(`${failed.join("\n")}\n`)
    },
  })

  const describe = (batch: SeenBatch) => ({
    ...{ id: batch.id, object: "batch", endpoint: "/v1/chat/completions", status: batch.status, metadata: batch.metadata },
    ...{ output_file_id: batch.outputFile, error_file_id: batch.errorFile, errors: batch.errors },
  })
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const route = `${request.method} ${request.url?.replace(/\?.*/, "")}`
    const body = await readText(request)
    if (route === "POST /v1/files") return { id: addFile(fileIn(body)), object: "file", purpose: "batch" }
    if (route === "POST /v1/batches") {
      const { input_file_id, metadata } = JSON.parse(body)
      const lines = (files.get(input_file_id) ?? "").trim().split("\n")
      const batch: SeenBatch = {
        id: `batch-${state.batches.length}`,
        status: "validating",
        lines: lines.map((line) => JSON.parse(line)),
        metadata,
      }
      state.batches.push(batch)
      return describe(batch)
    }
    if (route === "GET /v1/batches") return { object: "list", data: state.batches.map(describe), has_more: false }
    const [, kind, id] = /^GET \/v1\/(batches|files)\/([^/]+)/.exec(route) ?? []
    if (kind === "files") return files.get(id)
    const batch = state.batches.find((known) => known.id === id)
    if (!batch) return undefined
    state.polls++
    onPoll(batch, server)
    return describe(batch)
  }
  const http = createServer(async (request, response: ServerResponse) => {
    const route = `${request.method} ${request.url?.replace(/\?.*/, "")}`
    const result = await answer(request)
    if (state.losesAnswersTo.delete(route)) response.destroy()
    else if (result === undefined) response.writeHead(404, { "content-type": "application/json" }).end('{"error":{"message":"not found"}}')
    else if (typeof result === "string") response.end(result)
    else response.setHeader("content-type", "application/json").end(JSON.stringify(result))
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  state.baseURL = `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`
  state.close = () =>
    new Promise((resolve) => {
      http.close(() => resolve())
      http.closeAllConnections()
    })
  return server
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = ""
  for await (const chunk of request) text += chunk
  return text
}

/** The file of a multipart body: the part whose header names a file. */
function fileIn(multipart: string): string {
  const [boundary] = multipart.split("\r\n")
  const part = multipart.split(boundary).find((text) => text.includes("filename=")) ?? ""
  return part.slice(part.indexOf("\r\n\r\n") + 4).trimEnd()
}
