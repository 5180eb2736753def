// Batches as fineTune plans them: rows of one shape together, in a grid whose lengths are fitted to the rows.
import { Random } from "../../../kernel-lib/src/core/random"
import { costShape, fitLengths } from "../../../kernel-lib/src/stages/fine-tune/fit-lengths"
import { planSteps } from "../../../kernel-lib/src/stages/fine-tune/plan-batches"
import type { TrainingRow } from "../../../kernel-lib/src/students"
import { estimatePaddingShare } from "../../../kernel-lib/src/students/padding-share"

export interface PlannedRows {
  readonly batches: readonly (readonly TrainingRow[])[]
  /** Lengths to pad to, of inputs and of outputs. */
  readonly lengths: readonly (readonly number[])[]
}

interface PlanOptions {
  readonly parameters?: number
  readonly epochs?: number
  /** What padding costs (`costShape`). Default: a T5 of T5-small's shape; 1 where lengths are to be near each other in each batch. */
  readonly paddingShare?: number
}

const t5SmallShare = estimatePaddingShare({ numHeads: 8, headSize: 64, matrices: 4 * 512 * 512 + 2 * 512 * 2048 })

/** One epoch's batches. `parameters` and `epochs` decide how many shapes pay off. */
export function planRows(
  rows: readonly TrainingRow[],
  batchSize: number,
  { parameters = 6e7, epochs = 1, paddingShare = t5SmallShare }: PlanOptions = {},
): PlannedRows {
  const measured = rows.map(({ inputIds, labelIds }) => [inputIds.length, labelIds.length])
  const lengths = fitLengths(measured, epochs, costShape(parameters, paddingShare))
  const steps = planSteps(measured, lengths, { batchSize, accumulation: 1 }, new Random("order"))
  return { batches: steps.flat().map((batch) => batch.map((row) => rows[row])), lengths }
}
