// The filters that a generated row passes before it may be accepted: each a name, which is the reason in the ledger, and a function. They see
// one row at a time and what was accepted before it, and depend on nothing else, so that the same answers give the same rows.
import type { Example, PromptSpec } from "../../core/prompt-spec"

export interface RowFilter {
  /** Why a row is dropped, in the words of the ledger. */
  readonly reason: string
  drops(row: Example): boolean
}

export interface FilterOptions {
  readonly spec: PromptSpec
  /** Outputs that are allowed, where the task has fixed labels. */
  readonly labels?: ReadonlySet<string>
}

/** Most characters of an input or an output; longer ones are a model that did not stop. */
const mostCharacters = 20_000

const refusals = /^\s*(i'?m sorry|i am sorry|sorry,|i cannot|i can'?t|as an ai|i'?m unable|unfortunately, i)/i

/** Whether a text is a refusal, by the words that models refuse with. */
export function isRefusal(text: string): boolean {
  return refusals.test(text)
}

/** The filters in their order: the first that drops a row names the reason. */
export function createRowFilters({ spec, labels }: FilterOptions): RowFilter[] {
  const demonstrated = new Set(spec.demonstrations.map(({ input }) => input.trim()))
  return [
    { reason: "empty", drops: ({ input, output }) => input === "" || output === "" },
    { reason: "refusal", drops: ({ input, output }) => isRefusal(input) || isRefusal(output) },
    { reason: "too long", drops: ({ input, output }) => input.length > mostCharacters || output.length > mostCharacters },
    { reason: "copies a demonstration", drops: ({ input }) => demonstrated.has(input) },
    ...(labels ? [{ reason: "outside the labels", drops: ({ output }: Example) => !labels.has(output) }] : []),
  ]
}
