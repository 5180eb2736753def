// The result of compareWithTeacher: a student beside its teacher, as one table. What is not known is called so.
import { formatBytes } from "../../core/format-bytes"
import type { SentRecord } from "../../core/run"
import { payloadVersion, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { countOf, formatCount, formatScore, formatUsd } from "../../display/wording"
import type { AnswerSeconds } from "../../measures/answer-seconds"
import { describeMetric } from "../../measures/metrics"
import type { Comparison } from "../../stages/evaluate/evaluate"
import { writeCsv, writeLatexTable } from "../text-table"

/** What one of the two scores and takes; undefined is what nobody knows. */
export interface ComparedSystem {
  readonly name: string
  readonly scores: Readonly<Record<string, number>>
  /** 95% bootstrap intervals. */
  readonly intervals: Readonly<Record<string, { readonly low: number; readonly high: number }>>
  readonly parameters?: number
  readonly bytes?: number
  readonly answerSeconds?: AnswerSeconds
  /** US dollars for 1,000 answers. */
  readonly usdPerThousand?: number
}

export interface ComparedTeacher extends ComparedSystem {
  /** A program answered in a model's place. */
  readonly isSimulated: boolean
  /** Where each question goes; undefined where it stays on this machine. */
  readonly sendsTo?: string
  /** Requests that failed; their rows count as wrong. */
  readonly numFailures: number
}

export interface TeacherComparisonData {
  readonly metrics: readonly string[]
  /** Test rows that the scores are over. */
  readonly rows: number
  readonly student: ComparedSystem
  /** Undefined where it could not be asked; `notes` say why. */
  readonly teacher?: ComparedTeacher
  readonly teacherName: string
  /** The student's score less the teacher's, by metric. */
  readonly differences: readonly Comparison[]
  /** What left the machine in this run so far, with the prompt and the training rows. */
  readonly sent: readonly SentRecord[]
  /** What this run has cost so far. */
  readonly spentUsd: number
  readonly notes: readonly string[]
}

const brand = Symbol.for("prompt2model.TeacherComparison")
const unknown = "not known"

/** A student beside its teacher. Read-only. */
export class TeacherComparison implements TeacherComparisonData {
  readonly [brand] = true
  readonly kind = "teacherComparison" as const
  /** Partial where the teacher could not be asked. */
  readonly status: "done" | "partial"
  /** Why it is partial. */
  readonly reason?: string
  readonly metrics: readonly string[]
  readonly rows: number
  readonly student: ComparedSystem
  readonly teacher?: ComparedTeacher
  readonly teacherName: string
  readonly differences: readonly Comparison[]
  readonly sent: readonly SentRecord[]
  readonly spentUsd: number
  readonly notes: readonly string[]

  constructor(data: TeacherComparisonData) {
    this.status = data.teacher ? "done" : "partial"
    this.reason = data.teacher ? undefined : data.notes.join(" ")
    this.metrics = data.metrics
    this.rows = data.rows
    this.student = data.student
    this.teacher = data.teacher
    this.teacherName = data.teacherName
    this.differences = data.differences
    this.sent = data.sent
    this.spentUsd = data.spentUsd
    this.notes = data.notes
    Object.freeze(this)
  }

  /** How many times smaller the student is, by weights; undefined where nobody knows the teacher's. */
  get sizeRatio(): number | undefined {
    return ratio(this.teacher?.parameters, this.student.parameters)
  }

  /** How many times faster it gives one answer, by medians; undefined where the teacher's time is not known. */
  get speedRatio(): number | undefined {
    return ratio(this.teacher?.answerSeconds?.median, this.student.answerSeconds?.median)
  }

  /** `exact match 0.977 (teacher 0.941), 38 times faster, $0 (teacher $0.042) for 1,000 answers`. */
  get summary(): string {
    const { student, teacher, speedRatio } = this
    const { name, label, scale } = describeMetric(this.metrics[0])
    const beside = (text: string | undefined) => (text === undefined ? "" : ` (teacher ${text})`)
    const score = `${label} ${formatScore(student.scores[name], scale)}${beside(teacher && formatScore(teacher.scores[name], scale))}`
    const speed = speedRatio === undefined ? [] : [describeRatio(speedRatio, "faster", "slower")]
    const price = teacher?.usdPerThousand === undefined ? [] : [`$0${beside(formatUsd(teacher.usdPerThousand))} for 1,000 answers`]
    return [score, ...speed, ...price].join(", ")
  }

  /** The table for a paper, with the packages that it needs named in a comment. */
  toLatex(): string {
    const { columns, rows, notes } = this.toPayload()
    return writeLatexTable({ columns, rows, notes: [`${this.pair} on ${countOf(this.rows, "unseen row")}.`, ...notes] })
  }

  /** The table's cells, with the names of the two above them. */
  toCsv(): string {
    const columns = ["", this.student.name, this.teacherName, "student against teacher"]
    return writeCsv(
      columns,
      this.toPayload().rows.map(({ cells }) => cells),
    )
  }

  /** Plain data, from which `new TeacherComparison` makes it again. */
  toJSON(): TeacherComparisonData {
    const { metrics, rows, student, teacher, teacherName, differences, sent, spentUsd, notes } = this
    return { metrics, rows, student, teacher, teacherName, differences, sent, spentUsd, notes }
  }

  /** What it shows of itself. */
  toPayload(): TablePayload {
    return {
      kind: "table",
      version: payloadVersion,
      title: "Student and teacher",
      subtitle: `${this.pair}: ${this.summary}, on ${countOf(this.rows, "unseen row")}`,
      columns: [
        { name: "" },
        { name: "student", isNumber: true },
        { name: "teacher", isNumber: true },
        { name: "student against teacher" },
      ],
      rows: [...this.metrics.map((metric) => this.describeScores(metric)), ...this.describeCosts()].map((cells) => ({ cells })),
      notes: [...this.describeNotes()],
      nextStep: "comparison.toLatex()",
    }
  }

  private get pair(): string {
    return `${this.student.name} beside ${this.teacher?.isSimulated ? "a simulated teacher" : this.teacherName}`
  }

  private describeScores(metric: string): string[] {
    const { name, label, scale } = describeMetric(metric)
    const show = ({ scores, intervals }: ComparedSystem) =>
      `${formatScore(scores[name], scale)} (${formatScore(intervals[name].low, scale)} to ${formatScore(intervals[name].high, scale)})`
    const difference = this.differences.find((one) => one.metric === name)
    return [label, show(this.student), this.teacher ? show(this.teacher) : "-", difference ? describeDifference(difference, scale) : "-"]
  }

  private describeCosts(): string[][] {
    const { student, teacher, sizeRatio, speedRatio } = this
    const whenKnown = (text: string | undefined) => (teacher ? (text ?? (teacher.isSimulated ? "simulated" : unknown)) : "-")
    return [
      [
        "weights",
        [student.parameters && formatParameters(student.parameters), student.bytes && formatBytes(student.bytes)]
          .filter(Boolean)
          .join(", ") || unknown,
        whenKnown(teacher?.parameters === undefined ? undefined : formatParameters(teacher.parameters)),
        sizeRatio === undefined ? "-" : describeRatio(sizeRatio, "smaller", "larger"),
      ],
      [
        "one answer",
        describeSeconds(student.answerSeconds) ?? unknown,
        whenKnown(describeSeconds(teacher?.answerSeconds)),
        speedRatio === undefined ? "-" : describeRatio(speedRatio, "faster", "slower"),
      ],
      [
        "1,000 answers",
        "$0",
        whenKnown(teacher?.usdPerThousand === undefined ? undefined : formatUsd(teacher.usdPerThousand)),
        this.describeBreakEven() ?? "-",
      ],
      ["inputs leave for", "nowhere", teacher ? (teacher.sendsTo ?? "nowhere") : "-", "-"],
    ]
  }

  /** From how many answers on the run has paid for itself. */
  private describeBreakEven(): string | undefined {
    const price = this.teacher?.usdPerThousand
    if (!price) return undefined
    const answers = Math.ceil((1000 * this.spentUsd) / price)
    return answers === 0 ? "cheaper" : `cheaper from ${formatCount(answers)} answers on`
  }

  private *describeNotes(): Iterable<string> {
    const { teacher, sent, spentUsd, notes } = this
    yield* notes
    if (teacher?.isSimulated)
      yield "The teacher is simulated: a program, not a model, so its price, size and time are none that a model has."
    if (teacher && teacher.numFailures > 0)
      yield `${countOf(teacher.numFailures, "request")} to the teacher failed; their rows count as wrong.`
    const tests = this.differences.map(
      ({ metric, p }) => `${describeMetric(metric).label} p ${p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`}`,
    )
    yield `Scores and differences with 95% intervals, by bootstrap over the same rows${tests.length > 0 ? `: ${tests.join(", ")}` : ""}.`
    yield "One answer: the median, and in brackets what 95 of 100 are within; the student's as measured here, alone. Its price is without the machine's own."
    if (sent.length === 0) yield "Nothing left the machine in this run."
    else {
      const all = sent.map(
        ({ to, purpose, requests, inputTokens, usd }) =>
          `${to} got ${countOf(requests, "request")} (${purpose}) with ${countOf(inputTokens, "token")} for ${formatUsd(usd)}`,
      )
      yield `What left the machine in this run so far: ${all.join("; ")}; ${formatUsd(spentUsd)} in all.`
    }
  }
}
makeSelfShowing(TeacherComparison.prototype, (comparison: TeacherComparison) => comparison.toPayload())

function ratio(teachers: number | undefined, students: number | undefined): number | undefined {
  return teachers && students ? teachers / students : undefined
}

/** `38 times faster`, `1.4 times slower`. */
function describeRatio(times: number, more: string, less: string): string {
  const [factor, word] = times >= 1 ? [times, more] : [1 / times, less]
  const shown = factor >= 10 ? formatCount(Number(factor.toPrecision(2))) : factor.toFixed(1)
  return shown === "1.0" ? "the same" : `${shown} times ${word}`
}

/** `+0.036 (0.008 to 0.064)` */
function describeDifference({ difference, low, high }: Comparison, scale: number): string {
  const show = (value: number) => formatScore(value, scale)
  return `${difference < 0 ? "" : "+"}${show(difference)} (${show(low)} to ${show(high)})`
}

/** `8 ms (12 ms)` */
function describeSeconds(seconds: AnswerSeconds | undefined): string | undefined {
  const show = (value: number) => (value < 0.9995 ? `${Math.max(1, Math.round(1000 * value))} ms` : `${value.toFixed(1)} s`)
  return seconds && `${show(seconds.median)} (${show(seconds.p95)})`
}

function formatParameters(parameters: number): string {
  const [divisor, unit] = parameters >= 1e9 ? [1e9, "B"] : parameters >= 1e6 ? [1e6, "M"] : [1e3, "k"]
  return `${Number((parameters / divisor).toPrecision(3))}${unit}`
}
