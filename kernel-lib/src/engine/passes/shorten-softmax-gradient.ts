// tfjs's gradient of y = softmax(x), dy y - sum(dy y) y, goes over the scores seven times. y (dy - sum(dy y)) does with fewer, and where y
// was multiplied with values v, as attention does, the sum over a row of dy y = (dz v') y is the sum over dz z, which is much narrower.
import type { RecordedNode, Recording, Value } from "../recording"
import { producedBy, type Rewriter, rewriteNodes } from "./rewrite"

export function shortenSoftmaxGradient(recording: Recording): Recording {
  const products = new Map<Value, RecordedNode<"MatMul">[]>()
  return rewriteNodes(recording, (node, rewriter) => {
    if (node.operation === "MatMul") products.set(node.inputs[0], [...(products.get(node.inputs[0]) ?? []), node])
    return node.operation === "Sub" ? shorten(node, products, rewriter) : undefined
  })
}

type Products = ReadonlyMap<Value, readonly RecordedNode<"MatMul">[]>

function shorten(node: RecordedNode<"Sub">, products: Products, rewriter: Rewriter): Value | undefined {
  const [weighted, projected] = node.inputs
  const match = matchGradient(weighted, projected)
  if (!match) return undefined
  const { dy, y, sum } = match
  const rowSum = sumOverValues(dy, y, sum, products, rewriter) ?? sum
  const difference = rewriter.make("Sub", [dy, rowSum], {}, y)
  return rewriter.make("Multiply", [y, difference], {}, y)
}

/** dy y - sum(dy y) y with y from a softmax. */
function matchGradient(weighted: Value, projected: Value): { dy: Value; y: Value; sum: Value } | undefined {
  const product = producedBy(weighted, "Multiply")
  const projection = producedBy(projected, "Multiply")
  if (!product || !projection) return undefined
  for (const index of [0, 1]) {
    const [dy, y] = [product.inputs[index], product.inputs[1 - index]]
    const sum = projection.inputs[0] === y ? projection.inputs[1] : projection.inputs[0]
    const summed = producedBy(sum, "Sum")
    const isGradient =
      producedBy(y, "Softmax") && projection.inputs.includes(y) && summed?.inputs[0] === weighted && summed.attributes.keepDims
    if (isGradient && summed.attributes.axes.length === 1 && summed.attributes.axes[0] === y.shape.length - 1) return { dy, y, sum }
  }
  return undefined
}

/** With dy = dz v' and z = y v: the sum over dz z, times the ratio of their scales. */
function sumOverValues(dy: Value, y: Value, sum: Value, products: Products, rewriter: Rewriter): Value | undefined {
  const backward = producedBy(dy, "MatMul")
  if (!backward || backward.attributes.transposeA || !backward.attributes.transposeB) return undefined
  const [dz, v] = backward.inputs
  const forward = products.get(y)?.find(({ inputs, attributes }) => inputs[1] === v && !attributes.transposeA && !attributes.transposeB)
  if (!forward || dz.shape.length !== y.shape.length || v.shape.at(-1)! >= y.shape.at(-1)!) return undefined
  const weighted = rewriter.make("Multiply", [dz, forward.results[0]], {}, dz)
  const narrow = rewriter.make("Sum", [weighted], { axes: [y.shape.length - 1], keepDims: true }, sum)
  const ratio = backward.attributes.alpha / forward.attributes.alpha
  if (ratio === 1) return narrow
  return rewriter.make("Multiply", [narrow, rewriter.make("Fill", [], { value: ratio }, { shape: [], dtype: "float32" })], {}, sum)
}
