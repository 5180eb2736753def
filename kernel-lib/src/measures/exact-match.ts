// Exact match: the share of answers that are the reference, letter by letter.
import { defineMeanMetric } from "./metric"
import { normalizeAnswer } from "./normalize-answer"

/**
 * Share of answers, 0 to 1, that equal their reference, or any of several, unchanged: no trimming, no case folding.
 * The paper counts SQuAD so (any gold answer, unnormalised).
 */
export const exactMatch = defineMeanMetric("exactMatch", "exact match", (answer, reference) => (answer === reference ? 1 : 0))

/** Exact match after `normalizeAnswer` on both sides: the exact match of SQuAD's own script, 0 to 1. */
export const exactMatchNormalized = defineMeanMetric("exactMatchNormalized", "exact match, normalized", (answer, reference) =>
  answer === reference || normalizeAnswer(answer) === normalizeAnswer(reference) ? 1 : 0,
)
