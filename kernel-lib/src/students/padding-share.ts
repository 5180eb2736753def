// What padding costs where it is computed in attention only.

const usualLength = 64
/** What could be computed while softmax, mask, dropout and their gradients pass over a score in memory some ten times. */
const operationsAScore = 800

/**
 * What a padded place costs in training, as a share of what a token costs, in (0, 1]: a layer's multiplications and additions for its scores
 * with some others, beside those of the matrices.
 * @param matrices numbers in a layer's matrices
 */
export function estimatePaddingShare(layer: { readonly numHeads: number; readonly headSize: number; readonly matrices: number }): number {
  const attention = usualLength * layer.numHeads * (12 * layer.headSize + operationsAScore)
  return Math.min(1, attention / (6 * layer.matrices))
}
