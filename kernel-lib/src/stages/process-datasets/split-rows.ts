// Splits rows so that no row of one split repeats a row of another: rows that are the same or near go together.
import { InputError } from "../../core/errors"
import { groupNearDuplicates } from "../../measures/near-duplicates"
import { mostNearRows } from "./find-leaks"
import type { KeyedRow } from "./merge-sources"
import { byKey } from "./seeded-order"

export interface Proportions {
  readonly train: number
  readonly validation: number
  /** 0 where the test set is given. */
  readonly test: number
}

export interface SplitRows {
  readonly train: KeyedRow[]
  readonly validation: KeyedRow[]
  readonly test: KeyedRow[]
  /** Sets of rows that are alike and were kept together. */
  readonly numFamilies: number
  /** True where most rows are near each other, so that only equal ones were kept together. */
  readonly hasOneForm: boolean
}

/**
 * Splits `rows`, which stand in their seeded order, into parts of about these proportions. Each part keeps that order.
 * @throws InputError `splits.proportions`
 */
export function splitRows(rows: readonly KeyedRow[], proportions: Proportions): SplitRows {
  const { train, validation, test } = proportions
  const sum = train + validation + test
  if (![train, validation, test].every((share) => share >= 0 && Number.isFinite(share)) || train === 0) {
    throw new InputError(
      "splits.proportions",
      "Proportions are numbers from 0 up, and that of train must be above 0: give for instance { train: 0.8, validation: 0.1, test: 0.1 }.",
    )
  }
  const { families, hasOneForm } = findFamilies(rows)
  const wanted = { test: countOf(rows.length, test / sum), validation: countOf(rows.length, validation / sum) }
  const parts = { train: [] as KeyedRow[], validation: [] as KeyedRow[], test: [] as KeyedRow[] }
  for (const family of families) {
    // A family that does not fit goes to train, where there is room for any.
    const part = (["test", "validation"] as const).find((name) => parts[name].length + family.length <= wanted[name]) ?? "train"
    parts[part].push(...family)
  }
  for (const part of Object.values(parts)) part.sort(byKey)
  return { ...parts, numFamilies: families.filter((family) => family.length > 1).length, hasOneForm }
}

/** At least one row of a split that is wanted, while there are rows for all three. */
function countOf(rows: number, share: number): number {
  return share > 0 && rows >= 3 ? Math.max(1, Math.round(rows * share)) : 0
}

/** Rows by family, families in the order of their first rows. */
function findFamilies(rows: readonly KeyedRow[]): { families: KeyedRow[][]; hasOneForm: boolean } {
  const inputs = rows.map(({ row }) => row.input)
  const families = gather(rows, groupNearDuplicates(inputs))
  const hasOneForm = families.some((family) => family.length > mostNearRows * rows.length)
  if (!hasOneForm || rows.length < 3) return { families, hasOneForm: false }
  return { families: gather(rows, groupNearDuplicates(inputs, { minCharacters: Number.POSITIVE_INFINITY })), hasOneForm }
}

function gather(rows: readonly KeyedRow[], groups: Int32Array): KeyedRow[][] {
  const families = new Map<number, KeyedRow[]>()
  for (const [position, row] of rows.entries()) {
    const family = families.get(groups[position])
    if (family) family.push(row)
    else families.set(groups[position], [row])
  }
  return [...families.values()]
}
