// Rules for the layer operations: the forms that pass over memory least often. A forward pass alone, whose intermediate results nobody
// reads, takes the runtime's fused operators.
import { geluTanhConstants, smallestProbability } from "../layers"
import type { OperationName } from "../operations"
import { dropThreshold, goldenRatio, maskLayout, mixing } from "../random-stream"
import type { RecordedNode, Value } from "../recording"
import { positiveMask, type Rules, softmax, steep, sumRows } from "./emit-tensor-operations"
import type { GraphBuilder, Name } from "./graph-builder"
import { elementTypes } from "./model-format"

type LayerOperation =
  | "RmsNorm"
  | "RmsNormGrad"
  | "LayerNorm"
  | "LayerNormGrad"
  | "GeluTanh"
  | "GeluTanhGrad"
  | "GeluErf"
  | "GeluErfGrad"
  | "ReluGrad"
  | "SoftmaxCrossEntropy"
  | "RandomWords"
  | "DropoutMask"

/** Which values anything reads; results that nobody reads need no operators. */
export type IsUsed = (value: Value) => boolean

export function makeLayerRules(isUsed: IsUsed): Rules<LayerOperation> {
  return {
    RmsNorm: (graph, inputs, node) =>
      graph.nodeWithResults(2, "SimplifiedLayerNormalization", inputs, { axis: -1, epsilon: node.attributes.epsilon, stash_type: 1 }),
    RmsNormGrad: (graph, [dy, x, inverse, gain], node) => {
      const [, width] = node.results[0].shape
      // Sums over products with x instead of the normalized rows, which are not kept: the rows' factors come in afterwards.
      const weighted = graph.node("Mul", [dy, x])
      const projection = graph.node("Mul", [weightedMean(graph, weighted, gain, width), graph.node("Mul", [inverse, inverse])])
      const tangent = graph.node("Sub", [graph.node("Mul", [dy, gain]), graph.node("Mul", [x, projection])])
      const dgain = isUsed(node.results[1]) ? weightedRows(graph, weighted, inverse, node.results[0].shape) : ""
      return [graph.node("Mul", [inverse, tangent]), dgain]
    },
    LayerNorm: (graph, inputs, node) =>
      graph.nodeWithResults(3, "LayerNormalization", inputs, { axis: -1, epsilon: node.attributes.epsilon, stash_type: 1 }),
    LayerNormGrad: (graph, [dy, x, mean, inverse, gain], node) => {
      const [rows, width] = node.results[0].shape
      const normalized = graph.node("Mul", [graph.node("Sub", [x, mean]), inverse])
      const weighted = graph.node("Mul", [dy, normalized])
      const level = weightedMean(graph, dy, gain, width)
      const projection = weightedMean(graph, weighted, gain, width)
      const centered = graph.node("Sub", [graph.node("Mul", [dy, gain]), level])
      const tangent = graph.node("Sub", [centered, graph.node("Mul", [normalized, projection])])
      const dgain = isUsed(node.results[1]) ? sumRows(graph, weighted, rows, [width]) : ""
      const dbias = isUsed(node.results[2]) ? sumRows(graph, dy, rows, [width]) : ""
      return [graph.node("Mul", [inverse, tangent]), dgain, dbias]
    },
    GeluTanh: (graph, [x], node) => {
      if (!readsIntermediates(node, isUsed)) return repeat(graph.runtimeNode("FastGelu", [x]), 3)
      const { scale, cubic } = geluTanhConstants
      const curvature = graph.node("Mul", [graph.node("Mul", [x, x]), graph.float(2 * scale * cubic)])
      const slope = graph.node("Add", [curvature, graph.float(2 * scale)])
      const gate = graph.node("Sigmoid", [graph.node("Mul", [x, slope])])
      return [graph.node("Mul", [x, gate]), gate, slope]
    },
    GeluTanhGrad: (graph, [dy, y, gate, slope]) => {
      const inner = graph.node("Sub", [graph.node("Mul", [slope, graph.float(3)]), graph.float(4 * geluTanhConstants.scale)])
      const bent = graph.node("Mul", [graph.node("Sub", [y, graph.node("Mul", [y, gate])]), inner])
      return graph.node("Mul", [dy, graph.node("Add", [gate, bent])])
    },
    GeluErf: (graph, [x], node) => {
      if (!readsIntermediates(node, isUsed)) return repeat(graph.runtimeNode("Gelu", [x]), 2)
      const error = graph.node("Erf", [graph.node("Mul", [x, graph.float(Math.SQRT1_2)])])
      const gate = graph.node("Add", [graph.node("Mul", [error, graph.float(0.5)]), graph.float(0.5)])
      return [graph.node("Mul", [x, gate]), gate]
    },
    GeluErfGrad: (graph, [dy, x, gate]) => {
      const exponent = graph.node("Mul", [graph.node("Mul", [x, x]), graph.float(-0.5)])
      const density = graph.node("Mul", [graph.node("Exp", [exponent]), graph.float(1 / Math.sqrt(2 * Math.PI))])
      return graph.node("Mul", [dy, graph.node("Add", [gate, graph.node("Mul", [x, density])])])
    },
    ReluGrad: (graph, [dy, y]) => graph.node("Mul", [dy, positiveMask(graph, y)]),
    SoftmaxCrossEntropy: (graph, [logits, labels], node) => {
      const [rows] = node.inputs[0].shape
      // LogSoftmax is three times as slow as Softmax; the logarithm of one number a row is free.
      const probabilities = softmax(graph, logits)
      const places = graph.node("Cast", [graph.node("Reshape", [labels, graph.sizes([rows, 1])])], { to: elementTypes.int64 })
      const chosen = graph.node("GatherElements", [probabilities, places], { axis: 1 })
      const logarithm = graph.node("Log", [graph.node("Max", [chosen, graph.float(smallestProbability)])])
      const losses = graph.node("Reshape", [graph.node("Neg", [logarithm]), graph.sizes([rows])])
      // Written in place: reading `chosen` first keeps the order.
      const less = graph.node("Sub", [chosen, graph.float(1)])
      return [losses, isUsed(node.results[1]) ? graph.node("ScatterElements", [probabilities, places, less], { axis: 1 }) : ""]
    },
    RandomWords: (graph, [key], node) => {
      const { offset, count } = node.attributes
      const counters = Int32Array.from({ length: count }, (_, index) => Math.imul(offset + index, goldenRatio))
      const part = (index: number) => graph.node("Slice", [key, graph.sizes([index]), graph.sizes([index + 1])])
      const mixed = mixBits(graph, graph.node("Add", [graph.constant(counters, [count]), part(0)]))
      return mixBits(graph, graph.node("Add", [mixed, part(1)]))
    },
    DropoutMask: (graph, [words], node) => {
      const [{ shape }] = node.results
      const { rows, columns } = maskLayout(shape)
      const part = (begin: number, end: number, to: number[]) =>
        graph.node("Reshape", [graph.node("Slice", [words, graph.sizes([begin]), graph.sizes([end])]), graph.sizes(to)])
      const odd = graph.node("BitwiseOr", [part(0, rows, [rows, 1]), graph.integer(1)])
      const products = graph.node("Cast", [graph.node("Mul", [odd, part(rows, rows + columns, [1, columns])])], {
        to: elementTypes.float32,
      })
      // As in positiveMask, around the threshold. A product and the threshold are at least 1 apart or equal.
      const beta = -dropThreshold(node.attributes.rate) * maskSteepness
      return graph.node("Reshape", [graph.node("HardSigmoid", [products], { alpha: maskSteepness, beta }), graph.sizes(shape)])
    },
  }
}

