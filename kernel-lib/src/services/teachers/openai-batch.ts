// The batch API: requests go up in a file, answers come down in one within a day, at half the price. Nothing is paid for twice, however often a
// process is killed (batch-states.ts).
// The protocol: https://platform.openai.com/docs/guides/batch
import type OpenAI from "openai"
import { APIError, toFile } from "openai"
import type { Batch } from "openai/resources/batches"
import type { ChatCompletion } from "openai/resources/chat/completions"
import { InputError, InterruptedError, isPrompt2ModelError, messageOf } from "../../core/errors"
import { fingerprintOf } from "../../core/fingerprint"
import { type BatchRequest, explainLine, type Line, readLines, Unanswered, writeBatches } from "./batch-lines"
import { type BatchState, BatchStates } from "./batch-states"
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

interface Waiting extends BatchRequest {
  resolve(completion: ChatCompletion): void
  reject(error: unknown): void
}

/** Batches that one request goes into before it has failed. */
const mostTries = 4
const mostPollSeconds = 60
const ended = new Set<Batch["status"]>(["completed", "failed", "expired", "cancelled"])

export class BatchQueue {
  private readonly states: BatchStates
  private readonly waiting = new Map<string, Waiting>()
  private gathering: Waiting[] = []
  private timer?: NodeJS.Timeout
  private readonly watched = new Set<string>()
  private loading?: Promise<void>

  constructor(
    private readonly client: OpenAI,
    private readonly server: ServerDescription,
    private readonly control: RateControl,
    private readonly options: BatchOptions,
  ) {
    this.states = new BatchStates(server, options.folder)
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

  private async loadStates(): Promise<void> {
    try {
      await this.states.load(async (token) => (await this.call(() => this.findBatch(token)))?.id)
    } catch (error) {
      // The next request asks the server again.
      this.loading = undefined
      throw error
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
      const state = this.states.of(customId)
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
    for (const { part, text } of writeBatches(requests)) void this.sendPart(part, text)
  }

  private async sendPart(part: readonly Waiting[], text: string): Promise<void> {
    const { model, baseURL } = this.server
    const customIds = part.map(({ customId }) => customId)
    const token = fingerprintOf([customIds, new Date().toISOString(), process.pid])
    const state: BatchState = { token, model, baseURL, customIds, at: new Date().toISOString() }
    try {
      await this.states.save(state)
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
      await this.watch(await this.states.save({ ...state, id: batch.id }))
    } catch (error) {
      // Whether a batch came of it is not known where the connection was lost: its file stays, and a later process asks the server.
      if (isRetryable(error)) this.states.release(customIds)
      else await this.states.forget(state)
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
      await this.states.forget(state)
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
    await this.states.save({ ...state, customIds: state.customIds.filter(isAnswered) })
    this.states.release(state.customIds.filter((customId) => !isAnswered(customId)))
    for (const customId of state.customIds) {
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
}
