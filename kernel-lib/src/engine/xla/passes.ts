// The passes that XLA wants. It shares, folds and fuses by itself; what it does not see is that a table's gradient is a few rows, and that
// masks of one step can draw their words together.
import { foldConstants } from "../passes/fold-constants"
import { gradientsAsRows } from "../passes/gradients-as-rows"
import { mergeRandomWords } from "../passes/merge-random-words"
import { removeNoOps } from "../passes/remove-no-ops"
import type { Pass } from "../passes/rewrite"
import { shareCommonNodes } from "../passes/share-common-nodes"
import { shortenSoftmaxGradient } from "../passes/shorten-softmax-gradient"
import type { Recording } from "../recording"

const xlaPasses: readonly Pass[] = [
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

export function optimizeForXla(recording: Recording): Recording {
  return xlaPasses.reduce((current, pass) => pass(current), recording)
}
