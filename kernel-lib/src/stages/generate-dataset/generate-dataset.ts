// generateDataset: a prompt in, training rows from the teacher out, by the paper's recipe: temperature annealed with progress, earlier
// outputs sampled into each prompt, prompts of three lengths, several answers a request, a majority vote per input.
//
// What goes into request i depends only on the prompt, the seed, and the rows of requests that are a whole window older, so that the
// same seed gives the same rows in whatever order answers arrive, and however often the process was killed.
import { setMaxListeners } from "node:events"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Dataset, type DatasetOptions, type RejectedRow, type Row } from "../../core/dataset"
import { InputError, isPrompt2ModelError, messageOf, type Prompt2ModelError, ServiceError } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { Random } from "../../core/random"
import type { StageInlineOptions } from "../../core/run"
import type { Teacher } from "../../core/teacher"
import { writeFileAtomically } from "../../store/atomic"
import { defineStage, type StageContext } from "../../store/define-stage"
import { readDataset, writeDataset } from "../../store/tables"
import { Collector, type Outcome } from "./collect-rows"
import { fitGenerationPrompt, generatedExampleSchema, mostEarlierRows, type PromptLength } from "./generation-prompt"

export interface GenerateDatasetOptions extends StageInlineOptions {
  /** Rows to accept. Default: all rows of a recorded teacher, 2000 of any other. */
  readonly numExamples?: number
  /** The temperature rises from `initial` to at most `final` in proportion to progress. Default 0.5 to 1.7, as upstream. */
  readonly temperature?: { readonly initial: number; readonly final: number }
  /** Answers to ask for in each request. Default 4. */
  readonly responsesPerRequest?: number
  /** Requests in flight at once. Default 16. */
  readonly maxConcurrency?: number
  /** Whether answers to the same input are merged by majority (shortest on ties). Default true. */
  readonly isVoting?: boolean
  /** Outputs that are allowed, where the task has fixed labels. */
  readonly labels?: readonly string[]
  /** Characters that a prompt may have. Default 24,000, about 6,000 tokens. */
  readonly maxPromptCharacters?: number
  /** Called with each row as it comes; rows are provisional until their input's votes are in. */
  readonly onRow?: (row: { readonly input: string; readonly output: string }) => void
}

/** Requests between a request and the newest rows that may stand in its prompt; four times the default concurrency. */
const window = 64
/** Requests in a row that bring no new row before the teacher counts as having nothing new to say. */
const mostBarrenRequests = 60

interface GenerationLedger {
  readonly status: "done" | "partial"
  /** Why it ended before its target. */
  readonly reason?: string
  readonly asked: number
  readonly failed: number
  readonly requests: { readonly sent: number; readonly reused: number }
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number }
  readonly usd: number
  readonly seconds: number
}

/** Rows that a teacher made. `asked` = `length` + `rejected.length` + `failed`. */
export class GeneratedDataset extends Dataset implements GenerationLedger {
  readonly status: "done" | "partial"
  readonly reason?: string
  readonly asked: number
  readonly failed: number
  readonly requests: { readonly sent: number; readonly reused: number }
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number }
  readonly usd: number
  readonly seconds: number

  constructor(rows: readonly Row[], options: DatasetOptions, ledger: GenerationLedger) {
    super(rows, options)
    this.status = ledger.status
    this.reason = ledger.reason
    this.asked = ledger.asked
    this.failed = ledger.failed
    this.requests = ledger.requests
    this.usage = ledger.usage
    this.usd = ledger.usd
    this.seconds = ledger.seconds
  }
}

/**
 * Lets the teacher make rows for a prompt. A cap that is reached ends it with the rows so far, `status: "partial"` and a `reason`.
 *
 * @throws InputError `teacher.missing`, `teacher.cannot-generate`; ServiceError where the teacher cannot be reached at all; InterruptedError
 * @example
 * const generated = await generateDataset(spec, { teacher: simulatedTeacher(), numExamples: 8 })
 * generated.rejected // each with its reason
 */
