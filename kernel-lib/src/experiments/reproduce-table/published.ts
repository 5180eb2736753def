// What the paper says (Viswanathan et al. 2023, arXiv 2308.12261): table 1, and SQuAD by source of data. The paper rounds to one decimal in
// table 1 and to two in the other.

export interface PublishedScore {
  readonly system: string
  /** Undefined where the paper has N/A. */
  readonly score?: number
}

/** Table 1, by task: SQuAD in exact match (any gold answer, unnormalised, in percent), MCoNaLa and Temporal in chrF++. */
export const mainTable = {
  SQuAD: [
    { system: "Prompt2Model", score: 61.5 },
    { system: "without model retrieval", score: 61.5 },
    { system: "without data retrieval", score: 50.2 },
    { system: "gpt-3.5-turbo", score: 42.1 },
  ],
  jp2python: [
    { system: "Prompt2Model", score: 13.1 },
    { system: "without model retrieval", score: 15.8 },
    { system: "without data retrieval", score: 16.6 },
    { system: "gpt-3.5-turbo", score: 37.3 },
  ],
  normalization: [
    { system: "Prompt2Model", score: 55.2 },
    { system: "without model retrieval", score: 55.2 },
    { system: "without data retrieval" },
    { system: "gpt-3.5-turbo", score: 30.7 },
  ],
} as const satisfies Readonly<Record<string, readonly PublishedScore[]>>

/** SQuAD by source of data: rows, exact match in percent, and what the rows cost in dollars. */
export const squadSources = [
  { system: "retrieval only", rows: 3000, score: 56.79, usd: 0 },
  { system: "generation only", rows: 3000, score: 44.2, usd: 5 },
  { system: "retrieval and generation", rows: 6000, score: 61.46, usd: 5 },
  { system: "custom annotation", rows: 3000, score: 61.64, usd: 540 },
] as const
