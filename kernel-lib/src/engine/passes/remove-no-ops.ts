// Takes out what changes nothing: reshapes of reshapes, transposes that cancel, whole slices, broadcasts that the consumer does anyway.
import { arithmeticOperations, comparisonOperations } from "../operations"
import { type RecordedNode, type Recording, sameShape, type Value } from "../recording"
import { producedBy, type Rewriter, rewriteNodes } from "./rewrite"

/** Operations that broadcast their inputs. */
const broadcasting = new Set<string>([...arithmeticOperations, ...comparisonOperations, "Select"])

export function removeNoOps(recording: Recording): Recording {
  return rewriteNodes(recording, (node, rewriter) => {
    if (broadcasting.has(node.operation)) return dropBroadcasts(node, rewriter)
    const [x] = node.inputs
    const [result] = node.results
    const isUnchanged = x !== undefined && x.dtype === result.dtype && sameShape(x.shape, result.shape)
    switch (node.operation) {
      case "Reshape": {
        if (isUnchanged) return x
        const inner = producedBy(x, "Reshape")
        return inner && simplifyReshape(inner.inputs[0], result, rewriter)
      }
      case "Transpose":
        return simplifyTranspose(x, node.attributes.permutation, result, rewriter)
      case "MatMul":
        return absorbTransposes(node, rewriter)
      case "Sum":
      case "Max":
      case "Min":
      case "Mean":
      case "Prod":
        return node.attributes.axes.every((axis) => x.shape[axis] === 1) ? simplifyReshape(x, result, rewriter) : undefined
      case "Slice":
      case "BroadcastTo":
      case "Cast":
      case "Tile":
      case "Pad":
        return isUnchanged ? x : undefined
      case "Concat":
        return node.inputs.length === 1 ? x : undefined
      default:
        return undefined
    }
  })
}

function simplifyReshape(x: Value, result: Value, rewriter: Rewriter): Value {
  return sameShape(x.shape, result.shape) ? x : rewriter.make("Reshape", [x], {}, result)
}

function simplifyTranspose(x: Value, permutation: readonly number[], result: Value, rewriter: Rewriter): Value | undefined {
  const inner = producedBy(x, "Transpose")
  if (inner) {
    const combined = permutation.map((axis) => inner.attributes.permutation[axis])
    const source = inner.inputs[0]
    return simplifyTranspose(source, combined, result, rewriter) ?? rewriter.make("Transpose", [source], { permutation: combined }, result)
  }
  // What moves only axes of length 1 moves no value.
  const moved = permutation.filter((axis) => x.shape[axis] !== 1)
  return moved.every((axis, index) => index === 0 || axis > moved[index - 1]) ? simplifyReshape(x, result, rewriter) : undefined
}

/** A matrix product reads a transposed operand as well as a plain one. */
function absorbTransposes(node: RecordedNode<"MatMul">, rewriter: Rewriter): readonly Value[] | undefined {
  const absorb = (value: Value) => {
    const inner = producedBy(value, "Transpose")
    return inner && swapsLastAxes(inner.attributes.permutation) ? inner.inputs[0] : value
  }
  const [a, b, ...bias] = node.inputs
  const [newA, newB] = [absorb(a), absorb(b)]
  if (newA === a && newB === b) return undefined
  const { transposeA, transposeB, alpha } = node.attributes
  const attributes = { transposeA: transposeA !== (newA !== a), transposeB: transposeB !== (newB !== b), alpha }
  return rewriter.change(node, { inputs: [newA, newB, ...bias], attributes })
}

function swapsLastAxes(permutation: readonly number[]): boolean {
  const rank = permutation.length
  return rank >= 2 && permutation.every((axis, index) => axis === (index === rank - 1 ? rank - 2 : index === rank - 2 ? rank - 1 : index))
}

function dropBroadcasts(node: RecordedNode, rewriter: Rewriter): readonly Value[] | undefined {
  const [result] = node.results
  const inputs = [...node.inputs]
  inputs.forEach((value, index) => {
    const expanded = producedBy(value, "BroadcastTo")
    if (!expanded) return
    const others = inputs.filter((_, other) => other !== index)
    if (coversShape([expanded.inputs[0], ...others], result.shape)) inputs[index] = expanded.inputs[0]
  })
  return inputs.every((value, index) => value === node.inputs[index]) ? undefined : rewriter.change(node, { inputs })
}

/** Whether `values` broadcast to `shape` by themselves. */
function coversShape(values: readonly Value[], shape: readonly number[]): boolean {
  return shape.every((length, axis) => values.some((value) => (value.shape[axis - shape.length + value.shape.length] ?? 1) === length))
}
