// The prompt that asks the teacher for one new example, in three lengths, as the paper varies them.
import type { Example, PromptSpec } from "../../core/prompt-spec"
import type { ChatMessage, ResponseSchema } from "../../core/teacher"

export type PromptLength = "short" | "middle" | "long"

/** Most earlier outputs that go into a prompt, as upstream. */
export const mostEarlierRows = 10

export const generatedExampleSchema: ResponseSchema = {
  name: "generated_example",
  schema: {
    type: "object",
    properties: { input: { type: "string" }, output: { type: "string" } },
    required: ["input", "output"],
    additionalProperties: false,
  },
}

const openings: Record<PromptLength, string> = {
  short: `Write one new example for the task. Answer with one JSON object {"input": ..., "output": ...} and nothing else.`,
  middle: `You write training data for a small model. Given a task, write one new example of it: an input unlike the ones shown, and its right output.
Answer with one JSON object {"input": ..., "output": ...} and nothing else.`,
  long: `You write training data for a small model that will do one task and nothing else. Given the task and some examples, write one new example of it.
- The input must be one that a user of the task could really give, and unlike the inputs shown: vary the subject, the wording, the length and the difficulty.
- The output must be right, complete, and in exactly the form of the examples that the user gave.
- Use the language that the task asks for.
Answer with one JSON object {"input": ..., "output": ...} and nothing else.`,
}

/**
 * Messages that ask for one new example. The user's demonstrations stand as high-quality examples; `earlier` are outputs of earlier
 * requests, which only show what was made already.
 */
export function writeGenerationPrompt(spec: PromptSpec, earlier: readonly Example[], length: PromptLength): ChatMessage[] {
  const sections = [
    `# Task\n${spec.instruction}`,
    `# Examples of high quality, given by the user\n${spec.demonstrations.map(writeExample).join("\n")}`,
  ]
  if (earlier.length > 0)
    sections.push(`# Examples made earlier, of lower quality; do not repeat them\n${earlier.map(writeExample).join("\n")}`)
  sections.push("# One new example")
  return [
    { role: "system", content: openings[length] },
    { role: "user", content: sections.join("\n\n") },
  ]
}

/** The longest prompt that leaves room for an answer: first the template is shortened, then earlier rows go, the oldest first. */
export function fitGenerationPrompt(
  spec: PromptSpec,
  earlier: readonly Example[],
  length: PromptLength,
  maxCharacters: number,
): ChatMessage[] {
  const size = (messages: readonly ChatMessage[]) => messages.reduce((sum, message) => sum + message.content.length, 0)
  let messages = writeGenerationPrompt(spec, earlier, length)
  for (let kept = earlier.length; size(messages) > maxCharacters && kept > 0; ) {
    kept--
    messages = writeGenerationPrompt(spec, earlier.slice(earlier.length - kept), "short")
  }
  return messages
}

function writeExample(example: Example): string {
  return JSON.stringify({ input: example.input, output: example.output })
}
