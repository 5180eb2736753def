// parsePrompt: free text in, an instruction and demonstrations out. Examples that are marked are read by rules; any other prompt is
// split by the teacher, and where there is none, or it cannot, by what the arrangement of the lines tells.
import { InputError, isPrompt2ModelError } from "../../core/errors"
import { PromptSpec } from "../../core/prompt-spec"
import type { StageInlineOptions } from "../../core/run"
import { canAnswer, type Teacher } from "../../core/teacher"
import { defineStage } from "../../store/define-stage"
import { askForParts } from "./ask-for-parts"
import { type ReadPrompt, readArrangedExamples, readMarkedExamples } from "./read-marked-examples"

export type ParsePromptOptions = StageInlineOptions

/**
 * Reads a prompt in any language: the instruction, and the examples as demonstrations. Examples written as `input="..." output="..."`, as JSON
 * objects, as lines `Input: ...` and `Output: ...`, in tags or a table's columns of these names, need no teacher; others are looked for by the teacher, and each must stand in the prompt.
 * `spec.parsedBy` says who read it, and `spec.with({ instruction, demonstrations })` puts right what was misunderstood.
 *
 * @throws InputError `prompt.empty`, `prompt.no-examples`; ModelOutputError `teacher.malformed`, and what the teacher throws
 * @example
 * const spec = await parsePrompt('Turn dates into ISO 8601.\n\ninput="3rd of May 1999"\noutput="1999-05-03"')
 * spec.demonstrations.length // 1
 */
export const parsePrompt = defineStage<string, ParsePromptOptions, PromptSpec>({
  name: "parsePrompt",
  version: 3,
  uses: ["teacher"],
  key: (text) => text,
  async work(text, _options, { run, signal }) {
    if (text.trim() === "") throw new InputError("prompt.empty", "The prompt is empty: write what the model should do, and a few examples.")
    const marked = readMarkedExamples(text)
    if (marked.demonstrations.length > 0) return new PromptSpec({ ...marked, text, parsedBy: "rules" })
    const guessed = readArrangedExamples(text)
    const parsed = canAnswer(run.teacher, "parsePrompt") ? await askOrGuess(run.teacher, text, guessed, signal) : guessed
    if (parsed.demonstrations.length === 0) throw noExamples(run.teacher)
    const parsedBy = parsed === guessed || !run.teacher ? "rules, from the arrangement of its lines" : run.teacher.name
    return new PromptSpec({ ...parsed, text, parsedBy })
  },
  summarize: (spec) => `instruction, ${spec.demonstrations.length} demonstration${spec.demonstrations.length === 1 ? "" : "s"}`,
})

/** The teacher's reading; where it answers in no usable form, what the lines tell. */
async function askOrGuess(teacher: Teacher, text: string, guessed: ReadPrompt, signal: AbortSignal): Promise<ReadPrompt> {
  try {
    return await askForParts(teacher, text, signal)
  } catch (error) {
    if (guessed.demonstrations.length > 0 && isPrompt2ModelError(error) && error.code === "teacher.malformed") return guessed
    throw error
  }
}

function noExamples(teacher?: Teacher): InputError {
  const isAsked: boolean = canAnswer(teacher, "parsePrompt")
  const asked = teacher && !isAsked ? ` (${teacher.name} cannot look for unmarked ones)` : ""
  return new InputError(
    "prompt.no-examples",
    `The prompt has no examples${asked}: add at least one, as two lines input="..." and output="...".`,
  )
}
