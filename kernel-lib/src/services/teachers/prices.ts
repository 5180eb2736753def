// What models cost, in US dollars for a million tokens: OpenAI's price list (https://developers.openai.com/api/docs/pricing, standard tier, prompts
// of ordinary length), as its model pages and others' copies of it had it in November 2026. It is not fetched. Prices change: give `prices` where
// yours differ. Discounts for cached input are left out, which only puts a cost too high. Models that OpenAI has shut down stay, since others serve
// them still.

export interface Price {
  /** US dollars for a million input tokens. */
  readonly input: number
  /** US dollars for a million output tokens. */
  readonly output: number
}

/** The month whose prices the table holds. Prices that changed since are wrong in it: give `prices` to `openaiTeacher`. */
export const pricesAsOf = "2026-11"

const listed: Readonly<Record<string, Price>> = {
  "gpt-6.2-astra": { input: 8, output: 40 },
  "gpt-6.2-sol": { input: 2, output: 10 },
  "gpt-6.1-sol": { input: 2, output: 10 },
  "gpt-6.1-terra": { input: 1, output: 5 },
  "gpt-6-astra": { input: 10, output: 50 },
  "gpt-6-sol": { input: 2, output: 10 },
  "gpt-6-luna": { input: 0.1, output: 0.5 },
  "gpt-5.6-sol": { input: 4, output: 20 },
  "gpt-5.6-terra": { input: 2, output: 12 },
  "gpt-5.6-luna": { input: 0.2, output: 1.2 },
  "gpt-5.5": { input: 5, output: 30 },
  "gpt-5.4": { input: 2.5, output: 15 },
  "gpt-5.4-mini": { input: 0.75, output: 4.5 },
  "gpt-5.4-nano": { input: 0.2, output: 1.25 },
  "gpt-5.2": { input: 1.75, output: 14 },
  "gpt-5.1": { input: 1.25, output: 10 },
  "gpt-5": { input: 1.25, output: 10 },
  "gpt-5-mini": { input: 0.25, output: 2 },
  "gpt-5-nano": { input: 0.05, output: 0.4 },
  "gpt-4.1": { input: 2, output: 8 },
  "gpt-4.1-mini": { input: 0.4, output: 1.6 },
  "gpt-4.1-nano": { input: 0.1, output: 0.4 },
  "gpt-4o": { input: 2.5, output: 10 },
  "gpt-4o-mini": { input: 0.15, output: 0.6 },
  "o4-mini": { input: 1.1, output: 4.4 },
  "gpt-3.5-turbo": { input: 0.5, output: 1.5 },
}

/** The price of `model`, dated snapshots (`gpt-4o-mini-2024-07-18`) included; undefined when the table does not know it. */
export function findPrice(model: string, own: Readonly<Record<string, Price>> = {}): Price | undefined {
  const family = model.replace(/-\d{4}-\d{2}-\d{2}$/, "")
  return own[model] ?? own[family] ?? ownMember(listed, model) ?? ownMember(listed, family)
}

/** US dollars for so many tokens. */
export function costOf(price: Price, { inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }): number {
  return (inputTokens * price.input + outputTokens * price.output) / 1e6
}

function ownMember(table: Readonly<Record<string, Price>>, name: string): Price | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
