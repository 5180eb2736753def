// evaluate: a student and unseen rows in, a report out: what it scores, how sure that is, and what simpler and dearer systems score.
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Dataset } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { StageInlineOptions } from "../../core/run"
import type { Student } from "../../core/student"
import { formatScore } from "../../display/wording"
import { pairedBootstrap } from "../../measures/bootstrap"
import { mcNemar } from "../../measures/mcnemar"
import { type Metric, scoreRows } from "../../measures/metric"
import { type MetricName, metricNamed } from "../../measures/metrics"
import { writeFileAtomically } from "../../store/atomic"
import { defineStage } from "../../store/define-stage"
import { type AnsweredSystem, type AnswerOptions, answerAll, type Baselines } from "./answer-systems"
import type { TaskPrompt } from "./ask-teacher"
import { describeRows } from "./describe-rows"
import { type Comparison, Report, type ReportData } from "./report"
import { groupRows, type ScoredAnswers, scoreSystem } from "./score-system"

export type { BaselineName, Comparison, NearestRow, ReportRow, SystemScores } from "./report"
export type { Slice, SliceBy } from "./slices"
export { type Baselines, Report, type TaskPrompt }

/** `spec`: the prompt, for the teacher. `train`: the rows that the student learned from, for the majority answer and the nearest rows. */
export interface EvaluateOptions<Asked extends string = string> extends StageInlineOptions, AnswerOptions {
  /** Default exactMatch and chrF++. The first one decides which rows are right and what systems are compared by. */
  readonly metrics?: readonly Asked[]
}

/**
 * Scores a student on rows that it has not seen. Rows that carry a `group` are scored apart. A request to the teacher that fails leaves its
 * row without an answer, which counts as wrong; a teacher that cannot be asked at all is left out, and `report.notes` says why. Prompt and
 * train rows need not be given where `processDatasets` made this test set in the same run folder.
 *
 * @throws InputError `evaluate.no-rows`, `evaluate.no-metrics`, `metric.unknown`; EngineError where the student cannot run; InterruptedError
 */
export async function evaluate<Asked extends MetricName | (string & {}) = "exactMatch" | "chrF++">(
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
  version: 2,
  uses: ["seed"],
  key: ({ student, test }, { metrics, baselines = {}, spec, train, decoding, maxNewTokens }) => ({
    ...{ student: student.fingerprint, test: test.fingerprint, metrics, decoding, maxNewTokens },
    ...{ base: baselines.base?.fingerprint, teacher: baselines.teacher?.identity ?? baselines.teacher?.name },
    ...{ zeroShot: baselines.zeroShot, majority: baselines.majority, copyInput: baselines.copyInput, train: train?.fingerprint },
    spec: spec && { instruction: spec.instruction, demonstrations: spec.demonstrations },
  }),
  async work({ student, test }, options, context) {
    if (test.length === 0)
      throw new InputError("evaluate.no-rows", "The test set has no rows: give one that has, or let processDatasets split some off.")
    const metrics = (options.metrics ?? ["exactMatch", "chrF++"]).map(metricNamed)
    if (metrics.length === 0)
      throw new InputError(
        "evaluate.no-metrics",
        'There is nothing to score by: name at least one metric, for instance metrics: ["exactMatch"].',
      )
    const { seed } = context.run
    const { systems, predictions, notes } = await answerAll(student, test, options, context)
    const groups = groupRows(test.groups)
    const scored = systems.map((system) => ({ ...system, ...scoreSystem(system.answers, test.outputs, groups, metrics, seed) }))
    const report = new Report({
      metrics: metrics.map(({ name }) => name),
      systems: scored.map(({ answers: _answers, perRow: _perRow, statistics: _statistics, ...system }) => system),
      rows: describeRows(test, predictions, scored, metrics, options.train),
      comparison: compareWithTeacher(scored, metrics[0], seed),
      notes,
    })
    const summaries = report.systems.map(({ name, scores, intervals }) => ({ name, scores, intervals }))
    context.record({ type: "evaluation.done", rows: report.mainRows.length, systems: summaries })
    return report
  },
  async save(report, folder) {
    await writeFileAtomically(join(folder, "report.json"), JSON.stringify(report))
  },
  async load(folder) {
    return new Report(JSON.parse(await readFile(join(folder, "report.json"), "utf8")) as ReportData)
  },
  summarize: (report) => report.summary,
})

function compareWithTeacher(scored: readonly (AnsweredSystem & ScoredAnswers)[], metric: Metric, seed: number): Comparison | undefined {
  const teacher = scored.find(({ name }) => name === "teacher")
  if (!teacher) return undefined
  const [student] = scored
  const { value, low, high, p } = pairedBootstrap(student.statistics[metric.name], teacher.statistics[metric.name], metric.score, { seed })
  const onlyOneRight = compareRight(student, teacher, metric)
  const show = (score: number) => formatScore(score, metric.scale)
  const difference = `${value < 0 ? "" : "+"}${show(value)} (${show(low)} to ${show(high)})`
  const rows = onlyOneRight
    ? `; ${onlyOneRight.onlyStudent} rows are right for the student alone, ${onlyOneRight.onlyTeacher} for the teacher alone, McNemar p = ${onlyOneRight.p.toFixed(3)}`
    : ""
  const sentence = `Student against teacher in ${metric.label}: ${difference}, paired bootstrap p = ${p.toFixed(3)}${rows}.`
  return { metric: metric.name, difference: value, low, high, p, mcNemar: onlyOneRight, sentence }
}

function compareRight(student: ScoredAnswers, teacher: ScoredAnswers, metric: Metric): Comparison["mcNemar"] {
  const [ours, theirs] = [student, teacher].map(({ statistics }) => scoreRows(statistics[metric.name], metric.scoreRow))
  if (![...ours, ...theirs].every((score) => score === 0 || score === 1)) return undefined
  const { onlyFirst, onlySecond, p } = mcNemar(ours, theirs)
  return { onlyStudent: onlyFirst, onlyTeacher: onlySecond, p }
}

/** What processDatasets made, where it made this test set in this run: the prompt and the train rows need not be given again. */
async function findSplits({ run }: StageInlineOptions, test: Dataset): Promise<{ prompt?: TaskPrompt; train: Dataset } | undefined> {
  const { latest } = (run ?? {}) as { latest?: (stage: string) => Promise<object | undefined> }
  const splits = (await latest?.("processDatasets")) as { test?: Dataset; train: Dataset; prompt?: TaskPrompt } | undefined
  return splits?.test?.fingerprint === test.fingerprint ? splits : undefined
}
