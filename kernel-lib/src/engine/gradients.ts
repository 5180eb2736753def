// Gradients of tfjs's kernels, for tfjs's own automatic differentiation. The Node build of tfjs-core comes without any, and the package that
// has them brings a hundred megabytes of browser backends along. Where that package is loaded, its gradients are left alone.
// Formulas are the usual ones; equal elements of a maximum all get the gradient, as in tfjs.
import * as tf from "@tensorflow/tfjs-core"
import { comparisonOperations } from "./operations"

type Tensor = tf.Tensor
type Gradients = Record<string, () => Tensor>
type Derivative = (dy: Tensor, saved: Tensor[], attributes: tf.NamedAttrMap) => Gradients

interface SavedParts {
  readonly inputs?: readonly string[]
  readonly outputs?: boolean
  readonly allInputs?: boolean
}

function register(kernelName: string, { inputs = [], outputs = false, allInputs = false }: SavedParts, gradFunc: Derivative): void {
  if (tf.getGradient(kernelName)) return
  const saved = { inputsToSave: [...inputs], outputsToSave: [outputs], saveAllInputs: allInputs }
  tf.registerGradient({ kernelName, ...saved, gradFunc: gradFunc as tf.GradFunc })
}

/** dy times the derivative at x, or at y. */
function registerUnary(kernelName: string, saved: "x" | "y", derive: (value: Tensor) => Tensor | number): void {
  register(kernelName, saved === "x" ? { inputs: ["x"] } : { outputs: true }, (dy, [value]) => ({ x: () => tf.mul(dy, derive(value)) }))
}

registerUnary("Abs", "x", (x) => tf.sign(x))
registerUnary("Cos", "x", (x) => tf.neg(tf.sin(x)))
registerUnary("Erf", "x", (x) => tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / Math.sqrt(Math.PI)))
registerUnary("Exp", "y", (y) => y)
registerUnary("Expm1", "x", (x) => tf.exp(x))
registerUnary("Log", "x", (x) => tf.reciprocal(x))
registerUnary("Log1p", "x", (x) => tf.reciprocal(tf.add(x, 1)))
registerUnary("Neg", "y", () => -1)
registerUnary("Reciprocal", "y", (y) => tf.neg(tf.square(y)))
registerUnary("Relu", "y", (y) => tf.step(y))
registerUnary("Rsqrt", "y", (y) => tf.mul(tf.mul(y, tf.square(y)), -0.5))
registerUnary("Sigmoid", "y", (y) => tf.sub(y, tf.square(y)))
registerUnary("Sin", "x", (x) => tf.cos(x))
registerUnary("Softplus", "x", (x) => tf.sigmoid(x))
registerUnary("Sqrt", "y", (y) => tf.div(0.5, y))
registerUnary("Square", "x", (x) => tf.mul(x, 2))
registerUnary("Tanh", "y", (y) => tf.sub(1, tf.square(y)))
for (const name of ["Ceil", "Floor", "IsNan", "LogicalNot", "OnesLike", "Round", "Sign", "Step", "ZerosLike"]) {
  register(name, { inputs: ["x"] }, (_dy, [x]) => ({ x: () => tf.zeros(x.shape) }))
}

