// Moves reshapes behind the operations that work element by element, where they meet other reshapes and vanish: a layer's chain of products,
// biases, activations and residuals then runs on matrices from end to end, and additions come to stand beside the product they belong to.
import { arithmeticOperations, unaryOperations } from "../operations"
import { type RecordedNode, type Recording, sameShape, type Value } from "../recording"
import { producedBy, type Rewriter, rewriteNodes } from "./rewrite"

/** Their results have the shape of their inputs, apart from single numbers. */
const elementwise = new Set<string>([
  ...unaryOperations,
  ...arithmeticOperations,
  "Cast",
  "ClipByValue",
  "ReluGrad",
  "GeluTanh",
  "GeluTanhGrad",
  "GeluErf",
  "GeluErfGrad",
])

export function liftReshapes(recording: Recording): Recording {
  return rewriteNodes(recording, (node, rewriter) => (elementwise.has(node.operation) ? lift(node, rewriter) : undefined))
}

function lift(node: RecordedNode, rewriter: Rewriter): readonly Value[] | undefined {
  const reshaped = node.inputs.find((value) => producedBy(value, "Reshape"))
  const source = reshaped && producedBy(reshaped, "Reshape")!.inputs[0]
  if (!source || !sameShape(reshaped.shape, node.results[0].shape)) return undefined
  const inputs = node.inputs.map((value) => underShape(value, source, node.results[0]))
  if (!inputs.every((value) => value !== undefined)) return undefined
  return rewriter
    .makeWithResults(
      node.operation,
      inputs as Value[],
      node.attributes as never,
      node.results.map(({ dtype }) => ({ shape: source.shape, dtype })),
    )
    .map((value, index) => rewriter.make("Reshape", [value], {}, node.results[index]))
}

/** What stands for `value` where the operation runs on the shape of `source` instead of the result's. */
function underShape(value: Value, source: Value, result: Value): Value | undefined {
  if (value.shape.length === 0) return value
  if (!sameShape(value.shape, result.shape)) return undefined
  const inner = producedBy(value, "Reshape")?.inputs[0]
  return inner && sameShape(inner.shape, source.shape) ? inner : undefined
}
