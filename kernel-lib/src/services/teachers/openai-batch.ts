// The batch API: requests go up in a file, answers come down in one within a day, at half the price. Which batch holds which request is on
// disk before anything is sent, so that a process that was killed finds its batches again and nothing is paid for twice.
// The protocol: https://platform.openai.com/docs/guides/batch
import { mkdir, readdir, readFile, rm } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import type OpenAI from "openai"
import { APIError, toFile } from "openai"
import type { Batch } from "openai/resources/batches"
import type { ChatCompletion } from "openai/resources/chat/completions"
import { InputError, InterruptedError, isPrompt2ModelError, messageOf, ServiceError } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import { writeFileAtomically } from "../../store/atomic"
import { explainError, type ServerDescription } from "./openai-errors"
import type { RateControl } from "./rate-control"
import { isRetryable, sleep } from "./retry"

export interface BatchOptions {
  /** Requests that a stage asks at once, so that they go together. Default 512. */
  readonly size?: number
  /** Where it is kept which batches are under way. Default: `prompt2model/batches` in the user's cache folder. */
  readonly folder?: string
  /** Milliseconds without a further request after which a batch is sent. Default 1000. */
  readonly gatherMilliseconds?: number
  /** Seconds between looks at a batch; they become more while it takes long, up to a minute. Default 5. */
  readonly pollSeconds?: number
}

/** Requests that a stage asks at once where nobody says. */
export const usualBatchSize = 512

/** What is on disk of a batch. */
interface BatchState {
  /** Made here and sent along, so that a batch is found whose id was not received. */
  readonly token: string
  readonly model: string
  readonly baseURL: string
  readonly customIds: readonly string[]
  readonly at: string
  readonly id?: string
}

interface Waiting {
  readonly customId: string
  readonly body: object
  resolve(completion: ChatCompletion): void
  reject(error: unknown): void
}

/** One line of a batch's output or error file. */
interface Line {
  readonly custom_id: string
  readonly response?: { readonly status_code: number; readonly body: unknown } | null
  readonly error?: { readonly code?: string; readonly message?: string } | null
}

/** The protocol's most, less what may be said twice. */
const mostRequests = 50_000
const mostBytes = 190e6
/** Batches that one request goes into before it has failed. */
const mostTries = 4
const mostPollSeconds = 60
/** After so many days the server has deleted a batch's files. */
const keptDays = 30
const ended = new Set<Batch["status"]>(["completed", "failed", "expired", "cancelled"])

export class BatchQueue {
  private readonly folder: string
  private readonly waiting = new Map<string, Waiting>()
  private gathering: Waiting[] = []
  private timer?: NodeJS.Timeout
  /** Which batch holds a request, by the request's id. */
  private readonly batchOf = new Map<string, BatchState>()
  private readonly watched = new Set<string>()
  private loading?: Promise<void>

  constructor(
    private readonly client: OpenAI,
    private readonly server: ServerDescription,
    private readonly control: RateControl,
    private readonly options: BatchOptions,
  ) {
    const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache")
    this.folder = options.folder ?? join(cache, "prompt2model", "batches")
  }

  /**
   * The answer to `body`; `label` tells two equal bodies apart.
   * @throws ServiceError, InputError `teacher.no-batches`, `teacher.batch-refused`; InterruptedError: the batch goes on at the server, and the
   *   same request later finds it
   */
  async ask(body: object, label: string, signal?: AbortSignal): Promise<ChatCompletion> {
    this.loading ??= this.loadStates()
    await this.loading
    const customId = fingerprintOf([this.server.model, this.server.baseURL, body, label])
    for (let tries = 1; ; tries++) {
      try {
        return await this.wait(customId, body, signal)
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error
        const { reason } = error
        const explained = isPrompt2ModelError(reason) ? reason : explainError(reason, this.server)
        if (!isRetryable(explained) || tries === mostTries) throw reason
      }
    }
  }

