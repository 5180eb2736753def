// A teacher that counts how often it is asked, and what a response store has written of it.
import { readdirSync, readFileSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import type { Teacher, TeacherCompletion, TeacherRequest } from "../../src/core/teacher"

export const request = (changes: Partial<TeacherRequest> = {}): TeacherRequest => ({
  purpose: "generate",
  messages: [{ role: "user", content: "Make a row." }],
  temperature: 0.5,
  numResponses: 2,
  index: 0,
  ...changes,
})

/** Answers with how often it was asked, so that an answer tells which call it is from. */
export function countingTeacher(answer?: (calls: number, request: TeacherRequest) => Promise<TeacherCompletion> | TeacherCompletion) {
  const teacher = {
    name: "counter",
    identity: "counter@here",
    calls: 0,
    async complete(asked: TeacherRequest) {
      teacher.calls++
      return (await answer?.(teacher.calls, asked)) ?? completionOf(`answer ${teacher.calls}`)
    },
  }
  return teacher satisfies Teacher
}

export const completionOf = (text: string): TeacherCompletion => ({
  texts: [text, `${text}, again`],
  finishReasons: ["stop", "length"],
  usage: { inputTokens: 3, outputTokens: 4 },
  usd: 0.25,
})

export async function entryFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

export function linesOf(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl"))
  return names.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean))
}
