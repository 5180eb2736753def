// The result of transformDataset: rows of the task, how they were made of the source's, and what did not become a row.
import { Dataset, type DatasetOptions, type Row } from "../../core/dataset"
import type { TransformationPlan } from "./plan-transformation"

export interface TransformationRecord {
  /** `columns`: the source's columns as they stand; `teacher`: rewritten row by row. */
  readonly how: "columns" | "teacher"
  /** Why that way. */
  readonly why: string
  readonly status: "done" | "partial"
  /** Why it ended before the last row. */
  readonly reason?: string
  /** Rows of the source that were looked at: `length` + `rejected.length`. */
  readonly asked: number
  /** What the teacher wrote before the rows; undefined where it was not asked. */
  readonly plan?: TransformationPlan
  /** US dollars that this process paid. */
  readonly usd: number
}

/** Rows made of a source dataset. `asked` = `length` + `rejected.length`. */
export class TransformedDataset extends Dataset implements TransformationRecord {
  readonly how: "columns" | "teacher"
  readonly why: string
  readonly status: "done" | "partial"
  readonly reason?: string
  readonly asked: number
  readonly plan?: TransformationPlan
  readonly usd: number

  constructor(rows: readonly Row[], options: DatasetOptions, record: TransformationRecord) {
    super(rows, options)
    this.how = record.how
    this.why = record.why
    this.status = record.status
    this.reason = record.reason
    this.asked = record.asked
    this.plan = record.plan
    this.usd = record.usd
  }
}
