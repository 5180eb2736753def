// The result of traceErrors: errors with the training rows nearest to them, groups that are suspected, and training sets without them.
import { Dataset, describeProvenance, type RejectedRow, type Row } from "../../core/dataset"
import { InputError } from "../../core/errors"
import { payloadVersion, previewCharacters, type TablePayload } from "../../display/payloads"
import { makeSelfShowing } from "../../display/self-showing"
import { countOf, describeRejected, formatCount } from "../../display/wording"
import type { ReportRow } from "../../stages/evaluate/evaluate"
import { formatP, type SuspectGroup } from "./suspect-groups"
import type { TeacherCall } from "./teacher-calls"

/** A training row beside an error. Its `from` has call, temperature and votes. */
export interface TracedRow extends Row {
  /** In the training set. */
  readonly position: number
  /** How much input and given answer are like the row's input and output, from 0 to 1: the mean of the two below. */
  readonly similarity: number
  readonly inputSimilarity: number
  readonly answerSimilarity: number
  /** The teacher's request that it came from; undefined where there was none, or no run was given that has it. */
  readonly call?: TeacherCall
  /** Rows with the same input that votes and filters took out, each with its reason. */
  readonly rejected: readonly RejectedRow[]
}

export interface TracedError {
  /** The test row, with what was expected and what was answered. */
  readonly row: ReportRow
  /** Most alike first. */
  readonly nearest: readonly TracedRow[]
}

/** Which training rows: a group, or its name; the rows that a function picks; or ids. */
export type RowChoice = string | SuspectGroup | ((row: Row, position: number) => boolean) | readonly string[]

interface ErrorTraceData {
  readonly train: Dataset
  readonly errors: readonly TracedError[]
  readonly groups: readonly SuspectGroup[]
  readonly numErrors: number
  readonly numRows: number
}

const brand = Symbol.for("prompt2model.ErrorTrace")
/** Suspects that are named under the table. */
const mostNamed = 3

/** Errors, what they may have been learned from, and training sets without that. Read-only. */
export class ErrorTrace implements ErrorTraceData {
  readonly [brand] = true
  readonly kind = "errorTrace" as const
  /** The rows that the student was trained on. */
  readonly train: Dataset
  /** The worst errors, worst first. */
  readonly errors: readonly TracedError[]
  /** Groups of training rows that are near an error, the most suspicious first. */
  readonly groups: readonly SuspectGroup[]
  /** Wrong rows of the report, and all of them. */
  readonly numErrors: number
  readonly numRows: number

  constructor(data: ErrorTraceData) {
    this.train = data.train
    this.errors = data.errors
    this.groups = data.groups
    this.numErrors = data.numErrors
    this.numRows = data.numRows
    Object.freeze(this)
  }

  /** Groups that chance alone hardly explains: corrected p below 0.05. */
  get suspects(): readonly SuspectGroup[] {
    return this.groups.filter(({ adjustedP }) => adjustedP < 0.05)
  }

  /** The training rows of a choice. @throws InputError `trace.no-such-group`, `trace.no-such-rows` */
  rowsOf(choice: RowChoice): Dataset {
    return this.train.select([...this.find(choice)], { name: describeChoice(choice), note: `of ${this.train.name}` })
  }

  /**
   * The training set without the rows of a choice, to train again with; they are in its `rejected`, with the reason.
   * @throws InputError `trace.no-such-group`, `trace.no-such-rows`
   */
  dropGroup(choice: RowChoice): Dataset {
    const { train } = this
    const found = this.find(choice)
    const reason = `dropped: ${describeChoice(choice)}`
    const dropped = [...found].map((position): RejectedRow => ({ ...train.row(position), reason }))
    return train
      .filter((_, position) => !found.has(position))
      .with({
        note: note(train, `${countOf(found.size, "row")} dropped: ${describeChoice(choice)}`),
        rejected: [...train.rejected, ...dropped],
      })
  }

  /**
   * The training set with other outputs for rows of a choice. A row keeps its id; its old form is in `rejected`.
   * @param output the right output of a row; undefined leaves it as it is
   * @throws InputError `trace.no-such-group`, `trace.no-such-rows`
   */
  relabel(choice: RowChoice, output: (row: Row) => string | undefined): Dataset {
    const { train } = this
    const old: RejectedRow[] = []
    const found = this.find(choice)
    const rows = [...train].map((row, position) => {
      const right = found.has(position) ? output(row) : undefined
      if (right === undefined || right === row.output) return row
      old.push({ ...row, reason: "relabelled", detail: `now ${right}` })
      return {
        ...row,
        output: right,
        from: { kind: "annotated" as const, source: `relabelled, ${describeProvenance(row.from)}`, row: position },
      }
    })
    const words = `${countOf(old.length, "row")} relabelled: ${describeChoice(choice)}`
    return Dataset.from(rows, { name: train.name, note: note(train, words), rejected: [...train.rejected, ...old] })
  }

  toJSON(): Omit<ErrorTraceData, "train"> {
    const { errors, groups, numErrors, numRows } = this
    return { errors, groups, numErrors, numRows }
  }

