// A model card that does not exist: what a model for the task would say of itself, as a query that is worded like the cards that are searched
// (HyDE: Gao et al. 2023, arXiv 2212.10496).
import { askForObject } from "../../core/ask-for-object"
import { isPrompt2ModelError, messageOf } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import { canAnswer, type ResponseSchema, type Teacher } from "../../core/teacher"

const schema: ResponseSchema = {
  name: "model_card",
  schema: { type: "object", properties: { card: { type: "string" } }, required: ["card"], additionalProperties: false },
}

const system = `You write model cards for a hub. Given a task, describe in one paragraph of about 80 words the pretrained model that would be the best start for it:
its kind, what it was trained on, its languages, and what it is used for. Name no model that exists. Answer with one JSON object {"card": ...}.`

/** Whether the teacher can be asked: a simulated one knows of no models. */
export function canWriteCards(teacher: Teacher | undefined): teacher is Teacher {
  return canAnswer(teacher, "rerank") && !teacher.isSimulated
}

/** The card; or why there is none of use. @throws what the teacher throws, unless it only answered in no usable form */
export async function writeModelCard(
  teacher: Teacher,
  spec: PromptSpec,
  signal: AbortSignal,
): Promise<{ readonly card: string; readonly problem?: undefined } | { readonly card?: undefined; readonly problem: string }> {
  const examples = spec.demonstrations.map(({ input, output }) => `${input}\n-> ${output}`).join("\n")
  const messages = [
    { role: "system" as const, content: system },
    { role: "user" as const, content: `Task:\n${spec.instruction}\n\nExamples of the task:\n${examples}` },
  ]
  try {
    const request = { purpose: "rerank" as const, messages, temperature: 0, index: 0, schema }
    const check = ({ card }: Record<string, unknown>) => (String(card).trim() === "" ? '"card" is empty' : undefined)
    return { card: String((await askForObject(teacher, request, { signal, check })).card) }
  } catch (error) {
    if (!isPrompt2ModelError(error) || error.code !== "teacher.malformed") throw error
    return { problem: messageOf(error) }
  }
}
