// How a student is asked: by one call in the notebook's kernel, or over HTTP through Jupyter's proxy. Both go the way that the page itself came, so
// that a student on a hub or on Binder can be asked where its own address is out of the browser's reach.
import { PageConfig, URLExt } from "@jupyterlab/coreutils"
import { type Kernel, type KernelMessage, ServerConnection, type ServiceManager } from "@jupyterlab/services"
import { type AnsweredInput, answerType, demoHeader } from "../../../kernel-lib/src/display/payloads"
import { trans } from "../settings/language"
import type { SettingsValues } from "../settings/settings"
import type { DemoSource } from "./read-demo"

export interface Question {
  readonly input: string
  readonly numNearest: number
}

/** Something in its way that the reader can do something about; the message is one sentence. */
export class Refusal extends Error {}

export class Asker {
  private kernel: Kernel.IKernelConnection | undefined

  /** `path`: the notebook in which the demo stands, as Jupyter's services name it. */
  constructor(
    private readonly services: ServiceManager.IManager,
    private readonly source: DemoSource,
    private readonly path: string | undefined,
  ) {}

  /** @throws Refusal */
  async ask(question: Question, through: SettingsValues["asksThrough"]): Promise<AnsweredInput> {
    const model = through === "proxy" ? undefined : await this.findKernel()
    const mayUseProxy = through !== "kernel" && this.source.port !== undefined
    const isProxyBetter = model?.execution_state === "busy" && mayUseProxy && hasProxy()
    const { id } = this.source
    if (model && id !== undefined) {
      const ask = () => askKernel(this.connect(model), id, question)
      return isProxyBetter ? askProxy(this.services.serverSettings, this.source, question).catch(ask) : ask()
    }
    if (mayUseProxy) return askProxy(this.services.serverSettings, this.source, question)
    throw new Refusal(trans.__("No kernel runs for this notebook: start it, and run the cell with serve again."))
  }

  dispose(): void {
    this.kernel?.dispose()
  }

  /** The kernel of the notebook, as the server knows it. */
  private async findKernel(): Promise<Kernel.IModel | undefined> {
    if (this.path === undefined || this.source.id === undefined) return undefined
    const { sessions, kernels } = this.services
    await Promise.all([sessions.refreshRunning(), kernels.refreshRunning()]).catch(() => {})
    const id = [...sessions.running()].find(({ path }) => path === this.path)?.kernel?.id
    // Only the list of kernels says which are at work.
    return [...kernels.running()].find((kernel) => kernel.id === id)
  }

  /** A connection of our own, kept for the next question. */
  private connect(model: Kernel.IModel): Kernel.IKernelConnection {
    if (this.kernel?.id !== model.id || this.kernel.isDisposed) {
      this.kernel?.dispose()
      this.kernel = this.services.kernels.connectTo({ model, handleComms: false })
    }
    return this.kernel
  }
}

/** Whether the server has the proxy, as far as the page knows: asking for what is not there would be an error in the console. */
function hasProxy(): boolean {
  return PageConfig.getOption("federated_extensions").includes("jupyter-server-proxy")
}

async function askKernel(kernel: Kernel.IKernelConnection, id: string, { input, numNearest }: Question): Promise<AnsweredInput> {
  const words = [id, input].map((text) => JSON.stringify(text)).join(", ")
  // tslab does not see an await within an await, and takes the code for one without.
  const code = `await import("prompt2model").then((library) => library.askDemo(${words}, ${numNearest}))`
  const future = kernel.requestExecute({ code, store_history: false, allow_stdin: false, stop_on_error: false }, true)
  let answer: unknown
  let complaint = ""
  future.onIOPub = ({ header, content }: KernelMessage.IIOPubMessage) => {
    const { data, text, evalue } = content as { data?: Record<string, unknown>; text?: string; evalue?: string }
    if (header.msg_type === "display_data" || header.msg_type === "execute_result") answer = data?.[answerType] ?? answer
    else if (header.msg_type === "stream" || header.msg_type === "error") complaint += text ?? evalue ?? ""
  }
  try {
    await future.done
  } catch {
    throw new Refusal(trans.__("The kernel has ended: start it, and run the cell with serve again."))
  }
  if (answer === undefined) {
    const sentence = trans.__("The kernel did not answer: it must be the TypeScript kernel in which serve was called.")
    throw new Refusal(`${sentence} ${complaint.slice(0, 200)}`.trim())
  }
  return readAnswer(answer)
}

async function askProxy(settings: ServerConnection.ISettings, { port, id }: DemoSource, question: Question): Promise<AnsweredInput> {
  const url = URLExt.join(settings.baseUrl, "proxy", String(port), "predict")
  const headers = { "Content-Type": "application/json", ...(id === undefined ? {} : { [demoHeader]: id }) }
  const body = JSON.stringify({ inputs: [question.input], nearest: question.numNearest })
  let response: Response
  try {
    response = await ServerConnection.makeRequest(url, { method: "POST", headers, body }, settings)
  } catch {
    throw new Refusal(trans.__("Jupyter's server does not answer."))
  }
  const answer: unknown = await response.json().catch(() => undefined)
  if (isFields(answer) && Array.isArray(answer.predictions)) return readAnswer(answer.predictions[0])
  // What the student itself refuses, it says in a sentence.
  if (isFields(answer) && typeof answer.error === "string") throw new Refusal(answer.error.slice(0, 500))
  throw new Refusal(
    response.status === 404
      ? trans.__(
          "Jupyter's server has no proxy, or the student is served no more: install jupyter-server-proxy, or run the cell with serve again.",
        )
      : trans.__("Nothing answers on port %1 of Jupyter's machine: run the cell with serve again.", port),
  )
}

/** What came over the line, every part looked at. */
function readAnswer(value: unknown): AnsweredInput {
  if (!isFields(value)) throw new Refusal(trans.__("The student's answer cannot be read."))
  if (typeof value.error === "string") throw new Refusal(value.error.slice(0, 500))
  const { output, confidence, nearest } = value
  if (typeof output !== "string") throw new Refusal(trans.__("The student's answer cannot be read."))
  return {
    output,
    confidence: numberOf(confidence),
    nearest: (Array.isArray(nearest) ? nearest : []).filter(isFields).map((row) => ({
      row: numberOf(row.row),
      input: typeof row.input === "string" ? row.input : "",
      output: typeof row.output === "string" ? row.output : "",
      similarity: numberOf(row.similarity),
    })),
  }
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
