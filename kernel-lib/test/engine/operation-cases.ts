// Functions of tfjs and layers with random arguments, for tests that compare engines or derivatives. Together they use every operation
// that the emitter knows.
import * as tf from "@tensorflow/tfjs-core"
import fc from "fast-check"
import { Random } from "../../src/core/random"
import { embed, gelu, layerNorm, linear, relu, rmsNorm, scatterRows, silu, softmaxCrossEntropy } from "../../src/engine"
import { sizeOf } from "../../src/engine/recording"
import type { NamedValues, TensorValue } from "../../src/engine/session"

type Tensors = Record<string, tf.Tensor>

export interface OperationCase {
  readonly name: string
  /** Random arguments; float32 ones are differentiated unless `isSmooth` is false. */
  readonly makeInputs: (draw: Draw) => Record<string, TensorValue>
  readonly compute: (inputs: Tensors) => tf.Tensor
  /** Whether a small change of the arguments changes the result by as little. */
  readonly isSmooth: boolean
}

/** Sizes and a stream of numbers: equal draws give equal cases. */
export interface Draw {
  readonly rows: number
  readonly columns: number
  readonly depth: number
  readonly random: Random
}

// The same cases in every run.
fc.configureGlobal({ seed: 20 })

export const draws = fc
  .record({
    rows: fc.integer({ min: 1, max: 5 }),
    columns: fc.integer({ min: 2, max: 7 }),
    depth: fc.integer({ min: 1, max: 4 }),
    seed: fc.integer(),
  })
  .map(({ seed, ...sizes }): Draw => ({ ...sizes, random: new Random(seed) }))

/** Uniform in [low, high), at least 0.05 away from 0 and from other numbers' halves, so that kinks are not hit. */
export function floats({ random }: Draw, shape: number[], low = -2, high = 2): TensorValue {
  const draw = () => low + (high - low) * random.next()
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => awayFromKinks(draw())) }
}

function awayFromKinks(x: number): number {
  return Math.abs(x) < 0.05 ? (x < 0 ? -0.05 : 0.05) : x
}

export function integers({ random }: Draw, shape: number[], limit: number): TensorValue {
  return { shape, data: Int32Array.from({ length: sizeOf(shape) }, () => random.integer(limit)) }
}

export function bools({ random }: Draw, shape: number[]): TensorValue {
  return { shape, data: Uint8Array.from({ length: sizeOf(shape) }, () => random.integer(2)) }
}

const cases: OperationCase[] = []

function add(name: string, makeInputs: OperationCase["makeInputs"], compute: OperationCase["compute"], isSmooth = true): void {
  cases.push({ name, makeInputs, compute, isSmooth })
}

const matrix = (draw: Draw) => ({ x: floats(draw, [draw.rows, draw.columns]) })
const positive = (draw: Draw) => ({ x: floats(draw, [draw.rows, draw.columns], 0.2, 3) })
const cube = (draw: Draw) => ({ x: floats(draw, [draw.depth, draw.rows, draw.columns]) })

for (const [name, operation] of Object.entries({
  abs: tf.abs,
  cos: tf.cos,
  erf: tf.erf,
  exp: tf.exp,
  neg: tf.neg,
  relu: tf.relu,
  sigmoid: tf.sigmoid,
  sin: tf.sin,
  softplus: tf.softplus,
  square: tf.square,
  tanh: tf.tanh,
  softmax: tf.softmax,
  logSoftmax: tf.logSoftmax,
  expm1: tf.expm1,
})) {
  add(name, matrix, ({ x }) => operation(x))
}
for (const [name, operation] of Object.entries({ log: tf.log, log1p: tf.log1p, reciprocal: tf.reciprocal, rsqrt: tf.rsqrt, sqrt: tf.sqrt }))
  add(name, positive, ({ x }) => operation(x))
for (const [name, operation] of Object.entries({ ceil: tf.ceil, floor: tf.floor, round: tf.round, sign: tf.sign, step: tf.step }))
  add(name, matrix, ({ x }) => operation(x), false)
add("isNaN", matrix, ({ x }) => tf.isNaN(tf.log(x)), false)
add("clipByValue", matrix, ({ x }) => tf.clipByValue(x, -1.01, 1.02), false)
add("prelu by select", matrix, ({ x }) => tf.where(tf.greater(x, 0), x, tf.mul(x, 0.1)))

