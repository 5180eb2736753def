// What retrieval answers with: candidates in order, each with why it ranks there, and which one would be taken.
import { InputError } from "./errors"
import type { DatasetCard, ModelCard } from "./hub"

export interface DatasetCandidate {
  readonly kind: "datasetCandidate"
  readonly card: DatasetCard
  readonly configuration: string
  readonly split: string
  readonly inputColumns: readonly string[]
  readonly outputColumn: string
  /** Relevance by the search, and less for a sample row that looks unlike the demonstrations; compare it within one search only. */
  readonly score: number
  /** Votes of the teacher for it, of how many; undefined when the teacher was not asked. */
  readonly votes?: number
  readonly voters?: number
  /** A few words about why it ranks where it does. */
  readonly why: string
  /** Whether the pipeline would take it. */
  readonly isChosen: boolean
}

export interface ModelCandidate {
  readonly kind: "modelCandidate"
  readonly card: ModelCard
  readonly score: number
  readonly why: string
  readonly isChosen: boolean
}

/** Candidates, best first: `candidates[0]`, `candidates.length`. `chosen` is what the pipeline takes; undefined when none fits. */
export type Candidates<Candidate> = readonly Candidate[] & {
  /**
   * The candidate of that name, with its owner or without: `named("bundled/dates-cldr")` or `named("dates-cldr")`.
   * @throws InputError `candidates.no-such-name`
   */
  named(name: string): Candidate
  readonly chosen: Candidate | undefined
  /** How many cards the search looked through. */
  readonly searched: number
  readonly fingerprint: string
}

/** `candidates`, which can be asked for by name. */
export function withNames<Candidate extends { readonly card: { readonly id: string } }>(
  candidates: Candidate[],
): Candidate[] & Pick<Candidates<Candidate>, "named"> {
  return Object.defineProperty(candidates, "named", {
    value: (name: string) => {
      const found = candidates.find(({ card }) => card.id === name) ?? candidates.find(({ card }) => card.id.endsWith(`/${name}`))
      if (found) return found
      const names = candidates.map(({ card }) => card.id).join(", ")
      throw new InputError("candidates.no-such-name", `No candidate is named ${name}; there are ${names || "none"}.`)
    },
  }) as Candidate[] & Pick<Candidates<Candidate>, "named">
}

/** Rows as a hub has them, and which columns hold input and output. */
export interface SourceDataset {
  readonly kind: "source"
  readonly id: string
  readonly configuration: string
  readonly split: string
  readonly license: string
  readonly columns: readonly string[]
  readonly inputColumns: readonly string[]
  readonly outputColumn: string
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly fingerprint: string
}