/** `da` and `db` before broadcasting is undone. */
function registerBinary(kernelName: string, da: BinaryDerivative, db: BinaryDerivative): void {
  register(kernelName, { inputs: ["a", "b"], outputs: true }, (dy, [a, b, y]) => ({
    a: () => unbroadcast(da(dy, a, b, y), a.shape),
    b: () => unbroadcast(db(dy, a, b, y), b.shape),
  }))
}
type BinaryDerivative = (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => Tensor

registerBinary(
  "Add",
  (dy) => dy,
  (dy) => dy,
)
registerBinary(
  "Sub",
  (dy) => dy,
  (dy) => tf.neg(dy),
)
registerBinary(
  "Multiply",
  (dy, _a, b) => tf.mul(dy, b),
  (dy, a) => tf.mul(dy, a),
)
registerBinary(
  "RealDiv",
  (dy, _a, b) => tf.div(dy, b),
  (dy, _a, b, y) => tf.neg(tf.div(tf.mul(dy, y), b)),
)
registerBinary(
  "SquaredDifference",
  (dy, a, b) => tf.mul(tf.mul(dy, tf.sub(a, b)), 2),
  (dy, a, b) => tf.mul(tf.mul(dy, tf.sub(b, a)), 2),
)
registerBinary(
  "Maximum",
  (dy, a, b) => where(tf.greaterEqual(a, b), dy),
  (dy, a, b) => where(tf.less(a, b), dy),
)
registerBinary(
  "Minimum",
  (dy, a, b) => where(tf.lessEqual(a, b), dy),
  (dy, a, b) => where(tf.greater(a, b), dy),
)
registerBinary(
  "Pow",
  (dy, a, b) => tf.mul(dy, tf.mul(b, tf.pow(a, tf.sub(b, 1)))),
  (dy, a, _b, y) => tf.mul(dy, tf.mul(y, tf.log(tf.where(tf.greater(a, 0), a, tf.onesLike(a))))),
)
for (const name of comparisonOperations) registerBinary(name, zeros, zeros)
register("AddN", { allInputs: true }, (dy, inputs) => Object.fromEntries(inputs.map((_, index) => [index, () => tf.clone(dy)])))

register("BatchMatMul", { inputs: ["a", "b"] }, (dy, [a, b], { transposeA, transposeB }) => ({
  a: () => unbroadcast(transposeA ? tf.matMul(b, dy, !!transposeB, true) : tf.matMul(dy, b, false, !transposeB), a.shape),
  b: () => unbroadcast(transposeB ? tf.matMul(dy, a, true, !!transposeA) : tf.matMul(a, dy, !transposeA, false), b.shape),
}))

register("Sum", { inputs: ["x"] }, (dy, [x], { axis }) => ({ x: () => restoreAxes(dy, x.shape, axis) }))
register("Mean", { inputs: ["x"] }, (dy, [x], { axis }) => ({ x: () => tf.div(restoreAxes(dy, x.shape, axis), x.size / dy.size) }))
for (const name of ["Max", "Min"]) {
  register(name, { inputs: ["x"], outputs: true }, (dy, [x, y], { axis, reductionIndices }) => {
    const axes = axis ?? reductionIndices
    return { x: () => where(tf.equal(x, restoreAxes(y, x.shape, axes)), restoreAxes(dy, x.shape, axes)) }
  })
}
register("Softmax", { outputs: true }, (dy, [y]) => ({ logits: () => tf.mul(y, tf.sub(dy, tf.sum(tf.mul(dy, y), -1, true))) }))
register("Cumsum", {}, (dy, _saved, { axis, exclusive, reverse }) => ({ x: () => tf.cumsum(dy, axis as number, !!exclusive, !reverse) }))
register("ClipByValue", { inputs: ["x"] }, (dy, [x], { clipValueMin, clipValueMax }) => ({
  x: () => where(tf.logicalAnd(tf.greaterEqual(x, clipValueMin as number), tf.lessEqual(x, clipValueMax as number)), dy),
}))
register("Select", { inputs: ["condition"] }, (dy, [condition]) => ({
  condition: () => tf.zeros(condition.shape),
  t: () => where(condition, dy),
  e: () => where(tf.logicalNot(condition), dy),
}))

register("Identity", {}, (dy) => ({ x: () => tf.clone(dy) }))
register("Cast", {}, (dy) => ({ x: () => tf.clone(dy) }))
register("ArgMax", { inputs: ["x"] }, (_dy, [x]) => ({ x: () => tf.zeros(x.shape) }))
register("OneHot", { inputs: ["indices"] }, (_dy, [indices]) => ({ indices: () => tf.zeros(indices.shape) }))
register("Reshape", { inputs: ["x"] }, (dy, [x]) => ({ x: () => tf.reshape(dy, x.shape) }))
register("ExpandDims", { inputs: ["input"] }, (dy, [input]) => ({ input: () => tf.reshape(dy, input.shape) }))
register("Transpose", {}, (dy, _saved, { perm }) => ({
  x: () => tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(perm as number[])),
}))
register("BroadcastTo", { inputs: ["x"] }, (dy, [x]) => ({ x: () => unbroadcast(dy, x.shape) }))
register("Tile", { inputs: ["x"] }, (dy, [x], { reps }) => ({
  x: () => {
    // [copies, length] for each axis, summed over the copies.
    const split = (reps as number[]).flatMap((copies, axis) => [copies, x.shape[axis]])
    const copies = x.shape.map((_, axis) => 2 * axis)
    return tf.sum(tf.reshape(dy, split), copies)
  },
}))
register("Slice", { inputs: ["x"] }, (dy, [x], { begin, size }) => ({
  x: () => {
    const [begins, sizes] = tf.slice_util.parseSliceParams(x, begin as number[], size as number[])
    return tf.pad(
      dy,
      x.shape.map((length, axis): [number, number] => [begins[axis], length - begins[axis] - sizes[axis]]),
    )
  },
}))
register("PadV2", { inputs: ["x"] }, (dy, [x], { paddings }) => ({
  x: () =>
    tf.slice(
      dy,
      (paddings as number[][]).map(([before]) => before),
      x.shape,
    ),
}))
register("Concat", { allInputs: true }, (dy, inputs, { axis }) => {
  const [along] = tf.util.parseAxisParam(axis as number, inputs[0].shape)
  const parts = tf.split(
    dy,
    inputs.map((input) => input.shape[along]),
    along,
  )
  return Object.fromEntries(parts.map((part, index) => [index, () => part]))
})
register("SplitV", {}, (dy, _saved, { axis }) => ({ x: () => tf.concat(dy as unknown as Tensor[], axis as number) }))
register("Pack", { allInputs: true }, (dy, _inputs, { axis }) => {
  return Object.fromEntries(tf.unstack(dy, axis as number).map((part, index) => [index, () => part]))
})
register("Unpack", {}, (dy, _saved, { axis }) => ({ value: () => tf.stack(dy as unknown as Tensor[], axis as number) }))