const pair = (draw: Draw) => ({ a: floats(draw, [draw.rows, draw.columns]), b: floats(draw, [draw.rows, draw.columns], 0.3, 3) })
const broadcastPairs: [string, (draw: Draw) => { a: TensorValue; b: TensorValue }][] = [
  ["", pair],
  [" with a row", (draw) => ({ a: floats(draw, [draw.rows, draw.columns]), b: floats(draw, [draw.columns], 0.3, 3) })],
  [" with a column", (draw) => ({ a: floats(draw, [draw.rows, 1]), b: floats(draw, [draw.depth, draw.rows, draw.columns], 0.3, 3) })],
  [" with a number", (draw) => ({ a: floats(draw, [draw.rows, draw.columns]), b: floats(draw, [], 0.3, 3) })],
]
for (const [suffix, inputs] of broadcastPairs) {
  for (const [name, operation] of Object.entries({
    add: tf.add,
    sub: tf.sub,
    mul: tf.mul,
    div: tf.div,
    squaredDifference: tf.squaredDifference,
  }))
    add(name + suffix, inputs, ({ a, b }) => operation(a, b))
  for (const [name, operation] of Object.entries({ maximum: tf.maximum, minimum: tf.minimum }))
    add(name + suffix, inputs, ({ a, b }) => operation(a, b), false)
}
add(
  "pow",
  (draw) => ({ a: floats(draw, [draw.rows], 0.3, 2), b: floats(draw, [draw.rows], -1, 2) }),
  ({ a, b }) => tf.pow(a, b),
)
add("addN", pair, ({ a, b }) => tf.addN([a, b, a]))
add("mod", pair, ({ a, b }) => tf.mod(a, b), false)
add("floorDiv", pair, ({ a, b }) => tf.floorDiv(a, b), false)
const int = (value: number) => tf.scalar(value, "int32")
const integerPair = (draw: Draw) => ({ a: integers(draw, [draw.rows], 40), b: integers(draw, [draw.rows], 6) })
add("int32 arithmetic", integerPair, ({ a, b }) => tf.sub(tf.mul(tf.sub(a, int(20)), tf.add(b, int(1))), tf.maximum(a, b)), false)
add("int32 mod", integerPair, ({ a, b }) => tf.mod(tf.sub(a, int(20)), tf.add(b, int(1))), false)
add("int32 floorDiv", integerPair, ({ a, b }) => tf.floorDiv(tf.sub(a, int(20)), tf.add(b, int(1))), false)
for (const [name, operation] of Object.entries({
  equal: tf.equal,
  notEqual: tf.notEqual,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
})) {
  add(name, integerPair, ({ a, b }) => operation(tf.floorDiv(a, int(6)), b), false)
  add(`${name} of floats`, pair, ({ a, b }) => operation(a, b), false)
}
const boolPair = (draw: Draw) => ({ a: bools(draw, [draw.rows, draw.columns]), b: bools(draw, [draw.columns]) })
add("logicalAnd", boolPair, ({ a, b }) => tf.logicalAnd(a, b), false)
add("logicalOr", boolPair, ({ a, b }) => tf.logicalOr(tf.logicalNot(a), b), false)
add("greater of bools", boolPair, ({ a, b }) => tf.greater(a, b), false)
add("where of bools", boolPair, ({ a, b }) => tf.where(a, b, tf.logicalNot(tf.logicalAnd(a, b))), false)
add(
  "cast",
  (draw) => ({ a: bools(draw, [draw.rows]), b: integers(draw, [draw.rows], 9) }),
  ({ a, b }) => tf.add(tf.cast(a, "float32"), tf.cast(b, "float32")),
  false,
)
add("cast to int32 and bool", matrix, ({ x }) => tf.cast(tf.cast(tf.cast(x, "int32"), "bool"), "int32"), false)

