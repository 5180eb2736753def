// Several sources of rows become one, each row once, with weights and a cap.
import type { Dataset, RejectedRow, Row } from "../../core/dataset"
import { InputError } from "../../core/errors"
import { byKey, seededKey } from "./seeded-order"

/** Where rows may come from, in the order in which a row that is in several is taken from. */
export const sourceNames = ["own", "retrieved", "generated"] as const
export type SourceName = (typeof sourceNames)[number]
export type Sources = { readonly [Name in SourceName]?: Dataset }
export type Weights = { readonly [Name in SourceName]?: number }

export interface KeyedRow {
  readonly row: Row
  readonly source: SourceName
  /** Sorts the rows into their seeded order. */
  readonly key: string
}

/** All rows of all sources in their seeded order, each pair of input and output once. */
export function mergeSources(sources: Sources, seed: string | number): { rows: KeyedRow[]; rejected: RejectedRow[] } {
  const kept = new Map<string, KeyedRow>()
  const rejected: RejectedRow[] = []
  for (const source of sourceNames) {
    // By id, so that which of several equal rows is kept does not depend on their order.
    const rows = [...(sources[source] ?? [])].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    for (const row of rows) {
      const key = seededKey(seed, row.input.trim(), row.output.trim())
      const known = kept.get(key)
      if (known) rejected.push({ ...row, reason: "duplicate", detail: `same as row ${known.row.id}` })
      else kept.set(key, { row, source, key })
    }
  }
  return { rows: [...kept.values()].sort(byKey), rejected }
}

/**
 * At most `maxRows` of `rows`, the sources in proportion to `weights` where they are given: the most rows that have those shares.
 * A smaller cap takes a part of what a larger one takes.
 * @throws InputError `splits.weights`
 */
export function weighSources(
  rows: readonly KeyedRow[],
  { weights, maxRows }: { weights?: Weights; maxRows?: number },
): { rows: KeyedRow[]; left: KeyedRow[] } {
  const cap = maxRows ?? rows.length
  const allowed = weights ? countByWeight(rows, weights, cap) : undefined
  const taken: Record<SourceName, number> = { own: 0, retrieved: 0, generated: 0 }
  const chosen: KeyedRow[] = []
  const left: KeyedRow[] = []
  for (const row of rows) {
    const isOpen = allowed ? taken[row.source] < allowed[row.source] : chosen.length < cap
    if (isOpen) {
      taken[row.source]++
      chosen.push(row)
    } else left.push(row)
  }
  return { rows: chosen, left }
}

function countByWeight(rows: readonly KeyedRow[], weights: Weights, cap: number): Record<SourceName, number> {
  const present = sourceNames.filter((name) => rows.some((row) => row.source === name))
  const shares = present.map((name) => weights[name] ?? 0)
  const sum = shares.reduce((total, share) => total + share, 0)
  if (shares.some((share) => !(share >= 0 && Number.isFinite(share))) || sum === 0) {
    throw new InputError(
      "splits.weights",
      "Weights are numbers from 0 up, and one of a source that has rows must be above 0: give for instance { retrieved: 1, generated: 3 }.",
    )
  }
  const available = present.map((name) => rows.reduce((count, row) => count + (row.source === name ? 1 : 0), 0))
  const total = shares.reduce((most, share, index) => (share > 0 ? Math.min(most, (available[index] * sum) / share) : most), cap)
  const counts: Record<SourceName, number> = { own: 0, retrieved: 0, generated: 0 }
  for (const [index, name] of present.entries()) counts[name] = Math.min(available[index], Math.round((total * shares[index]) / sum))
  return counts
}
