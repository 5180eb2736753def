// Rows that repeat what a student must not have seen: the test rows, or the demonstrations that the teacher is shown.
import type { Dataset } from "../../core/dataset"
import type { Example } from "../../core/prompt-spec"
import { NearDuplicateIndex } from "../../measures/near-duplicates"
import type { KeyedRow } from "./merge-sources"

export type LeakReason =
  | "leak: same as a test row"
  | "leak: near a test row"
  | "leak: same as a demonstration"
  | "leak: near a demonstration"

export interface Leak {
  readonly row: KeyedRow
  readonly reason: LeakReason
  /** What it repeats. */
  readonly detail: string
}

/** Above this share of rows near the test set, the rows are variations of one form, and being near says nothing about being copied. */
export const mostNearRows = 0.5

/** The rows of `rows` that repeat a test row or a demonstration, and those that do not. */
export function findLeaks(
  rows: readonly KeyedRow[],
  { test, demonstrations }: { test?: Dataset; demonstrations: readonly Example[] },
): { clean: KeyedRow[]; leaks: Leak[]; hasOneForm: boolean } {
  const found = [findLeaksInto(rows, test?.inputs ?? [], "test row", (position) => `row ${position} of the test set`)]
  found.push(
    findLeaksInto(
      found[0].clean,
      demonstrations.map(({ input }) => input),
      "demonstration",
      (position) => `demonstration ${position + 1} of the prompt`,
    ),
  )
  return { clean: found[1].clean, leaks: found.flatMap(({ leaks }) => leaks), hasOneForm: found.some(({ hasOneForm }) => hasOneForm) }
}

function findLeaksInto(
  rows: readonly KeyedRow[],
  texts: readonly string[],
  against: "test row" | "demonstration",
  describe: (position: number) => string,
) {
  const index = new NearDuplicateIndex()
  for (const text of texts) index.add(text)
  const matches = rows.map(({ row }) => index.find(row.input))
  const near = matches.filter((match) => match?.isSame === false).length
  const hasOneForm = near > mostNearRows * rows.length
  const clean: KeyedRow[] = []
  const leaks: Leak[] = []
  for (const [position, row] of rows.entries()) {
    const match = matches[position]
    if (!match || (!match.isSame && hasOneForm)) clean.push(row)
    else leaks.push({ row, reason: `leak: ${match.isSame ? "same as" : "near"} a ${against}`, detail: describe(match.position) })
  }
  return { clean, leaks, hasOneForm }
}
