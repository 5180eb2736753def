// The kernels of the tracing backend: each takes recorded values, infers the result's shape and records a node. tfjs's many ways to say
// one thing become one operation here.
import * as tf from "@tensorflow/tfjs-core"
import {
  type ArithmeticOperation,
  arithmeticOperations,
  type ComparisonOperation,
  comparisonOperations,
  reductionOperations,
  unaryOperations,
} from "./operations"
import { sameShape, type Value } from "./recording"
import type { TensorSpec } from "./session"
import { checkDataType, type TracingBackend, tracingBackendName } from "./tracing-backend"

type Inputs = Readonly<Record<string, Value>>
// biome-ignore lint/suspicious/noExplicitAny: tfjs checks a kernel's attributes before it calls the kernel
type KernelAttributes = any
type Kernel = (recorder: TracingBackend, inputs: Inputs, attributes: KernelAttributes) => Value | readonly Value[]

const kernels: Record<string, Kernel> = {}

for (const name of unaryOperations) {
  const dtypeOf = (x: Value) => (name === "IsNan" ? "bool" : x.dtype)
  kernels[name] = (recorder, { x }) => recorder.record(name, [x], {}, { shape: x.shape, dtype: dtypeOf(x) })
}

for (const name of [...arithmeticOperations, ...comparisonOperations]) {
  const isComparison = (comparisonOperations as readonly string[]).includes(name)
  kernels[name] = (recorder, { a, b }) => recordBinary(recorder, name, a, b, isComparison ? "bool" : a.dtype)
}

function recordBinary(
  recorder: TracingBackend,
  name: ArithmeticOperation | ComparisonOperation,
  a: Value,
  b: Value,
  dtype: Value["dtype"],
) {
  return recorder.record(name, [a, b], {}, { shape: broadcastShape(a.shape, b.shape), dtype })
}

for (const name of reductionOperations) {
  kernels[name] = (recorder, { x }, { axis, reductionIndices, keepDims = false }) => {
    const axes = tf.util.parseAxisParam(axis ?? reductionIndices, [...x.shape]).sort((a, b) => a - b)
    const kept = x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    const shape = keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis))
    return recorder.record(name, [x], { axes, keepDims }, { shape, dtype: x.dtype })
  }
}

