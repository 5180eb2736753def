// A report as plain data.
import type { AnswerSeconds } from "../../measures/answer-seconds"
import type { GroupScores, Interval } from "./score-system"

export const baselineNames = ["base", "teacher", "teacherZeroShot", "majority", "copyInput"] as const
export type BaselineName = (typeof baselineNames)[number]
export type SystemName = "student" | BaselineName

/** One system's scores over the rows that belong to no group. */
export interface SystemScores<MetricName extends string = string> {
  readonly name: SystemName
  /** As people read it: `teacher, few-shot`. */
  readonly label: string
  /** What to know of it: its model, `simulated`, failed requests. */
  readonly note?: string
  /** What it always answers: the majority's. */
  readonly answer?: string
  readonly scores: Readonly<Record<MetricName, number>>
  /** Of every test row, by metrics that need an encoder; by all others a row's score can be told from its texts. */
  readonly rowScores?: Readonly<Record<string, readonly number[]>>
  /** 95% bootstrap intervals. */
  readonly intervals: Readonly<Record<MetricName, Interval>>
  /** Rows of a named group, scored apart. */
  readonly groups: readonly GroupScores[]
  /** Rows that it could not be asked, or did not answer; they count as wrong. */
  readonly failures: readonly { readonly row: number; readonly reason: string }[]
  /** Size of its weights, in bytes. */
  readonly bytes?: number
  /** US dollars per 1,000 answers; undefined where nobody knows. */
  readonly usdPerThousand?: number
  /** Of a teacher: the median of single answers, and what 95 of 100 are under; undefined where nobody measured. */
  readonly answerSeconds?: AnswerSeconds
  /** Wall seconds per 1,000 answers, as measured here. */
  readonly secondsPerThousand?: number
}

/** A training row that shares most character n-grams with a test row. */
export interface NearestRow {
  readonly id: string
  readonly input: string
  readonly output: string
  /** Dice coefficient of shared three-character pieces, 0 to 1. */
  readonly similarity: number
}

export interface ReportRow<MetricName extends string = string> {
  /** Position in the test set. */
  readonly row: number
  readonly id: string
  readonly input: string
  readonly expected: string
  readonly predicted: string
  /** The student's own, in (0, 1]. */
  readonly confidence: number
  /** By the first metric. */
  readonly score: number
  readonly scores: Readonly<Record<MetricName, number>>
  /** Whether it has the first metric's full score. */
  readonly isRight: boolean
  readonly group?: string
  /** For wrong rows, where training rows were given. */
  readonly nearest?: NearestRow
  /** What the other systems answered, by name; a failed request is not there. */
  readonly answers: Readonly<Partial<Record<BaselineName, string>>>
}

/** How much better one system is than another on the main rows: paired bootstrap, and 95% of its draws. */
export interface Comparison extends Interval {
  readonly metric: string
  readonly first: SystemName
  readonly second: SystemName
  /** The first's score less the second's. */
  readonly difference: number
  readonly p: number
  /** McNemar's test, where the metric calls each row right or wrong: rows that one of them alone gets right. */
  readonly mcNemar?: { readonly onlyFirst: number; readonly onlySecond: number; readonly p: number }
  readonly sentence: string
}

/** A report as plain data, as it is kept in `report.json`. */
export interface ReportData<MetricName extends string = string> {
  readonly metrics: readonly MetricName[]
  /** The student first. */
  readonly systems: readonly SystemScores<MetricName>[]
  readonly rows: readonly ReportRow<MetricName>[]
  /** The student against each other system by the first metric. */
  readonly comparisons?: readonly Comparison[]
  /** What a reader should know: baselines that were left out, and why. */
  readonly notes: readonly string[]
  /** Why it is partial: what stopped the teacher before it could be scored. */
  readonly reason?: string
}
