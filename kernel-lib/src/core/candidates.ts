// What retrieval answers with: candidates in order, each with why it ranks there, and which one would be taken.
import type { DatasetCard, ModelCard } from "./hub"

export interface DatasetCandidate {
  readonly kind: "datasetCandidate"
  readonly card: DatasetCard
  readonly configuration: string
  readonly split: string
  readonly inputColumns: readonly string[]
  readonly outputColumn: string
  /** BM25 score of the search. */
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
  readonly chosen: Candidate | undefined
  /** How many cards the search looked through. */
  readonly searched: number
  readonly fingerprint: string
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
