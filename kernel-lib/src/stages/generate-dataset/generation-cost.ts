// What a generation will cost: before its first request, from the prompt and the teacher's tokenizer and price; later, from what it cost so far.
import type { Run } from "../../core/run"
import type { Teacher } from "../../core/teacher"
import { Collector } from "./collect-rows"
import { planRequest, type Recipe } from "./plan-request"

export interface GenerationEstimate {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** US dollars; undefined where the teacher's price is not known. */
  readonly usd?: number
  /** Whether tokens were counted with the model's own tokenizer; otherwise by a rule of thumb. */
  readonly isCounted: boolean
}

/** Share of answers that become rows, before any was seen. */
const usualAcceptance = 0.8
/** Tokens of JSON around an example. */
const wrapping = 10

/** What `numRows` rows may cost; undefined at a teacher that cannot say. */
export async function estimateGeneration(recipe: Recipe, teacher: Teacher, numRows: number): Promise<GenerationEstimate | undefined> {
  if (!teacher.estimate || !Number.isFinite(numRows)) return undefined
  const { spec, responsesPerRequest } = recipe
  const empty = new Collector(spec, {
    target: 1,
    responsesPerRequest,
    teacher: { name: "", isSimulated: false, isRecorded: false },
    isVoting: false,
  })
  const request = planRequest(recipe, empty, 0)
  const written = spec.demonstrations.map((example) => JSON.stringify(example)).join("\n")
  const asked = await teacher.estimate({ ...request, maxTokens: 1, numResponses: 1 })
  const examples = await teacher.estimate({ ...request, messages: [{ role: "user", content: written }], schema: undefined, maxTokens: 1 })
  const perExample = wrapping + examples.inputTokens / Math.max(1, spec.demonstrations.length)
  const requests = Math.ceil(numRows / (responsesPerRequest * usualAcceptance))
  // Earlier rows come into all prompts but those of the first window, five and a half on average.
  const withEarlier = Math.max(0, 1 - recipe.window / requests)
  const inputTokens = Math.round(requests * (asked.inputTokens + withEarlier * 5.5 * perExample))
  const outputTokens = Math.round(requests * responsesPerRequest * perExample)
  return {
    requests,
    inputTokens,
    outputTokens,
    usd: await priceOf(teacher, request, inputTokens, outputTokens),
    isCounted: asked.isCounted,
  }
}

/** The price of so many tokens, from two requests whose price the teacher says. Prices are linear in tokens. */
async function priceOf(
  teacher: Teacher,
  request: Parameters<NonNullable<Teacher["estimate"]>>[0],
  inputTokens: number,
  outputTokens: number,
) {
  const one = await teacher.estimate?.({ ...request, numResponses: 1, maxTokens: 1 })
  const more = await teacher.estimate?.({ ...request, numResponses: 1, maxTokens: 1_000_001 })
  if (one?.usd === undefined || more?.usd === undefined) return undefined
  const perOutputToken = (more.usd - one.usd) / 1_000_000
  const perInputToken = (one.usd - perOutputToken) / Math.max(1, one.inputTokens)
  return inputTokens * perInputToken + outputTokens * perOutputToken
}

/** The estimate as a sentence, where it costs or may cost something. */
export function describeEstimate(estimate: GenerationEstimate, teacher: Teacher, { limits, spending }: Run): string | undefined {
  const { requests, inputTokens, outputTokens, usd, isCounted } = estimate
  if (usd === 0 || teacher.sendsTo === undefined) return undefined
  const tokens = `${(inputTokens + outputTokens).toLocaleString("en")} tokens${isCounted ? "" : " (a rule of thumb: this model's tokenizer is not known)"}`
  const price = usd === undefined ? "a price that is not known (give prices to have it counted)" : `$${usd.toFixed(2)}`
  const left = limits.maxUsd === undefined || usd === undefined ? undefined : limits.maxUsd - spending.usd
  const warning =
    left !== undefined && usd !== undefined && usd > left ? ` That is more than the $${left.toFixed(2)} left under maxUsd.` : ""
  return `${teacher.name}: about ${requests.toLocaleString("en")} requests, ${tokens}, ${price}.${warning}`
}

/** What the whole may cost in the end, by what it cost so far; undefined before anything was paid. */
export function projectUsd(spent: number, rowsPaidFor: number, rowsMissing: number): number | undefined {
  return spent > 0 && rowsPaidFor > 0 ? spent + (spent / rowsPaidFor) * rowsMissing : undefined
}