export const generateDataset = defineStage<PromptSpec, GenerateDatasetOptions, GeneratedDataset>({
  name: "generateDataset",
  version: 1,
  uses: ["teacher", "seed"],
  key: (spec, { numExamples, temperature, responsesPerRequest, isVoting, labels, maxPromptCharacters }) => ({
    spec: spec.fingerprint,
    ...{ numExamples, temperature, responsesPerRequest, isVoting, labels, maxPromptCharacters },
  }),
  async work(spec, options, context) {
    const { teacher } = context.run
    if (!teacher)
      throw new InputError(
        "teacher.missing",
        "No teacher was given: pass teacher: openaiTeacher(model), recordedTeacher(folder) or simulatedTeacher().",
      )
    if (teacher.answers?.("generate") === false)
      throw new InputError("teacher.cannot-generate", `${teacher.name} does not make rows: choose another teacher.`)
    const before = { ...context.run.spending }
    const started = performance.now()
    const { numExamples, isVoting = true, responsesPerRequest = 4 } = options
    const collector = new Collector(spec, {
      target: numExamples ?? (teacher.totalRows === undefined ? 2000 : Number.POSITIVE_INFINITY),
      responsesPerRequest,
      teacher: { name: teacher.name, isSimulated: teacher.isSimulated ?? false },
      isVoting,
      labels: options.labels && new Set(options.labels),
    })
    const reason = await askUntilFull(spec, { ...options, responsesPerRequest }, teacher, collector, context)
    const { spending } = context.run
    const { rows, rejected } = collector.finish()
    return describe(rows, rejected, teacher, {
      status: reason ? "partial" : "done",
      reason,
      asked: collector.asked,
      failed: collector.failed,
      requests: { sent: spending.requestsSent - before.requestsSent, reused: spending.requestsReused - before.requestsReused },
      usage: { inputTokens: spending.inputTokens - before.inputTokens, outputTokens: spending.outputTokens - before.outputTokens },
      usd: spending.usd - before.usd,
      seconds: (performance.now() - started) / 1000,
    })
  },
  async save(dataset, folder) {
    const { status, reason, asked, failed, requests, usage, usd, seconds, name, note } = dataset
    await writeDataset(dataset, join(folder, "rows.parquet"))
    await writeFileAtomically(
      join(folder, "ledger.json"),
      JSON.stringify({ ledger: { status, reason, asked, failed, requests, usage, usd, seconds }, name, note }),
    )
  },
  async load(folder) {
    const rows = await readDataset(join(folder, "rows.parquet"))
    const { ledger, name, note } = JSON.parse(await readFile(join(folder, "ledger.json"), "utf8"))
    return new GeneratedDataset([...rows], { name, note, rejected: rows.rejected, file: join(folder, "rows.parquet") }, ledger)
  },
  summarize(dataset) {
    const reasons = dataset.rejectedByReason.map(({ reason, rows }) => `${rows.toLocaleString("en")} ${reason}`)
    const rejected =
      dataset.rejected.length > 0
        ? `, ${dataset.rejected.length.toLocaleString("en")} rejected: ${reasons.slice(0, 2).join(", ")}${reasons.length > 2 ? ", ..." : ""}`
        : ""
    return `${dataset.length.toLocaleString("en")} rows${rejected}${dataset.reason ? ` (${dataset.reason})` : ""}`
  },
})

function describe(rows: readonly Row[], rejected: readonly RejectedRow[], teacher: Teacher, ledger: GenerationLedger): GeneratedDataset {
  const cost = ledger.usd > 0 ? `, $${ledger.usd.toFixed(2)}` : ""
  const note = `${teacher.name}${teacher.isSimulated && teacher.name !== "simulated" ? " (simulated)" : ""}, ${Math.round(ledger.seconds)} s${cost}`
  return new GeneratedDataset(rows, { name: "Generated dataset", note, rejected }, ledger)
}

type Asking = GenerateDatasetOptions & { responsesPerRequest: number }

