// Rules for the operations that come from tfjs: one function each, from a recorded node to ONNX operators. Where the runtime has several
// ways, the one that measured fastest with its own graph optimizer switched off.
import { cpus } from "node:os"
import type { ArithmeticOperation, ComparisonOperation, OperationName, ReductionOperation, UnaryOperation } from "../operations"
import { type RecordedNode, sameShape, sizeOf, type Value } from "../recording"
import type { GraphBuilder, Name } from "./graph-builder"
import { elementTypes } from "./model-format"

/** Adds the operators that compute `node` from `inputs`; answers one name for each result. */
export type Rule<Operation extends OperationName> = (
  graph: GraphBuilder,
  inputs: readonly Name[],
  node: RecordedNode<Operation>,
) => Name | readonly Name[]
export type Rules<Operations extends OperationName> = { readonly [Operation in Operations]: Rule<Operation> }

/** Large enough that any value but 0, times this, leaves [0, 1]; a power of two, so that the product is exact. */
export const steep = 2 ** 96

const sameName = (opType: string) => (graph: GraphBuilder, inputs: readonly Name[]) => graph.node(opType, inputs)
const castTo = (graph: GraphBuilder, x: Name, type: keyof typeof elementTypes) => graph.node("Cast", [x], { to: elementTypes[type] })

export const unaryRules: Rules<UnaryOperation> = {
  Abs: sameName("Abs"),
  Ceil: (graph, [x], node) => (node.results[0].dtype === "int32" ? x : graph.node("Ceil", [x])),
  Cos: sameName("Cos"),
  Erf: sameName("Erf"),
  Exp: sameName("Exp"),
  Floor: (graph, [x], node) => (node.results[0].dtype === "int32" ? x : graph.node("Floor", [x])),
  IsNan: sameName("IsNaN"),
  Log: sameName("Log"),
  Log1p: (graph, [x]) => graph.node("Log", [graph.node("Add", [x, graph.float(1)])]),
  LogicalNot: sameName("Not"),
  Neg: sameName("Neg"),
  Reciprocal: sameName("Reciprocal"),
  Relu: sameName("Relu"),
  Round: (graph, [x], node) => (node.results[0].dtype === "int32" ? x : graph.node("Round", [x])),
  Rsqrt: (graph, [x]) => graph.node("Reciprocal", [graph.node("Sqrt", [x])]),
  Sigmoid: sameName("Sigmoid"),
  Sign: sameName("Sign"),
  Sin: sameName("Sin"),
  Softplus: sameName("Softplus"),
  Sqrt: sameName("Sqrt"),
  Square: (graph, [x]) => graph.node("Mul", [x, x]),
  Step: (graph, [x], node) => {
    if (node.results[0].dtype === "float32") return positiveMask(graph, x)
    return castTo(graph, graph.node("Greater", [x, graph.integer(0)]), "int32")
  },
  Tanh: sameName("Tanh"),
}

/** 1 where x > 0, else 0: clamp(steep x, 0, 1) runs on all threads; Sign, and Greater with Cast, run on one. */
export function positiveMask(graph: GraphBuilder, x: Name): Name {
  return graph.node("HardSigmoid", [x], { alpha: steep, beta: 0 })
}

export const arithmeticRules: Rules<ArithmeticOperation> = {
  Add: sameName("Add"),
  Sub: sameName("Sub"),
  Multiply: sameName("Mul"),
  RealDiv: sameName("Div"),
  Maximum: sameName("Max"),
  Minimum: sameName("Min"),
  Pow: sameName("Pow"),
  SquaredDifference: (graph, inputs) => {
    const difference = graph.node("Sub", inputs)
    return graph.node("Mul", [difference, difference])
  },
  FloorDiv: (graph, [a, b], node) => {
    if (node.results[0].dtype === "float32") return graph.node("Floor", [graph.node("Div", [a, b])])
    const quotient = graph.node("Div", [castTo(graph, a, "float64"), castTo(graph, b, "float64")])
    return castTo(graph, graph.node("Floor", [quotient]), "int32")
  },
  Mod: (graph, [a, b], node) => {
    if (node.results[0].dtype === "int32") return graph.node("Mod", [a, b])
    const whole = graph.node("Floor", [graph.node("Div", [a, b])])
    return graph.node("Sub", [a, graph.node("Mul", [whole, b])])
  },
}

export const comparisonRules: Rules<ComparisonOperation> = {
  Equal: sameName("Equal"),
  NotEqual: (graph, inputs) => graph.node("Not", [graph.node("Equal", inputs)]),
  Greater: compareNumbers("Greater"),
  GreaterEqual: compareNumbers("GreaterOrEqual"),
  Less: compareNumbers("Less"),
  LessEqual: compareNumbers("LessOrEqual"),
  LogicalAnd: sameName("And"),
  LogicalOr: sameName("Or"),
}

/** bool has no order in ONNX. */
function compareNumbers(opType: string): Rule<ComparisonOperation> {
  return (graph, inputs, node) =>
    graph.node(
      opType,
      inputs.map((name, index) => (node.inputs[index].dtype === "bool" ? castTo(graph, name, "int32") : name)),
    )
}

