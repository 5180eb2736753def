// Rules for the operations that come from tfjs: one function each, from a recorded node to TensorFlow's operations.
import type { ArithmeticOperation, ComparisonOperation, OperationName, ReductionOperation, UnaryOperation } from "../operations"
import type { RecordedNode, Value } from "../recording"
import type { DataType } from "../tensors"
import { attribute, type GraphBuilder, type Name } from "./graph-builder"
import type { ElementType } from "./graph-format"

/** Adds the operations that compute `node` from `inputs`; answers one name for each result. */
export type Rule<Operation extends OperationName> = (
  graph: GraphBuilder,
  inputs: readonly Name[],
  node: RecordedNode<Operation>,
) => Name | readonly Name[]
export type Rules<Operations extends OperationName> = { readonly [Operation in Operations]: Rule<Operation> }

const indexType = attribute.type("int32")

/** The operation `op`, whose attribute T is the type of the first input. */
function sameName(op: string) {
  return (graph: GraphBuilder, inputs: readonly Name[], node: RecordedNode) => typed(graph, op, inputs, node.inputs[0].dtype)
}

export function typed(graph: GraphBuilder, op: string, inputs: readonly Name[], type: ElementType = "float32"): Name {
  return graph.node(op, inputs, { T: attribute.type(type) })
}

export function cast(graph: GraphBuilder, x: Name, from: ElementType, to: ElementType): Name {
  if (from === to) return x
  return graph.node("Cast", [x], { SrcT: attribute.type(from), DstT: attribute.type(to), Truncate: attribute.flag(false) })
}

/** TensorFlow has these for floats alone; whole numbers are their own floor. */
function ofFloats(op: string): Rule<UnaryOperation> {
  return (graph, [x], node) => (node.results[0].dtype === "int32" ? x : typed(graph, op, [x]))
}

export const unaryRules: Rules<UnaryOperation> = {
  Abs: sameName("Abs"),
  Ceil: ofFloats("Ceil"),
  Cos: sameName("Cos"),
  Erf: sameName("Erf"),
  Exp: sameName("Exp"),
  Floor: ofFloats("Floor"),
  IsNan: sameName("IsNan"),
  Log: sameName("Log"),
  Log1p: sameName("Log1p"),
  LogicalNot: (graph, inputs) => graph.node("LogicalNot", inputs),
  Neg: sameName("Neg"),
  Reciprocal: sameName("Reciprocal"),
  Relu: sameName("Relu"),
  Round: ofFloats("Round"),
  Rsqrt: sameName("Rsqrt"),
  Sigmoid: sameName("Sigmoid"),
  Sign: sameName("Sign"),
  Sin: sameName("Sin"),
  Softplus: sameName("Softplus"),
  Sqrt: sameName("Sqrt"),
  Square: sameName("Square"),
  Step: (graph, [x], node) => {
    const [{ dtype }] = node.inputs
    const isPositive = typed(graph, "Greater", [x, makeNumber(graph, 0, dtype)], dtype)
    return cast(graph, isPositive, "bool", node.results[0].dtype)
  },
  Tanh: sameName("Tanh"),
}

export const arithmeticRules: Rules<ArithmeticOperation> = {
  Add: sameName("AddV2"),
  Sub: sameName("Sub"),
  Multiply: sameName("Mul"),
  RealDiv: sameName("RealDiv"),
  Maximum: sameName("Maximum"),
  Minimum: sameName("Minimum"),
  Pow: sameName("Pow"),
  SquaredDifference: sameName("SquaredDifference"),
  FloorDiv: sameName("FloorDiv"),
  Mod: sameName("FloorMod"),
}

export const comparisonRules: Rules<ComparisonOperation> = {
  Equal: sameName("Equal"),
  NotEqual: sameName("NotEqual"),
  Greater: compareNumbers("Greater"),
  GreaterEqual: compareNumbers("GreaterEqual"),
  Less: compareNumbers("Less"),
  LessEqual: compareNumbers("LessEqual"),
  LogicalAnd: (graph, inputs) => graph.node("LogicalAnd", inputs),
  LogicalOr: (graph, inputs) => graph.node("LogicalOr", inputs),
}

