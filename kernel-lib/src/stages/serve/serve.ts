// serve: a student in, a page on loopback out, to type into. Nothing leaves the machine.

import { randomBytes } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Dataset } from "../../core/dataset"
import { InputError, messageOf } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import type { Student } from "../../core/student"
import { renderDemoPage } from "../../display/demo-page"
import { type DemoPayload, demoHeader, payloadVersion, previewCharacters } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { defineStage } from "../../store/define-stage"
import { type AnswerInputs, answerInputs, mostNearest } from "./answer-inputs"
import { closeDemo, openDemo } from "./ask-demo"

export interface ServeOptions extends StageInlineOptions {
  /** Shown on the page, with its demonstrations as examples to try. */
  readonly spec?: PromptSpec
  /** The rows that the student learned from: the nearest ones stand beside each answer. */
  readonly train?: Dataset
  /** Default 0: any free port. */
  readonly port?: number
}

/** A demo that is open until it is closed. */
export interface Demo {
  readonly kind: "demo"
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** A served student, as its requests are answered. */
interface Served {
  readonly student: Student
  readonly answer: AnswerInputs
  readonly id: string
  readonly spec?: PromptSpec
  readonly train?: Dataset
}

/** Largest request, in bytes, and most inputs in one. */
const mostBytes = 1 << 20
const mostInputs = 256

/**
 * Serves a student on 127.0.0.1: a page at `/`, `POST /predict` with `{"inputs": [...]}` and, where the nearest training rows are wanted,
 * `"nearest": 5`; and `GET /health`. The extension of JupyterLab asks it through Jupyter's proxy, or through the kernel.
 * @throws InputError `serve.port-in-use`
 * @example
 * const student = await loadModel("bundled/byte-t5-tiny", { hub: bundledHub() })
 * const demo = await serve(student, { spec })
 * await demo.close()
 */
export const serve = defineStage<Student, ServeOptions, Demo>({
  name: "serve",
  version: 1,
  uses: [],
  key: (student, { port }) => ({ student: student.fingerprint, port }),
  async work(student, { spec, train, port = 0 }) {
    const served: Served = { student, answer: answerInputs(student, train), id: randomBytes(12).toString("hex"), spec, train }
    const server = createServer((request, response) => void answerRequest(served, request, response))
    await listen(server, port)
    const { port: bound } = server.address() as AddressInfo
    const demo: Demo = {
      kind: "demo",
      url: `http://127.0.0.1:${bound}/`,
      port: bound,
      close: () =>
        new Promise((resolve) => {
          closeDemo(served.id)
          server.close(() => resolve())
          server.closeIdleConnections()
        }),
    }
    openDemo(served.id, served.answer)
    makeSelfShowing(demo, () => describeDemo(demo, served))
    return demo
  },
  summarize: (demo) => demo.url,
})

function describeDemo(demo: Demo, { student, spec, train, id }: Served): DemoPayload {
  return {
    kind: "demo",
    version: payloadVersion,
    title: "Demo",
    subtitle: `${student.name} at ${demo.url}, on this machine only`,
    url: demo.url,
    examples: spec?.demonstrations.map(({ input }) => input) ?? [],
    id,
    student: student.name,
    instruction: spec?.instruction.slice(0, previewCharacters),
    numTrain: train?.length,
    nextStep: "await trained.student.predict([input])",
  }
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new InputError("serve.port-in-use", `Port ${port} is in use: choose another with --port, or 0 for any free one.`, {
              cause: error,
            })
          : error.code === "EACCES"
            ? new InputError("serve.port-not-allowed", `Port ${port} may not be opened by this user: choose one above 1023.`, {
                cause: error,
              })
            : error,
      )
    })
    server.listen(port, "127.0.0.1", resolve)
  })
}

async function answerRequest(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { student, answer } = served
  try {
    if (!mayAsk(request, served.id)) return send(response, 403, { error: "This server answers only on 127.0.0.1 and localhost." })
    const path = new URL(request.url ?? "/", "http://localhost").pathname
    if (request.method === "GET" && path === "/") return sendPage(response, served)
    if (request.method === "GET" && path === "/health") return send(response, 200, { status: "ok", student: student.name })
    if (request.method !== "POST" || path !== "/predict")
      return send(response, 404, { error: "There is GET /, GET /health and POST /predict." })
    if (!request.headers["content-type"]?.startsWith("application/json")) return send(response, 415, { error: "Send application/json." })
    const { inputs, numNearest } = await readQuestion(request)
    const answers = await answer(inputs, numNearest)
    const predictions = answers.map(({ output, confidence, nearest }) => ({
      ...{ output, confidence },
      ...(numNearest > 0 ? { nearest } : {}),
    }))
    send(response, 200, { predictions })
  } catch (error) {
    send(response, error instanceof InputError ? 400 : 500, { error: messageOf(error) })
  }
}

/**
 * A page of another site must not reach the student through a name of its own that resolves to this machine. Whoever names this machine is no such
 * page, nor is one who has seen the demo in a notebook; and on a hub the browser is on another machine, which only the hub's proxy lets in.
 */
function mayAsk({ headers }: IncomingMessage, id: string): boolean {
  const name = headers.host?.replace(/:\d+$/, "")
  return name === "127.0.0.1" || name === "localhost" || headers[demoHeader] === id || Boolean(process.env.JUPYTERHUB_SERVICE_PREFIX)
}

async function readQuestion(request: IncomingMessage): Promise<{ inputs: string[]; numNearest: number }> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > mostBytes) throw new InputError("serve.too-large", `A request may have at most ${mostBytes} bytes.`)
    chunks.push(chunk)
  }
  let question: { inputs?: unknown; nearest?: unknown } | null = null
  try {
    question = JSON.parse(Buffer.concat(chunks).toString("utf8"))
  } catch {}
  const { inputs, nearest = 0 } = question ?? {}
  const isUsable =
    Array.isArray(inputs) && inputs.length > 0 && inputs.length <= mostInputs && inputs.every((input) => typeof input === "string")
  if (!isUsable) throw new InputError("serve.bad-request", `Send {"inputs": [text, ...]} with 1 to ${mostInputs} texts.`)
  if (!Number.isInteger(nearest) || (nearest as number) < 0 || (nearest as number) > mostNearest)
    throw new InputError("serve.bad-request", `"nearest" is how many training rows are wanted beside each answer, 0 to ${mostNearest}.`)
  return { inputs: inputs as string[], numNearest: nearest as number }
}

function sendPage(response: ServerResponse, { student, spec }: Served): void {
  const nonce = randomBytes(16).toString("base64")
  const page = renderDemoPage({
    title: student.name,
    instruction: spec?.instruction ?? "",
    examples: spec?.demonstrations.map(({ input }) => input) ?? [],
    nonce,
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

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "x-content-type-options": "nosniff",
    connection: status === 400 ? "close" : "keep-alive",
  })
  response.end(JSON.stringify(body))
}
