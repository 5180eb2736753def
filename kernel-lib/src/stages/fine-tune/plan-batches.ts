// The order in which rows are trained: shuffled anew for each epoch, with rows of one shape in one batch, so that little is padded, and
// batches of one shape with as many tokens as each other, so that one graph serves them all.
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
    batches.push(...balance(split(members.slice(0, whole), batchSize), rows, random))
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

/** Tries to exchange a row, for each row; beyond, sums hardly come nearer to each other. */
const exchangesARow = 20

/** Batches of the same rows whose tokens, of each kind, are about as many: rows change places while that brings two batches nearer. */
function balance(batches: number[][], rows: readonly (readonly number[])[], random: Random): number[][] {
  if (batches.length < 2) return batches
  const sums = batches.map((batch) => rows[batch[0]].map((_, kind) => batch.reduce((sum, row) => sum + rows[row][kind], 0)))
  const tries = exchangesARow * batches.length * batches[0].length
  for (let count = 0; count < tries; count++) {
    const [a, b] = [random.integer(batches.length), random.integer(batches.length)]
    const [i, j] = [random.integer(batches[a].length), random.integer(batches[b].length)]
    const [given, taken] = [batches[a][i], batches[b][j]]
    const change = rows[given].map((length, kind) => rows[taken][kind] - length)
    // The sum of both sums' squares falls by twice this.
    const gain = change.reduce((total, more, kind) => total - more * (sums[a][kind] - sums[b][kind] + more), 0)
    if (a === b || gain <= 0) continue
    batches[a][i] = taken
    batches[b][j] = given
    for (const [kind, more] of change.entries()) {
      sums[a][kind] += more
      sums[b][kind] -= more
    }
  }
  return batches
}

/**
 * The share of what is computed that is padding, when `steps` are trained.
 * @param paddingShare what a padded place costs, as a share of what a token costs
 */
export function sharePadding(
  rows: readonly (readonly number[])[],
  fitted: readonly (readonly number[])[],
  steps: readonly PlannedStep[],
  paddingShare = 1,
): number {
  let [tokens, places] = [0, 0]
  for (const batch of steps.flat()) {
    const shapes = batch.map((row) => findShape(rows[row], fitted))
    const longest = fitted.map((lengths, kind) => lengths[Math.max(...shapes.map((shape) => shape[kind]))])
    places += batch.length * longest.reduce((sum, length) => sum + length, 0)
    for (const row of batch) tokens += rows[row].reduce((sum, length) => sum + length, 0)
  }
  const padding = (places - tokens) * paddingShare
  return places === 0 ? 0 : padding / (tokens + padding)
}

function split<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
