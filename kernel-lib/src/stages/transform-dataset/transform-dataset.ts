// transformDataset: a hub's rows in, rows of the task out. Where the chosen columns have the form of the task's demonstrations they become
// input and output; where they do not, a teacher that can rewrites the rows one by one (DataTune; Gandhi et al. 2024).
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { SourceDataset } from "../../core/candidates"
import { InputError, isPrompt2ModelError, ModelOutputError, messageOf } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import { canAnswer, type Teacher } from "../../core/teacher"
import { writeFileAtomically } from "../../store/atomic"
import { defineStage, type StageContext } from "../../store/define-stage"
import { readDataset, writeDataset } from "../../store/tables"
import { findFormDifference } from "./compare-forms"
import { planTransformation, type TransformationPlan } from "./plan-transformation"
import { type ColumnPair, columnsOf, placeOf, RowSorter, readPair } from "./read-columns"
import { transformRows } from "./transform-rows"
import { TransformedDataset } from "./transformed-dataset"

export interface TransformDatasetOptions extends StageInlineOptions {
  readonly spec: PromptSpec
  /** Columns that hold the input, instead of the candidate's. Several are joined as `name: value` lines. */
  readonly inputColumns?: readonly string[]
  /** The column that holds the output, instead of the candidate's. */
  readonly outputColumn?: string
  /**
   * `columns` takes the columns as they stand; `teacher` has the teacher rewrite each row. Default: columns where they have the form of the
   * prompt's demonstrations, where columns were named, and where no teacher can rewrite; else the teacher.
   */
  readonly how?: "columns" | "teacher"
  /** Most rows of the source to look at. Default: all by columns, 1000 by the teacher, since each is a request. */
  readonly maxRows?: number
  /** With the teacher: the largest share of rows that may bring no example before it stops. Default 0.5. */
  readonly maxFailureShare?: number
  /** With the teacher: requests in flight at once. Default 16. */
  readonly maxConcurrency?: number
}

const usualTeacherRows = 1000
const usualConcurrency = 16
/** Rows by which the columns' form is judged. */
const judgedRows = 200

interface Way {
  readonly how: "columns" | "teacher"
  readonly why: string
  /** Whether the columns serve where the teacher's rows come to nothing. */
  readonly mayFallBack?: boolean
}

/**
 * Turns a source dataset into rows of input and output. `how` and `why` of the result say which way was taken. Rejected rows have their reason:
 * `empty`, `duplicate`, `copies a demonstration`, and with the teacher `unusable`, `malformed`, `failed`. With the teacher, a cap that is
 * reached and too many failures end it with the rows so far, `status: "partial"` and a `reason`.
 *
 * @throws InputError `dataset.no-such-column`, `transform.needs-teacher`, `transform.max-rows`; ModelOutputError `transform.no-rows` where `how` is
 *   `teacher` and nothing came of it; and what the teacher throws
 */
export const transformDataset = defineStage<SourceDataset, TransformDatasetOptions, TransformedDataset>({
  name: "transformDataset",
  version: 2,
  uses: ["teacher", "seed"],
  key: (source, { spec, inputColumns, outputColumn, how, maxRows, maxFailureShare }) => ({
    ...{ source: source.fingerprint, spec: spec.fingerprint, inputColumns, outputColumn, how, maxRows, maxFailureShare },
  }),
  async work(source, options, context) {
    const { maxRows } = options
    if (maxRows !== undefined && !(Number.isInteger(maxRows) && maxRows > 0)) {
      throw new InputError("transform.max-rows", `maxRows is a whole number above 0, not ${maxRows}: leave it out for the default.`)
    }
    const way = chooseWay(source, options, context.run.teacher)
    context.record({ type: "transform.way", ...way })
    if (way.how === "columns") return takeColumns(source, options, { why: way.why })
    const transformed = await askTeacher(source, options, context, way)
    if (transformed.length > 0 || context.signal.aborted) return transformed
    const nothing = `${context.run.teacher?.name} made no row of ${source.id}: ${transformed.reason ?? "every row was rejected"}`
    // Partial, so that a run that goes on with a higher cap asks the teacher again.
    if (way.mayFallBack) return takeColumns(source, options, { why: "columns as they stand", reason: nothing })
    throw new ModelOutputError(
      "transform.no-rows",
      `${nothing}. Take the columns as they are with how: "columns", or choose another dataset.`,
      {
        raw: transformed.rejected.at(-1)?.detail ?? "",
      },
    )
  },
  async save(dataset, folder) {
    const { how, why, status, reason, asked, plan, usd, name, note } = dataset
    await writeDataset(dataset, join(folder, "rows.parquet"))
    await writeFileAtomically(
      join(folder, "transformation.json"),
      JSON.stringify({ how, why, status, reason, asked, plan, usd, name, note }, null, 2),
    )
  },
  async load(folder) {
    const rows = await readDataset(join(folder, "rows.parquet"))
    const { name, note, ...record } = JSON.parse(await readFile(join(folder, "transformation.json"), "utf8"))
    return new TransformedDataset([...rows], { name, note, rejected: rows.rejected, file: join(folder, "rows.parquet") }, record)
  },
  summarize(dataset) {
    const rejected = dataset.rejected.length > 0 ? `, ${dataset.rejected.length.toLocaleString("en")} rejected` : ""
    return `${dataset.length.toLocaleString("en")} rows by ${dataset.how === "teacher" ? "the teacher" : "columns"}${rejected}${dataset.reason ? ` (${dataset.reason})` : ""}`
  },
})

