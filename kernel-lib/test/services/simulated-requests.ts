// What the stages ask of the simulated teacher, for its tests.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { PromptSpec } from "../../src/core/prompt-spec"
import type { TeacherRequest } from "../../src/core/teacher"
import { fitGenerationPrompt, generatedExampleSchema } from "../../src/stages/generate-dataset/generation-prompt"
import { readMarkedExamples } from "../../src/stages/parse-prompt/read-marked-examples"

export const readPrompt = (name: string) => readFileSync(join(import.meta.dirname, "../../../notebooks/prompts", name), "utf8")

/** A request as the generation stage makes it of a prompt's text. */
export function generation(text: string, changes: Partial<TeacherRequest> = {}): TeacherRequest {
  const messages = fitGenerationPrompt(new PromptSpec(readMarkedExamples(text)), [], "middle", 24_000)
  return { purpose: "generate", messages, temperature: 1, numResponses: 1, index: 0, seed: 1, schema: generatedExampleSchema, ...changes }
}

export const question = (input: string, changes: Partial<TeacherRequest> = {}): TeacherRequest => ({
  purpose: "answer",
  messages: [{ role: "user", content: `<task 0>${readMarkedExamples(readPrompt("dates.txt")).instruction}\nExample:\n${input}\nLabel:\n` }],
  ...{ temperature: 0, numResponses: 1, index: 0 },
  ...changes,
})
