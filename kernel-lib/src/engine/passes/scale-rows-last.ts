// Weights of rows (the share of each label in a mean) move from the wide side of a matrix product to its narrow side: the gradient of
// logits [rows, vocabulary] is not passed over once more, its products [rows, width] are.
import type { RecordedNode, Recording, Value } from "../recording"
import { sameShape } from "../recording"
import { producedBy, type Rewriter, rewriteNodes } from "./rewrite"

export function scaleRowsLast(recording: Recording): Recording {
  return rewriteNodes(recording, (node, rewriter) =>
    node.operation === "MatMul" && node.inputs.length === 2 ? moveWeights(node, rewriter) : undefined,
  )
}

function moveWeights(node: RecordedNode<"MatMul">, rewriter: Rewriter): Value | readonly Value[] | undefined {
  const [a, b] = node.inputs
  const [result] = node.results
  const { transposeA, transposeB } = node.attributes
  if (a.shape.length !== 2 || b.shape.length !== 2) return undefined
  const multiply = (x: Value, weights: Value) => rewriter.make("Multiply", [x, weights], {}, x)

  const weightedA = asWeightedRows(a)
  if (weightedA && !transposeA && result.shape[1] < a.shape[1]) {
    const [product] = rewriter.change(node, { inputs: [weightedA.rows, b] })
    return multiply(product, weightedA.weights)
  }
  if (weightedA && transposeA && !transposeB && b.shape[1] < a.shape[1]) {
    return rewriter.change(node, { inputs: [weightedA.rows, multiply(b, weightedA.weights)] })
  }
  const weightedB = asWeightedRows(b)
  if (weightedB && transposeA && !transposeB && a.shape[1] < b.shape[1]) {
    return rewriter.change(node, { inputs: [multiply(a, weightedB.weights), weightedB.rows] })
  }
  return undefined
}

/** `value` [rows, columns] as a product with one weight a row [rows, 1]. */
function asWeightedRows(value: Value): { rows: Value; weights: Value } | undefined {
  const product = producedBy(value, "Multiply")
  for (const index of product ? [0, 1] : []) {
    const weights = product!.inputs[index]
    const rows = product!.inputs[1 - index]
    if (sameShape(weights.shape, [value.shape[0], 1]) && sameShape(rows.shape, value.shape) && value.shape[1] > 1) return { rows, weights }
  }
  return undefined
}
