// Rules for the layer operations, composed of StableHLO's: as layers.ts composes them on other backends, with the same numbers. XLA makes
// one kernel of each.
import { geluTanhConstants } from "../layers"
import { goldenRatio, largestDropped, maskLayout, mixing } from "../random-stream"
import type { Value } from "../recording"
import { erf, mean, type Rules } from "./emit-tensor-operations"
import type { ModuleBuilder, Term } from "./module-builder"

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

/** Which values anything reads; results that nobody reads are not computed. */
export type IsUsed = (value: Value) => boolean

export function makeLayerRules(isUsed: IsUsed): Rules<LayerOperation> {
  return {
    RmsNorm: (module, [x, gain], node) => {
      const { mul, add } = arithmetic(module)
      const square = mean(module, mul(x, x), [1], true)
      const inverse = module.unary("rsqrt", add(square, module.fill(node.attributes.epsilon)))
      return [mul(mul(x, inverse), gain), inverse]
    },
    RmsNormGrad: (module, [dy, x, inverse, gain], node) => {
      const { mul, sub } = arithmetic(module)
      const normalized = mul(x, inverse)
      const weighted = mul(dy, normalized)
      const projection = mean(module, mul(weighted, gain), [1], true)
      const dx = mul(sub(mul(dy, gain), mul(normalized, projection)), inverse)
      return [dx, isUsed(node.results[1]) ? module.reduce("add", weighted, [0]) : dx]
    },
    LayerNorm: (module, [x, gain, bias], node) => {
      const { mul, add, sub } = arithmetic(module)
      const center = mean(module, x, [1], true)
      const centered = sub(x, center)
      const variance = mean(module, mul(centered, centered), [1], true)
      const inverse = module.unary("rsqrt", add(variance, module.fill(node.attributes.epsilon)))
      return [add(mul(mul(centered, inverse), gain), bias), center, inverse]
    },
    LayerNormGrad: (module, [dy, x, center, inverse, gain], node) => {
      const { mul, sub } = arithmetic(module)
      const normalized = mul(sub(x, center), inverse)
      const weighted = mul(dy, normalized)
      const scaled = mul(dy, gain)
      const projection = mean(module, mul(weighted, gain), [1], true)
      const centered = sub(scaled, mean(module, scaled, [1], true))
      const dx = mul(sub(centered, mul(normalized, projection)), inverse)
      const sum = (index: number, term: Term) => (isUsed(node.results[index]) ? module.reduce("add", term, [0]) : dx)
      return [dx, sum(1, weighted), sum(2, dy)]
    },
    GeluTanh: (module, [x]) => {
      const { mul, add } = arithmetic(module)
      const { scale, cubic } = geluTanhConstants
      const slope = add(mul(mul(x, x), module.fill(2 * scale * cubic)), module.fill(2 * scale))
      const gate = module.unary("logistic", mul(x, slope))
      return [mul(x, gate), gate, slope]
    },
    GeluTanhGrad: (module, [dy, y, gate, slope]) => {
      const { mul, add, sub } = arithmetic(module)
      const inner = sub(mul(slope, module.fill(3)), module.fill(4 * geluTanhConstants.scale))
      return mul(dy, add(gate, mul(sub(y, mul(y, gate)), inner)))
    },
    GeluErf: (module, [x]) => {
      const { mul, add } = arithmetic(module)
      const error = erf(module, mul(x, module.fill(Math.SQRT1_2)))
      const gate = add(mul(error, module.fill(0.5)), module.fill(0.5))
      return [mul(x, gate), gate]
    },
    GeluErfGrad: (module, [dy, x, gate]) => {
      const { mul, add } = arithmetic(module)
      const density = mul(module.unary("exponential", mul(mul(x, x), module.fill(-0.5))), module.fill(1 / Math.sqrt(2 * Math.PI)))
      return mul(dy, add(gate, mul(x, density)))
    },
    ReluGrad: (module, [dy, y]) => module.select(module.compare("GT", y, module.fill(0, [], y.dtype)), dy, module.fill(0, [], dy.dtype)),
    SoftmaxCrossEntropy: (module, [logits, labels], node) => {
      const { sub } = arithmetic(module)
      const { shape } = logits
      const shifted = sub(logits, module.reduce("maximum", logits, [1], true))
      const exponentials = module.unary("exponential", shifted)
      const sum = module.reduce("add", exponentials, [1], true)
      const isLabel = module.compare("EQ", module.iota(1, shape), module.broadcastAlong(labels, [0], shape))
      const chosen = module.reduce("add", module.select(isLabel, shifted, module.fill(0), shape), [1])
      const losses = sub(module.reshape(module.unary("log", sum), labels.shape), chosen)
      if (!isUsed(node.results[1])) return [losses, losses]
      return [losses, sub(module.binary("divide", exponentials, sum), module.convert(isLabel, "float32"))]
    },
    RandomWords: (module, [key], node) => {
      const { offset, count } = node.attributes
      const index = module.binary("add", module.iota(0, [count]), module.fill(offset, [], "int32"))
      const counters = module.binary("multiply", index, module.fill(goldenRatio, [], "int32"))
      const word = (at: number) => module.slice(key, [at], [at + 1])
      return mixBits(module, module.binary("add", mixBits(module, module.binary("add", counters, word(0))), word(1)))
    },
    DropoutMask: (module, [words], node) => {
      const [{ shape }] = node.results
      const { rows, columns } = maskLayout(shape)
      const odd = module.binary("or", module.slice(words, [0], [rows]), module.fill(1, [], "int32"))
      const factors = [module.reshape(odd, [rows, 1]), module.reshape(module.slice(words, [rows], [rows + columns]), [1, columns])]
      const products = module.binary("multiply", factors[0], factors[1], [rows, columns])
      const isKept = module.compare("GT", products, module.fill(largestDropped(node.attributes.rate), [], "int32"))
      return module.reshape(module.convert(isKept, "float32"), shape)
    },
  }
}

/** The second operand is broadcast to the first. */
const arithmetic = (module: ModuleBuilder) => ({
  mul: (a: Term, b: Term) => module.binary("multiply", a, b),
  add: (a: Term, b: Term) => module.binary("add", a, b),
  sub: (a: Term, b: Term) => module.binary("subtract", a, b),
})

/** `mixBits` of random-stream.ts; products of whole numbers are modulo 2^32. */
function mixBits(module: ModuleBuilder, words: Term): Term {
  const [first, second, third] = mixing.shifts
  const [once, twice] = mixing.multipliers
  const fold = (x: Term, shift: number) => module.binary("xor", x, module.binary("shift_right_logical", x, module.fill(shift, [], "int32")))
  const times = (x: Term, factor: number) => module.binary("multiply", x, module.fill(factor, [], "int32"))
  return fold(times(fold(times(fold(words, first), once), second), twice), third)
}
