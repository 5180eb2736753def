// The passes that TensorFlow's kernels want, in order. Its own optimizer shares and folds too, but not through layer operations.
import { foldConstants } from "../passes/fold-constants"
import { gradientsAsRows } from "../passes/gradients-as-rows"
import { mergeRandomWords } from "../passes/merge-random-words"
import { removeNoOps } from "../passes/remove-no-ops"
import type { Pass } from "../passes/rewrite"
import { shareCommonNodes } from "../passes/share-common-nodes"
import { shortenSoftmaxGradient } from "../passes/shorten-softmax-gradient"
import type { Recording } from "../recording"

const tensorFlowPasses: readonly Pass[] = [
  foldConstants,
  removeNoOps,
  shareCommonNodes,
  shortenSoftmaxGradient,
  gradientsAsRows,
  mergeRandomWords,
  foldConstants,
  removeNoOps,
  shareCommonNodes,
]

export function optimizeForTensorFlow(recording: Recording): Recording {
  return tensorFlowPasses.reduce((current, pass) => pass(current), recording)
}