export const reductionRules: Rules<ReductionOperation> = {
  Sum: (graph, [x], node) => {
    const { shape } = node.inputs[0]
    const { axes } = node.attributes
    const isLeading = axes.length < shape.length && axes.every((axis, index) => axis === index)
    if (!isLeading || node.results[0].dtype !== "float32") return reduce(graph, "ReduceSum", x, node)
    const rows = sizeOf(shape.slice(0, axes.length))
    const flat = shape.length === 2 ? x : graph.node("Reshape", [x, graph.sizes([rows, sizeOf(shape) / rows])])
    return sumRows(graph, flat, rows, node.results[0].shape)
  },
  Mean: (graph, [x], node) => reduce(graph, "ReduceMean", x, node),
  Max: (graph, [x], node) => reduce(graph, "ReduceMax", x, node),
  Min: (graph, [x], node) => reduce(graph, "ReduceMin", x, node),
  Prod: (graph, [x], node) => reduce(graph, "ReduceProd", x, node),
  All: (graph, [x], node) => castTo(graph, reduce(graph, "ReduceMin", castTo(graph, x, "int32"), node), "bool"),
  Any: (graph, [x], node) => castTo(graph, reduce(graph, "ReduceMax", castTo(graph, x, "int32"), node), "bool"),
}

function reduce(graph: GraphBuilder, opType: string, x: Name, node: RecordedNode<ReductionOperation>): Name {
  const { axes, keepDims } = node.attributes
  // Without axes ONNX reduces all of them.
  return axes.length === 0 ? x : graph.node(opType, [x, graph.sizes(axes)], { keepdims: Number(keepDims) })
}

/** Sums of columns, as a product with a row of ones: 2.4 times as fast as ReduceSum over the first axis. */
export function sumRows(graph: GraphBuilder, x: Name, rows: number, shape: readonly number[]): Name {
  const ones = graph.constant(new Float32Array(rows).fill(1), [1, rows])
  return graph.node("Reshape", [graph.node("MatMul", [ones, x]), graph.sizes(shape)])
}

type OtherOperation =
  | "Constant"
  | "Fill"
  | "Cast"
  | "BroadcastTo"
  | "Select"
  | "ClipByValue"
  | "Softmax"
  | "Cumsum"
  | "Reshape"
  | "Transpose"
  | "Slice"
  | "Concat"
  | "Tile"
  | "Pad"
  | "MatMul"
  | "ArgMax"
  | "TopK"
  | "Gather"
  | "SegmentSum"
  | "OneHot"
  | "ScatterUpdate"

