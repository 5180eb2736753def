// An ablation as plain data.
import type { Interval } from "../../measures"
import type { CellComparison, CellMcNemar } from "./compare-cells"
import type { Switches } from "./switches"

/** A score over a cell's seeds. */
export interface CellScore extends Interval {
  /** In the order of the cell's seeds. */
  readonly perSeed: readonly number[]
}

/** What a cell costs by itself, as if no other cell had been there; means over its seeds. */
export interface CellCost {
  /** Teacher and annotation together, in US dollars. */
  readonly usd: number
  /** Requests that its generated and transformed rows take. */
  readonly requests: number
  /** Rows that people wrote. */
  readonly annotatedRows: number
  /** Rows that its training reads, an epoch's counted once for each epoch. */
  readonly rowsRead: number
}

export interface AblationCell {
  readonly name: string
  readonly switches: Switches
  /** `failed` where no seed of it could be run. */
  readonly status: "done" | "failed"
  readonly isReference: boolean
  /** The seeds that were run to their end. */
  readonly seeds: readonly number[]
  /** By metric; empty where it failed. */
  readonly scores: Readonly<Record<string, CellScore>>
  /** By metric; undefined for the reference itself. */
  readonly againstReference?: Readonly<Record<string, CellComparison>>
  /** By the first metric, where a row is right or wrong. */
  readonly mcNemar?: CellMcNemar
  /** Rows that it trains on, mean over seeds. */
  readonly trainRows: number
  readonly cost: CellCost
  /** Stages of its runs, and how many of them an earlier run of the table went through with the same inputs. */
  readonly stages: { readonly all: number; readonly shared: number }
  /** Why a seed failed, and what else is to be known. */
  readonly notes: readonly string[]
}

export interface AblationReuse {
  /** Stages of all runs of all cells. */
  readonly stages: number
  /** Different ones among them: what the table takes in all. */
  readonly different: number
  /** Trainings that were in the run's folder before this call. */
  readonly found: number
  /** Teacher requests of this call. */
  readonly requests: { readonly sent: number; readonly reused: number }
}

export interface AblationData {
  readonly metrics: readonly string[]
  readonly seeds: readonly number[]
  /** The reference's name. */
  readonly reference: string
  readonly testRows: number
  readonly cells: readonly AblationCell[]
  readonly reuse: AblationReuse
  readonly isTeacherSimulated: boolean
}
