// Collects the answers of the requests in their order: filters, merges answers to the same input by majority vote, and keeps the ledger
// asked = accepted + rejected by reason + failed.
import type { Provenance, RejectedRow, Row } from "../../core/dataset"
import { rowId } from "../../core/dataset"
import type { Example, PromptSpec } from "../../core/prompt-spec"
import { readRow } from "./read-row"
import { createRowFilters, type FilterSwitches, type RowFilter } from "./row-filters"

/** What became of one request. */
export type Outcome =
  | {
      readonly kind: "answered"
      readonly texts: readonly string[]
      readonly finishReasons: readonly string[]
      readonly temperature?: number
    }
  | { readonly kind: "failed" }

export interface CollectorOptions {
  /** Rows to accept; infinite for all that a recording has. */
  readonly target: number
  /** Answers asked for in each request. */
  readonly responsesPerRequest: number
  /** Where `isRecorded`, a request that gets fewer answers has come to the recording's end; elsewhere the missing ones have failed. */
  readonly teacher: { readonly name: string; readonly isSimulated: boolean; readonly isRecorded: boolean }
  /** Whether answers to the same input are merged by majority; otherwise the first one stands. */
  readonly isVoting: boolean
  /** Outputs that are allowed, where the task has fixed labels. */
  readonly labels?: ReadonlySet<string>
  readonly filters?: FilterSwitches
}

interface Entry {
  readonly input: string
  readonly answers: { readonly output: string; readonly from: Provenance & { kind: "generated" } }[]
}

/** Takes outcomes one request after the other; what it answers depends on their order alone. */
export class Collector {
  private readonly entries = new Map<string, Entry>()
  private readonly rejections: RejectedRow[] = []
  /** Accepted rows after each request. */
  private readonly acceptedAfter: number[] = []
  private readonly firstSeen: Example[] = []
  private readonly filters: readonly RowFilter[]
  asked = 0
  failed = 0

  constructor(
    spec: PromptSpec,
    readonly options: CollectorOptions,
  ) {
    this.filters = createRowFilters({ spec, labels: options.labels, switches: options.filters })
  }

  get accepted(): number {
    return this.entries.size
  }

  get isFull(): boolean {
    return this.accepted >= this.options.target
  }

  /** Requests taken so far. */
  get requests(): number {
    return this.acceptedAfter.length
  }

  /** Rows accepted up to and with request `call`. */
  acceptedAt(call: number): number {
    return call < 0 ? 0 : this.acceptedAfter[call]
  }

  /** The accepted row of that number, with the first output that was seen for its input: later votes do not change it. */
  firstRow(number: number): Example {
    return this.firstSeen[number]
  }

  /** Takes what became of the next request. */
  take(outcome: Outcome): void {
    const { responsesPerRequest, teacher } = this.options
    const call = this.requests
    const texts = outcome.kind === "failed" ? [] : outcome.texts
    if (outcome.kind === "answered") {
      for (const [response, text] of texts.entries()) {
        this.takeText(text, outcome.finishReasons[response] ?? "stop", { call, response, temperature: outcome.temperature })
      }
    }
    const missing = teacher.isRecorded && outcome.kind === "answered" ? 0 : Math.max(0, responsesPerRequest - texts.length)
    this.asked += missing
    this.failed += missing
    this.acceptedAfter.push(this.accepted)
  }

  private takeText(text: string, finishReason: string, at: { call: number; response: number; temperature?: number }): void {
    this.asked++
    const { name, isSimulated } = this.options.teacher
    const from = { kind: "generated" as const, teacher: name, isSimulated, ...at, votes: 1, voters: 1 }
    const read = readRow(text, finishReason, this.filters)
    if (read.reason !== undefined) {
      this.reject(read.row ?? { input: "", output: "" }, from, read.reason, read.detail)
      return
    }
    const { row } = read
    const isMerging = this.options.filters?.duplicate ?? true
    const key = isMerging ? row.input : `${this.asked}`
    const entry = this.entries.get(key)
    if (entry) entry.answers.push({ output: row.output, from })
    else if (this.isFull) this.reject(row, from, "surplus")
    else {
      this.entries.set(key, { input: row.input, answers: [{ output: row.output, from }] })
      this.firstSeen.push(row)
      for (const filter of this.filters) filter.noteAccepted?.(row)
    }
  }

  private reject(row: Example, from: Provenance, reason: string, detail?: string): void {
    this.rejections.push({ id: rowId(from, row), ...row, from, reason, detail })
  }

  /** The usual reasons why answers are no rows, most first. */
  describeRejections(): string {
    const counts = new Map<string, number>()
    for (const { reason } of this.finish().rejected) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 2)
    return most.map(([reason, answers]) => `${answers.toLocaleString("en")} answers ${reason}${remedies.get(reason) ?? ""}`).join(", ")
  }

  /** The rows as they stand now: one per input, with its votes; the answers that lost, and repetitions, are rejected. */
  finish(): { rows: Row[]; rejected: RejectedRow[] } {
    const rows: Row[] = []
    const rejected = [...this.rejections]
    for (const { input, answers } of this.entries.values()) {
      const winner = this.options.isVoting ? vote(answers.map(({ output }) => output)) : answers[0].output
      let isKept = false
      for (const { output, from } of answers) {
        if (output === winner && !isKept) {
          isKept = true
          const votes = answers.filter((answer) => answer.output === winner).length
          rows.push({ id: rowId(from, { input, output }), input, output, from: { ...from, votes, voters: answers.length } })
        } else {
          rejected.push({ id: rowId(from, { input, output }), input, output, from, reason: output === winner ? "duplicate" : "outvoted" })
        }
      }
    }
    return { rows, rejected }
  }
}

/** What helps where answers fail in a way that looks like the teacher's fault and is not. */
const remedies = new Map([["cut while reasoning", " (raise maxAnswerTokens or lower reasoningEffort)"]])

/** The most frequent output; of equally frequent ones the shortest, then the first. */
export function vote(outputs: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const output of outputs) counts.set(output, (counts.get(output) ?? 0) + 1)
  return [...counts].reduce((best, next) =>
    next[1] > best[1] || (next[1] === best[1] && next[0].length < best[0].length) ? next : best,
  )[0]
}