for (const [axes, label] of [
  [[0], "first"],
  [[1], "middle"],
  [[-1], "last"],
  [[0, 1], "first two"],
  [[0, 2], "outer"],
] as [number[], string][]) {
  add(`sum over the ${label} axes`, cube, ({ x }) => tf.sum(x, axes))
  add(`mean over the ${label} axes`, cube, ({ x }) => tf.mean(x, axes, true))
  add(`max over the ${label} axes`, cube, ({ x }) => tf.max(x, axes), false)
  add(`min over the ${label} axes`, cube, ({ x }) => tf.min(x, axes, true), false)
}
add("sum of everything", cube, ({ x }) => tf.sum(x))
add(
  "sum of int32",
  (draw) => ({ x: integers(draw, [draw.rows, draw.columns], 9) }),
  ({ x }) => tf.sum(x, 0),
  false,
)
add("prod", cube, ({ x }) => tf.prod(tf.clipByValue(x, 0.5, 1.5), 1), false)
add(
  "all",
  (draw) => ({ x: bools(draw, [draw.rows, draw.columns]) }),
  ({ x }) => tf.all(x, 1),
  false,
)
add(
  "any",
  (draw) => ({ x: bools(draw, [draw.rows, draw.columns]) }),
  ({ x }) => tf.any(x, 0),
  false,
)
add("cumsum", cube, ({ x }) => tf.cumsum(x, 1, true, true))
add("argMax", cube, ({ x }) => tf.argMax(x, 1), false)
add("topk values", cube, ({ x }) => tf.topk(x, 2).values, false)
add("topk indices", cube, ({ x }) => tf.topk(x, 2).indices, false)

add("reshape", cube, ({ x }) => tf.reshape(x, [-1, x.shape[0]]))
add("expandDims and squeeze", cube, ({ x }) => tf.squeeze(tf.expandDims(x, 1), [1]))
add("transpose", cube, ({ x }) => tf.transpose(x, [2, 0, 1]))
add(
  "transpose of heads",
  (draw) => ({ x: floats(draw, [draw.rows, draw.depth, 2, 1]) }),
  ({ x }) => tf.transpose(x, [0, 2, 1, 3]),
)
add("slice", cube, ({ x }) => tf.slice(x, [0, 0, 1], [-1, -1, x.shape[2]! - 1]))
add("stridedSlice", cube, ({ x }) => tf.stridedSlice(x, [0, 0, 0], x.shape, [1, 2, 2]), false)
add(
  "split",
  (draw) => ({ x: floats(draw, [draw.rows, 6]) }),
  ({ x }) => tf.mul(...(tf.split(x, 2, 1) as [tf.Tensor, tf.Tensor])),
)
add(
  "unstack",
  (draw) => ({ x: floats(draw, [draw.rows, 3]) }),
  ({ x }) => tf.unstack(x, 1).reduce((product, part) => tf.mul(product, part)),
)
add("stack", pair, ({ a, b }) => tf.stack([a, b, a], 1))
add("concat", pair, ({ a, b }) => tf.concat([a, tf.square(b), a], 1))
add("tile", matrix, ({ x }) => tf.tile(x, [2, 3]))
add(
  "broadcastTo",
  (draw) => ({ x: floats(draw, [draw.rows, 1]) }),
  ({ x }) => tf.tanh(tf.broadcastTo(x, [2, x.shape[0]!, 3])),
)
add("pad", matrix, ({ x }) =>
  tf.pad(
    x,
    [
      [1, 0],
      [2, 1],
    ],
    0.5,
  ),
)
add("range and fill", matrix, ({ x }) => tf.add(tf.mul(x, tf.range(0, x.shape[1]!)), tf.fill(x.shape, 0.25)))
add("zerosLike and onesLike", matrix, ({ x }) => tf.add(tf.onesLike(x), tf.zerosLike(x)), false)

const matrices = (transposeA: boolean, transposeB: boolean, batch: (draw: Draw) => [number[], number[]]) => (draw: Draw) => {
  const [left, right] = batch(draw)
  const [m, k, n] = [draw.rows, draw.columns, draw.depth + 1]
  return { a: floats(draw, [...left, ...(transposeA ? [k, m] : [m, k])]), b: floats(draw, [...right, ...(transposeB ? [n, k] : [k, n])]) }
}
for (const transposeA of [false, true]) {
  for (const transposeB of [false, true]) {
    const suffix = `${transposeA ? " a'" : " a"}${transposeB ? " b'" : " b"}`
    const product = ({ a, b }: Tensors) => tf.matMul(a, b, transposeA, transposeB)
    add(
      `matMul${suffix}`,
      matrices(transposeA, transposeB, () => [[], []]),
      product,
    )
    add(
      `matMul of batches${suffix}`,
      matrices(transposeA, transposeB, ({ depth }) => [
        [depth, 2],
        [depth, 2],
      ]),
      product,
    )
    add(
      `matMul of broadcast batches${suffix}`,
      matrices(transposeA, transposeB, ({ depth }) => [
        [depth, 2],
        [1, 2],
      ]),
      product,
    )
  }
}
add(
  "gather",
  (draw) => ({ x: floats(draw, [draw.columns, 3]), ids: integers(draw, [draw.rows, 2], draw.columns) }),
  ({ x, ids }) => tf.gather(x, ids),
)
add(
  "gather columns",
  (draw) => ({ x: floats(draw, [3, draw.columns]), ids: integers(draw, [draw.rows], draw.columns) }),
  ({ x, ids }) => tf.gather(x, ids, 1),
)
add(
  "unsortedSegmentSum",
  (draw) => ({ x: floats(draw, [draw.rows, 3]), ids: integers(draw, [draw.rows], 4) }),
  ({ x, ids }) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 4),
)
add(
  "oneHot",
  (draw) => ({ ids: integers(draw, [draw.rows, 2], 7) }),
  ({ ids }) => tf.oneHot(tf.sub(ids, int(1)), 5),
  false,
)
add(
  "oneHot of floats",
  (draw) => ({ ids: integers(draw, [draw.rows], 5) }),
  ({ ids }) => tf.oneHot(ids, 5, 0.9, 0.1, "float32"),
  false,
)

