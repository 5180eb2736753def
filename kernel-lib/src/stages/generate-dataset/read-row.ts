// Reads one example out of a teacher's answer. The answer is data: parsed and checked, never evaluated.
import { parseAnswerObject } from "../../core/parse-answer"
import type { Example } from "../../core/prompt-spec"
import { isRefusal, type RowFilter } from "./row-filters"

/** A row, or why there is none; with the row where it was one that a filter dropped. */
export type ReadRow =
  | { readonly row: Example; readonly reason?: undefined }
  | { readonly row?: Example; readonly reason: string; readonly detail: string }

/** Most characters of an answer that are kept to show why it is no row. */
const shownCharacters = 300

/**
 * The example in `text`, or why there is none: `malformed`, `empty`, `refusal`, `cut by length`, `cut while reasoning`, `content filter`, or the
 * reason of the first filter that drops it. JSON may stand in a code fence or among other words.
 */
export function readRow(text: string, finishReason: string, filters: readonly RowFilter[]): ReadRow {
  const reject = (reason: string) => ({ reason, detail: text.slice(0, shownCharacters) })
  const parsed = parseAnswerObject(text, ["input", "output"])
  const [input, output] = [asText(parsed?.input), asText(parsed?.output)]
  if (input === undefined || output === undefined) {
    return reject(isRefusal(text) ? "refusal" : (reasonOf.get(finishReason) ?? (text.trim() === "" ? "empty" : "malformed")))
  }
  const row = { input: input.trim(), output: output.trim() }
  const dropping = filters.find((filter) => filter.drops(row))
  return dropping ? { ...reject(dropping.reason), row } : { row }
}

/** Why an answer that holds no row ended, where its end says so. */
const reasonOf = new Map([
  ["length", "cut by length"],
  ["reasoning", "cut while reasoning"],
  ["content_filter", "content filter"],
  ["refusal", "refusal"],
])

/** Half a character, as a model's cut leaves it, is none: files and other programs could not keep it. */
function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value.toWellFormed()
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined
}
