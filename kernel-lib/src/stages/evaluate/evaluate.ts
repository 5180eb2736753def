// evaluate: a student and unseen rows in, a report out: what it scores, how sure that is, and what simpler and dearer systems score.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { StageInlineOptions } from "../../core/run"
import type { Student } from "../../core/student"
import type { MetricScore } from "../../measures/metric"
import { describeMetric, type MetricName, needsEncoder } from "../../measures/metrics"
import { writeFileAtomically } from "../../store/atomic"
import { defineStage } from "../../store/define-stage"
import { type AnsweredSystem, type AnswerOptions, answerAll, type Baselines } from "./answer-systems"
import type { TaskPrompt } from "./ask-teacher"
import { compareSystems } from "./compare-systems"
import { describeRows } from "./describe-rows"
import { type BertScoreSettings, checkMetrics, measureAnswers } from "./measure-answers"
import { type Comparison, Report, type ReportData, type ReportRow } from "./report"
import { groupRows, type ScoredAnswers, scoreSystem } from "./score-system"

export type { BaselineName, Comparison, NearestRow, ReportRow, SystemName, SystemScores } from "./report"
export type { Slice, SliceBy } from "./slices"
export { type Baselines, type BertScoreSettings, Report, type TaskPrompt }

/** `spec`: the prompt, for the teacher. `train`: the rows that the student learned from, for the majority answer and the nearest rows. */
export interface EvaluateOptions<Asked extends string = string> extends StageInlineOptions, AnswerOptions {
  /** Default exactMatch and chrF++. The first one decides which rows are right and what systems are compared by. */
  readonly metrics?: readonly Asked[]
  /** The encoder for `"BERTScore"` among the metrics: `{ encoder: await loadTokenEncoder(folder) }`. */
  readonly bertScore?: BertScoreSettings
}

/**
 * Scores a student on rows that it has not seen. Rows that carry a `group` are scored apart. A request to the teacher that fails leaves its
 * row without an answer, which counts as wrong; a teacher that cannot be asked at all is left out, `report.notes` says why, and where that may
 * pass (a cap, a server that is down) the report is partial, so that the same call asks it again. Prompt and
 * train rows need not be given where `processDatasets` made this test set in the same run folder.
 *
 * @throws InputError `evaluate.no-rows`, `evaluate.no-metrics`, `evaluate.no-encoder`, `metric.unknown`; EngineError where the student cannot
 *   run; InterruptedError
 */
export async function evaluate<Asked extends MetricName | "BERTScore" | (string & {}) = "exactMatch" | "chrF++">(
  student: Student,
  test: Dataset,
  options: EvaluateOptions<Asked> = {},
): Promise<Report<Asked>> {
  const made = await findSplits(options, test)
  const completed = { ...options, spec: options.spec ?? made?.prompt, train: options.train ?? made?.train }
  return (await evaluateStage({ student, test }, completed)) as Report<Asked>
}

