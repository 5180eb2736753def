// A teacher by its name, as `--teacher` takes it.
import { InputError } from "../../core/errors"
import type { Teacher } from "../../core/teacher"
import { type OpenAITeacherOptions, openaiTeacher } from "./openai-teacher"
import { recordedTeacher } from "./recorded-teacher"
import { simulatedTeacher } from "./simulated/simulated-teacher"

export interface TeacherFromNameOptions {
  /** Seed of the simulated teacher. Default 0. */
  readonly seed?: number
  /** For `openai:MODEL`. */
  readonly openai?: OpenAITeacherOptions
}

/**
 * The teacher that `text` names: `openai:MODEL`, `recorded:FOLDER` or `simulated`.
 * @throws InputError `teacher.unknown`, and what the teacher's own function throws
 */
export async function teacherFromName(text: string, { seed, openai }: TeacherFromNameOptions = {}): Promise<Teacher> {
  const [, kind, rest] = /^\s*([a-z]+)(?::(.*))?$/s.exec(text) ?? []
  const argument = rest?.trim()
  if (kind === "openai" && argument) return openaiTeacher(argument, openai)
  if (kind === "recorded" && argument) return recordedTeacher(argument)
  if (kind === "simulated" && rest === undefined) return simulatedTeacher({ seed })
  throw new InputError("teacher.unknown", `There is no teacher "${text}": choose openai:MODEL, recorded:FOLDER or simulated.`)
}
