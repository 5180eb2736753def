// What a request to the simulated teacher is about. It decides as a reader would, by the examples and the instruction, never by comparing
// with a known prompt: other people's wordings of the date task are understood, and anything else is refused.
import type { ChatMessage } from "../../../core/teacher"
import { toIso } from "./calendar"
import { readDate } from "./read-date"
import { type FoundExample, findExamples } from "./read-examples"

const speaksOfDates = /\b(?:dates?|days?)\b/i
const speaksOfIso = /\bISO[\s-]?8601\b|\bYYYY-MM-DD\b|\bISO (?:dates?|form|format|standard)\b|\b\d{4}-\d{2}-\d{2}\b/i
/** Words of an instruction that asks for more than turning one date into another form. */
const asksForMore = /\b(?:expressions?|extract|tag(?:ging)?|differences?|subtract|how (?:many|old))\b/i

/** Whether the messages ask for English dates as ISO 8601. Where there are examples, they decide. */
export function isDateTask(messages: readonly ChatMessage[]): boolean {
  const text = messages.map(({ content }) => content).join("\n\n")
  const examples = [...findExamples(text).examples, ...examplesInTurns(messages)]
  if (examples.length > 0) return areDateExamples(examples)
  return speaksOfDates.test(text) && speaksOfIso.test(text) && !asksForMore.test(text)
}

/**
 * Nearly all inputs are dates, and enough outputs are theirs in ISO 8601. Some may be wrong: earlier answers stand among the examples. The
 * user's own come first, and one of those decides where few are left.
 */
function areDateExamples(examples: readonly FoundExample[]): boolean {
  const dates = examples.map(({ input }) => readDate(input))
  const isRight = dates.map((date, index) => date !== undefined && toIso(date) === examples[index].output)
  const share = (values: readonly unknown[]) => values.filter(Boolean).length / examples.length
  return share(dates) >= 0.8 && (share(isRight) >= 0.4 || isRight[0])
}

/** A plain question in the student's own template. */
const template = /^<task \d+>([\s\S]*?)\nExample:\n([\s\S]*)\nLabel:\s*$/

export interface PlainQuestion {
  readonly instruction: string
  readonly input: string
}

/** The last message as a question: its instruction and the input that is asked about. */
export function readQuestion(messages: readonly ChatMessage[]): PlainQuestion {
  const content = messages.findLast(({ role }) => role === "user")?.content ?? ""
  const match = template.exec(content)
  return match ? { instruction: match[1], input: match[2] } : { instruction: "", input: content.trim() }
}

/** User and assistant turns before the question are examples. */
function examplesInTurns(messages: readonly ChatMessage[]): FoundExample[] {
  const found: FoundExample[] = []
  for (let index = 0; index + 1 < messages.length; index++) {
    if (messages[index].role !== "user" || messages[index + 1].role !== "assistant") continue
    found.push({ input: readQuestion([messages[index]]).input, output: messages[index + 1].content.trim() })
  }
  return found
}
