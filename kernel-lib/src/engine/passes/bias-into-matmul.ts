// A product of two matrices adds a row to its result for nothing: the addition of a bias becomes its third input.
import type { Recording } from "../recording"
import { producedBy, rewriteNodes } from "./rewrite"

export function biasIntoMatMul(recording: Recording): Recording {
  return rewriteNodes(recording, (node, rewriter) => {
    if (node.operation !== "Add") return undefined
    for (const index of [0, 1]) {
      const value = node.inputs[index]
      const bias = node.inputs[1 - index]
      const product = producedBy(value, "MatMul")
      const fits = product?.inputs.length === 2 && value.shape.length === 2 && bias.shape.length === 1 && bias.shape[0] === value.shape[1]
      if (product && fits && rewriter.isUsedOnce(value)) return rewriter.change(product, { inputs: [...product.inputs, bias] })
    }
    return undefined
  })
}