  /** What it shows of itself: each error with its nearest training rows, and the suspects. */
  toPayload(): TablePayload {
    const { errors, numErrors, numRows, train, suspects } = this
    const of = errors.length < numErrors ? `the worst ${formatCount(errors.length)} of ` : ""
    const columns = [
      { name: "row", isNumber: true },
      { name: "error", isText: true },
      { name: "nearest training rows", isText: true },
      { name: "alike", isNumber: true },
      { name: "from" },
      { name: "votes" },
      { name: "taken out beside it" },
    ]
    const rows = errors.flatMap(describeError)
    // A column that says nothing takes room from the others.
    const kept = columns.flatMap((_, at) => (at < 3 || rows.some((cells) => cells[at]) ? [at] : []))
    return {
      kind: "table",
      version: payloadVersion,
      title: "Errors and their nearest training rows",
      subtitle: `${of}${countOf(numErrors, "error")} in ${countOf(numRows, "test row")}, ${countOf(train.length, "training row")}`,
      columns: kept.map((at) => columns[at]),
      rows: rows.map((cells) => ({ cells: kept.map((at) => cells[at] ?? "") })),
      notes: this.describeSuspects(),
      nextStep: `trace.dropGroup(${JSON.stringify((suspects[0] ?? this.groups[0])?.name ?? "")})`,
    }
  }

  private describeSuspects(): string[] {
    const { suspects, groups } = this
    if (this.numErrors === 0) return ["There is no error to trace."]
    if (suspects.length === 0)
      return [
        `No group of training rows stands near errors more than near right answers, beyond chance${groups.length > 0 ? `; the first of ${countOf(groups.length, "group")} is ${groups[0].name}, corrected p = ${formatP(groups[0].adjustedP)}` : ""}. See trace.groups.`,
      ]
    const named = suspects
      .slice(0, mostNamed)
      .map(
        ({ name, positions, nearErrors, nearRight, adjustedP }) =>
          `Suspected: ${name} (${countOf(positions.length, "row")}), among the nearest rows of ${countOf(nearErrors, "error")} and of ${countOf(nearRight, "right answer")}, corrected p ${adjustedP < 0.001 ? "< 0.001" : `= ${formatP(adjustedP)}`}.`,
      )
    const others = suspects.length - named.length
    return [...named, ...(others > 0 ? [`${countOf(others, "more group")} in trace.groups.`] : [])]
  }

  private find(choice: RowChoice): Set<number> {
    const { train } = this
    if (typeof choice === "string") {
      const group = this.groups.find(({ name }) => name === choice)
      if (group) return new Set(group.positions)
      const known = this.groups.slice(0, 10).map(({ name }) => name)
      throw new InputError(
        "trace.no-such-group",
        `No group near an error is called ${choice}: choose from ${known.join("; ")}, or give a function that picks rows.`,
      )
    }
    const isChosen = typeof choice === "function" ? choice : pick("positions" in choice ? choice : new Set(choice))
    const found = new Set([...train].flatMap((row, position) => (isChosen(row, position) ? [position] : [])))
    if (found.size > 0) return found
    throw new InputError("trace.no-such-rows", `None of the ${formatCount(train.length)} training rows is one of these.`)
  }
}
makeSelfShowing(ErrorTrace.prototype, (trace: ErrorTrace) => trace.toPayload())

function pick(wanted: SuspectGroup | ReadonlySet<string>): (row: Row, position: number) => boolean {
  if (!("positions" in wanted)) return ({ id }) => wanted.has(id)
  const positions = new Set(wanted.positions)
  return (_, position) => positions.has(position)
}

function describeChoice(choice: RowChoice): string {
  if (typeof choice === "string") return choice
  if (typeof choice === "function") return choice.name && choice.name !== "choice" ? choice.name : "rows of a function"
  return "positions" in choice ? choice.name : "rows by id"
}

function note(train: Dataset, words: string): string {
  return [train.note, words].filter(Boolean).join(", ")
}

/** A line for each nearest row, the error's own words in the first. */
function describeError({ row, nearest }: TracedError): string[][] {
  const error = [String(row.row), cut(`${row.input} -> ${row.predicted}, not ${row.expected}`)]
  if (nearest.length === 0) return [[...error, "none is like it"]]
  return nearest.map(({ input, output, similarity, from, rejected }, at) => [
    ...(at === 0 ? error : ["", ""]),
    cut(`${input} -> ${output}`),
    similarity.toFixed(2),
    describeProvenance(from),
    from.kind === "generated" ? `${from.votes} of ${from.voters}` : "",
    describeRejected(countReasons(rejected), 3),
  ])
}

function countReasons(rejected: readonly RejectedRow[]): { reason: string; rows: number }[] {
  const counts = new Map<string, number>()
  for (const { reason } of rejected) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, rows]) => ({ reason, rows })).sort((a, b) => b.rows - a.rows)
}

function cut(text: string): string {
  return text.slice(0, previewCharacters)
}
