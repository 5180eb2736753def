// Gradients of weights are products a' b. Where the runtime's matrix product is slower on a transposed first operand, it pays to transpose
// the narrow matrix beforehand. Measured on ONNX Runtime's MLAS (widths from 256 to 2048): up to a sixth.
import type { Recording, Value } from "../recording"
import { type Rewriter, rewriteNodes } from "./rewrite"

const wideEnough = 512

export function transposeNarrowSide(recording: Recording): Recording {
  return rewriteNodes(recording, (node, rewriter) => {
    if (node.operation !== "MatMul" || !node.attributes.transposeA || node.attributes.transposeB || node.inputs.length > 2) return undefined
    const [a, b] = node.inputs
    const [result] = node.results
    if (a.shape.length !== 2 || b.shape.length !== 2) return undefined
    const [height, width] = result.shape
    const plain = { transposeA: false, transposeB: false, alpha: node.attributes.alpha }
    if (width >= height && width >= wideEnough) return rewriter.make("MatMul", [transpose(a, rewriter), b], plain, result)
    return undefined
  })
}

function transpose(x: Value, rewriter: Rewriter): Value {
  const [rows, columns] = x.shape
  return rewriter.make("Transpose", [x], { permutation: [1, 0] }, { shape: [columns, rows], dtype: x.dtype })
}