const evaluateStage = defineStage<{ readonly student: Student; readonly test: Dataset }, EvaluateOptions, Report>({
  name: "evaluate",
  version: 3,
  uses: ["seed"],
  key: ({ student, test }, { metrics, bertScore, baselines = {}, spec, train, decoding, maxNewTokens }) => ({
    ...{ student: student.fingerprint, test: test.fingerprint, metrics, decoding, maxNewTokens },
    ...{ base: baselines.base?.fingerprint, teacher: baselines.teacher?.identity ?? baselines.teacher?.name },
    ...{ zeroShot: baselines.zeroShot, majority: baselines.majority, copyInput: baselines.copyInput, train: train?.fingerprint },
    spec: spec && { instruction: spec.instruction, demonstrations: spec.demonstrations },
    bertScore: bertScore && { ...bertScore, encoder: bertScore.encoder.fingerprint },
  }),
  async work({ student, test }, options, context) {
    if (test.length === 0)
      throw new InputError("evaluate.no-rows", "The test set has no rows: give one that has, or let processDatasets split some off.")
    const names = [...new Set(options.metrics ?? ["exactMatch", "chrF++"])]
    checkMetrics(names, options.bertScore)
    const metrics = names.map(describeMetric)
    if (metrics.length === 0)
      throw new InputError(
        "evaluate.no-metrics",
        'There is nothing to score by: name at least one metric, for instance metrics: ["exactMatch"].',
      )
    const { seed } = context.run
    const { bertScore } = options
    const { systems, predictions, notes, reason } = await answerAll(student, test, options, context)
    const groups = groupRows(test.groups)
    const scored: (AnsweredSystem & ScoredAnswers)[] = []
    for (const system of systems) {
      const measured = []
      for (const metric of metrics)
        measured.push({ metric, statistics: await measureAnswers(metric.name, system, test.outputs, { ...context, bertScore }) })
      scored.push({ ...system, ...scoreSystem(measured, groups, seed) })
    }
    const data = {
      metrics: names,
      systems: scored.map(({ answers: _answers, perRow, statistics: _statistics, ...system }) => ({ ...system, ...keepRowScores(perRow) })),
      rows: describeRows(test, predictions, scored, metrics, options.train),
      comparisons: compareWithStudent(scored, metrics[0], seed),
      notes,
      reason,
    }
    const report = new Report(data, { file: context.folder && join(context.folder, rowsFile) })
    const summaries = report.systems.map(({ name, scores, intervals }) => ({ name, scores, intervals }))
    context.record({ type: "evaluation.done", rows: report.mainRows.length, systems: summaries })
    return report
  },
  async save(report, folder) {
    await writeFileAtomically(join(folder, rowsFile), writeRows(report.rows))
    await writeFileAtomically(join(folder, "report.json"), JSON.stringify(report))
  },
  async load(folder) {
    return new Report(JSON.parse(await readFile(join(folder, "report.json"), "utf8")) as ReportData, { file: join(folder, rowsFile) })
  },
  summarize: (report) => report.summary,
})

/** Beside the report, for viewers of datasets. */
const rowsFile = "rows.jsonl"

function compareWithStudent(scored: readonly (AnsweredSystem & ScoredAnswers)[], metric: MetricScore, seed: number): Comparison[] {
  const [student, ...others] = scored.map(({ name, statistics }) => ({ name, statistics: statistics[metric.name] }))
  return others.map((other) => compareSystems(student, other, metric, seed))
}

/** What cannot be told from texts again. */
function keepRowScores(perRow: ScoredAnswers["perRow"]): { readonly rowScores?: Readonly<Record<string, readonly number[]>> } {
  const kept = Object.entries(perRow).filter(([name]) => needsEncoder(name))
  return kept.length === 0 ? {} : { rowScores: Object.fromEntries(kept.map(([name, scores]) => [name, [...scores]])) }
}

/** The rows with their answers as a file by itself, which viewers of datasets open: what is nested in the report lies flat in it. */
function writeRows(rows: readonly ReportRow[]): string {
  const flat = rows.map(({ scores: _scores, answers, nearest, ...row }) => ({
    ...row,
    ...(nearest && { nearestInput: nearest.input, nearestOutput: nearest.output, similarity: nearest.similarity }),
    ...answers,
  }))
  return flat.map((row) => `${JSON.stringify(row)}\n`).join("")
}

/** What processDatasets made, where it made this test set in this run: the prompt and the train rows need not be given again. */
async function findSplits({ run }: StageInlineOptions, test: Dataset): Promise<{ prompt?: TaskPrompt; train: Dataset } | undefined> {
  const { latest } = (run ?? {}) as { latest?: (stage: string) => Promise<object | undefined> }
  const splits = (await latest?.("processDatasets")) as { test?: Dataset; train: Dataset; prompt?: TaskPrompt } | undefined
  return splits?.test?.fingerprint === test.fingerprint ? splits : undefined
}