/** Asks until the collector is full. Answers why it ended before, where it did. */
async function askUntilFull(
  spec: PromptSpec,
  options: Asking,
  teacher: Teacher,
  collector: Collector,
  context: StageContext,
): Promise<string | undefined> {
  const { maxConcurrency = 16, onRow } = options
  const { signal, run, random } = context
  const settled = new Map<number, Outcome>()
  const inFlight = new Map<number, Promise<void>>()
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  // Every request in flight listens to it.
  setMaxListeners(0, either)
  let next = 0
  let lastRequest = Number.POSITIVE_INFINITY
  let barren = 0
  let isAnswering = false
  let ending: string | undefined
  let failure: unknown
  const { maxSeconds } = run.limits
  const endAsking = (reason: string, call: number) => {
    ending ??= reason
    lastRequest = Math.min(lastRequest, call)
  }
  const timer =
    maxSeconds === undefined ? undefined : setTimeout(() => endAsking(`the cap of ${maxSeconds} seconds is reached`, 0), maxSeconds * 1000)

  const ask = async (call: number) => {
    const request = planRequest(spec, collector, options, random, call)
    try {
      const { texts, finishReasons } = await teacher.complete(
        { ...request, purpose: "generate", numResponses: options.responsesPerRequest, schema: generatedExampleSchema, index: call },
        { signal: either },
      )
      isAnswering = true
      settled.set(call, { kind: "answered", texts, finishReasons, temperature: teacher.isRecorded ? undefined : request.temperature })
    } catch (error) {
      if (either.aborted) return
      const code = isPrompt2ModelError(error) ? (error as Prompt2ModelError).code : undefined
      if (code === "recorded.exhausted") lastRequest = Math.min(lastRequest, call)
      else if (code?.startsWith("budget.")) endAsking(messageOf(error), call)
      else if (isFinal(error) || (!isAnswering && neverReached.has(code ?? ""))) failure ??= error
      else settled.set(call, { kind: "failed", message: messageOf(error) })
    }
  }

  // Whatever ends the asking, answers that are on their way have been paid for: they are waited for and collected.
  while (!collector.isFull && !failure && !signal.aborted) {
    while (
      next < lastRequest &&
      next - window < collector.requests &&
      inFlight.size < Math.min(maxConcurrency, neededRequests(collector, options))
    ) {
      const call = next++
      inFlight.set(
        call,
        ask(call).finally(() => inFlight.delete(call)),
      )
    }
    if (inFlight.size === 0 && !settled.has(collector.requests)) break
    await Promise.race(inFlight.values())
    for (let outcome = settled.get(collector.requests); outcome && !collector.isFull; outcome = settled.get(collector.requests)) {
      const call = collector.requests
      const accepted = collector.accepted
      settled.delete(call)
      collector.take(call, outcome)
      for (const row of collector.rowsAfter(call).slice(accepted)) onRow?.(row)
      barren = collector.accepted > accepted ? 0 : barren + 1
      if (outcome.kind === "failed" && collector.failed > 20 && collector.failed * 2 > collector.asked)
        failure ??= new ServiceError("teacher.mostly-failing", `Most requests failed: ${outcome.message}`, { isRetryable: true })
    }
    if (barren >= mostBarrenRequests) endAsking(`the teacher made nothing new in ${barren} requests`, next)
    report(collector, options, teacher, context)
  }
  clearTimeout(timer)
  stop.abort()
  await Promise.all(inFlight.values())
  if (failure) throw failure
  if (collector.isFull) return undefined
  if (signal.aborted) return "interrupted"
  if (ending) return ending
  return options.numExamples === undefined ? undefined : "the recording has no more rows"
}

/** What request `call` asks, from rows that are a whole window older. */
function planRequest(spec: PromptSpec, collector: Collector, options: Asking, random: Random, call: number) {
  const { temperature: { initial, final } = { initial: 0.5, final: 1.7 }, numExamples = 2000, maxPromptCharacters = 24_000 } = options
  const draw = random.fork(call)
  const rows = collector.rowsAfter(call - window)
  const earlier = draw.sample(rows, Math.min(rows.length, 1 + draw.integer(mostEarlierRows)))
  const length = draw.pick<PromptLength>(["short", "middle", "long"])
  const temperature = Math.round((initial + (final - initial) * Math.min(1, rows.length / numExamples)) * 1000) / 1000
  return { messages: fitGenerationPrompt(spec, earlier, length, maxPromptCharacters), temperature, seed: draw.integer(2 ** 31) }
}

/** Requests that are still needed, as answers went so far; asking for more would be paid for and dropped. */
function neededRequests(collector: Collector, { numExamples = 2000, responsesPerRequest }: Asking): number {
  const rate = collector.asked < 40 ? 1 : Math.max(0.05, collector.accepted / collector.asked)
  const target = Math.max(1, numExamples - collector.accepted)
  return Math.max(1, Math.ceil(target / (responsesPerRequest * rate)))
}

/** What a request meets when nobody is there; before the first answer, further requests would wait as long and meet the same. */
const neverReached = new Set(["teacher.unreachable", "teacher.connection-lost"])

/** Whether every further request would meet this error too. A service's error is one request's; when most requests fail, that ends it as well. */
function isFinal(error: unknown): boolean {
  return !isPrompt2ModelError(error) || (error as ServiceError).isRetryable === undefined
}

function report(collector: Collector, { numExamples }: Asking, teacher: Teacher, { progress, run }: StageContext): void {
  const total = numExamples ?? teacher.totalRows ?? 2000
  const { usd } = run.spending
  progress({
    done: Math.min(total, numExamples === undefined && teacher.totalRows ? collector.asked : collector.accepted),
    total,
    unit: "rows",
    note: usd > 0 ? `$${usd.toFixed(2)}` : undefined,
  })
}
