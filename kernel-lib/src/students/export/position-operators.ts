// Operators around a recorded network that make its masks and positions out of lengths, since other programs feed neither.
import type { ModelAssembly } from "../../engine"
import { unseen } from "../source-feeds"

/** int64 [length]: first, first + 1 ... up to the sum that `end` is; both int64 [1]. */
export function countUp(model: ModelAssembly, first: string, end: string): string {
  const scalar = (x: string) => model.node("Squeeze", [x])
  return model.node("Range", [scalar(first), scalar(end), model.integer(1)])
}

/** int64 [Q, K]: each key's place minus each query's. */
export function measureDistances(model: ModelAssembly, queries: string, keys: string): string {
  const column = model.node("Unsqueeze", [queries, model.integers([1])])
  return model.node("Sub", [model.node("Unsqueeze", [keys, model.integers([0])]), column])
}

/**
 * int32 [Q, K]: the bucket of each distance, out of a table that is as long as distances have buckets of their own.
 * @param reach from which distance on, in both directions, the bucket stays the same
 */
export function lookUpBuckets(model: ModelAssembly, distances: string, reach: number, bucketOf: (distance: number) => number): string {
  const table = model.table(Int32Array.from({ length: 2 * reach + 1 }, (_, i) => bucketOf(i - reach)))
  const near = model.node("Clip", [distances, model.integer(-reach), model.integer(reach)])
  return model.node("Gather", [table, model.node("Add", [near, model.integer(reach)])], { axis: 0 })
}

/** float32: `unseen` where `condition` holds, else 0. */
export function hideWhere(model: ModelAssembly, condition: string): string {
  return model.node("Where", [condition, model.number(unseen), model.number(0)])
}

/** bool [Q, K]: keys that come after their query. */
export function areLater(model: ModelAssembly, distances: string): string {
  return model.node("Greater", [distances, model.integer(0)])
}
