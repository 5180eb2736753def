// Rules for the operations that come from tfjs: one function each, from a recorded node to StableHLO.
import type { ArithmeticOperation, ComparisonOperation, OperationName, ReductionOperation, UnaryOperation } from "../operations"
import type { RecordedNode } from "../recording"
import { addRows, gather, scatter } from "./emit-places"
import { type ModuleBuilder, type Term, typeOf } from "./module-builder"

/** Adds the operations that compute `node` from `inputs`; answers one term for each result. */
export type Rule<Operation extends OperationName> = (
  module: ModuleBuilder,
  inputs: readonly Term[],
  node: RecordedNode<Operation>,
) => Term | readonly Term[]
export type Rules<Operations extends OperationName> = { readonly [Operation in Operations]: Rule<Operation> }

/** The operation `op` on one tensor. */
function unary(op: string): Rule<UnaryOperation> {
  return (module, [x]) => module.unary(op, x)
}

/** StableHLO has these for floats alone; whole numbers are their own floor. */
function ofFloats(op: string): Rule<UnaryOperation> {
  return (module, [x]) => (x.dtype === "int32" ? x : module.unary(op, x))
}

export const unaryRules: Rules<UnaryOperation> = {
  Abs: unary("abs"),
  Ceil: ofFloats("ceil"),
  Cos: unary("cosine"),
  Erf: (module, [x]) => erf(module, x),
  Exp: unary("exponential"),
  Floor: ofFloats("floor"),
  IsNan: (module, [x]) => module.compare("NE", x, x),
  Log: unary("log"),
  Log1p: unary("log_plus_one"),
  LogicalNot: unary("not"),
  Neg: unary("negate"),
  Reciprocal: (module, [x]) => module.binary("divide", module.fill(1), x, x.shape),
  Relu: (module, [x]) => module.binary("maximum", x, module.fill(0, [], x.dtype)),
  Round: ofFloats("round_nearest_even"),
  Rsqrt: unary("rsqrt"),
  Sigmoid: unary("logistic"),
  Sign: unary("sign"),
  Sin: unary("sine"),
  Softplus: (module, [x]) => {
    const small = module.unary("log_plus_one", module.unary("exponential", module.unary("negate", module.unary("abs", x))))
    return module.binary("add", module.binary("maximum", x, module.fill(0)), small)
  },
  Sqrt: unary("sqrt"),
  Square: (module, [x]) => module.binary("multiply", x, x),
  Step: (module, [x], node) => module.convert(module.compare("GT", x, module.fill(0, [], x.dtype)), node.results[0].dtype),
  Tanh: unary("tanh"),
}

export function erf(module: ModuleBuilder, x: Term): Term {
  return module.add(`chlo.erf ${x.name}`, `${typeOf(x)} -> ${typeOf(x)}`, x.shape, x.dtype)
}

function arithmetic(op: string): Rule<ArithmeticOperation> {
  return (module, [a, b], node) => module.binary(op, a, b, node.results[0].shape)
}

export const arithmeticRules: Rules<ArithmeticOperation> = {
  Add: arithmetic("add"),
  Sub: arithmetic("subtract"),
  Multiply: arithmetic("multiply"),
  RealDiv: arithmetic("divide"),
  Maximum: arithmetic("maximum"),
  Minimum: arithmetic("minimum"),
  Pow: arithmetic("power"),
  SquaredDifference: (module, [a, b], node) => {
    const difference = module.binary("subtract", a, b, node.results[0].shape)
    return module.binary("multiply", difference, difference)
  },
  FloorDiv: (module, [a, b], node) => {
    const { shape } = node.results[0]
    const quotient = module.binary("divide", a, b, shape)
    if (a.dtype !== "int32") return module.unary("floor", quotient)
    // Division of whole numbers rounds towards 0.
    return module.binary("subtract", quotient, module.convert(wrapsAround(module, a, b, shape), "int32"))
  },
  Mod: (module, [a, b], node) => {
    const { shape } = node.results[0]
    const remainder = module.binary("remainder", a, b, shape)
    return module.select(wrapsAround(module, a, b, shape), module.binary("add", remainder, b, shape), remainder)
  },
}

/** Where a is no multiple of b and their signs differ: where rounding down is not rounding towards 0. */
function wrapsAround(module: ModuleBuilder, a: Term, b: Term, shape: readonly number[]): Term {
  const zero = module.fill(0, [], a.dtype)
  const remainder = module.binary("remainder", a, b, shape)
  const differs = module.compare("NE", module.compare("LT", remainder, zero), module.compare("LT", b, zero), shape)
  return module.binary("and", module.compare("NE", remainder, zero), differs)
}

