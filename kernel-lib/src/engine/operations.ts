// The vocabulary of recordings: every operation with its attributes. What an operation means is what tfjs means by the kernel of that
// name; the fused ones at the end are those of layers.ts. Shapes and types of results stand with the results, not among the attributes.
import type { TensorData } from "./tensors"

/** Element by element on one tensor; the result has its shape. */
export const unaryOperations = [
  "Abs",
  "Ceil",
  "Cos",
  "Erf",
  "Exp",
  "Floor",
  "IsNan",
  "Log",
  "Log1p",
  "LogicalNot",
  "Neg",
  "Reciprocal",
  "Relu",
  "Round",
  "Rsqrt",
  "Sigmoid",
  "Sign",
  "Sin",
  "Softplus",
  "Sqrt",
  "Square",
  "Step",
  "Tanh",
] as const

/** Element by element on two tensors that are broadcast to one shape; both have the result's type. */
export const arithmeticOperations = [
  "Add",
  "FloorDiv",
  "Maximum",
  "Minimum",
  "Mod",
  "Multiply",
  "Pow",
  "RealDiv",
  "SquaredDifference",
  "Sub",
] as const

/** The same with a bool result. */
export const comparisonOperations = [
  "Equal",
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "LogicalAnd",
  "LogicalOr",
  "NotEqual",
] as const

/** Over some axes, which then have length 1 or are gone. */
export const reductionOperations = ["All", "Any", "Max", "Mean", "Min", "Prod", "Sum"] as const

export type UnaryOperation = (typeof unaryOperations)[number]
export type ArithmeticOperation = (typeof arithmeticOperations)[number]
export type ComparisonOperation = (typeof comparisonOperations)[number]
export type ReductionOperation = (typeof reductionOperations)[number]

type None = Readonly<Record<string, never>>
type Reduction = { readonly axes: readonly number[]; readonly keepDims: boolean }
type Epsilon = { readonly epsilon: number }

/** Attributes by operation. */
export type Attributes = Record<UnaryOperation | ArithmeticOperation | ComparisonOperation, None> &
  Record<ReductionOperation, Reduction> & {
    /** A tensor that changes from run to run. */
    Input: { readonly name: string }
    /** A tensor that lives in the session's memory: a weight. */
    Parameter: { readonly name: string }
    Constant: { readonly values: TensorData }
    /** A tensor of one value. */
    Fill: { readonly value: number }

    /** To the result's type. */
    Cast: None
    /** To the result's shape, by repetition along axes of length 1. */
    BroadcastTo: None
    /** (condition, where true, where false), broadcast. */
    Select: None
    ClipByValue: { readonly min: number; readonly max: number }
    Softmax: None
    Cumsum: { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean }

    /** To the result's shape. */
    Reshape: None
    Transpose: { readonly permutation: readonly number[] }
    /** `size` is the result's shape before axes are dropped; strides are 1 or more. */
    Slice: { readonly begin: readonly number[]; readonly end: readonly number[]; readonly strides: readonly number[] }
    Concat: { readonly axis: number }
    Tile: { readonly repetitions: readonly number[] }
    Pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number }

    /**
     * alpha * a b, or alpha * a b + bias with a third input [columns] (two axes only). Leading axes are broadcast. With `batchSecond` (three
     * axes only, `transposeA`) the first operand lies [inner, batch, rows]: only passes for ONNX Runtime make it.
     */
    MatMul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly alpha: number; readonly batchSecond?: boolean }

    /** int32. */
    ArgMax: { readonly axis: number }
    /** Values and int32 indices of the k largest of the last axis, largest first. */
    TopK: { readonly k: number }
    Gather: { readonly axis: number }
    /** (values [count, ...], ids int32 [count]) -> [segments, ...]: sums of the rows with the same id. */
    SegmentSum: None
    OneHot: { readonly depth: number; readonly onValue: number; readonly offValue: number }
    /** (target, indices int32 [count, k], rows [count, ...]): target with rows set at the indices. */
    ScatterUpdate: None

    /** (x [rows, width], gain) -> y, inverse [rows, 1], the reciprocal of each row's root mean square. */
    RmsNorm: Epsilon
    /** (dy, x, inverse, gain) -> dx, dgain. */
    RmsNormGrad: None
    /** (x [rows, width], gain, bias) -> y, mean [rows, 1], inverse [rows, 1], the reciprocal of each row's standard deviation. */
    LayerNorm: Epsilon
    /** (dy, x, mean, inverse, gain) -> dx, dgain, dbias. */
    LayerNormGrad: None
    /** x -> y, gate, slope. */
    GeluTanh: None
    /** (dy, y, gate, slope). */
    GeluTanhGrad: None
    /** x -> y, gate. */
    GeluErf: None
    /** (dy, x, gate). */
    GeluErfGrad: None
    /** (dy, y): dy where y > 0. */
    ReluGrad: None
    /** (logits [rows, classes], labels int32 [rows]) -> losses [rows], softmax minus the labels' one-hot rows. */
    SoftmaxCrossEntropy: None
    /** key int32 [2] -> int32 [count], see random-stream.ts. */
    RandomWords: { readonly offset: number; readonly count: number }
    /** words -> 1 where an element is kept, 0 where it is dropped. */
    DropoutMask: { readonly rate: number }
  }

export type OperationName = keyof Attributes
