// The result of evaluate: scores with intervals beside baselines, every row with its answer, and what the wrong ones look like.
import { join } from "node:path"
import { InputError } from "../../core/errors"
import { payloadVersion, previewCharacters, type ReportPayload, type ReportSystem } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { formatCount, formatScore, formatSeconds, formatUsd } from "../../display/wording"
import { type RowStatistics, selectStatistics } from "../../measures/metric"
import { describeMetric, metricNamed, needsEncoder } from "../../measures/metrics"
import { writeTensorBoard } from "../../store/tensor-board"
import { compareSystems, describeDifference, describeP, spokenNames } from "./compare-systems"
import { writeRowsCsv, writeSystemsCsv } from "./csv"
import { writeLatex } from "./latex"
import type { BaselineName, Comparison, ReportData, ReportRow, SystemName, SystemScores } from "./report-data"
import type { GroupScores, Interval } from "./score-system"
import { hasFewLabels, type Slice, type SliceBy, sliceRows } from "./slices"

export {
  type BaselineName,
  baselineNames,
  type Comparison,
  type NearestRow,
  type ReportData,
  type ReportRow,
  type SystemName,
  type SystemScores,
} from "./report-data"

const brand = Symbol.for("prompt2model.Report")

/** How good the student is on unseen rows. Scores are over the rows without a group; rows of a group are scored apart. Read-only. */
export class Report<MetricName extends string = string> {
  readonly [brand] = true
  readonly kind = "report" as const
  /** Partial where a teacher was asked and has no scores, since a cap or a failure ended it: the same call asks it again. */
  readonly status: "done" | "partial"
  readonly reason?: string
  /** Names of the metrics, as asked for. */
  readonly metrics: readonly MetricName[]
  /** The student's scores: `report.scores.exactMatch`. */
  readonly scores: Readonly<Record<MetricName, number>>
  /** 95% bootstrap intervals of the student's scores. */
  readonly intervals: Readonly<Record<MetricName, Interval>>
  /** The student's scores on rows of a named group. */
  readonly groups: readonly GroupScores[]
  /** The other systems, by name: `report.baselines.teacher?.scores`. */
  readonly baselines: Readonly<Partial<Record<BaselineName, SystemScores<MetricName>>>>
  /** All systems, the student first. */
  readonly systems: readonly SystemScores<MetricName>[]
  /** Every test row, in order. */
  readonly rows: readonly ReportRow<MetricName>[]
  /** The student against each other system by the first metric: paired bootstrap, and McNemar's test where rows are right or wrong. */
  readonly comparisons: readonly Comparison[]
  /** The one with the teacher. */
  readonly comparison?: Comparison
  readonly notes: readonly string[]
  /** The rows with their answers as JSON lines, where a run keeps them. */
  readonly file?: string

  constructor(data: ReportData<MetricName>, { file }: { readonly file?: string } = {}) {
    const [student, ...others] = data.systems
    this.metrics = data.metrics
    this.scores = student.scores
    this.intervals = student.intervals
    this.groups = student.groups
    this.baselines = Object.fromEntries(others.map((system) => [system.name, system]))
    this.systems = data.systems
    this.rows = data.rows
    this.comparisons = data.comparisons ?? []
    this.comparison = this.comparisons.find(({ second }) => second === "teacher")
    this.notes = data.notes
    this.status = data.reason === undefined ? "done" : "partial"
    this.reason = data.reason
    if (file !== undefined) this.file = file
    Object.freeze(this)
  }

  /** The rows that the scores are over: those without a group, or all where every row has one. */
  get mainRows(): readonly ReportRow<MetricName>[] {
    const main = this.rows.filter((row) => row.group === undefined)
    return main.length > 0 ? main : this.rows
  }

  /** Wrong rows of those that the scores are over, or of one group: lowest scores first, then the answers it was surest of. */
  worst(count = 10, group?: string): readonly ReportRow<MetricName>[] {
    const sum = (row: ReportRow<MetricName>) =>
      this.metrics.reduce((total, name) => total + row.scores[name] / describeMetric(name).scale, 0)
    return this.rowsOf(group)
      .filter((row) => !row.isRight)
      .map((row) => ({ row, sum: sum(row) }))
      .sort((a, b) => a.row.score - b.row.score || a.sum - b.sum || b.row.confidence - a.row.confidence || a.row.row - b.row.row)
      .slice(0, count)
      .map(({ row }) => row)
  }