const maskSteepness = Math.min(steep, 2 ** 60)

function readsIntermediates(node: RecordedNode<OperationName>, isUsed: IsUsed): boolean {
  return node.results.slice(1).some(isUsed)
}

/** Only the first of them is read. */
function repeat(name: Name, results: number): Name[] {
  return new Array<Name>(results).fill(name)
}

/** The sum of the rows of x [rows, width], each times its weight [rows, 1]: one number a column. */
function weightedRows(graph: GraphBuilder, x: Name, weights: Name, [rows, width]: readonly number[]): Name {
  const row = graph.node("Reshape", [weights, graph.sizes([1, rows])])
  return graph.node("Reshape", [graph.node("MatMul", [row, x]), graph.sizes([width])])
}

/** mean(x gain) of each row [rows, 1], as a product with a column. */
function weightedMean(graph: GraphBuilder, x: Name, gain: Name, width: number): Name {
  return graph.node("Gemm", [x, graph.node("Reshape", [gain, graph.sizes([width, 1])])], { alpha: 1 / width })
}

/** `mixBits` of random-stream.ts, on int32; only unsigned integers can be shifted. */
function mixBits(graph: GraphBuilder, words: Name): Name {
  const [first, second, third] = mixing.shifts
  const [once, twice] = mixing.multipliers
  const fold = (x: Name, shift: number) => {
    const unsigned = graph.node("Cast", [x], { to: elementTypes.uint32 })
    const shifted = graph.node("BitShift", [unsigned, graph.constant(Uint32Array.of(shift), [])], { direction: "RIGHT" })
    return graph.node("BitwiseXor", [x, graph.node("Cast", [shifted], { to: elementTypes.int32 })])
  }
  const multiplied = graph.node("Mul", [fold(words, first), graph.integer(once)])
  return fold(graph.node("Mul", [fold(multiplied, second), graph.integer(twice)]), third)
}
