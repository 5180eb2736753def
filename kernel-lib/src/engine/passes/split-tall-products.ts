// The gradient of a vocabulary's table is a product a' b whose result is far larger than the caches, and the runtime passes over it several
// times. As a batch of products, each for a block of rows, a block stays where it was written; the operands are read where they lie.
// Measured on ONNX Runtime's MLAS, 32,128 rows of 512: 15 to 25% faster than one product, and no second table as for a transposed one.
import type { RecordedNode, Recording, Value } from "../recording"
import { type Rewriter, rewriteNodes } from "./rewrite"

const tallEnough = 8192
const bestBlock = 512
const smallestBlock = 128
const largestBlock = 4096

export function splitTallProducts(recording: Recording): Recording {
  return rewriteNodes(recording, (node, rewriter) => (node.operation === "MatMul" ? split(node, rewriter) : undefined))
}

function split(node: RecordedNode<"MatMul">, rewriter: Rewriter): Value | undefined {
  const { transposeA, transposeB, alpha, batchSecond } = node.attributes
  const [a, b] = node.inputs
  const [result] = node.results
  if (!transposeA || transposeB || batchSecond || node.inputs.length > 2 || a.shape.length !== 2 || b.shape.length !== 2) return undefined
  const [height, width] = result.shape
  const block = height >= tallEnough && height > width ? findBlock(height) : undefined
  if (block === undefined) return undefined
  const [inner] = a.shape
  const { dtype } = result
  const blocks = rewriter.make("Reshape", [a], {}, { shape: [inner, height / block, block], dtype })
  const shared = rewriter.make("Reshape", [b], {}, { shape: [1, inner, width], dtype })
  const attributes = { transposeA, transposeB, alpha, batchSecond: true }
  const product = rewriter.make("MatMul", [blocks, shared], attributes, { shape: [height / block, block, width], dtype })
  return rewriter.make("Reshape", [product], {}, result)
}

/** The divisor of `height` that is nearest to the best block, by ratio. */
function findBlock(height: number): number | undefined {
  const distance = (block: number) => Math.abs(Math.log(block / bestBlock))
  let best: number | undefined
  for (let block = smallestBlock; block <= largestBlock; block++) {
    if (height % block === 0 && (best === undefined || distance(block) < distance(best))) best = block
  }
  return best
}