  /** The first rows that are right, of those that the scores are over, or of one group. */
  right(count = 10, group?: string): readonly ReportRow<MetricName>[] {
    return this.rowsOf(group)
      .filter((row) => row.isRight)
      .slice(0, count)
  }

  /**
   * The student's scores on parts of the rows: by the inputs' length, by the expected label, or by a function that names each row's part.
   * A corpus metric is taken of each part by itself.
   */
  slices(by: SliceBy<MetricName>): readonly Slice<MetricName>[] {
    return sliceRows(this.mainRows, this.metrics, by)
  }

  /**
   * How much better one system is than another on the main rows: `report.compare("student", "base", { metric: "chrF++" })`.
   * @param options `metric`: one of the report's (default: the first); `seed` of the bootstrap (default 1)
   * @throws InputError `report.no-such-system`, `report.no-such-metric`
   */
  compare(
    first: SystemName,
    second: SystemName,
    options: { readonly metric?: MetricName; readonly seed?: string | number } = {},
  ): Comparison {
    const { metric = this.metrics[0], seed = 1 } = options
    if (!this.metrics.includes(metric))
      throw new InputError("report.no-such-metric", `The report has no ${metric}: it has ${this.metrics.join(", ")}.`)
    const [ours, theirs] = [first, second].map((name) => {
      const system = this.systems.find((one) => one.name === name)
      const names = this.systems.map((one) => one.name).join(", ")
      if (!system) throw new InputError("report.no-such-system", `The report has no ${name}: it has ${names}.`)
      return { name, statistics: this.statisticsOf(system, metric) }
    })
    return compareSystems(ours, theirs, describeMetric(metric), seed)
  }

  /** A table of systems and metrics for a paper, with the packages that it needs named in a comment. */
  toLatex(): string {
    return writeLatex(this)
  }

  /**
   * As CSV: every test row with its answers and scores, or `"systems"`, a line for each system and metric with its interval.
   * @example
   * const student = await loadModel("bundled/byte-t5-tiny", { hub })
   * const csv = (await evaluate(student, own)).toCsv("systems")
   */
  toCsv(of: "rows" | "systems" = "rows"): string {
    return of === "rows" ? writeRowsCsv(this) : writeSystemsCsv(this)
  }

  /**
   * Writes each system's scores with their intervals as a run that TensorBoard shows, `folder/SYSTEM`. Written again at another `step`, into
   * another folder, they can be set side by side.
   * @returns the files
   * @throws InputError `disk.full`, `disk.not-writable`
   */
  async writeTensorBoard(folder: string, { step = 0 }: { readonly step?: number } = {}): Promise<string[]> {
    const at = Date.now()
    const scalarsOf = ({ scores, intervals }: SystemScores<MetricName>) =>
      this.metrics.flatMap((name) => [
        { tag: name, step, value: scores[name], at },
        { tag: `${name}/low`, step, value: intervals[name].low, at },
        { tag: `${name}/high`, step, value: intervals[name].high, at },
      ])
    return Promise.all(this.systems.map((system) => writeTensorBoard(join(folder, system.name), scalarsOf(system))))
  }

  /** `exact match 0.977 (teacher 0.941), chrF++ 98.9 on 256 rows`. */
  get summary(): string {
    const { teacher } = this.baselines
    const parts = this.metrics.map((name) => {
      const { label, scale } = describeMetric(name)
      const beside = teacher ? ` (teacher ${formatScore(teacher.scores[name], scale)})` : ""
      return `${label} ${formatScore(this.scores[name], scale)}${beside}`
    })
    return `${parts.join(", ")} on ${formatCount(this.mainRows.length)} rows`
  }

  /** Plain data, from which `new Report` makes it again. */
  toJSON(): ReportData<MetricName> {
    const { metrics, systems, rows, comparisons, notes, reason } = this
    return { metrics, systems, rows, comparisons, notes, reason }
  }

