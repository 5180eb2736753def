// The teacher as a baseline: each test row asked once, few-shot, in the student's own words.
import { BudgetError, isPrompt2ModelError, messageOf } from "../../core/errors"
import type { Example } from "../../core/prompt-spec"
import type { ChatMessage, Teacher } from "../../core/teacher"
import { fillTemplate } from "../../students/template"

/** Instruction and demonstrations: all that the teacher is told. */
export interface TaskPrompt {
  readonly instruction: string
  readonly demonstrations: readonly Example[]
}

export interface TeacherAnswers {
  /** One per input; undefined where the request failed. */
  readonly answers: readonly (string | undefined)[]
  /** Why, by position. */
  readonly failures: readonly { readonly row: number; readonly reason: string }[]
  readonly usd: number
  /** Of each answer whose time is known, also where it was asked in an earlier run. */
  readonly seconds: readonly number[]
}

/** Requests in flight at once. */
const concurrency = 16
/** After this many failures and no answer, the others are not sent. */
const mostFailuresAtStart = concurrency

/**
 * One answer per input, at temperature 0. A request that fails leaves its row without an answer.
 * @throws BudgetError where a cap is reached; the error of the first request where none was answered; whatever `signal` aborts with
 */
export async function askTeacher(
  teacher: Teacher,
  prompt: TaskPrompt,
  inputs: readonly string[],
  { signal, onProgress }: { signal: AbortSignal; onProgress: (done: number) => void },
): Promise<TeacherAnswers> {
  const answers: (string | undefined)[] = new Array(inputs.length).fill(undefined)
  const errors: { row: number; error: unknown }[] = []
  const seconds: number[] = []
  let usd = 0
  let next = 0
  let done = 0
  let stopped: unknown
  const isHopeless = () => errors.length >= mostFailuresAtStart && errors.length === done
  const work = async () => {
    while (next < inputs.length && stopped === undefined && !isHopeless()) {
      const row = next++
      try {
        signal.throwIfAborted()
        const request = {
          purpose: "answer" as const,
          messages: writeMessages(prompt, inputs[row]),
          temperature: 0,
          numResponses: 1,
          index: row,
        }
        const completion = await teacher.complete(request, { signal })
        usd += completion.usd
        if (completion.seconds !== undefined) seconds.push(completion.seconds)
        if (completion.texts.length === 0) throw new Error(`${teacher.name} gave no answer.`)
        answers[row] = completion.texts[0].trim()
      } catch (error) {
        if (signal.aborted || isBudgetError(error)) stopped ??= error
        else errors.push({ row, error })
      }
      onProgress(++done)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  if (stopped !== undefined) throw stopped
  if (errors.length > 0 && errors.length === done) throw errors[0].error
  const failures = errors.map(({ row, error }) => ({ row, reason: messageOf(error) })).sort((a, b) => a.row - b.row)
  return { answers, failures, usd, seconds }
}

/** The demonstrations as turns, then the question; all in the form in which the student reads its inputs. */
function writeMessages({ instruction, demonstrations }: TaskPrompt, input: string): ChatMessage[] {
  const ask = (text: string): ChatMessage => ({ role: "user", content: fillTemplate({ kind: "paper", instruction }, text) })
  return [
    ...demonstrations.flatMap((example): ChatMessage[] => [ask(example.input), { role: "assistant", content: example.output }]),
    ask(input),
  ]
}

/** Errors of the CommonJS and of the ES module copy may meet, so the code is asked too. */
export function isBudgetError(error: unknown): boolean {
  return error instanceof BudgetError || (isPrompt2ModelError(error) && error.code.startsWith("budget."))
}
