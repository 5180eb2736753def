// What a cell's requests for rows cost, whoever paid for them first: the mean price of all such requests that the run's folder has. A run that
// was killed and went on then has the same costs as an undisturbed one.
import { readResponses } from "../../store/exported-responses"

/** Requests for rows that are alike: of one purpose, to one teacher, for so many answers each. */
export interface AskedRequests {
  readonly purpose: "generate" | "transform"
  /** What decides its answers. */
  readonly teacher: string
  /** Answers in each. */
  readonly responses: number
  readonly requests: number
}

/** US dollars a request, by purpose, teacher and number of answers. */
export type Prices = ReadonlyMap<string, number>

export async function priceRequests({ folder }: { readonly folder: string }): Promise<Prices> {
  const sums = new Map<string, { usd: number; requests: number }>()
  for (const { kind, content } of (await readResponses(folder)).values()) {
    if (kind !== "answer") continue
    const { request, teacher, completion } = content
    const key = keyOf({ purpose: request.purpose, teacher: teacher.identity, responses: request.numResponses })
    const sum = sums.get(key) ?? { usd: 0, requests: 0 }
    sums.set(key, { usd: sum.usd + completion.usd, requests: sum.requests + 1 })
  }
  return new Map([...sums].map(([key, { usd, requests }]) => [key, usd / requests]))
}

/** US dollars; what has no price in the folder (a recording) cost nothing. */
export function priceOf(asked: readonly AskedRequests[], prices: Prices): number {
  return asked.reduce((sum, one) => sum + one.requests * (prices.get(keyOf(one)) ?? 0), 0)
}

function keyOf({ purpose, teacher, responses }: { purpose: string; teacher: string; responses: number }): string {
  return [purpose, teacher, responses].join("\n")
}