function comparison(direction: string): Rule<ComparisonOperation> {
  return (module, [a, b], node) => module.compare(direction, a, b, node.results[0].shape)
}

export const comparisonRules: Rules<ComparisonOperation> = {
  Equal: comparison("EQ"),
  NotEqual: comparison("NE"),
  Greater: comparison("GT"),
  GreaterEqual: comparison("GE"),
  Less: comparison("LT"),
  LessEqual: comparison("LE"),
  LogicalAnd: (module, [a, b], node) => module.binary("and", a, b, node.results[0].shape),
  LogicalOr: (module, [a, b], node) => module.binary("or", a, b, node.results[0].shape),
}

function reduction(op: string): Rule<ReductionOperation> {
  return (module, [x], node) => module.reduce(op, x, node.attributes.axes, node.attributes.keepDims)
}

export const reductionRules: Rules<ReductionOperation> = {
  Sum: reduction("add"),
  Mean: (module, [x], node) => mean(module, x, node.attributes.axes, node.attributes.keepDims),
  Max: reduction("maximum"),
  Min: reduction("minimum"),
  Prod: reduction("multiply"),
  All: reduction("and"),
  Any: reduction("or"),
}

export function mean(module: ModuleBuilder, x: Term, axes: readonly number[], keepDims: boolean): Term {
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1)
  return module.binary("divide", module.reduce("add", x, axes, keepDims), module.fill(count, [], x.dtype))
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
  Constant: (module, _inputs, node) => module.constant(node.attributes.values, node.results[0].shape),
  Fill: (module, _inputs, node) => module.fill(node.attributes.value, node.results[0].shape, node.results[0].dtype),
  Cast: (module, [x], node) => module.convert(x, node.results[0].dtype),
  BroadcastTo: (module, [x], node) => module.broadcast(x, node.results[0].shape),
  Select: (module, [condition, yes, no], node) => module.select(condition, yes, no, node.results[0].shape),
  ClipByValue: (module, [x], node) => {
    const { min, max } = node.attributes
    const atLeast = module.binary("maximum", x, module.fill(min, [], x.dtype))
    return module.binary("minimum", atLeast, module.fill(max, [], x.dtype))
  },
  Softmax: (module, [x]) => {
    const last = [x.shape.length - 1]
    const exponentials = module.unary("exponential", module.binary("subtract", x, module.reduce("maximum", x, last, true)))
    return module.binary("divide", exponentials, module.reduce("add", exponentials, last, true))
  },
  Cumsum: (module, [x], node) => cumulate(module, x, node.attributes),

  Reshape: (module, [x], node) => module.reshape(x, node.results[0].shape),
  Transpose: (module, [x], node) => module.transpose(x, node.attributes.permutation),
  Slice: (module, [x], node) => module.slice(x, node.attributes.begin, node.attributes.end, node.attributes.strides),
  Concat: (module, inputs, node) => {
    const [{ shape }] = node.results
    const [{ dtype }] = inputs
    const code = `stablehlo.concatenate ${inputs.map(({ name }) => name).join(", ")}, dim = ${node.attributes.axis}`
    return module.add(code, `(${inputs.map(typeOf).join(", ")}) -> ${typeOf({ shape, dtype })}`, shape, dtype)
  },
  Tile: (module, [x], node) => {
    const { repetitions } = node.attributes
    const interleaved = x.shape.flatMap((length, axis) => [repetitions[axis], length])
    const axes = x.shape.map((_, axis) => 2 * axis + 1)
    return module.reshape(module.broadcastAlong(x, axes, interleaved), node.results[0].shape)
  },
  Pad: (module, [x], node) => {
    const { before, after, value } = node.attributes
    return pad(module, x, before, after, module.fill(value, [], x.dtype))
  },

  MatMul: (module, [a, b, bias], node) => {
    const product = multiply(module, a, b, node)
    const scaled = node.attributes.alpha === 1 ? product : module.binary("multiply", product, module.fill(node.attributes.alpha))
    return bias ? module.binary("add", scaled, bias) : scaled
  },

  ArgMax: (module, [x], node) => {
    const { axis } = node.attributes
    const places = module.iota(axis, x.shape)
    const isLargest = module.compare("EQ", x, module.reduce("maximum", x, [axis], true), x.shape)
    const first = module.reduce("minimum", module.select(isLargest, places, module.fill(x.shape[axis], [], "int32"), x.shape), [axis])
    // Among numbers that are none, none is the largest.
    return module.binary("minimum", first, module.fill(x.shape[axis] - 1, [], "int32"))
  },
  TopK: (module, [x], node) => {
    const [values, indices] = node.results
    const types = `(${typeOf({ shape: values.shape, dtype: x.dtype })}, ${typeOf(indices)})`
    return module.addSeveral(`chlo.top_k(${x.name}, k = ${node.attributes.k})`, `${typeOf(x)} -> ${types}`, [
      { shape: values.shape, dtype: x.dtype },
      { shape: indices.shape, dtype: "int32" },
    ])
  },
  Gather: (module, [x, indices], node) => gather(module, x, indices, node.attributes.axis, node.results[0].shape),
  SegmentSum: (module, [rows, ids], node) => addRows(module, module.fill(0, node.results[0].shape, rows.dtype), ids, rows),
  OneHot: (module, [indices], node) => {
    const [{ shape, dtype }] = node.results
    const wanted = module.broadcastAlong(
      indices,
      indices.shape.map((_, axis) => axis),
      shape,
    )
    const isHot = module.compare("EQ", module.iota(shape.length - 1, shape), wanted)
    const { onValue, offValue } = node.attributes
    return module.select(isHot, module.fill(onValue, [], dtype), module.fill(offValue, [], dtype), shape)
  },
  ScatterUpdate: (module, [target, indices, rows]) => {
    const depth = indices.shape[1]
    return scatter(module, { target, indices, rows, axes: Array.from({ length: depth }, (_, axis) => axis) })
  },
}

