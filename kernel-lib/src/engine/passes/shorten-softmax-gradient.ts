// The gradient of y = softmax(x) is y (dy - sum(dy y)). Where y was multiplied with values v, as attention does, dy = dz v' and the sum over
// a row of dy y is the sum over dz z, which is much narrower than the scores. tfjs's own form, dy y - sum(dy y) y, is rewritten first.
import type { RecordedNode, Recording, Value } from "../recording"
import { producedBy, type Rewriter, rewriteNodes, uniformNumber } from "./rewrite"

export function shortenSoftmaxGradient(recording: Recording): Recording {
  const products: Products = new Map()
  return rewriteNodes(recording, (node, rewriter) => {
    if (node.operation === "MatMul") products.set(node.inputs[1], [...(products.get(node.inputs[1]) ?? []), node])
    const match = node.operation === "Sub" ? matchDifference(node) : node.operation === "Multiply" ? matchProduct(node) : undefined
    if (!match) return undefined
    const { dy, y, sum } = match
    const rowSum = sumOverValues(match, products, rewriter)
    if (!rowSum && node.operation === "Multiply") return undefined
    const difference = rewriter.make("Sub", [dy, rowSum ?? sum], {}, y)
    return rewriter.make("Multiply", [y, difference], {}, y)
  })
}

/** By their second input. */
type Products = Map<Value, RecordedNode<"MatMul">[]>

interface SoftmaxGradient {
  readonly dy: Value
  readonly y: Value
  /** Of dy y over each row. */
  readonly sum: Value
}

/** y (dy - sum(dy y)). */
function matchProduct(node: RecordedNode<"Multiply">): SoftmaxGradient | undefined {
  for (const index of [0, 1]) {
    const y = node.inputs[index]
    const difference = producedBy(node.inputs[1 - index], "Sub")
    if (!difference || !producedBy(y, "Softmax")) continue
    const [dy, sum] = difference.inputs
    const weighted = asRowSum(sum)
    if (weighted?.inputs.includes(y) && weighted.inputs.includes(dy)) return { dy, y, sum }
  }
  return undefined
}

/** dy y - sum(dy y) y. */
function matchDifference(node: RecordedNode<"Sub">): SoftmaxGradient | undefined {
  const weighted = producedBy(node.inputs[0], "Multiply")
  const projection = producedBy(node.inputs[1], "Multiply")
  for (const index of weighted && projection ? [0, 1] : []) {
    const [dy, y] = [weighted!.inputs[index], weighted!.inputs[1 - index]]
    const sum = projection!.inputs[projection!.inputs[0] === y ? 1 : 0]
    if (producedBy(y, "Softmax") && projection!.inputs.includes(y) && asRowSum(sum) === weighted) return { dy, y, sum }
  }
  return undefined
}

/** The product that `value` sums over each row. */
function asRowSum(value: Value): RecordedNode<"Multiply"> | undefined {
  const sum = producedBy(value, "Sum")
  const product = sum && producedBy(sum.inputs[0], "Multiply")
  const isLast = sum?.attributes.axes.length === 1 && sum.attributes.axes[0] === sum.inputs[0].shape.length - 1
  return sum?.attributes.keepDims && isLast ? product : undefined
}

/** With dy = dz v' and z = y v: the sum over dz z, times the ratio of their scales. Dropout of y puts the same factors into both. */
function sumOverValues({ dy, y, sum }: SoftmaxGradient, products: Products, rewriter: Rewriter): Value | undefined {
  const back = takeFactors(dy)
  const backward = producedBy(back.value, "MatMul")
  if (!backward || backward.attributes.transposeA || !backward.attributes.transposeB) return undefined
  const [dz, v] = backward.inputs
  const forward = products.get(v)?.find(({ inputs, attributes }) => {
    const there = takeFactors(inputs[0])
    const isSame = there.value === y && there.scale === back.scale && sameValues(there.masks, back.masks)
    return isSame && !attributes.transposeA && !attributes.transposeB
  })
  if (!forward || dz.shape.length !== y.shape.length || v.shape.at(-1)! >= y.shape.at(-1)!) return undefined
  const weighted = rewriter.make("Multiply", [dz, forward.results[0]], {}, dz)
  const narrow = rewriter.make("Sum", [weighted], { axes: [y.shape.length - 1], keepDims: true }, sum)
  const ratio = backward.attributes.alpha / forward.attributes.alpha
  if (ratio === 1) return narrow
  return rewriter.make("Multiply", [narrow, rewriter.make("Fill", [], { value: ratio }, { shape: [], dtype: "float32" })], {}, sum)
}

interface Factors {
  readonly value: Value
  readonly scale: number
  readonly masks: readonly Value[]
}

/** `value` without the numbers and the dropout masks that it was multiplied by. */
function takeFactors(value: Value): Factors {
  const product = producedBy(value, "Multiply")
  for (const index of product ? [0, 1] : []) {
    const [factor, rest] = [product!.inputs[index], product!.inputs[1 - index]]
    const number = uniformNumber(factor)
    if (number === undefined && !isMask(factor)) continue
    const inner = takeFactors(rest)
    return { value: inner.value, scale: inner.scale * (number ?? 1), masks: number === undefined ? [...inner.masks, factor] : inner.masks }
  }
  return { value, scale: 1, masks: [] }
}

function isMask(value: Value): boolean {
  const source = producedBy(value, "Reshape")?.inputs[0] ?? value
  return producedBy(source, "DropoutMask") !== undefined
}

function sameValues(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((value) => b.includes(value))
}