/** bool has no order in TensorFlow. */
function compareNumbers(op: string): Rule<ComparisonOperation> {
  return (graph, inputs, node) => {
    const [{ dtype }] = node.inputs
    const type = dtype === "bool" ? "int32" : dtype
    return typed(
      graph,
      op,
      inputs.map((name) => cast(graph, name, dtype, type)),
      type,
    )
  }
}

export const reductionRules: Rules<ReductionOperation> = {
  Sum: reduce("Sum"),
  Mean: reduce("Mean"),
  Max: reduce("Max"),
  Min: reduce("Min"),
  Prod: reduce("Prod"),
  All: reduce("All"),
  Any: reduce("Any"),
}

function reduce(op: string): Rule<ReductionOperation> {
  return (graph, [x], node) => {
    const { axes, keepDims } = node.attributes
    const type = op === "All" || op === "Any" ? undefined : node.inputs[0].dtype
    return reduceAxes(graph, op, x, axes, keepDims, type)
  }
}

export function reduceAxes(graph: GraphBuilder, op: string, x: Name, axes: readonly number[], keepDims: boolean, type?: ElementType): Name {
  const attributes = { Tidx: indexType, keep_dims: attribute.flag(keepDims), ...(type && { T: attribute.type(type) }) }
  return graph.node(op, [x, graph.sizes(axes)], attributes)
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
    const number = makeNumber(graph, node.attributes.value, dtype)
    if (shape.length === 0) return number
    return graph.node("Fill", [graph.sizes(shape), number], { T: attribute.type(dtype), index_type: indexType })
  },
  Cast: (graph, [x], node) => {
    const [{ dtype: from }] = node.inputs
    const [{ dtype: to }] = node.results
    // As in tfjs, whatever is not 0 is true.
    return to === "bool" && from !== "bool" ? typed(graph, "NotEqual", [x, makeNumber(graph, 0, from)], from) : cast(graph, x, from, to)
  },
  BroadcastTo: (graph, [x], node) => withSizes(graph, "BroadcastTo", x, node.results[0].shape, "Tidx", node.results[0].dtype),
  Select: (graph, inputs, node) => typed(graph, "SelectV2", inputs, node.results[0].dtype),
  ClipByValue: (graph, [x], node) => {
    const [{ dtype }] = node.results
    const { min, max } = node.attributes
    const atLeast = typed(graph, "Maximum", [x, makeNumber(graph, min, dtype)], dtype)
    return typed(graph, "Minimum", [atLeast, makeNumber(graph, max, dtype)], dtype)
  },
  Softmax: sameName("Softmax"),
  Cumsum: (graph, [x], { attributes: { axis, exclusive, reverse }, results: [{ dtype }] }) =>
    graph.node("Cumsum", [x, graph.integer(axis)], {
      T: attribute.type(dtype),
      Tidx: indexType,
      exclusive: attribute.flag(exclusive),
      reverse: attribute.flag(reverse),
    }),

  Reshape: (graph, [x], node) => reshape(graph, x, node.results[0].shape, node.results[0].dtype),
  Transpose: (graph, [x], node) => transpose(graph, x, node.attributes.permutation, node.results[0].dtype),
  Slice: (graph, [x], node) => {
    const { begin, end, strides } = node.attributes
    const type = attribute.type(node.results[0].dtype)
    const { shape } = node.inputs[0]
    if (begin.every((first, axis) => first === 0 && strides[axis] === 1 && end[axis] === shape[axis])) return x
    if (strides.every((stride) => stride === 1)) {
      const size = begin.map((first, axis) => end[axis] - first)
      return graph.node("Slice", [x, graph.sizes(begin), graph.sizes(size)], { T: type, Index: indexType })
    }
    const masks = ["begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"]
    const none = Object.fromEntries(masks.map((mask) => [mask, attribute.integer(0)]))
    const places = [begin, end, strides].map((values) => graph.sizes(values))
    return graph.node("StridedSlice", [x, ...places], { T: type, Index: indexType, ...none })
  },
  Concat: (graph, inputs, node) =>
    inputs.length === 1
      ? inputs[0]
      : graph.node("ConcatV2", [...inputs, graph.integer(node.attributes.axis)], {
          T: attribute.type(node.results[0].dtype),
          Tidx: indexType,
          N: attribute.integer(inputs.length),
        }),
  Tile: (graph, [x], node) => withSizes(graph, "Tile", x, node.attributes.repetitions, "Tmultiples", node.results[0].dtype),
  Pad: (graph, [x], node) => {
    const { before, after, value } = node.attributes
    const [{ dtype }] = node.results
    const widths = graph.constant(Int32Array.from(before.flatMap((width, axis) => [width, after[axis]])), [before.length, 2])
    return graph.node("PadV2", [x, widths, makeNumber(graph, value, dtype)], { T: attribute.type(dtype), Tpaddings: indexType })
  },

  MatMul: (graph, [a, b, bias], node) => {
    const product = multiply(graph, a, b, node, "float32")
    const scaled = node.attributes.alpha === 1 ? product : typed(graph, "Mul", [product, graph.float(node.attributes.alpha)])
    return bias ? typed(graph, "AddV2", [scaled, bias]) : scaled
  },

  ArgMax: (graph, [x], node) =>
    graph.node("ArgMax", [x, graph.integer(node.attributes.axis)], {
      T: attribute.type(node.inputs[0].dtype),
      Tidx: indexType,
      output_type: indexType,
    }),
  TopK: (graph, [x], node) => {
    const values = graph.node("TopKV2", [x, graph.integer(node.attributes.k)], {
      T: attribute.type(node.inputs[0].dtype),
      sorted: attribute.flag(true),
    })
    return [values, `${values}:1`]
  },
  Gather: (graph, inputs, node) =>
    graph.node("GatherV2", [...inputs, graph.integer(node.attributes.axis)], {
      Tparams: attribute.type(node.results[0].dtype),
      Tindices: indexType,
      Taxis: indexType,
      batch_dims: attribute.integer(0),
    }),
  SegmentSum: (graph, inputs, node) =>
    graph.node("UnsortedSegmentSum", [...inputs, graph.integer(node.results[0].shape[0])], {
      T: attribute.type(node.results[0].dtype),
      Tindices: indexType,
      Tnumsegments: indexType,
    }),
  OneHot: (graph, [indices], node) => {
    const { depth, onValue, offValue } = node.attributes
    const [{ dtype }] = node.results
    const numbers = [onValue, offValue].map((value) => makeNumber(graph, value, dtype))
    return graph.node("OneHot", [indices, graph.integer(depth), ...numbers], {
      T: attribute.type(dtype),
      TI: indexType,
      axis: attribute.integer(-1),
    })
  },
  ScatterUpdate: (graph, inputs, node) =>
    graph.node("TensorScatterUpdate", inputs, { T: attribute.type(node.results[0].dtype), Tindices: indexType }),
}