function chooseWay(source: SourceDataset, options: TransformDatasetOptions, teacher: Teacher | undefined): Way {
  const { how, spec } = options
  const isAble: boolean = canAnswer(teacher, "transform")
  if (how === "teacher" && !isAble) {
    throw new InputError(
      "transform.needs-teacher",
      `${teacher ? `${teacher.name} cannot rewrite rows` : "No teacher was given"}: pass teacher: openaiTeacher(model), or how: "columns".`,
    )
  }
  if (how) return { how, why: how === "teacher" ? "rewritten, as you asked" : "columns as they stand, as you asked" }
  const columns = columnsOf(source, options)
  const named = `${columns.inputColumns.join(" + ")} and ${columns.outputColumn}`
  if (options.inputColumns || options.outputColumn) return { how: "columns", why: `${named} as they stand, since you named columns` }
  const sample = source.rows.slice(0, judgedRows).map((row) => readPair(row, columns))
  const difference = findFormDifference(sample, spec.demonstrations)
  if (!difference) return { how: "columns", why: `${named} as they stand, since they have the form of the demonstrations` }
  if (isAble) return { how: "teacher", why: `rewritten, since ${difference}`, mayFallBack: true }
  return {
    how: "columns",
    why: `${named} as they stand although ${difference}, since ${teacher ? `${teacher.name} cannot rewrite rows` : "there is no teacher"}`,
  }
}

function takeColumns(
  source: SourceDataset,
  options: TransformDatasetOptions,
  { why, reason }: { why: string; reason?: string },
): TransformedDataset {
  const columns: ColumnPair = columnsOf(source, options)
  const sorter = new RowSorter()
  const rows = source.rows.slice(0, options.maxRows)
  for (const [index, row] of rows.entries()) sorter.take(readPair(row, columns), placeOf(source, index))
  return present(source, sorter, { how: "columns", why, status: reason ? "partial" : "done", reason, asked: rows.length, usd: 0 })
}

async function askTeacher(
  source: SourceDataset,
  { spec, maxRows = usualTeacherRows, maxFailureShare = 0.5, maxConcurrency }: TransformDatasetOptions,
  context: StageContext,
  { why }: Way,
): Promise<TransformedDataset> {
  const { run, random, signal } = context
  const teacher = run.teacher as Teacher
  const before = run.spending.usd
  const concurrency = maxConcurrency ?? teacher.batchSize ?? usualConcurrency
  let plan: TransformationPlan
  const sorter = new RowSorter(spec.demonstrations)
  const finish = (asked: number, reason: string | undefined, made?: TransformationPlan) =>
    present(source, sorter, {
      ...{ how: "teacher" as const, why, status: reason ? ("partial" as const) : ("done" as const), reason, asked, plan: made },
      usd: run.spending.usd - before,
    })
  try {
    plan = await planTransformation(source, spec, { teacher, random, signal })
  } catch (error) {
    const code = isPrompt2ModelError(error) ? error.code : ""
    if (code !== "teacher.malformed" && !code.startsWith("budget.")) throw error
    return finish(0, messageOf(error))
  }
  context.record({ type: "transform.planned", ...plan })
  const { made, reason } = await transformRows(source, {
    spec,
    plan,
    teacher,
    maxRows,
    maxConcurrency: concurrency,
    maxFailureShare,
    context,
  })
  for (const outcome of made) {
    const from = { ...placeOf(source, outcome.row), transformedBy: teacher.name }
    if (outcome.reason === undefined) sorter.take(outcome.example, from)
    else sorter.reject({ input: "", output: "" }, from, outcome.reason, outcome.detail)
  }
  return finish(made.length, reason, plan)
}

function present(
  source: SourceDataset,
  { rows, rejected }: RowSorter,
  record: ConstructorParameters<typeof TransformedDataset>[2],
): TransformedDataset {
  const cost = record.usd > 0 ? `, $${record.usd.toFixed(2)}` : ""
  const end = record.reason ? `; stopped: ${record.reason}` : ""
  const note = `from ${source.id}, licence ${source.license}${cost}; ${record.why}${end}`
  return new TransformedDataset(rows, { name: "Retrieved dataset", note, rejected }, record)
}