register("GatherV2", { inputs: ["x", "indices"] }, (dy, [x, indices], { axis }) => ({
  x: () => {
    const [along] = tf.util.parseAxisParam(axis as number, x.shape)
    const rows = tf.reshape(dy, [...x.shape.slice(0, along), indices.size, ...x.shape.slice(along + 1)])
    const order = [along, ...x.shape.map((_, axis) => axis).filter((axis) => axis !== along)]
    const sums = tf.unsortedSegmentSum(tf.transpose(rows, order), tf.reshape(indices, [indices.size]), x.shape[along])
    return tf.transpose(sums, tf.backend_util.getUndoAxesPermutation(order))
  },
  indices: () => tf.zeros(indices.shape),
}))
register("UnsortedSegmentSum", { inputs: ["segmentIds"] }, (dy, [segmentIds]) => ({
  x: () => tf.gather(dy, segmentIds),
  segmentIds: () => tf.zeros(segmentIds.shape),
}))

/** Sums what broadcasting repeated. */
function unbroadcast(dy: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape)
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, shape)
}

/** Repeats a reduced tensor along the axes that are gone. */
function restoreAxes(reduced: Tensor, shape: number[], axis: unknown): Tensor {
  const axes = tf.util.parseAxisParam(axis as number | number[], shape)
  const kept = shape.map((length, index) => (axes.includes(index) ? 1 : length))
  return tf.broadcastTo(tf.reshape(reduced, kept), shape)
}

function zeros(dy: Tensor): Tensor {
  return tf.zeros(dy.shape)
}

/** dy where the condition holds, else 0. */
function where(condition: Tensor, dy: Tensor): Tensor {
  return tf.mul(dy, tf.cast(condition, "float32"))
}
