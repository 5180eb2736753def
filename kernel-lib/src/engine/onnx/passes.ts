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
  // Last: removing no-ops would put the transposes back into the products.
  transposeNarrowSide,
]

export function optimizeForOnnx(recording: Recording): Recording {
  return onnxPasses.reduce((current, pass) => pass(current), recording)
}
