// What a failed step says: which step it was, on which rows, and what to change.
import { EngineError, isPrompt2ModelError, messageOf } from "../../core/errors"
import type { TrainingRow } from "../../students"
import type { TrainingSettings } from "./choose-settings"

/** Row ids that a message names before it counts the rest. */
const mostIds = 5

export interface FailedStep {
  /** Counted from 1. */
  readonly step: number
  readonly rows: readonly TrainingRow[]
  /** The rows' ids in the dataset. */
  readonly ids: readonly string[]
  readonly settings: TrainingSettings
  readonly learningRate: number
}

/** `error` with the step and its batch in its sentence, where it is one of numbers or of memory; any other as it is. */
export function explainFailure(error: unknown, failed: FailedStep): unknown {
  const { step, settings, learningRate } = failed
  const code = isPrompt2ModelError(error) ? error.code : ""
  if (code === "engine.loss-not-finite" || code === "engine.gradient-not-finite") {
    const what = code === "engine.loss-not-finite" ? "loss" : "gradient"
    return new EngineError(
      code,
      `The ${what} of step ${step} is not a number any more, on ${describeBatch(failed)}, at a learning rate of ${learningRate.toPrecision(2)}: ` +
        `choose a learningRate below ${settings.learningRate}, or look at those rows. The weights of step ${step - 1} were not changed.`,
      { cause: error },
    )
  }
  if (code === "engine.out-of-memory" || isOutOfMemory(error)) {
    const { batchSize, maxTokensPerBatch, maxInputTokens } = settings
    return new EngineError(
      "engine.out-of-memory",
      `Step ${step} needs more memory than there is, on ${describeBatch(failed)}: ` +
        `choose maxTokensPerBatch below ${maxTokensPerBatch}, maxInputTokens below ${maxInputTokens}, or a batchSize below ${batchSize}.`,
      { cause: error },
    )
  }
  return error
}

/** `16 rows (gen-12, gen-40 and 14 more; longest input 412 tokens, output 20)` */
function describeBatch({ rows, ids, settings }: FailedStep): string {
  const longest = (lengths: number[], limit: number) => Math.min(limit, Math.max(...lengths))
  const input = longest(
    rows.map(({ inputIds }) => inputIds.length),
    settings.maxInputTokens,
  )
  const output = longest(
    rows.map(({ labelIds }) => labelIds.length),
    settings.maxOutputTokens,
  )
  const named = ids.slice(0, mostIds).join(", ")
  const rest = ids.length > mostIds ? ` and ${ids.length - mostIds} more` : ""
  return `${rows.length} ${rows.length === 1 ? "row" : "rows"} (${named}${rest}; longest input ${input} tokens, output ${output})`
}

/** Whether a typed array could not be had, here or in what led here. */
function isOutOfMemory(error: unknown): boolean {
  for (let one: unknown = error, depth = 0; one && depth < 8; one = (one as { cause?: unknown }).cause, depth++) {
    if (one instanceof RangeError && /allocation failed|array length|invalid array buffer length|out of memory/i.test(messageOf(one)))
      return true
  }
  return false
}