export const tensorRules: Rules<OtherOperation> = {
  Constant: (graph, _inputs, node) => graph.constant(node.attributes.values, node.results[0].shape),
  Fill: (graph, _inputs, node) => {
    const [{ shape, dtype }] = node.results
    const number = makeNumber(graph, node.attributes.value, dtype, sizeOf(shape) === 1 ? shape : [])
    return sizeOf(shape) === 1 ? number : graph.node("Expand", [number, graph.sizes(shape)])
  },
  Cast: (graph, [x], node) => castTo(graph, x, node.results[0].dtype),
  BroadcastTo: (graph, [x], node) => graph.node("Expand", [x, graph.sizes(node.results[0].shape)]),
  Select: (graph, [condition, yes, no], node) => {
    if (node.results[0].dtype !== "bool") return graph.node("Where", [condition, yes, no])
    return castTo(graph, graph.node("Where", [condition, castTo(graph, yes, "int32"), castTo(graph, no, "int32")]), "bool")
  },
  ClipByValue: (graph, [x], node) => {
    const [{ dtype }] = node.results
    const { min, max } = node.attributes
    return graph.node("Clip", [x, makeNumber(graph, min, dtype, []), makeNumber(graph, max, dtype, [])])
  },
  Softmax: (graph, [x], node) => {
    const isMasked = sourceOf(node.inputs[0]).operation !== "MatMul"
    return isMasked ? softmax(graph, x) : graph.node("Softmax", [x], { axis: -1 })
  },
  Cumsum: (graph, [x], { attributes: { axis, exclusive, reverse } }) =>
    graph.node("CumSum", [x, graph.integer(axis)], { exclusive: Number(exclusive), reverse: Number(reverse) }),

  Reshape: (graph, [x], node) => graph.reshape(x, node.inputs[0].shape, node.results[0].shape),
  Transpose: (graph, [x], node) => transpose(graph, x, node.inputs[0].shape, node.attributes.permutation),
  Slice: (graph, [x], node) => {
    const { begin, end, strides } = node.attributes
    const axes = begin
      .map((_, axis) => axis)
      .filter((axis) => begin[axis] !== 0 || strides[axis] !== 1 || end[axis] !== node.inputs[0].shape[axis])
    if (axes.length === 0) return x
    const pick = (values: readonly number[]) => graph.sizes(axes.map((axis) => values[axis]))
    return graph.node("Slice", [x, pick(begin), pick(end), graph.sizes(axes), pick(strides)])
  },
  Concat: (graph, inputs, node) => graph.node("Concat", inputs, { axis: node.attributes.axis }),
  Tile: (graph, [x], node) => graph.node("Tile", [x, graph.sizes(node.attributes.repetitions)]),
  Pad: (graph, [x], node) => {
    const { before, after, value } = node.attributes
    return graph.node("Pad", [x, graph.sizes([...before, ...after]), makeNumber(graph, value, node.results[0].dtype, [])])
  },

  MatMul: (graph, inputs, node) => {
    const { transposeA, transposeB, alpha, batchSecond = false } = node.attributes
    const [a, b] = node.inputs
    const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha }
    if (batchSecond) return graph.runtimeNode("FusedMatMul", inputs, { ...attributes, transBatchA: 1 })
    if (a.shape.length === 2 && b.shape.length === 2) return graph.node("Gemm", inputs, attributes)
    if (!transposeA && !transposeB && alpha === 1) return graph.node("MatMul", inputs)
    return graph.runtimeNode("FusedMatMul", inputs, attributes)
  },

  ArgMax: (graph, [x], node) => castTo(graph, graph.node("ArgMax", [x], { axis: node.attributes.axis, keepdims: 0 }), "int32"),
  TopK: (graph, [x], node) => {
    const [values, indices] = graph.nodeWithResults(2, "TopK", [x, graph.sizes([node.attributes.k])], { axis: -1 })
    return [values, castTo(graph, indices, "int32")]
  },
  Gather: (graph, inputs, node) => graph.node("Gather", inputs, { axis: node.attributes.axis }),
  SegmentSum: (graph, [x, ids], node) => {
    const [{ shape, dtype }] = node.results
    const zeros = graph.node("Expand", [makeNumber(graph, 0, dtype, []), graph.sizes(shape)])
    const places = castTo(graph, graph.node("Reshape", [ids, graph.sizes([-1, 1])]), "int64")
    return graph.node("ScatterND", [zeros, places, x], { reduction: "add" })
  },
  OneHot: (graph, [indices], node) => {
    // ONNX's OneHot counts negative indices from the end; tfjs has no hot element there.
    const { depth, onValue, offValue } = node.attributes
    const [{ dtype }] = node.results
    const columns = graph.node("Reshape", [indices, graph.sizes([...node.inputs[0].shape, 1])])
    const isHot = graph.node("Equal", [
      columns,
      graph.constant(
        Int32Array.from({ length: depth }, (_, index) => index),
        [depth],
      ),
    ])
    if (dtype === "bool") return isHot
    return graph.node("Where", [isHot, makeNumber(graph, onValue, dtype, []), makeNumber(graph, offValue, dtype, [])])
  },
  ScatterUpdate: (graph, [target, indices, rows]) => graph.node("ScatterND", [target, castTo(graph, indices, "int64"), rows]),
}

/** The node that computed the numbers of `value`, whatever its shape. */
function sourceOf({ producer }: Value): RecordedNode {
  return producer.operation === "Reshape" ? sourceOf(producer.inputs[0]) : producer
}

/** Over the last axis, without denormal numbers where those are slow. */
export function softmax(graph: GraphBuilder, x: Name): Name {
  return graph.node("Softmax", [hasSlowDenormals ? liftTiny(graph, x) : x], { axis: -1 })
}

/** Intel's cores take over a hundred cycles for an operation on numbers below 1.2e-38, which is what the runtime's softmax makes of a mask. */
const hasSlowDenormals = /intel/i.test(cpus()[0]?.model ?? "")
const smallestExponent = 60

/** Scores more than 60 below their row's largest, at that: e^-60 counts for nothing, and stays a normal number through the backward pass. */
function liftTiny(graph: GraphBuilder, x: Name): Name {
  const largest = graph.node("ReduceMax", [x, graph.sizes([-1])], { keepdims: 1 })
  return graph.node("Max", [x, graph.node("Sub", [largest, graph.float(smallestExponent)])])
}

function makeNumber(graph: GraphBuilder, value: number, dtype: Value["dtype"], shape: readonly number[]): Name {
  return graph.constant(
    dtype === "float32" ? Float32Array.of(value) : dtype === "int32" ? Int32Array.of(value) : Uint8Array.of(value),
    shape,
  )
}

/** Axes of length 1 are dropped on the way: the runtime is fast only where one axis moves. */
function transpose(graph: GraphBuilder, x: Name, shape: readonly number[], permutation: readonly number[]): Name {
  const kept = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1)
  if (kept.length === shape.length) return graph.node("Transpose", [x], { perm: permutation })
  const result = permutation.map((axis) => shape[axis])
  const order = permutation.filter((axis) => shape[axis] !== 1).map((axis) => kept.indexOf(axis))
  const isMoving = !sameShape(
    order,
    order.slice().sort((a, b) => a - b),
  )
  if (!isMoving) return graph.reshape(x, shape, result)
  const narrowShape = kept.map((axis) => shape[axis])
  const moved = graph.node("Transpose", [graph.reshape(x, shape, narrowShape)], { perm: order })
  return graph.reshape(
    moved,
    order.map((axis) => narrowShape[axis]),
    result,
  )
}
