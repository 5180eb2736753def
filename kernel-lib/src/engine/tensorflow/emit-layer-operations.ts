// Rules for the layer operations, composed of TensorFlow's: as layers.ts composes them on other backends, with the same numbers.
import { geluTanhConstants } from "../layers"
import { goldenRatio, largestDropped, maskLayout, mixing } from "../random-stream"
import { sizeOf, type Value } from "../recording"
import { cast, type Rules, reduceAxes, reshape, typed } from "./emit-tensor-operations"
import { attribute, type GraphBuilder, type Name } from "./graph-builder"

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
    RmsNorm: (graph, [x, gain], node) => {
      const { mul, add } = arithmetic(graph)
      const square = meanOfRows(graph, typed(graph, "Square", [x]))
      const inverse = typed(graph, "Rsqrt", [add(square, graph.float(node.attributes.epsilon))])
      return [mul(mul(x, inverse), gain), inverse]
    },
    RmsNormGrad: (graph, [dy, x, inverse, gain], node) => {
      const { mul, sub } = arithmetic(graph)
      const scaled = mul(dy, gain)
      const projection = mul(meanOfRows(graph, mul(scaled, x)), mul(inverse, inverse))
      const dx = mul(inverse, sub(scaled, mul(x, projection)))
      const dgain = isUsed(node.results[1]) ? sumOfColumns(graph, mul(mul(dy, x), inverse)) : ""
      return [dx, dgain]
    },
    LayerNorm: (graph, [x, gain, bias], node) => {
      const { mul, add, sub } = arithmetic(graph)
      const mean = meanOfRows(graph, x)
      const centered = sub(x, mean)
      const variance = meanOfRows(graph, typed(graph, "Square", [centered]))
      const inverse = typed(graph, "Rsqrt", [add(variance, graph.float(node.attributes.epsilon))])
      return [add(mul(mul(centered, inverse), gain), bias), mean, inverse]
    },
    LayerNormGrad: (graph, [dy, x, mean, inverse, gain], node) => {
      const { mul, sub } = arithmetic(graph)
      const normalized = mul(sub(x, mean), inverse)
      const scaled = mul(dy, gain)
      const projection = meanOfRows(graph, mul(scaled, normalized))
      const centered = sub(scaled, meanOfRows(graph, scaled))
      const dx = mul(inverse, sub(centered, mul(normalized, projection)))
      const dgain = isUsed(node.results[1]) ? sumOfColumns(graph, mul(dy, normalized)) : ""
      return [dx, dgain, isUsed(node.results[2]) ? sumOfColumns(graph, dy) : ""]
    },
    GeluTanh: (graph, [x]) => {
      const { mul, add } = arithmetic(graph)
      const { scale, cubic } = geluTanhConstants
      const slope = add(mul(typed(graph, "Square", [x]), graph.float(2 * scale * cubic)), graph.float(2 * scale))
      const gate = typed(graph, "Sigmoid", [mul(x, slope)])
      return [mul(x, gate), gate, slope]
    },
    GeluTanhGrad: (graph, [dy, y, gate, slope]) => {
      const { mul, add, sub } = arithmetic(graph)
      const inner = sub(mul(slope, graph.float(3)), graph.float(4 * geluTanhConstants.scale))
      return mul(dy, add(gate, mul(sub(y, mul(y, gate)), inner)))
    },
    GeluErf: (graph, [x]) => {
      const { mul, add } = arithmetic(graph)
      const error = typed(graph, "Erf", [mul(x, graph.float(Math.SQRT1_2))])
      const gate = add(mul(error, graph.float(0.5)), graph.float(0.5))
      return [mul(x, gate), gate]
    },
    GeluErfGrad: (graph, [dy, x, gate]) => {
      const { mul, add } = arithmetic(graph)
      const density = mul(
        typed(graph, "Exp", [mul(typed(graph, "Square", [x]), graph.float(-0.5))]),
        graph.float(1 / Math.sqrt(2 * Math.PI)),
      )
      return mul(dy, add(gate, mul(x, density)))
    },
    ReluGrad: (graph, inputs) => typed(graph, "ReluGrad", inputs),
    SoftmaxCrossEntropy: (graph, inputs) => {
      const types = { T: attribute.type("float32"), Tlabels: attribute.type("int32") }
      const losses = graph.node("SparseSoftmaxCrossEntropyWithLogits", inputs, types)
      return [losses, `${losses}:1`]
    },
    RandomWords: (graph, [key], node) => {
      const { offset, count } = node.attributes
      const counters = Int32Array.from({ length: count }, (_, index) => Math.imul(offset + index, goldenRatio))
      const mixed = mixBits(graph, typed(graph, "AddV2", [graph.constant(counters, [count]), slice(graph, key, 0, 1)], "int32"))
      return mixBits(graph, typed(graph, "AddV2", [mixed, slice(graph, key, 1, 1)], "int32"))
    },
    DropoutMask: (graph, [words], node) => {
      const [{ shape }] = node.results
      const { rows, columns } = maskLayout(shape)
      const odd = typed(graph, "BitwiseOr", [slice(graph, words, 0, rows), graph.integer(1)], "int32")
      const factors = [reshape(graph, odd, [rows, 1], "int32"), reshape(graph, slice(graph, words, rows, columns), [1, columns], "int32")]
      const products = typed(graph, "Mul", factors, "int32")
      const isKept = typed(graph, "Greater", [products, graph.integer(largestDropped(node.attributes.rate))], "int32")
      const flat = cast(graph, isKept, "bool", "float32")
      return sizeOf(shape) === 0 || (shape.length === 2 && shape[0] === rows) ? flat : reshape(graph, flat, shape)
    },
  }
}

const arithmetic = (graph: GraphBuilder) => ({
  mul: (a: Name, b: Name) => typed(graph, "Mul", [a, b]),
  add: (a: Name, b: Name) => typed(graph, "AddV2", [a, b]),
  sub: (a: Name, b: Name) => typed(graph, "Sub", [a, b]),
})

const meanOfRows = (graph: GraphBuilder, x: Name) => reduceAxes(graph, "Mean", x, [1], true, "float32")
const sumOfColumns = (graph: GraphBuilder, x: Name) => reduceAxes(graph, "Sum", x, [0], false, "float32")

/** Elements of a vector of int32. */
function slice(graph: GraphBuilder, x: Name, begin: number, size: number): Name {
  const types = { T: attribute.type("int32"), Index: attribute.type("int32") }
  return graph.node("Slice", [x, graph.sizes([begin]), graph.sizes([size])], types)
}

/** `mixBits` of random-stream.ts on int32; only unsigned integers shift zeros in. */
function mixBits(graph: GraphBuilder, words: Name): Name {
  const [first, second, third] = mixing.shifts
  const [once, twice] = mixing.multipliers
  const bitcast = (x: Name, from: "int32" | "uint32", to: "int32" | "uint32") =>
    graph.node("Bitcast", [x], { T: attribute.type(from), type: attribute.type(to) })
  const fold = (x: Name, shift: number) => {
    const shifted = typed(graph, "RightShift", [bitcast(x, "int32", "uint32"), graph.constant(Uint32Array.of(shift), [])], "uint32")
    return typed(graph, "BitwiseXor", [x, bitcast(shifted, "uint32", "int32")], "int32")
  }
  const times = (x: Name, factor: number) => typed(graph, "Mul", [x, graph.integer(factor)], "int32")
  return fold(times(fold(times(fold(words, first), once), second), twice), third)
}
