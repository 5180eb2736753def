// What request i asks. It depends only on the prompt, the seed, and the rows of requests that are a whole window older, so that the same
// seed gives the same rows in whatever order answers arrive, and however often the process was killed.
import type { PromptSpec } from "../../core/prompt-spec"
import type { Random } from "../../core/random"
import type { Teacher, TeacherRequest } from "../../core/teacher"
import type { Collector } from "./collect-rows"
import { fitGenerationPrompt, generatedExampleSchema, mostEarlierRows, type PromptLength } from "./generation-prompt"

/** Rows where nobody says. */
export const usualRows = 2000
/** Requests in flight at once where nobody says. */
export const usualConcurrency = 16

export interface Recipe {
  readonly spec: PromptSpec
  /** Rows at which the temperature is highest. */
  readonly numExamples: number
  readonly temperature: { readonly initial: number; readonly final: number }
  readonly responsesPerRequest: number
  readonly maxAnswerTokens?: number
  readonly maxPromptCharacters: number
  /** Requests between a request and the newest rows that may stand in its prompt. */
  readonly window: number
  readonly random: Random
}

/** Requests that may be in flight at once: as many as were asked for, or as one batch of a teacher that answers in batches holds. */
export function concurrencyOf({ maxConcurrency }: { readonly maxConcurrency?: number }, teacher: Teacher | undefined): number {
  return maxConcurrency ?? teacher?.batchSize ?? usualConcurrency
}

/** Four times the largest concurrency, so that one slow request does not stall the others. */
export function windowOf(concurrency: number): number {
  return 4 * concurrency
}

export function planRequest(recipe: Recipe, collector: Collector, call: number): TeacherRequest {
  const { spec, numExamples, temperature, responsesPerRequest, maxAnswerTokens, maxPromptCharacters, window, random } = recipe
  const draw = random.fork(call)
  const known = collector.acceptedAt(call - window)
  const earlier = drawNumbers(draw, known, Math.min(known, 1 + draw.integer(mostEarlierRows))).map((number) => collector.firstRow(number))
  const length = draw.pick<PromptLength>(["short", "middle", "long"])
  const progress = Math.min(1, known / numExamples)
  return {
    purpose: "generate",
    messages: fitGenerationPrompt(spec, earlier, length, maxPromptCharacters),
    temperature: Math.round((temperature.initial + (temperature.final - temperature.initial) * progress) * 1000) / 1000,
    numResponses: responsesPerRequest,
    maxTokens: maxAnswerTokens,
    schema: generatedExampleSchema,
    index: call,
    seed: draw.integer(2 ** 31),
  }
}

/** `count` different numbers below `limit`, in random order, without touching all of them. `count` is at most half of `limit`, or all are. */
function drawNumbers(draw: Random, limit: number, count: number): number[] {
  if (count * 2 >= limit) {
    return draw.sample(
      Array.from({ length: limit }, (_, number) => number),
      count,
    )
  }
  const numbers = new Set<number>()
  while (numbers.size < count) numbers.add(draw.integer(limit))
  return [...numbers]
}