Object.assign(kernels, {
  Identity: (_recorder, { x }) => x,
  Cast: (recorder, { x }, { dtype }) =>
    x.dtype === dtype ? x : recorder.record("Cast", [x], {}, { shape: x.shape, dtype: checkDataType(dtype) }),
  Fill: (recorder, _inputs, { shape, value, dtype }) =>
    recordFill(recorder, Number(value), { shape, dtype: checkDataType(dtype ?? "float32") }),
  ZerosLike: (recorder, { x }) => recordFill(recorder, 0, x),
  OnesLike: (recorder, { x }) => recordFill(recorder, 1, x),
  Range: (recorder, _inputs, { start, stop, step, dtype }) => {
    const count = Math.max(0, Math.ceil((stop - start) / step))
    const numbers = Array.from({ length: count }, (_, index) => start + index * step)
    return recorder.recordConstant(dtype === "int32" ? Int32Array.from(numbers) : Float32Array.from(numbers), [count])
  },
  AddN: (recorder, inputs) => Object.values(inputs).reduce((sum, term) => recordBinary(recorder, "Add", sum, term, sum.dtype)[0]),
  Expm1: (recorder, { x }) => {
    const [exponential] = recorder.record("Exp", [x], {}, x)
    return recorder.record("Sub", [exponential, recordFill(recorder, 1, { shape: [], dtype: "float32" })], {}, x)
  },
  Select: (recorder, { condition, t, e }) => {
    const shape = broadcastShape(broadcastShape(condition.shape, t.shape), e.shape)
    return recorder.record("Select", [condition, t, e], {}, { shape, dtype: t.dtype })
  },
  ClipByValue: (recorder, { x }, { clipValueMin, clipValueMax }) =>
    recorder.record("ClipByValue", [x], { min: clipValueMin, max: clipValueMax }, x),
  Softmax: (recorder, { logits }) => recorder.record("Softmax", [logits], {}, logits),
  Cumsum: (recorder, { x }, { axis, exclusive, reverse }) =>
    recorder.record("Cumsum", [x], { axis, exclusive: !!exclusive, reverse: !!reverse }, x),

  Reshape: (recorder, { x }, { shape }) =>
    recordReshape(recorder, x, tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape([...x.shape]))),
  ExpandDims: (recorder, { input }, { dim }) => {
    const axis = dim < 0 ? dim + input.shape.length + 1 : dim
    return recordReshape(recorder, input, [...input.shape.slice(0, axis), 1, ...input.shape.slice(axis)])
  },
  Transpose: (recorder, { x }, { perm }) =>
    recorder.record("Transpose", [x], { permutation: perm }, { shape: perm.map((axis: number) => x.shape[axis]), dtype: x.dtype }),
  Slice: (recorder, { x }, { begin, size }) => {
    const [begins, sizes] = tf.slice_util.parseSliceParams({ ...x, shape: [...x.shape] } as never, begin, size)
    return recordSlice(recorder, x, begins, sizes)
  },
  StridedSlice: (recorder, { x }, { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask }) => {
    const info = tf.slice_util.sliceInfo([...x.shape], begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask)
    if (info.strides.some((stride) => stride < 1)) throw new Error("StridedSlice with a negative stride is not known to the engines")
    const shape = info.begin.map((from, axis) => Math.max(0, Math.ceil((info.end[axis] - from) / info.strides[axis])))
    const [sliced] = recorder.record("Slice", [x], { begin: info.begin, end: info.end, strides: info.strides }, { shape, dtype: x.dtype })
    return recordReshape(recorder, sliced, info.finalShape)
  },
  SplitV: (recorder, { x }, { numOrSizeSplits, axis }) => {
    const along = tf.util.parseAxisParam(axis, [...x.shape])[0]
    const sizes: number[] = tf.backend_util.prepareSplitSize(tensorLike(x), numOrSizeSplits, along)
    let position = 0
    return sizes.map((length) => {
      const begin = x.shape.map((_, axis) => (axis === along ? position : 0))
      position += length
      return recordSlice(recorder, x, begin, withAxis(x.shape, along, length))
    })
  },
  Unpack: (recorder, { value }, { axis }) => {
    const along = axis < 0 ? axis + value.shape.length : axis
    return Array.from({ length: value.shape[along] }, (_, index) => {
      const begin = value.shape.map((_, axis) => (axis === along ? index : 0))
      const sliced = recordSlice(recorder, value, begin, withAxis(value.shape, along, 1))
      return recordReshape(recorder, sliced, without(value.shape, along))
    })
  },
  Concat: (recorder, inputs, { axis }) => {
    const parts = Object.values(inputs)
    const along = tf.util.parseAxisParam(axis, [...parts[0].shape])[0]
    return recordConcat(recorder, parts, along)
  },
  Pack: (recorder, inputs, { axis }) => {
    const parts = Object.values(inputs)
    const along = axis < 0 ? axis + parts[0].shape.length + 1 : axis
    const shape = [...parts[0].shape.slice(0, along), 1, ...parts[0].shape.slice(along)]
    return recordConcat(
      recorder,
      parts.map((part) => recordReshape(recorder, part, shape)),
      along,
    )
  },
  Tile: (recorder, { x }, { reps }) => {
    const shape = x.shape.map((length, axis) => length * reps[axis])
    if (sameShape(shape, x.shape)) return x
    const isBroadcast = x.shape.every((length, axis) => length === 1 || reps[axis] === 1)
    if (isBroadcast) return recorder.record("BroadcastTo", [x], {}, { shape, dtype: x.dtype })
    return recorder.record("Tile", [x], { repetitions: reps }, { shape, dtype: x.dtype })
  },
  BroadcastTo: (recorder, { x }, { shape }) => recorder.record("BroadcastTo", [x], {}, { shape, dtype: x.dtype }),
  PadV2: (recorder, { x }, { paddings, constantValue }) => {
    const before: number[] = paddings.map(([count]: [number]) => count)
    const after: number[] = paddings.map(([, count]: [number, number]) => count)
    const shape = x.shape.map((length, axis) => before[axis] + length + after[axis])
    return recorder.record("Pad", [x], { before, after, value: constantValue }, { shape, dtype: x.dtype })
  },

  BatchMatMul: (recorder, { a, b }, { transposeA = false, transposeB = false }) => {
    const rows = a.shape.at(transposeA ? -1 : -2)!
    const columns = b.shape.at(transposeB ? -2 : -1)!
    const inner = [a.shape.at(transposeA ? -2 : -1), b.shape.at(transposeB ? -1 : -2)]
    if (inner[0] !== inner[1])
      throw new Error(`matMul of [${a.shape}] and [${b.shape}]: the inner lengths ${inner[0]} and ${inner[1]} differ`)
    const shape = [...broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns]
    return recorder.record("MatMul", [a, b], { transposeA, transposeB, alpha: 1 }, { shape, dtype: "float32" })
  },

  ArgMax: (recorder, { x }, { axis }) => {
    const along = tf.util.parseAxisParam(axis, [...x.shape])[0]
    return recorder.record("ArgMax", [x], { axis: along }, { shape: without(x.shape, along), dtype: "int32" })
  },
  TopK: (recorder, { x }, { k }) => {
    const shape = [...x.shape.slice(0, -1), k]
    return recorder.record("TopK", [x], { k }, { shape, dtype: x.dtype }, { shape, dtype: "int32" })
  },
  GatherV2: (recorder, { x, indices }, { axis, batchDims = 0 }) => {
    if (batchDims !== 0) throw new Error("GatherV2 with batch dimensions is not known to the engines: flatten the batch into the indices")
    const along = tf.util.parseAxisParam(axis, [...x.shape])[0]
    const shape = [...x.shape.slice(0, along), ...indices.shape, ...x.shape.slice(along + 1)]
    return recorder.record("Gather", [x, indices], { axis: along }, { shape, dtype: x.dtype })
  },
  UnsortedSegmentSum: (recorder, { x, segmentIds }, { numSegments }) =>
    recorder.record("SegmentSum", [x, segmentIds], {}, { shape: [numSegments, ...x.shape.slice(1)], dtype: x.dtype }),
  OneHot: (recorder, { indices }, { depth, onValue, offValue, dtype }) =>
    recorder.record(
      "OneHot",
      [indices],
      { depth, onValue, offValue },
      { shape: [...indices.shape, depth], dtype: checkDataType(dtype ?? "int32") },
    ),
  TensorScatterUpdate: (recorder, { tensor, indices, updates }) => recorder.record("ScatterUpdate", [tensor, indices, updates], {}, tensor),

  RmsNorm: (recorder, { x, gain }, { epsilon }) => recorder.record("RmsNorm", [x, gain], { epsilon }, x, perRow(x)),
  RmsNormGrad: (recorder, { dy, x, inverse, gain }) => recorder.record("RmsNormGrad", [dy, x, inverse, gain], {}, dy, gain),
  LayerNorm: (recorder, { x, gain, bias }, { epsilon }) =>
    recorder.record("LayerNorm", [x, gain, bias], { epsilon }, x, perRow(x), perRow(x)),
  LayerNormGrad: (recorder, { dy, x, mean, inverse, gain }) =>
    recorder.record("LayerNormGrad", [dy, x, mean, inverse, gain], {}, dy, gain, gain),
  GeluTanh: (recorder, { x }) => recorder.record("GeluTanh", [x], {}, x, x, x),
  GeluTanhGrad: (recorder, { dy, y, gate, slope }) => recorder.record("GeluTanhGrad", [dy, y, gate, slope], {}, dy),
  GeluErf: (recorder, { x }) => recorder.record("GeluErf", [x], {}, x, x),
  GeluErfGrad: (recorder, { dy, x, gate }) => recorder.record("GeluErfGrad", [dy, x, gate], {}, dy),
  ReluGrad: (recorder, { dy, y }) => recorder.record("ReluGrad", [dy, y], {}, dy),
  SoftmaxCrossEntropy: (recorder, { logits, labels }) =>
    recorder.record("SoftmaxCrossEntropy", [logits, labels], {}, { shape: labels.shape, dtype: "float32" }, logits),
  RandomWords: (recorder, { key }, { offset, count }) =>
    recorder.record("RandomWords", [key], { offset, count }, { shape: [count], dtype: "int32" }),
  DropoutMask: (recorder, { words }, { shape, rate }) => recorder.record("DropoutMask", [words], { rate }, { shape, dtype: "float32" }),
} satisfies Record<string, Kernel>)

