// A product of two matrices adds to its result for less than an addition costs: a bias, or a matrix of the result's shape (a residual, another
// part of a gradient), becomes its third input.
import type { RecordedNode, Recording, Value } from "../recording"
import { sameShape } from "../recording"
import { producedBy, rewriteNodes } from "./rewrite"

export function biasIntoMatMul(recording: Recording): Recording {
  const order = new Map<RecordedNode, number>()
  return rewriteNodes(recording, (node, rewriter) => {
    order.set(node, order.size)
    if (node.operation !== "Add") return undefined
    for (const index of latestFirst(node.inputs, order)) {
      const value = node.inputs[index]
      const addend = node.inputs[1 - index]
      const product = producedBy(value, "MatMul")
      const isMatrix = product?.inputs.length === 2 && value.shape.length === 2
      if (!product || !isMatrix || !rewriter.isUsedOnce(value) || !fits(addend, value)) continue
      return rewriter.change(product, { inputs: [...product.inputs, addend] })
    }
    return undefined
  })
}

/** Of two products the later one takes the other as its addend, or both would wait in memory. */
function latestFirst([a, b]: readonly Value[], order: ReadonlyMap<RecordedNode, number>): readonly number[] {
  return (order.get(a.producer) ?? 0) > (order.get(b.producer) ?? 0) ? [0, 1] : [1, 0]
}

function fits(addend: Value, value: Value): boolean {
  return sameShape(addend.shape, value.shape) || (addend.shape.length === 1 && addend.shape[0] === value.shape[1])
}
