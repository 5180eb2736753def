// The order in which rows are trained: shuffled anew for each epoch, with rows of one shape in one batch, so that little is padded.
import type { Random } from "../../core/random"
import { findShape } from "./fit-lengths"

/** Batches that one step takes together, each as row numbers. */
export type PlannedStep = readonly (readonly number[])[]

/**
 * The steps of one epoch. Each row stands in exactly one batch; as many batches as possible have `batchSize` rows of one shape, and the rows
 * that are left over share theirs with their neighbours in length. The number of steps is the same for every epoch.
 * @param rows each row's lengths
 * @param fitted lengths to pad to, of each kind (`fitLengths`)
 * @param accumulation batches of a step
 */
export function planSteps(
  rows: readonly (readonly number[])[],
  fitted: readonly (readonly number[])[],
  { batchSize, accumulation }: { readonly batchSize: number; readonly accumulation: number },
  random: Random,
): PlannedStep[] {
  const byShape = new Map<string, number[]>()
  for (const row of random.shuffle(rows.keys())) {
    const shape = findShape(rows[row], fitted).join(" ")
    const members = byShape.get(shape)
    if (members) members.push(row)
    else byShape.set(shape, [row])
  }
  const batches: number[][] = []
  const left: number[] = []
  for (const members of byShape.values()) {
    const whole = members.length - (members.length % batchSize)
    batches.push(...split(members.slice(0, whole), batchSize))
    left.push(...members.slice(whole))
  }
  const size = (row: number) => findShape(rows[row], fitted).reduce((sum, at, kind) => sum + fitted[kind][at], 0)
  batches.push(
    ...split(
      left.sort((a, b) => size(a) - size(b)),
      batchSize,
    ),
  )
  return split(random.shuffle(batches), accumulation)
}

/** The share of what is computed that is padding, when `steps` are trained. */
export function sharePadding(
  rows: readonly (readonly number[])[],
  fitted: readonly (readonly number[])[],
  steps: readonly PlannedStep[],
): number {
  let [tokens, padded] = [0, 0]
  for (const batch of steps.flat()) {
    const shapes = batch.map((row) => findShape(rows[row], fitted))
    const longest = fitted.map((lengths, kind) => lengths[Math.max(...shapes.map((shape) => shape[kind]))])
    padded += batch.length * longest.reduce((sum, length) => sum + length, 0)
    for (const row of batch) tokens += rows[row].reduce((sum, length) => sum + length, 0)
  }
  return padded === 0 ? 0 : 1 - tokens / padded
}

function split<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
