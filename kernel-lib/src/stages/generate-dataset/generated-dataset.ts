// What a generation brings: the rows, and the ledger in which every answer that was asked for stands.
import { Dataset, type DatasetOptions, type RejectedRow, type Row } from "../../core/dataset"
import type { Teacher } from "../../core/teacher"
import { type Diversity, describeDiversity } from "../../measures/diversity"
import type { GenerationEstimate } from "./generation-cost"

export interface GenerationLedger {
  readonly status: "done" | "partial"
  /** Why it ended before its target. */
  readonly reason?: string
  /** Answers that were asked for: `length` + `rejected.length` + `failed`. */
  readonly asked: number
  /** Answers that did not come. */
  readonly failed: number
  /** What this process sent, and what was on disk already. */
  readonly requests: { readonly sent: number; readonly reused: number }
  /** Of what this process sent. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number }
  readonly usd: number
  /** What was expected before the first request; undefined at a teacher that cannot say. */
  readonly estimate?: GenerationEstimate
  readonly seconds: number
  /** How different the inputs are from each other. */
  readonly diversity: Diversity
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
  readonly estimate?: GenerationEstimate
  readonly seconds: number
  readonly diversity: Diversity

  constructor(rows: readonly Row[], options: DatasetOptions, ledger: GenerationLedger) {
    super(rows, options)
    this.status = ledger.status
    this.reason = ledger.reason
    this.asked = ledger.asked
    this.failed = ledger.failed
    this.requests = ledger.requests
    this.usage = ledger.usage
    this.usd = ledger.usd
    this.estimate = ledger.estimate
    this.seconds = ledger.seconds
    this.diversity = ledger.diversity
  }
}

/** The rows with a name, and a note of who made them, in which time and for how much. */
export function describeGenerated(
  rows: readonly Row[],
  rejected: readonly RejectedRow[],
  teacher: Teacher,
  ledger: GenerationLedger,
): GeneratedDataset {
  const cost = ledger.usd > 0 ? `, $${ledger.usd.toFixed(2)}` : ""
  const note = `${teacher.name}${teacher.isSimulated && teacher.name !== "simulated" ? " (simulated)" : ""}, ${Math.round(ledger.seconds)} s${cost}${rows.length > 1 ? `, ${describeDiversity(ledger.diversity)}` : ""}`
  return new GeneratedDataset(rows, { name: "Generated dataset", note, rejected }, ledger)
}