  /** What it shows of itself. */
  toPayload(): ReportPayload {
    const { mainRows } = this
    return {
      kind: "report",
      version: payloadVersion,
      title: "Evaluation",
      subtitle: `${formatCount(mainRows.length)} unseen rows, 95% bootstrap intervals`,
      metrics: this.metrics.map((name) => ({ name: describeMetric(name).label, scale: describeMetric(name).scale })),
      systems: this.systems.map((system) => this.describeSystem(system)),
      groups: this.groups.map(({ name, rows, scores }) => ({ name, rows, scores: this.metrics.map((metric) => scores[metric]) })),
      slices: this.describeSlices(),
      comparison: [this.comparison?.sentence, this.describeOthers(), ...this.notes].filter(Boolean).join(" ") || undefined,
      worst: this.worst(10).map(({ row, input, expected, predicted, confidence, nearest }) => ({
        row,
        input: input.slice(0, previewCharacters),
        expected: expected.slice(0, previewCharacters),
        answer: predicted.slice(0, previewCharacters),
        confidence,
        nearest: nearest && `${nearest.input} -> ${nearest.output}`.slice(0, previewCharacters),
      })),
      numWrong: mainRows.filter((row) => !row.isRight).length,
      numRows: mainRows.length,
      file: this.file,
      nextStep: "report.worst(10)",
    }
  }

  /** By length, and by label where the answers are a few labels. */
  private describeSlices(): ReportPayload["slices"] {
    const by = hasFewLabels(this.mainRows) ? (["length", "label"] as const) : (["length"] as const)
    return by
      .map((one) => ({ by: one, slices: this.slices(one) }))
      .filter(({ slices }) => slices.length > 1)
      .map(({ by: one, slices }) => ({
        by: one === "length" ? "length of the input" : "expected label",
        slices: slices.map(({ name, rows, scores }) => ({ name, rows, scores: this.metrics.map((metric) => scores[metric]) })),
      }))
  }

  /** The student's lead over the systems that are no teacher, in one sentence. */
  private describeOthers(): string | undefined {
    const others = this.comparisons.filter(({ second }) => second !== "teacher")
    if (others.length === 0) return undefined
    const leads = others.map(
      (one) => `${spokenNames[one.second]} ${describeDifference(one, describeMetric(one.metric))}, ${describeP(one.p)}`,
    )
    return this.comparison
      ? `Against the others: ${leads.join("; ")}.`
      : `Student in ${describeMetric(others[0].metric).label} against ${leads.join("; ")}.`
  }

  private statisticsOf(system: SystemScores<MetricName>, metric: MetricName): RowStatistics {
    const { mainRows } = this
    if (needsEncoder(metric)) {
      const values = Float64Array.from((system.rowScores?.[metric] ?? []).flatMap((score) => [score, 1]))
      const all = { rows: values.length / 2, size: 2, values }
      return selectStatistics(
        all,
        mainRows.map(({ row }) => row),
      )
    }
    return metricNamed(metric).statistics(
      mainRows.map((row) => answerOf(system, row)),
      mainRows.map(({ expected }) => expected),
    )
  }

  private rowsOf(group: string | undefined): readonly ReportRow<MetricName>[] {
    return group === undefined ? this.mainRows : this.rows.filter((row) => row.group === group)
  }

  private describeSystem({
    name,
    label,
    note,
    scores,
    intervals,
    bytes,
    usdPerThousand,
    secondsPerThousand,
  }: SystemScores<MetricName>): ReportSystem {
    const cost = [
      usdPerThousand === undefined ? undefined : formatUsd(usdPerThousand),
      secondsPerThousand === undefined ? undefined : describeSeconds(secondsPerThousand),
    ]
    return {
      name: label,
      note,
      isOurs: name === "student",
      scores: this.metrics.map((metric) => ({ value: scores[metric], ...intervals[metric] })),
      size: bytes === undefined ? undefined : formatBytes(bytes),
      costPerThousand: cost.filter(Boolean).join(", ") || undefined,
    }
  }
}
makeSelfShowing(Report.prototype, (report: Report) => report.toPayload())

function answerOf({ name, answer }: SystemScores, row: ReportRow): string | undefined {
  if (name === "student") return row.predicted
  if (name === "copyInput") return row.input
  return name === "majority" ? answer : row.answers[name]
}

/** A measured time is never 0. */
function describeSeconds(seconds: number): string {
  return seconds < 0.05 ? "under 0.1 s" : formatSeconds(seconds)
}

function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`
}
