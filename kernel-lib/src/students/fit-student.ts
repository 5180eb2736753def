// Makes a student ready for the rows that it is to learn. A model that writes text is ready as it is; an encoder gets the head that the
// rows ask for.
import { Random } from "../core/random"
import type { FitOptions, FitRow } from "./architecture"
import { modelOf, type NetworkStudent } from "./network-student"
import type { LoadedStudent } from "./student"
import { bareTemplate, fillTemplate } from "./template"

export interface FitStudentOptions {
  /** Decides the weights that are drawn. Default 0. */
  readonly seed?: number | string
  /** What an encoder is to do. Default: what its head says, or the rows. */
  readonly task?: FitOptions["task"]
}

/**
 * The student, made ready to learn `rows`: the student itself where it is, else a copy. An encoder's template is bare: what is the same in
 * all rows tells it nothing.
 * @throws InputError `train.no-head` for rows that an encoder cannot learn
 */
export async function fitStudent(student: LoadedStudent, rows: readonly FitRow[], options: FitStudentOptions = {}): Promise<LoadedStudent> {
  const model = modelOf(student)
  if (!model.fit) return student
  const random = new Random(options.seed ?? 0).fork("weights")
  const stream = (name: string) => random.fork(name)
  const copy = (await student.copy({ template: bareTemplate })) as NetworkStudent
  const { architecture, weights } = model.fit({ rows, weights: copy.weights, stream, task: options.task })
  copy.change({ model: architecture, weights })
  return copy
}

/** Why a row cannot be learnt, as the end of a sentence about it; undefined when it can. */
export function refuseRow(student: LoadedStudent, { input, output }: FitRow): string | undefined {
  return modelOf(student).refuseRow?.(student.tokenizer, fillTemplate(student.template, input), output)
}
