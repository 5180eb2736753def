// traceErrors: a report and the rows that its student learned from in, the likely causes of its errors out.
import type { Dataset, RejectedRow } from "../../core/dataset"
import { InputError } from "../../core/errors"
import type { Run } from "../../core/run"
import { NearestTexts } from "../../measures"
import type { Report, ReportRow } from "../../stages/evaluate/evaluate"
import type { FolderRun } from "../../store/run"
import { ErrorTrace, type TracedError, type TracedRow } from "./error-trace"
import { findSuspects, type GroupBy } from "./suspect-groups"
import { openCalls } from "./teacher-calls"

export interface TraceErrorsOptions {
  /** The rows that the report's student was trained on. */
  readonly train: Dataset
  /** Errors to trace: as many of `report.worst()`. Default 10. */
  readonly count?: number
  /** Training rows for each error. Default 3. */
  readonly rowsPerError?: number
  /**
   * Further ways of grouping training rows, by the word that names each: `{ month: ({ output }) => output.slice(5, 7) }`. Rows are always
   * grouped by source, teacher's call, temperature, votes, named group, and what their output looks like.
   */
  readonly groupBy?: Readonly<Record<string, GroupBy>>
  /** The run that made the rows: it has the teacher's requests, and what filters took out of the generated rows. */
  readonly run?: Run
  /** Rows that filters took out. Default: those of `train`, and of the rows that `run` generated last. */
  readonly rejected?: readonly RejectedRow[]
}

/** Answers of either kind beyond these do not count for groups. */
const mostAnswers = 1000

/**
 * Follows a student's worst errors back to the training rows that they look most like, input and given answer together: what the student may
 * have learned them from. Each such row comes with where it is from, the teacher's request, its votes, and what filters took out beside it.
 * Groups of training rows that stand nearer to errors than to right answers are its suspects: drop or relabel one, train again, and compare.
 *
 * Likeness is that of three-character pieces (Dice coefficient, mean of input and answer); a suspect is a hint and no proof.
 *
 * @throws InputError `trace.no-rows`, `trace.settings`
 * @example
 * const base = await loadModel("bundled/byte-t5-tiny", { hub })
 * const train = own.take(16)
 * const { student } = await fineTune(base, { train, epochs: 1 })
 * const report = await evaluate(student, own, { train })
 * const trace = await traceErrors(report, { train, groupBy: { half: ({ input }) => (Number.parseInt(input) > 8 ? "second" : "first") } })
 * trace.errors[0].nearest[0].output
 * const again = await fineTune(base, { train: trace.dropGroup("half: second"), epochs: 1 })
 * compareReports(report, await evaluate(again.student, own))
 */
export async function traceErrors(report: Report, options: TraceErrorsOptions): Promise<ErrorTrace> {
  const { train, count = 10, rowsPerError = 3, groupBy = {}, run } = options
  if (!train || train.length === 0)
    throw new InputError("trace.no-rows", "Give the rows that the student was trained on: train: splits.train.")
  for (const [name, value] of Object.entries({ count, rowsPerError })) {
    if (!(Number.isSafeInteger(value) && value > 0))
      throw new InputError("trace.settings", `The option ${name} is ${value}: it must be a whole number above 0.`)
  }
  const findNearest = openNearest(train, rowsPerError)
  const worst = report.worst(count)
  const wrong = report.worst(mostAnswers).map(findNearest)
  const right = report.right(mostAnswers).map(findNearest)
  const positionsOf = (answers: readonly (readonly Nearest[])[]) => answers.map((near) => near.map(({ position }) => position))
  const rejected = groupRejected(options.rejected ?? [...train.rejected, ...(await generatedRejects(run))])
  const findCall = await openCalls(run as FolderRun | undefined)
  const describe = (near: Nearest): TracedRow => {
    const row = train.row(near.position)
    return { ...row, ...near, call: findCall(row), rejected: rejected.get(row.input.trim()) ?? [] }
  }
  const errors = worst.map((row, at): TracedError => ({ row, nearest: wrong[at].map(describe) }))
  return new ErrorTrace({
    train,
    errors,
    groups: findSuspects(train, positionsOf(wrong), positionsOf(right), groupBy),
    numErrors: report.mainRows.filter(({ isRight }) => !isRight).length,
    numRows: report.mainRows.length,
  })
}

/** A training row beside an answer; likenesses are from 0 to 1. */
interface Nearest {
  readonly position: number
  readonly similarity: number
  readonly inputSimilarity: number
  readonly answerSimilarity: number
}

/** What finds the `most` training rows that are most like an input with its given answer; fewer where the others are not like it at all. */
function openNearest(train: Dataset, most: number): (answered: Pick<ReportRow, "input" | "predicted">) => Nearest[] {
  const [inputs, outputs] = [new NearestTexts(train.inputs), new NearestTexts(train.outputs)]
  return ({ input, predicted }) => {
    const [byInput, byAnswer] = [inputs.similarities(input), outputs.similarities(predicted)]
    const similarity = byInput.map((own, position) => (own + byAnswer[position]) / 2)
    const nearest: Nearest[] = []
    for (let position = 0; position < similarity.length; position++) {
      if (similarity[position] <= (nearest.length < most ? 0 : nearest[most - 1].similarity)) continue
      const at = nearest.findIndex((known) => known.similarity < similarity[position])
      const found = {
        ...{ position, similarity: similarity[position] },
        ...{ inputSimilarity: byInput[position], answerSimilarity: byAnswer[position] },
      }
      nearest.splice(at < 0 ? nearest.length : at, 0, found)
      if (nearest.length > most) nearest.pop()
    }
    return nearest
  }
}

/** What filters and votes took out of the rows that the run generated last. */
async function generatedRejects(run: Run | undefined): Promise<readonly RejectedRow[]> {
  const generated = (await (run as Partial<FolderRun> | undefined)?.latest?.("generateDataset")) as Dataset | undefined
  return generated?.rejected ?? []
}

/** By input. */
function groupRejected(rows: readonly RejectedRow[]): Map<string, RejectedRow[]> {
  const groups = new Map<string, RejectedRow[]>()
  for (const row of rows) {
    const known = groups.get(row.input.trim())
    if (known) known.push(row)
    else groups.set(row.input.trim(), [row])
  }
  return groups
}