function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  return tf.broadcast_util.assertAndGetBroadcastShape([...a], [...b])
}

function recordFill(recorder: TracingBackend, value: number, { shape, dtype }: TensorSpec): Value {
  return recorder.record("Fill", [], { value }, { shape, dtype })[0]
}

function recordReshape(recorder: TracingBackend, x: Value, shape: readonly number[]): Value {
  return sameShape(x.shape, shape) ? x : recorder.record("Reshape", [x], {}, { shape, dtype: x.dtype })[0]
}

function recordSlice(recorder: TracingBackend, x: Value, begin: readonly number[], shape: readonly number[]): Value {
  const end = begin.map((from, axis) => from + shape[axis])
  return recorder.record("Slice", [x], { begin, end, strides: begin.map(() => 1) }, { shape, dtype: x.dtype })[0]
}

function recordConcat(recorder: TracingBackend, parts: readonly Value[], axis: number): Value {
  const length = parts.reduce((sum, part) => sum + part.shape[axis], 0)
  const [first] = parts
  const isFitting = ({ shape }: Value) => sameShape(withAxis(shape, axis, 0), withAxis(first.shape, axis, 0))
  if (!parts.every(isFitting))
    throw new Error(`concat along axis ${axis} of ${parts.map(({ shape }) => `[${shape}]`).join(", ")}: the other axes differ`)
  return recorder.record("Concat", parts, { axis }, { shape: withAxis(first.shape, axis, length), dtype: first.dtype })[0]
}

function perRow(x: Value): TensorSpec {
  return { shape: [x.shape[0], 1], dtype: "float32" }
}

function withAxis(shape: readonly number[], axis: number, length: number): number[] {
  return shape.map((old, index) => (index === axis ? length : old))
}

function without(shape: readonly number[], axis: number): number[] {
  return shape.filter((_, index) => index !== axis)
}

/** For tfjs helpers that ask a tensor for its shape and nothing else. */
function tensorLike(x: Value): tf.Tensor {
  return { shape: [...x.shape], rank: x.shape.length } as unknown as tf.Tensor
}

for (const [kernelName, kernel] of Object.entries(kernels)) {
  tf.registerKernel({
    kernelName,
    backendName: tracingBackendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const recorder = backend as TracingBackend
      const values = Object.fromEntries(Object.entries(inputs).map(([name, info]) => [name, recorder.lookUp(info!)]))
      const result = kernel(recorder, values, attrs ?? {})
      if (!Array.isArray(result)) return recorder.hold(result as Value)
      const infos = (result as readonly Value[]).map((value) => recorder.hold(value))
      return infos.length === 1 && kernelName !== "SplitV" && kernelName !== "Unpack" ? infos[0] : infos
    },
  })
}
