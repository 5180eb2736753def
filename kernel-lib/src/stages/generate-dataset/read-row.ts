// Reads one example out of a teacher's answer. The answer is data: parsed and checked, never evaluated.
import type { Example, PromptSpec } from "../../core/prompt-spec"

export type ReadRow = { readonly row: Example } | { readonly reason: string; readonly detail: string }

/** Most characters of an input or an output; longer ones are a model that did not stop. */
const mostCharacters = 20_000

const refusals = /^\s*(i'?m sorry|i am sorry|sorry,|i cannot|i can'?t|as an ai|i'?m unable|unfortunately, i)/i

/**
 * The example in `text`, or why there is none: `malformed`, `empty`, `refusal`, `cut by length`, `too long`, `copies a demonstration`,
 * `outside the labels`. JSON may stand in a code fence or among other words.
 */
export function readRow(text: string, finishReason: string, spec: PromptSpec, labels?: ReadonlySet<string>): ReadRow {
  const reject = (reason: string) => ({ reason, detail: text.slice(0, 300) })
  if (text.trim() === "") return reject("empty")
  const parsed = parseObject(text)
  if (!parsed) return reject(refusals.test(text) ? "refusal" : finishReason === "length" ? "cut by length" : "malformed")
  const { input, output } = parsed
  const row = { input: asText(input)?.trim(), output: asText(output)?.trim() }
  if (row.input === undefined || row.output === undefined) return reject("malformed")
  if (row.input === "" || row.output === "") return reject("empty")
  if (refusals.test(row.input) || refusals.test(row.output)) return reject("refusal")
  if (row.input.length > mostCharacters || row.output.length > mostCharacters) return reject("too long")
  if (spec.demonstrations.some((demonstration) => demonstration.input.trim() === row.input)) return reject("copies a demonstration")
  if (labels && !labels.has(row.output)) return reject("outside the labels")
  return { row: row as Example }
}

function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  const candidates = [text, text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)]
  for (const candidate of candidates) {
    try {
      const value = JSON.parse(candidate)
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return value
    } catch {
      // The next candidate may parse.
    }
  }
  return undefined
}
