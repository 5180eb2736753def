// Computes what is known before the run: arithmetic on uniform tensors, multiplication by one, addition of zero, shapes of constants.
// tfjs's gradients are full of these: the gradient of a sum is a multiplication by a tensor of ones.
import { type DataType, type RecordedNode, type Recording, sameShape, type Value } from "../recording"
import { producedBy, type Rewriter, rewriteNodes, uniformNumber } from "./rewrite"

const arithmetic: Partial<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Multiply: (a, b) => a * b,
  RealDiv: (a, b) => a / b,
  Maximum: Math.max,
  Minimum: Math.min,
}

const functions: Partial<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Exp: Math.exp,
  Log: Math.log,
  Sqrt: Math.sqrt,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Square: (x) => x * x,
  Reciprocal: (x) => 1 / x,
}

/** Rearrangements: a uniform tensor stays uniform. */
const rearrangements = new Set(["Reshape", "BroadcastTo", "Tile", "Transpose", "Slice"])

export function foldConstants(recording: Recording): Recording {
  return rewriteNodes(
    recording,
    (node, rewriter) => foldUniform(node, rewriter) ?? foldNeutral(node, rewriter) ?? shrinkUniform(node, rewriter),
  )
}

function foldUniform(node: RecordedNode, rewriter: Rewriter): Value | undefined {
  const [a, b] = node.inputs
  const [result] = node.results
  if (!a) return undefined
  const fill = (value: number) => rewriter.make("Fill", [], { value }, result)
  const filled = producedBy(a, "Fill")
  if (filled && rearrangements.has(node.operation)) return fill(filled.attributes.value)
  if (filled && node.operation === "Cast") return fill(castNumber(filled.attributes.value, result.dtype))
  const constant = producedBy(a, "Constant")
  if (constant && node.operation === "Reshape") return rewriter.make("Constant", [], constant.attributes, result)

  const x = uniformNumber(a)
  const y = b && uniformNumber(b)
  if (x !== undefined && functions[node.operation]) return fill(Math.fround(functions[node.operation]!(x)))
  if (x !== undefined && y !== undefined && arithmetic[node.operation]) return fill(Math.fround(arithmetic[node.operation]!(x, y)))
  return undefined
}

/** Multiplication by 1, addition of 0; division by a number becomes a multiplication, which other passes know. */
function foldNeutral(node: RecordedNode, rewriter: Rewriter): Value | undefined {
  const [a, b] = node.inputs
  const [result] = node.results
  const expand = (value: Value) => (sameShape(value.shape, result.shape) ? value : rewriter.make("BroadcastTo", [value], {}, result))
  switch (node.operation) {
    case "Multiply":
      if (uniformNumber(b) === 1) return expand(a)
      return uniformNumber(a) === 1 ? expand(b) : undefined
    case "Add":
      if (uniformNumber(b) === 0) return expand(a)
      return uniformNumber(a) === 0 ? expand(b) : undefined
    case "Sub":
      return uniformNumber(b) === 0 ? expand(a) : undefined
    case "RealDiv": {
      const divisor = uniformNumber(b)
      if (divisor === undefined || divisor === 0) return undefined
      if (divisor === 1) return expand(a)
      const reciprocal = rewriter.make("Fill", [], { value: Math.fround(1 / divisor) }, b)
      return rewriter.make("Multiply", [a, reciprocal], {}, result)
    }
    default:
      return undefined
  }
}

/** A uniform operand as large as the result is a single number. */
function shrinkUniform(node: RecordedNode, rewriter: Rewriter): readonly Value[] | undefined {
  if (!(node.operation in arithmetic) || node.inputs.length !== 2) return undefined
  const [result] = node.results
  const shrink = (value: Value, other: Value) => {
    const number = uniformNumber(value)
    if (number === undefined || value.shape.length === 0 || !sameShape(other.shape, result.shape)) return value
    return rewriter.make("Fill", [], { value: number }, { shape: [], dtype: "float32" })
  }
  const [a, b] = node.inputs
  const inputs = [shrink(a, b), shrink(b, a)]
  return inputs[0] === a && inputs[1] === b ? undefined : rewriter.change(node, { inputs })
}

function castNumber(value: number, dtype: DataType): number {
  return dtype === "float32" ? Math.fround(value) : dtype === "int32" ? Math.trunc(value) : Number(value !== 0)
}
