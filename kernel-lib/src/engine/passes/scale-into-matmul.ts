// A matrix product scales its result for nothing: multiplications by a number before or after it become its `alpha`, also through reshapes
// and transposes. What stands between (dropout's mask) changes places with the number.
import type { RecordedNode, Recording, Value } from "../recording"
import { sameShape } from "../recording"
import { producedBy, type Rewriter, rewriteNodes, uniformNumber } from "./rewrite"

export function scaleIntoMatMul(recording: Recording): Recording {
  return rewriteNodes(recording, (node, rewriter) => {
    if (node.operation === "MatMul") return scaleOperands(node, rewriter)
    if (node.operation === "Multiply") return scaleProduct(node, rewriter) ?? moveOutward(node, rewriter)
    return undefined
  })
}

/** (s a) b -> alpha s. */
function scaleOperands(node: RecordedNode<"MatMul">, rewriter: Rewriter): readonly Value[] | undefined {
  const [a, b, ...bias] = node.inputs
  const [plainA, plainB] = [peelScale(a, rewriter), peelScale(b, rewriter)]
  if (plainA.scale === 1 && plainB.scale === 1) return undefined
  const alpha = Math.fround(node.attributes.alpha * plainA.scale * plainB.scale)
  return rewriter.change(node, { inputs: [plainA.value, plainB.value, ...bias], attributes: { ...node.attributes, alpha } })
}

function peelScale(value: Value, rewriter: Rewriter): { value: Value; scale: number } {
  const { producer } = value
  if (producer.operation === "Reshape" || producer.operation === "Transpose") {
    const inner = peelScale(producer.inputs[0], rewriter)
    return inner.scale === 1 ? { value, scale: 1 } : { value: rewriter.change(producer, { inputs: [inner.value] })[0], scale: inner.scale }
  }
  const scaled = asScaled(value)
  if (!scaled) return { value, scale: 1 }
  const inner = peelScale(scaled.value, rewriter)
  return { value: inner.value, scale: inner.scale * scaled.scale }
}

/** s (a b) -> alpha s, when nothing else reads the product. */
function scaleProduct(node: RecordedNode<"Multiply">, rewriter: Rewriter): Value | undefined {
  const scaled = asScaled(node.results[0])
  return scaled && scaleProducer(scaled.value, scaled.scale, rewriter)
}

function scaleProducer(value: Value, scale: number, rewriter: Rewriter): Value | undefined {
  const { producer } = value
  if (!rewriter.isUsedOnce(value)) return undefined
  if (producer.operation === "Reshape" || producer.operation === "Transpose") {
    const inner = scaleProducer(producer.inputs[0], scale, rewriter)
    return inner && rewriter.change(producer, { inputs: [inner] })[0]
  }
  if (producer.operation !== "MatMul" || producer.inputs.length > 2) return undefined
  const alpha = Math.fround(producer.attributes.alpha * scale)
  return rewriter.change(producer, { attributes: { ...producer.attributes, alpha } })[0]
}

/** (s x) y -> s (x y): a step nearer to the next product. */
function moveOutward(node: RecordedNode<"Multiply">, rewriter: Rewriter): Value | undefined {
  const [result] = node.results
  const index = node.inputs.findIndex((value) => asScaled(value) && rewriter.isUsedOnce(value))
  const scaled = index < 0 ? undefined : asScaled(node.inputs[index])
  if (!scaled || uniformNumber(node.inputs[1 - index]) !== undefined) return undefined
  const product = rewriter.make("Multiply", [scaled.value, node.inputs[1 - index]], {}, result)
  const number = rewriter.make("Fill", [], { value: scaled.scale }, { shape: [], dtype: "float32" })
  return rewriter.make("Multiply", [product, number], {}, result)
}

/** `value` as a number times another value of its shape. */
function asScaled(value: Value): { value: Value; scale: number } | undefined {
  const negated = producedBy(value, "Neg")
  if (negated && value.dtype === "float32") return { value: negated.inputs[0], scale: -1 }
  const product = producedBy(value, "Multiply")
  for (const index of product ? [0, 1] : []) {
    const scale = uniformNumber(product!.inputs[index])
    const other = product!.inputs[1 - index]
    if (scale !== undefined && sameShape(other.shape, value.shape)) return { value: other, scale }
  }
  return undefined
}