/** a b of any number of axes; leading ones are broadcast. Factors of bfloat16 give bfloat16. */
export function multiply(module: ModuleBuilder, a: Term, b: Term, node: RecordedNode<"MatMul">): Term {
  const { transposeA, transposeB } = node.attributes
  const [{ shape }] = node.results
  // Rows of any number of axes times one matrix are one product.
  const isPlain = b.shape.length === 2 && !(transposeA && a.shape.length > 2)
  const lead = isPlain ? 0 : shape.length - 2
  const batch = shape.slice(0, lead)
  const spread = (x: Term) => (isPlain ? x : module.broadcast(x, [...batch, ...x.shape.slice(-2)]))
  const [left, right] = [spread(a), spread(b)]
  const [leftRank, rightRank] = [left.shape.length, right.shape.length]
  const contracted = [transposeA ? leftRank - 2 : leftRank - 1, transposeB ? rightRank - 1 : rightRank - 2]
  const axes = Array.from({ length: lead }, (_, axis) => axis).join(", ")
  const batching = lead > 0 ? `batching_dims = [${axes}] x [${axes}], ` : ""
  const precision = left.dtype === "float32" ? `, precision = [${module.dotPrecision}, ${module.dotPrecision}]` : ""
  const contracting = `contracting_dims = [${contracted[0]}] x [${contracted[1]}]`
  const code = `stablehlo.dot_general ${left.name}, ${right.name}, ${batching}${contracting}${precision}`
  const type = `(${typeOf(left)}, ${typeOf(right)}) -> ${typeOf({ shape, dtype: left.dtype })}`
  return module.add(code, type, shape, left.dtype)
}

function pad(module: ModuleBuilder, x: Term, before: readonly number[], after: readonly number[], value: Term): Term {
  const shape = x.shape.map((length, axis) => before[axis] + length + after[axis])
  const between = x.shape.map(() => 0)
  const code = `stablehlo.pad ${x.name}, ${value.name}, low = [${before}], high = [${after}], interior = [${between}]`
  return module.add(code, `(${typeOf(x)}, ${typeOf(value)}) -> ${typeOf({ shape, dtype: x.dtype })}`, shape, x.dtype)
}

/** Sums of neighbours at twice the distance each time: log2(length) passes. */
function cumulate(
  module: ModuleBuilder,
  x: Term,
  { axis, exclusive, reverse }: { axis: number; exclusive: boolean; reverse: boolean },
): Term {
  const length = x.shape[axis]
  const zero = module.fill(0, [], x.dtype)
  const shift = (term: Term, distance: number): Term => {
    const [kept, filled] = [x.shape.map(() => 0), x.shape.map((_, at) => (at === axis ? distance : 0))]
    const begin = x.shape.map((_, at) => (at === axis && reverse ? distance : 0))
    const end = x.shape.map((size, at) => (at === axis && !reverse ? size - distance : size))
    const part = module.slice(term, begin, end)
    return reverse ? pad(module, part, kept, filled, zero) : pad(module, part, filled, kept, zero)
  }
  let sums = exclusive && length > 0 ? shift(x, 1) : x
  for (let distance = 1; distance < length; distance *= 2) sums = module.binary("add", sums, shift(sums, distance))
  return sums
}
