// The request to a teacher that a row came from, as the run's folder keeps it.
import type { Row } from "../../core/dataset"
import type { ChatMessage } from "../../core/teacher"
import { readResponses } from "../../store/exported-responses"
import type { FolderRun } from "../../store/run"

/** A request with its answers. */
export interface TeacherCall {
  readonly teacher: string
  readonly isSimulated: boolean
  /** When it was answered. */
  readonly at: string
  readonly temperature: number
  readonly messages: readonly ChatMessage[]
  /** All its answers, of which the row is one. */
  readonly answers: readonly string[]
}

/** Finds the call that a row came from; undefined where none did, or the folder has it no more. */
export type FindCall = (row: Row) => TeacherCall | undefined

/** Calls by purpose, teacher and number: a folder may have several, of other prompts or seeds. */
export async function openCalls(run: Pick<FolderRun, "folder"> | undefined): Promise<FindCall> {
  const calls = new Map<string, TeacherCall[]>()
  if (run?.folder) {
    for (const { kind, content } of (await readResponses(run.folder)).values()) {
      if (kind !== "answer") continue
      const { at, teacher, request, completion } = content
      const key = keyOf(request.purpose, teacher.name, request.index)
      const call: TeacherCall = {
        ...{ teacher: teacher.name, isSimulated: teacher.isSimulated ?? false, at },
        ...{ temperature: request.temperature, messages: request.messages, answers: completion.texts },
      }
      calls.set(key, [...(calls.get(key) ?? []), call])
    }
  }
  return (row) => {
    const { from } = row
    if (from.kind === "generated") {
      return calls.get(keyOf("generate", from.teacher, from.call))?.find(({ answers }) => says(answers[from.response], row))
    }
    if (from.kind === "retrieved" && from.transformedBy !== undefined) {
      return calls.get(keyOf("transform", from.transformedBy, from.row))?.find(({ answers }) => answers.some((text) => says(text, row)))
    }
    return undefined
  }
}

function keyOf(purpose: string, teacher: string, index: number): string {
  return `${purpose}\n${teacher}\n${index}`
}

/** Whether an answer has the row's texts, as they are or as JSON writes them. */
function says(answer: string | undefined, { input, output }: Row): boolean {
  if (answer === undefined) return false
  const plain = answer.replace(/\\u([0-9a-f]{4})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  return [input, output].every((text) => [text, JSON.stringify(text).slice(1, -1)].some((form) => plain.includes(form)))
}