/** a b of any number of axes; leading ones are broadcast. */
export function multiply(graph: GraphBuilder, a: Name, b: Name, node: RecordedNode<"MatMul">, type: ElementType): Name {
  const { transposeA, transposeB } = node.attributes
  const [turnA, turnB] = [attribute.flag(transposeA), attribute.flag(transposeB)]
  const isPlain = node.inputs[0].shape.length === 2 && node.inputs[1].shape.length === 2
  if (isPlain) return graph.node("MatMul", [a, b], { T: attribute.type(type), transpose_a: turnA, transpose_b: turnB })
  return graph.node("BatchMatMulV2", [a, b], { T: attribute.type(type), adj_x: turnA, adj_y: turnB })
}

export function reshape(graph: GraphBuilder, x: Name, shape: readonly number[], type: ElementType = "float32"): Name {
  return withSizes(graph, "Reshape", x, shape, "Tshape", type)
}

export function transpose(graph: GraphBuilder, x: Name, permutation: readonly number[], type: ElementType): Name {
  return withSizes(graph, "Transpose", x, permutation, "Tperm", type)
}

function withSizes(graph: GraphBuilder, op: string, x: Name, sizes: readonly number[], sizesType: string, type: ElementType): Name {
  return graph.node(op, [x, graph.sizes(sizes)], { T: attribute.type(type), [sizesType]: indexType })
}

export function makeNumber(graph: GraphBuilder, value: number, dtype: DataType | Value["dtype"]): Name {
  return graph.constant(dtype === "float32" ? Float32Array.of(value) : dtype === "int32" ? Int32Array.of(value) : Uint8Array.of(value), [])
}
