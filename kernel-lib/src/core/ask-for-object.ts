// Asks a teacher for one JSON object: parsed with tolerance, always validated, and repaired at most once.
import { ModelOutputError } from "./errors"
import { findSchemaProblem, parseAnswerObject } from "./parse-answer"
import type { ResponseSchema, Teacher, TeacherRequest } from "./teacher"

export interface AskForObjectOptions {
  readonly signal?: AbortSignal
  /** What is wrong with an object that follows the schema, in a few words; undefined where nothing is. */
  readonly check?: (value: Record<string, unknown>) => string | undefined
}

/**
 * The object that the teacher answers with. Where the first answer is none, or does not follow the schema, the teacher is shown its answer
 * and what is wrong with it, once.
 * @throws ModelOutputError `teacher.malformed` with the last answer as `raw`, and what the teacher throws
 */
export async function askForObject(
  teacher: Teacher,
  request: Omit<TeacherRequest, "numResponses" | "schema"> & { readonly schema: ResponseSchema },
  { signal, check }: AskForObjectOptions = {},
): Promise<Record<string, unknown>> {
  const { schema } = request.schema
  const required = (schema.required as readonly string[] | undefined) ?? []
  const read = (text: string) => {
    const value = parseAnswerObject(text, required) ?? parseAnswerObject(text)
    return { value, problem: value ? (findSchemaProblem(value, schema) ?? check?.(value)) : "it is no JSON object" }
  }
  const ask = async (messages: TeacherRequest["messages"]) => {
    const { texts, finishReasons } = await teacher.complete({ ...request, messages, numResponses: 1 }, { signal })
    return { text: texts[0] ?? "", isSpent: finishReasons?.[0] === "reasoning" }
  }
  const { text: first } = await ask(request.messages)
  const { value, problem } = read(first)
  if (value && problem === undefined) return value
  const { text: raw, isSpent } = await ask([
    ...request.messages,
    { role: "assistant", content: first },
    { role: "user", content: `Your answer cannot be used: ${problem}. Answer again, with the JSON object and nothing else.` },
  ])
  const repaired = read(raw)
  if (repaired.value && repaired.problem === undefined) return repaired.value
  const sentence = isSpent
    ? `${teacher.name} reasoned until the cap on an answer's tokens and wrote nothing: lower its reasoningEffort, or choose another teacher.`
    : `${teacher.name} did not answer in the form that was asked for, twice: ${repaired.problem}. Try again, or choose another teacher.`
  throw new ModelOutputError("teacher.malformed", sentence, { raw })
}
