// Batches as fineTune plans them: rows of one shape together, padded to lengths that are fitted to the rows.
import { Random } from "../../../kernel-lib/src/core/random"
import { costShape, fitLengths } from "../../../kernel-lib/src/stages/fine-tune/fit-lengths"
import { planSteps } from "../../../kernel-lib/src/stages/fine-tune/plan-batches"
import type { TrainingRow } from "../../../kernel-lib/src/students"

export interface PlannedRows {
  readonly batches: readonly (readonly TrainingRow[])[]
  /** Lengths to pad to, of inputs and of outputs. */
  readonly lengths: readonly (readonly number[])[]
}

/** One epoch's batches. `parameters` and `epochs` decide how many shapes pay off. */
export function planRows(rows: readonly TrainingRow[], batchSize: number, parameters = 6e7, epochs = 1): PlannedRows {
  const measured = rows.map(({ inputIds, labelIds }) => [inputIds.length, labelIds.length])
  const lengths = fitLengths(measured, epochs, costShape(parameters))
  const steps = planSteps(measured, lengths, { batchSize, accumulation: 1 }, new Random("order"))
  return { batches: steps.flat().map((batch) => batch.map((row) => rows[row])), lengths }
}
