// The server of a student: who may ask, which path answers what, and how it ends.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Dataset } from "../../core/dataset"
import { InputError, InterruptedError, messageOf } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { Student } from "../../core/student"
import { renderDemoPage } from "../../display/demo-page"
import { demoHeader } from "../../display/payloads"
import type { LoadedStudent } from "../../students"
import { type AnswerInputs, answerInputs, mostNearest } from "./answer-inputs"
import { AnswerQueue } from "./answer-queue"
import { Refusal, readJson, sendJson } from "./http"
import { answerAsked } from "./openai-answer"
import { readAsked } from "./openai-request"
import { ServerMetrics } from "./server-metrics"

export interface StudentServerOptions {
  readonly student: Student
  readonly spec?: PromptSpec
  readonly train?: Dataset
  readonly apiKey?: string
  readonly maxSecondsPerRequest: number
  /** Listens beyond this machine: then its key, not its name, says who may ask. */
  readonly isOpen: boolean
}

const mostInputs = 256
const mostWaiting = 1024
/** Seconds in which a request must have arrived, and in which what is being answered may still be answered at the end. */
const arrivalSeconds = 30
const drainSeconds = 30

export class StudentServer {
  readonly id = randomBytes(12).toString("hex")
  readonly answer: AnswerInputs
  private readonly queue: AnswerQueue
  private readonly metrics: ServerMetrics
  private readonly server = createServer((request, response) => void this.respond(request, response))
  private isDraining = false
  private readonly started = Math.floor(Date.now() / 1000)

  constructor(private readonly options: StudentServerOptions) {
    this.queue = new AnswerQueue(options.student, { mostWaiting, onBatch: (batch) => this.metrics.batchAnswered(batch) })
    this.metrics = new ServerMetrics(() => this.queue.length)
    this.answer = answerInputs((inputs, signal) => this.predict(inputs, signal), options.train)
    this.server.headersTimeout = arrivalSeconds * 1000
    this.server.requestTimeout = arrivalSeconds * 1000
  }

