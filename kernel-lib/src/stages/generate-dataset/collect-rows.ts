// Collects the answers of the requests in their order: filters, merges answers to the same input by majority vote, and keeps the ledger
// asked = accepted + rejected by reason + failed.
import type { Provenance, RejectedRow, Row } from "../../core/dataset"
import { rowId } from "../../core/dataset"
import type { Example, PromptSpec } from "../../core/prompt-spec"
import { readRow } from "./read-row"

/** What became of one request. */
export type Outcome =
  | {
      readonly kind: "answered"
      readonly texts: readonly string[]
      readonly finishReasons: readonly string[]
      readonly temperature?: number
    }
  | { readonly kind: "failed"; readonly message: string }

export interface CollectorOptions {
  /** Rows to accept; infinite for all that a recording has. */
  readonly target: number
  /** Answers asked for in each request. */
  readonly responsesPerRequest: number
  readonly teacher: { readonly name: string; readonly isSimulated: boolean }
  /** Whether answers to the same input are merged by majority; otherwise the first one stands. */
  readonly isVoting: boolean
  /** Outputs that are allowed, where the task has fixed labels. */
  readonly labels?: ReadonlySet<string>
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
  private readonly first: Example[] = []
  asked = 0
  failed = 0

  constructor(
    private readonly spec: PromptSpec,
    private readonly options: CollectorOptions,
  ) {}

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

  /** The rows accepted up to and with request `call`, each with the first output that was seen for it. */
  rowsAfter(call: number): readonly Example[] {
    return call < 0 ? [] : this.first.slice(0, this.acceptedAfter[call])
  }

  take(call: number, outcome: Outcome): void {
    const { responsesPerRequest } = this.options
    if (outcome.kind === "failed") {
      this.asked += responsesPerRequest
      this.failed += responsesPerRequest
    } else {
      for (const [response, text] of outcome.texts.entries()) {
        this.takeText(text, outcome.finishReasons[response] ?? "stop", call, response, outcome.temperature)
      }
    }
    this.acceptedAfter.push(this.accepted)
  }

  private takeText(text: string, finishReason: string, call: number, response: number, temperature: number | undefined): void {
    this.asked++
    const { teacher, labels } = this.options
    const from = {
      kind: "generated" as const,
      teacher: teacher.name,
      isSimulated: teacher.isSimulated,
      call,
      response,
      temperature,
      votes: 1,
      voters: 1,
    }
    const read = readRow(text, finishReason, this.spec, labels)
    if ("reason" in read) {
      this.reject({ input: "", output: "" }, from, read.reason, read.detail)
      return
    }
    const entry = this.entries.get(read.row.input)
    if (entry) entry.answers.push({ output: read.row.output, from })
    else if (this.isFull) this.reject(read.row, from, "surplus")
    else {
      this.entries.set(read.row.input, { input: read.row.input, answers: [{ output: read.row.output, from }] })
      this.first.push(read.row)
    }
  }

  private reject(row: Example, from: Provenance, reason: string, detail?: string): void {
    this.rejections.push({ id: rowId(from, row), ...row, from, reason, detail })
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

/** The most frequent output; of equally frequent ones the shortest, then the first. */
export function vote(outputs: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const output of outputs) counts.set(output, (counts.get(output) ?? 0) + 1)
  return [...counts].reduce((best, next) =>
    next[1] > best[1] || (next[1] === best[1] && next[0].length < best[0].length) ? next : best,
  )[0]
}