  private wait(customId: string, body: object, signal?: AbortSignal): Promise<ChatCompletion> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new InterruptedError(undefined, { cause: signal.reason }))
      const settle = () => {
        signal?.removeEventListener("abort", stop)
        this.waiting.delete(customId)
      }
      const waiting: Waiting = {
        customId,
        body,
        resolve: (completion) => {
          settle()
          resolve(completion)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      const stop = () => {
        this.gathering = this.gathering.filter((other) => other !== waiting)
        waiting.reject(new InterruptedError(undefined, { cause: signal?.reason }))
      }
      signal?.addEventListener("abort", stop, { once: true })
      this.waiting.set(customId, waiting)
      const state = this.batchOf.get(customId)
      if (state) void this.watch(state)
      else this.gather(waiting)
    })
  }

  private gather(waiting: Waiting): void {
    this.gathering.push(waiting)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.sendGathered(), this.options.gatherMilliseconds ?? 1000)
  }

  private sendGathered(): void {
    const requests = this.gathering
    this.gathering = []
    let lines: string[] = []
    let part: Waiting[] = []
    let bytes = 0
    const flush = () => {
      if (part.length > 0) void this.sendPart(part, lines.join(""))
      ;[lines, part, bytes] = [[], [], 0]
    }
    for (const waiting of requests) {
      const line = `${JSON.stringify({ custom_id: waiting.customId, method: "POST", url: "/v1/chat/completions", body: waiting.body })}\n`
      if (part.length === mostRequests || bytes + line.length > mostBytes) flush()
      lines.push(line)
      part.push(waiting)
      bytes += Buffer.byteLength(line)
    }
    flush()
  }

  private async sendPart(part: readonly Waiting[], text: string): Promise<void> {
    const { model, baseURL } = this.server
    const customIds = part.map(({ customId }) => customId)
    const token = fingerprintOf([customIds, new Date().toISOString(), process.pid])
    const state: BatchState = { token, model, baseURL, customIds, at: new Date().toISOString() }
    try {
      await this.save(state)
      const file = await this.call(async (signal) =>
        this.client.files.create({ file: await toFile(Buffer.from(text), "requests.jsonl"), purpose: "batch" }, { signal }),
      )
      const batch = await this.call(
        // Of a batch that was made though its answer got lost there must not be a second one.
        async (signal, isAgain) =>
          (isAgain && (await this.findBatch(token))) ||
          this.client.batches.create(
            { input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h", metadata: { prompt2model: token } },
            { signal },
          ),
      )
      await this.watch(await this.save({ ...state, id: batch.id }))
    } catch (error) {
      // Whether a batch came of it is not known where the connection was lost: its file stays, and a later process asks the server.
      for (const customId of customIds) this.batchOf.delete(customId)
      if (!isRetryable(error)) await this.forget(state)
      for (const customId of customIds) this.waiting.get(customId)?.reject(error)
    }
  }

  /** Looks at a batch until it has ended, as long as somebody waits for it. */
  private async watch(state: BatchState): Promise<void> {
    const { id } = state
    if (id === undefined || this.watched.has(id)) return
    this.watched.add(id)
    const isWaitedFor = () => state.customIds.some((customId) => this.waiting.has(customId))
    try {
      for (let seconds = this.options.pollSeconds ?? 5; isWaitedFor(); seconds = Math.min(seconds * 1.2, mostPollSeconds)) {
        const batch = await this.call((signal) => this.client.batches.retrieve(id, { signal }))
        if (ended.has(batch.status)) {
          await this.takeOut(state, batch)
          return
        }
        await sleep(seconds * 1000)
      }
    } catch (error) {
      for (const customId of state.customIds) this.waiting.get(customId)?.reject(error)
    } finally {
      this.watched.delete(id)
    }
  }

  /** Gives out what an ended batch brought. What it did not answer is no longer in it, and may go into another. */
  private async takeOut(state: BatchState, batch: Batch): Promise<void> {
    if (batch.status === "failed") {
      await this.forget(state)
      const said = batch.errors?.data?.map(({ message }) => message).join(" ") ?? ""
      const refused = new InputError(
        "teacher.batch-refused",
        `${state.baseURL} refused the batch ${batch.id}: ${said || "it says no more"}`,
      )
      for (const customId of state.customIds) this.waiting.get(customId)?.reject(refused)
      return
    }
    const lines = new Map<string, Line>()
    for (const fileId of [batch.error_file_id, batch.output_file_id]) {
      if (!fileId) continue
      const text = await this.call(async (signal) => (await this.client.files.content(fileId, { signal })).text())
      for (const line of readLines(text)) lines.set(line.custom_id, line)
    }
    const isAnswered = (customId: string) => lines.get(customId)?.response?.status_code === 200
    await this.save({ ...state, customIds: state.customIds.filter(isAnswered) })
    for (const customId of state.customIds) {
      if (!isAnswered(customId)) this.batchOf.delete(customId)
      const waiting = this.waiting.get(customId)
      if (!waiting) continue
      if (isAnswered(customId)) waiting.resolve(lines.get(customId)?.response?.body as ChatCompletion)
      else waiting.reject(explainLine(lines.get(customId), batch.status))
    }
  }

  /** One exchange about batches, through the gate; again where that may help. */
  private async call<T>(attempt: (signal: AbortSignal, isAgain: boolean) => Promise<T>): Promise<T> {
    let isAgain = false
    return this.control.run({
      attempt: async (signal) => {
        try {
          return await attempt(signal, isAgain)
        } catch (error) {
          isAgain = true
          if (error instanceof APIError && (error.status === 404 || error.status === 405)) {
            throw new InputError(
              "teacher.no-batches",
              `${this.server.baseURL} has no batch API, or not this batch any more: ask it without batch.`,
              { cause: new Error(messageOf(error)) },
            )
          }
          throw isPrompt2ModelError(error) ? error : explainError(error, this.server)
        }
      },
    })
  }

  private async findBatch(token: string): Promise<Batch | undefined> {
    const { data } = await this.client.batches.list({ limit: 100 })
    return data.find(({ metadata }) => metadata?.prompt2model === token)
  }

  private pathOf({ token }: BatchState): string {
    return join(this.folder, `${token}.json`)
  }

  private async save(state: BatchState): Promise<BatchState> {
    await writeFileAtomically(this.pathOf(state), `${JSON.stringify(state)}\n`)
    for (const customId of state.customIds) this.batchOf.set(customId, state)
    return state
  }

  private async forget(state: BatchState): Promise<void> {
    for (const customId of state.customIds) this.batchOf.delete(customId)
    await rm(this.pathOf(state), { force: true })
  }

  /** Finds the batches of earlier processes. One whose id was not written down any more is looked up at the server. */
  private async loadStates(): Promise<void> {
    await mkdir(this.folder, { recursive: true })
    const names = (await readdir(this.folder)).filter((name) => /^[0-9a-f]{32}\.json$/.test(name))
    for (const name of names) {
      const state = await readFile(join(this.folder, name), "utf8").then(
        (text) => JSON.parse(text) as BatchState,
        () => undefined,
      )
      if (state?.baseURL !== this.server.baseURL || state.model !== this.server.model) continue
      if (Date.now() - Date.parse(state.at) > keptDays * 86_400_000) {
        await this.forget(state)
        continue
      }
      const id = state.id ?? (await this.call(async () => this.findBatch(state.token)))?.id
      if (id === undefined) await this.forget(state)
      else await this.save({ ...state, id })
    }
  }
}

/** A batch has ended and left a request without its answer, which may go into another. */
class Unanswered extends Error {
  constructor(readonly reason: unknown) {
    super("no answer in this batch")
  }
}

function explainLine(line: Line | undefined, status: Batch["status"]): Unanswered {
  const { response, error } = line ?? {}
  if (response) return new Unanswered(APIError.generate(response.status_code, (response.body as object) ?? {}, undefined, new Headers()))
  const sentence = `The batch ended (${status}) without an answer to this request: ${error?.message ?? "run it again to go on."}`
  return new Unanswered(new ServiceError("teacher.batch-unanswered", sentence, { isRetryable: status !== "cancelled" }))
}

/** The lines of an output file; one that is no JSON answers nothing, and its request is asked again. */
function readLines(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as Line] : []
    } catch {
      return []
    }
  })
}
