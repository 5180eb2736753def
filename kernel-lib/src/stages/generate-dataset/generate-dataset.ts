// generateDataset: a prompt in, training rows from the teacher out, by the paper's recipe: temperature annealed with progress, earlier
// outputs sampled into each prompt, prompts of three lengths, several answers a request, a majority vote per input.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { InputError } from "../../core/errors"
import type { Example, PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import type { Teacher } from "../../core/teacher"
import { measureDiversity } from "../../measures/diversity"
import { writeFileAtomically } from "../../store/atomic"
import { defineStage, type StageContext } from "../../store/define-stage"
import { readDataset, writeDataset } from "../../store/tables"
import { RowAsking } from "./ask-for-rows"
import { Collector } from "./collect-rows"
import { describeGenerated, GeneratedDataset } from "./generated-dataset"
import { describeEstimate, estimateGeneration } from "./generation-cost"
import { concurrencyOf, type Recipe, usualConcurrency, usualRows, windowOf } from "./plan-request"
import { reportProgress } from "./report-progress"
import type { FilterSwitches } from "./row-filters"
import { type RowStream, streamRows } from "./stream-rows"

export { GeneratedDataset } from "./generated-dataset"

export interface GenerateDatasetOptions extends StageInlineOptions {
  /** Rows to accept. Default: all rows of a recorded teacher, 2000 of any other. */
  readonly numExamples?: number
  /** The temperature rises from `initial` to at most `final` in proportion to progress. Default 0.5 to 1.7, as upstream. */
  readonly temperature?: { readonly initial: number; readonly final: number }
  /** Answers to ask for in each request. Default 4. */
  readonly responsesPerRequest?: number
  /**
   * Requests in flight at once. Default 16; a batch's size where the teacher answers in batches. Another number gives other rows: a request's
   * prompt shows rows of requests that are four times as many older. The teacher's own `maxConcurrency` holds beside it.
   */
  readonly maxConcurrency?: number
  /**
   * Cap on each answer, in the model's tokens; with it, no request in flight can pass `maxUsd`. Default: none, since models that think
   * count their thoughts.
   */
  readonly maxAnswerTokens?: number
  /** Whether answers to the same input are merged by majority (shortest on ties). Default true. */
  readonly isVoting?: boolean
  /** Outputs that are allowed, where the task has fixed labels; `"demonstrated"` for those that the prompt's demonstrations have. */
  readonly labels?: readonly string[] | "demonstrated"
  /** Filters to switch off, e.g. `{ nearDuplicate: false }`. All are on by default. */
  readonly filters?: FilterSwitches
  /** Characters that a prompt may have. Default 24,000, about 6,000 tokens. */
  readonly maxPromptCharacters?: number
  /** Called with each row as it comes; rows are provisional until their input's votes are in. */
  readonly onRow?: (row: Example) => void
}

const usualTemperature = { initial: 0.5, final: 1.7 }
/** Answers in each request where nobody says. */
export const usualResponses = 4

const generate = defineStage<PromptSpec, GenerateDatasetOptions, GeneratedDataset>({
  name: "generateDataset",
  version: 3,
  uses: ["teacher", "seed"],
  key: (spec, options) => {
    const { numExamples, temperature, responsesPerRequest, maxAnswerTokens, isVoting, labels, filters, maxPromptCharacters } = options
    const concurrency = concurrencyOf(options, options.run?.teacher ?? options.teacher)
    return {
      spec: spec.fingerprint,
      ...{ numExamples, temperature, responsesPerRequest, maxAnswerTokens, isVoting, labels, filters, maxPromptCharacters },
      concurrency: concurrency === usualConcurrency ? undefined : concurrency,
    }
  },
  async work(spec, options, context) {
    const teacher = teacherOf(context)
    const before = { ...context.run.spending }
    const started = performance.now()
    const { isVoting = true, filters, onRow, numExamples = teacher.totalRows === undefined ? usualRows : undefined } = options
    const concurrency = concurrencyOf(options, teacher)
    const recipe = recipeOf(spec, options, teacher, context)
    const collector = new Collector(spec, {
      target: numExamples ?? Number.POSITIVE_INFINITY,
      responsesPerRequest: recipe.responsesPerRequest,
      teacher: { name: teacher.name, isSimulated: teacher.isSimulated ?? false, isRecorded: teacher.isRecorded ?? false },
      isVoting,
      labels: labelsOf(spec, options),
      filters,
    })
    const estimate = await announceEstimate(recipe, teacher, collector.options.target, context)
    const onProgress = () => reportProgress(collector, teacher, context, { before, started })
    const reason = await new RowAsking({ recipe, teacher, collector, concurrency, context, onRow, onProgress }).run()
    const { spending } = context.run
    const { rows, rejected } = collector.finish()
    return describeGenerated(rows, rejected, teacher, {
      status: reason ? "partial" : "done",
      reason,
      asked: collector.asked,
      failed: collector.failed,
      requests: { sent: spending.requestsSent - before.requestsSent, reused: spending.requestsReused - before.requestsReused },
      usage: { inputTokens: spending.inputTokens - before.inputTokens, outputTokens: spending.outputTokens - before.outputTokens },
      usd: spending.usd - before.usd,
      estimate,
      seconds: (performance.now() - started) / 1000,
      diversity: measureDiversity(rows.map(({ input }) => input)),
    })
  },
  async save(dataset, folder) {
    const { status, reason, asked, failed, requests, usage, usd, estimate, seconds, diversity, name, note } = dataset
    await writeDataset(dataset, join(folder, "rows.parquet"))
    await writeFileAtomically(
      join(folder, "ledger.json"),
      JSON.stringify({ ledger: { status, reason, asked, failed, requests, usage, usd, estimate, seconds, diversity }, name, note }),
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

/** A dataset that is being made: await it for all of it, or take its rows as they come. */
export type Generating = Promise<GeneratedDataset> & RowStream

/**
 * Lets the teacher make rows for a prompt. A cap that is reached ends it with the rows so far, `status: "partial"` and a `reason`. The same
 * seed gives the same rows, whatever the order in which answers arrive and however often the process is killed.
 *
 * @throws InputError `teacher.missing`, `teacher.cannot-generate`; ServiceError where the teacher cannot be reached at all
 *   (`teacher.unreachable`), or most requests fail (`teacher.mostly-failing`); InterruptedError
 * @example
 * const generating = generateDataset(spec, { teacher: simulatedTeacher(), numExamples: 8 })
 * for await (const { input, output } of generating.stream()) console.log(input, output) // provisional until its input's votes are in
 * const generated = await generating
 * generated.rejected // each with its reason
 */
export function generateDataset(spec: PromptSpec, options: GenerateDatasetOptions = {}): Generating {
  return streamRows(options.onRow, (onRow) => generate(spec, { ...options, onRow }))
}

function labelsOf(spec: PromptSpec, { labels }: GenerateDatasetOptions): ReadonlySet<string> | undefined {
  return labels === "demonstrated" ? new Set(spec.demonstrations.map(({ output }) => output.trim())) : labels && new Set(labels)
}

function teacherOf({ run: { teacher } }: StageContext): Teacher {
  if (!teacher) {
    throw new InputError(
      "teacher.missing",
      "No teacher was given: pass teacher: openaiTeacher(model), recordedTeacher(folder) or simulatedTeacher().",
    )
  }
  if (teacher.answers?.("generate") === false)
    throw new InputError("teacher.cannot-generate", `${teacher.name} does not make rows: choose another teacher.`)
  return teacher
}

function recipeOf(spec: PromptSpec, options: GenerateDatasetOptions, teacher: Teacher, { random }: StageContext): Recipe {
  const { temperature = usualTemperature, responsesPerRequest = usualResponses, maxAnswerTokens, maxPromptCharacters = 24_000 } = options
  return {
    ...{ spec, temperature, responsesPerRequest, maxAnswerTokens, maxPromptCharacters, random },
    numExamples: options.numExamples ?? teacher.totalRows ?? usualRows,
    window: windowOf(concurrencyOf(options, teacher)),
  }
}

/** Says what it may cost, before the first request. */
async function announceEstimate(recipe: Recipe, teacher: Teacher, target: number, { run, record }: StageContext) {
  const estimate = await estimateGeneration(recipe, teacher, target)
  if (!estimate) return undefined
  record({ type: "generation.estimate", ...estimate })
  const sentence = describeEstimate(estimate, teacher, run)
  if (sentence) run.reporter.notice(sentence)
  return estimate
}
