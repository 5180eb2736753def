// The passes that ONNX Runtime's CPU kernels want, in order.
import { biasIntoMatMul } from "../passes/bias-into-matmul"
import { foldConstants } from "../passes/fold-constants"
import { gradientsAsRows } from "../passes/gradients-as-rows"
import { liftReshapes } from "../passes/lift-reshapes"
import { mergeRandomWords } from "../passes/merge-random-words"
import { removeNoOps } from "../passes/remove-no-ops"
import type { Pass } from "../passes/rewrite"
import { scaleIntoMatMul } from "../passes/scale-into-matmul"
import { scaleRowsLast } from "../passes/scale-rows-last"
import { shareCommonNodes } from "../passes/share-common-nodes"
import { shortenSoftmaxGradient } from "../passes/shorten-softmax-gradient"
import { splitTallProducts } from "../passes/split-tall-products"
import { transposeNarrowSide } from "../passes/transpose-narrow-side"
import type { Recording } from "../recording"

export const onnxPasses: readonly Pass[] = [
  foldConstants,
  removeNoOps,
  shareCommonNodes,
  liftReshapes,
  removeNoOps,
  shortenSoftmaxGradient,
  scaleIntoMatMul,
  scaleRowsLast,
  // Before the products take additions in, so that rows are still seen to be added.
  gradientsAsRows,
  biasIntoMatMul,
  mergeRandomWords,
  foldConstants,
  removeNoOps,
  shareCommonNodes,
  splitTallProducts,
  // Last: removing no-ops would put the transposes back into the products.
  transposeNarrowSide,
]

export function optimizeForOnnx(recording: Recording): Recording {
  return onnxPasses.reduce((current, pass) => pass(current), recording)
}

/**
 * The passes for graphs that only run forward, at any number of rows. A product that scales its result misses the runtime's kernel for a
 * single row, so numbers stay with the narrow operand; and nothing is transposed by a size that is open.
 */
export const forwardPasses: readonly Pass[] = [
  foldConstants,
  removeNoOps,
  shareCommonNodes,
  liftReshapes,
  removeNoOps,
  biasIntoMatMul,
  foldConstants,
  removeNoOps,
  shareCommonNodes,
]

export function optimizeForward(recording: Recording): Recording {
  return forwardPasses.reduce((current, pass) => pass(current), recording)
}
