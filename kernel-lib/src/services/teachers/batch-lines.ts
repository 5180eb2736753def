// The lines of a batch's files: requests as they go up, answers and errors as they come down.
import { APIError } from "openai"
import type { Batch } from "openai/resources/batches"
import { ServiceError } from "../../core/errors"

export interface BatchRequest {
  readonly customId: string
  readonly body: object
}

/** One line of a batch's output or error file. */
export interface Line {
  readonly custom_id: string
  readonly response?: { readonly status_code: number; readonly body: unknown } | null
  readonly error?: { readonly code?: string; readonly message?: string } | null
}

/** The protocol's most, less what may be said twice. */
const mostRequests = 50_000
const mostBytes = 190e6

/** Requests as batches that the protocol takes, each with the text of its file. */
export function* writeBatches<Request extends BatchRequest>(requests: readonly Request[]): Generator<{ part: Request[]; text: string }> {
  let [part, lines, bytes]: [Request[], string[], number] = [[], [], 0]
  for (const request of requests) {
    const line = `${JSON.stringify({ custom_id: request.customId, method: "POST", url: "/v1/chat/completions", body: request.body })}\n`
    const lineBytes = Buffer.byteLength(line)
    if (part.length === mostRequests || (part.length > 0 && bytes + lineBytes > mostBytes)) {
      yield { part, text: lines.join("") }
      ;[part, lines, bytes] = [[], [], 0]
    }
    part.push(request)
    lines.push(line)
    bytes += lineBytes
  }
  if (part.length > 0) yield { part, text: lines.join("") }
}

/** A batch has ended and left a request without its answer, which may go into another. */
export class Unanswered extends Error {
  constructor(readonly reason: unknown) {
    super("no answer in this batch")
  }
}

export function explainLine(line: Line | undefined, status: Batch["status"]): Unanswered {
  const { response, error } = line ?? {}
  if (response) return new Unanswered(APIError.generate(response.status_code, (response.body as object) ?? {}, undefined, new Headers()))
  const sentence = `The batch ended (${status}) without an answer to this request: ${error?.message ?? "run it again to go on."}`
  return new Unanswered(new ServiceError("teacher.batch-unanswered", sentence, { isRetryable: status !== "cancelled" }))
}

/** The lines of an output file; one that is no JSON answers nothing, and its request is asked again. */
export function readLines(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as Line] : []
    } catch {
      return []
    }
  })
}
