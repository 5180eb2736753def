// Which trainings the learning curves take: fewer rows at all epochs, and fewer epochs on all rows.
import { InputError } from "../../core/errors"

/** Rows of a training, and passes over them. */
export interface TrainingPoint {
  readonly rows: number
  readonly epochs: number
}

export interface TrainingPlan {
  /** With most rows and most epochs: what the table is about. */
  readonly main: TrainingPoint
  /** By rising rows, all with the main one's epochs; the main one last. */
  readonly byRows: readonly TrainingPoint[]
  /** By rising epochs, all with the main one's rows; the main one last. */
  readonly byEpochs: readonly TrainingPoint[]
  /** Each once, the main one first, so that an interrupted call has what matters most. */
  readonly all: readonly TrainingPoint[]
}

/**
 * @param available training rows that there are
 * @param rows sizes of the training set; what is above `available` counts as all. Default: a quarter, half, and all
 * @param epochs default: one, and `usualEpochs`
 * @throws InputError `reproduce.settings`
 */
export function planTrainings(
  available: number,
  usualEpochs: number,
  { rows, epochs }: { readonly rows?: readonly number[]; readonly epochs?: readonly number[] },
): TrainingPlan {
  checkCounts("rows", rows)
  checkCounts("epochs", epochs)
  const quarters = [0.25, 0.5, 1].map((share) => Math.max(1, Math.round(share * available)))
  const sizes = sortOnce((rows ?? quarters).map((size) => Math.min(size, available)))
  const passes = sortOnce(epochs ?? [1, usualEpochs])
  const main = { rows: sizes[sizes.length - 1], epochs: passes[passes.length - 1] }
  const [fewerRows, fewerEpochs] = [sizes.slice(0, -1), passes.slice(0, -1)]
  const byRows = [...fewerRows.map((size) => ({ rows: size, epochs: main.epochs })), main]
  const byEpochs = [...fewerEpochs.map((count) => ({ rows: main.rows, epochs: count })), main]
  return { main, byRows, byEpochs, all: [main, ...byRows.slice(0, -1), ...byEpochs.slice(0, -1)] }
}

function checkCounts(name: string, counts: readonly number[] | undefined): void {
  if (counts === undefined || (counts.length > 0 && counts.every((count) => Number.isSafeInteger(count) && count > 0))) return
  throw new InputError(
    "reproduce.settings",
    `The option ${name} is ${JSON.stringify(counts)}: give whole numbers above 0, for instance [500, 1000].`,
  )
}

function sortOnce(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}