  /** @returns the port */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, port, host)))
      this.server.listen(port, host, resolve)
    })
    this.warmUp()
    return (this.server.address() as AddressInfo).port
  }

  /** Compiles what answers use, so that the first question need not wait for it. Whatever goes wrong goes wrong for that question too. */
  private warmUp(): void {
    const { student } = this.options
    if ((student as Partial<LoadedStudent>).encodeInput) void student.predict([""], { maxNewTokens: 2 }).catch(() => {})
  }

  close(): Promise<void> {
    if (this.isDraining) return Promise.resolve()
    this.isDraining = true
    return new Promise((resolve) => {
      const giveUp = setTimeout(() => this.server.closeAllConnections(), drainSeconds * 1000)
      this.server.close(() => {
        clearTimeout(giveUp)
        resolve()
      })
      this.server.closeIdleConnections()
    })
  }

  private async predict(inputs: readonly string[], signal?: AbortSignal) {
    if (!this.queue.hasRoom(inputs.length)) throw new Refusal(503, "overloaded", "Too many questions are waiting: ask again in a second.")
    return Promise.all(inputs.map((input) => this.queue.ask({ input, signal })))
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now()
    const path = new URL(request.url ?? "/", "http://localhost").pathname
    response.once("close", () => {
      const status = response.writableFinished ? response.statusCode : 499
      this.metrics.requestEnded(path, status, (performance.now() - started) / 1000)
    })
    if (this.isDraining) response.setHeader("connection", "close")
    const late = AbortSignal.timeout(this.options.maxSecondsPerRequest * 1000)
    const gone = new AbortController()
    response.once("close", () => response.writableFinished || gone.abort())
    try {
      this.checkAsker(request, path)
      await this.route(request, response, path, AbortSignal.any([late, gone.signal]))
    } catch (error) {
      const refusal = late.aborted && error instanceof InterruptedError ? tooLate(this.options.maxSecondsPerRequest) : asRefusal(error)
      const { status, code, message, parameter = null } = refusal
      const type = status === 401 ? "authentication_error" : status < 500 ? "invalid_request_error" : "server_error"
      const headers: Readonly<Record<string, string>> | undefined =
        status === 503 ? { "retry-after": "1" } : status === 401 ? { "www-authenticate": "Bearer" } : undefined
      const isOpenAI = path.startsWith("/v1/")
      sendJson(response, status, { error: isOpenAI ? { message, type, param: parameter, code } : message }, headers)
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse, path: string, signal: AbortSignal): Promise<void> {
    const { student } = this.options
    switch (`${request.method} ${path}`) {
      case "GET /":
        return this.sendPage(response)
      case "GET /health":
        return sendJson(response, this.isDraining ? 503 : 200, { status: this.isDraining ? "draining" : "ok", student: student.name })
      case "GET /metrics":
        response.writeHead(200, { "content-type": this.metrics.contentType })
        response.end(await this.metrics.print())
        return
      case "GET /v1/models":
        return sendJson(response, 200, { object: "list", data: [this.describeModel()] })
      case "POST /predict": {
        const { inputs, numNearest } = readQuestion(await readJson(request))
        const answers = await this.answer(inputs, numNearest, signal)
        const predictions = answers.map(({ nearest, ...answer }) => (numNearest > 0 ? { ...answer, nearest } : answer))
        return sendJson(response, 200, { predictions })
      }
      case "POST /v1/chat/completions":
      case "POST /v1/completions": {
        const asked = readAsked(path.includes("chat") ? "chat" : "text", await readJson(request), student.name)
        const countInput = (input: string) => (student as Partial<LoadedStudent>).encodeInput?.(input).length ?? 0
        return answerAsked(asked, { queue: this.queue, model: student.name, countInput, signal }, response)
      }
      default:
        throw new Refusal(404, "not_found", `There is no ${request.method} ${path} here. There is ${paths}.`)
    }
  }

  private describeModel() {
    return { id: this.options.student.name, object: "model", created: this.started, owned_by: "prompt2model" }
  }

  /**
   * A page of another site must not reach the student through a name of its own that resolves to this machine. Whoever names this machine is no
   * such page, nor is one who has seen the demo in a notebook or has the key; and on a hub the browser is on another machine, which only the
   * hub's proxy lets in.
   * @throws Refusal 401, 403
   */
  private checkAsker({ headers }: IncomingMessage, path: string): void {
    const { apiKey, isOpen } = this.options
    const hasSeen = headers[demoHeader] === this.id
    const name = headers.host?.replace(/:\d+$/, "")
    const isNamed = ["127.0.0.1", "localhost", "[::1]"].includes(name ?? "")
    if (!isOpen && !isNamed && !hasSeen && !process.env.JUPYTERHUB_SERVICE_PREFIX)
      throw new Refusal(403, "forbidden_host", "This server answers only on 127.0.0.1 and localhost.")
    if (!apiKey || hasSeen || path === "/" || path === "/health") return
    const given = headers.authorization?.match(/^Bearer (.+)$/)?.[1] ?? ""
    const digest = (text: string) => createHash("sha256").update(text).digest()
    if (!timingSafeEqual(digest(given), digest(apiKey)))
      throw new Refusal(401, "invalid_api_key", "Send the key of this server as Authorization: Bearer KEY.")
  }

  private sendPage(response: ServerResponse): void {
    const { student, spec, train, apiKey } = this.options
    const nonce = randomBytes(16).toString("base64")
    const page = renderDemoPage({
      title: student.name,
      instruction: spec?.instruction ?? "",
      examples: spec?.demonstrations.map(({ input }) => input) ?? [],
      nonce,
      showsNearest: train !== undefined,
      asksForKey: apiKey !== undefined,
    })
    response.writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    })
    response.end(page)
  }
}

const paths = "GET /, /health, /metrics and /v1/models, and POST /predict, /v1/chat/completions and /v1/completions"

function tooLate(seconds: number): Refusal {
  return new Refusal(504, "timeout", `The answer took longer than ${seconds} s: ask for fewer at once, or for shorter ones.`)
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return error instanceof InputError ? new Refusal(400, error.code, error.message) : new Refusal(500, "internal_error", messageOf(error))
}

/** @throws Refusal 400 */
function readQuestion(body: unknown): { inputs: string[]; numNearest: number } {
  const { inputs, nearest = 0 } = (body ?? {}) as { inputs?: unknown; nearest?: unknown }
  const isUsable =
    Array.isArray(inputs) && inputs.length > 0 && inputs.length <= mostInputs && inputs.every((input) => typeof input === "string")
  if (!isUsable) throw new Refusal(400, "serve.bad-request", `Send {"inputs": [text, ...]} with 1 to ${mostInputs} texts.`)
  if (!Number.isInteger(nearest) || (nearest as number) < 0 || (nearest as number) > mostNearest)
    throw new Refusal(400, "serve.bad-request", `"nearest" is how many training rows are wanted beside each answer, 0 to ${mostNearest}.`)
  return { inputs: inputs as string[], numNearest: nearest as number }
}

function explain(error: NodeJS.ErrnoException, port: number, host: string): Error {
  if (error.code === "EADDRINUSE")
    return new InputError("serve.port-in-use", `Port ${port} is in use: choose another with --port, or 0 for any free one.`, {
      cause: error,
    })
  if (error.code === "EACCES")
    return new InputError("serve.port-not-allowed", `Port ${port} may not be opened by this user: choose one above 1023.`, { cause: error })
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
    return new InputError("serve.no-such-address", `This machine has no address ${host}: use 127.0.0.1, or 0.0.0.0 for all it has.`, {
      cause: error,
    })
  return error
}