const normInputs = (draw: Draw) => {
  const width = draw.columns + 3
  return { x: floats(draw, [draw.depth, draw.rows, width]), gain: floats(draw, [width], 0.5, 1.5), bias: floats(draw, [width]) }
}
add("rmsNorm", normInputs, ({ x, gain, bias }) => tf.mul(rmsNorm(x, gain), bias))
add("layerNorm", normInputs, ({ x, gain, bias }) => layerNorm(x, gain, bias))
add("gelu tanh", cube, ({ x }) => gelu(x))
add("gelu erf", cube, ({ x }) => gelu(x, "erf"))
add("relu layer", cube, ({ x }) => relu(x))
add("silu", cube, ({ x }) => silu(x))
add(
  "linear",
  (draw) => ({ x: floats(draw, [2, draw.rows, draw.columns]), w: floats(draw, [draw.columns, 3]), b: floats(draw, [3]) }),
  ({ x, w, b }) => linear(x, w, b),
)
add(
  "linear with transposed weight",
  (draw) => ({ x: floats(draw, [draw.rows, draw.columns]), w: floats(draw, [3, draw.columns]) }),
  ({ x, w }) => linear(x, w, undefined, { transposeWeight: true }),
)
add(
  "embed",
  (draw) => ({ table: floats(draw, [draw.columns, 3]), ids: integers(draw, [2, draw.rows], draw.columns) }),
  ({ table, ids }) => embed(table, ids),
)
add(
  "softmaxCrossEntropy",
  (draw) => ({ logits: floats(draw, [2, draw.rows, 5]), labels: integers(draw, [2, draw.rows], 5) }),
  ({ logits, labels }) => softmaxCrossEntropy(logits, labels),
)
add(
  "softmaxCrossEntropy with ignored labels",
  (draw) => ({ logits: floats(draw, [3, draw.columns]), labels: { shape: [3], data: Int32Array.of(-1, 1, -1) } }),
  ({ logits, labels }) => softmaxCrossEntropy(logits, labels, { ignoreIndex: -1 }),
)
add(
  "scatterRows",
  (draw) => {
    const slots = Array.from({ length: draw.rows }, (_, row) => [row % 2, 0, row]).flat()
    return {
      cache: floats(draw, [2, 1, draw.rows, 3]),
      slots: { shape: [draw.rows, 3], data: Int32Array.from(slots) },
      rows: floats(draw, [draw.rows, 3]),
    }
  },
  ({ cache, slots, rows }) => scatterRows(cache, slots, rows),
  false,
)
add(
  "attention",
  (draw) => ({
    q: floats(draw, [draw.depth, 2, draw.rows, 3]),
    k: floats(draw, [draw.depth, 2, draw.columns, 3]),
    v: floats(draw, [draw.depth, 2, draw.columns, 3]),
  }),
  ({ q, k, v }) => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(3))), v),
)

export const operationCases: readonly OperationCase[] = cases

/** The arguments that can be differentiated, and the rest. */
export function splitInputs(inputs: NamedValues): {
  floats: Record<string, { shape: readonly number[]; data: Float32Array }>
  others: NamedValues
} {
  const isFloat = ([, { data }]: [string, TensorValue]) => data instanceof Float32Array
  const entries = Object.entries(inputs)
  return {
    floats: Object.fromEntries(entries.filter(isFloat)) as never,
    others: Object.fromEntries(entries.filter((entry) => !isFloat(entry))),
  }
}
