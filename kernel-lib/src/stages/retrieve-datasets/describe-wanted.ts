// A prompt in the words of dataset cards, by the teacher: what is searched for where no card has the prompt's own words, as with prompts in another
// language than the cards' (after HyDE: Gao et al. 2023, arXiv 2212.10496).
import { askForObject } from "../../core/ask-for-object"
import { ModelOutputError } from "../../core/errors"
import type { PromptSpec } from "../../core/prompt-spec"
import { canAnswer, type ResponseSchema, type Teacher } from "../../core/teacher"
import type { RankedCard } from "./rank-cards"

const schema: ResponseSchema = {
  name: "dataset_description",
  schema: { type: "object", properties: { description: { type: "string" } }, required: ["description"], additionalProperties: false },
}

const system = `You describe datasets for a hub. Given a task, in whatever language, describe in English, in about 30 words, the dataset that would serve to
train a model for it: what its inputs and outputs are. Name no dataset that exists. Answer with one JSON object {"description": ...}.`

/** Words of the prompt that one card at least has where the prompt speaks the cards' language. */
const fewestWords = 2

/** The description; undefined where the prompt's own words find something, or no teacher can be asked. @throws what the teacher throws */
export async function describeWanted(
  found: readonly RankedCard[],
  spec: PromptSpec,
  teacher: Teacher | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  // A simulated teacher knows no languages.
  if (!canAnswer(teacher, "rerank") || teacher.isSimulated || found.some(({ words }) => words.length >= fewestWords)) return undefined
  const examples = spec.demonstrations.map(({ input, output }) => `${input}\n-> ${output}`).join("\n")
  const messages = [
    { role: "system" as const, content: system },
    { role: "user" as const, content: `Task:\n${spec.instruction}\n\nExamples of the task:\n${examples}` },
  ]
  try {
    const { description } = await askForObject(teacher, { purpose: "rerank", messages, temperature: 0, index: 0, schema }, { signal })
    return String(description)
  } catch (error) {
    if (error instanceof ModelOutputError) return undefined
    throw error
  }
}
