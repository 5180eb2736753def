// McNemar's test (1947): do two systems get different rows right, or is it chance? For scores that are right or wrong in each row.
import { InputError } from "../core/errors"

export interface McNemarResult {
  /** Rows that only the first system gets right. */
  readonly onlyFirst: number
  /** Rows that only the second system gets right. */
  readonly onlySecond: number
  /** Two-sided and exact (binomial): how often chance alone would split these rows at least so unevenly, in (0, 1]. */
  readonly p: number
}

/**
 * Compares two systems on the same rows, each row right (1) or wrong (0).
 * @throws InputError `mcnemar.rows-differ`; `mcnemar.not-binary` where a score is neither 0 nor 1
 */
export function mcNemar(first: ArrayLike<number>, second: ArrayLike<number>): McNemarResult {
  if (first.length !== second.length) {
    throw new InputError(
      "mcnemar.rows-differ",
      `Two systems are compared on the same rows: one has ${first.length}, the other ${second.length}.`,
    )
  }
  let onlyFirst = 0
  let onlySecond = 0
  for (let row = 0; row < first.length; row++) {
    if (![first[row], second[row]].every((score) => score === 0 || score === 1))
      throw new InputError("mcnemar.not-binary", "McNemar's test needs rows that are right or wrong: use exactMatch or accuracy.")
    if (first[row] > second[row]) onlyFirst++
    if (second[row] > first[row]) onlySecond++
  }
  return { onlyFirst, onlySecond, p: splitProbability(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond) }
}

/** Twice the chance that at most `fewer` of `all` fair coins show heads, at most 1. */
function splitProbability(fewer: number, all: number): number {
  // In logarithms, since 2^-all is no number for long tests.
  let logTerm = -all * Math.LN2
  let sum = Math.exp(logTerm)
  for (let heads = 1; heads <= fewer; heads++) {
    logTerm += Math.log((all - heads + 1) / heads)
    sum += Math.exp(logTerm)
  }
  return Math.min(1, 2 * sum)
}
