// Optimizers as part of a program: what they keep of each parameter, and how one step changes it. The numbers are those of optimizers/,
// which keep PyTorch's and transformers' order of operations.

import { checkAdafactorOptions, fillAdafactorOptions } from "../optimizers/adafactor"
import { checkAdamWOptions } from "../optimizers/adamw"
import type { AdafactorOptions, AdamWOptions, OptimizerOptions } from "../optimizers/optimizer-options"
import { sizeOf } from "../recording"
import type { ModuleBuilder, Term } from "./module-builder"

/** What an optimizer may keep of a parameter, as training states name it. */
export const momentParts = ["firstMoments", "secondMoments", "rowMoments", "columnMoments"] as const
export type MomentPart = (typeof momentParts)[number]
export type Moments<Item> = Partial<Readonly<Record<MomentPart, Item>>>

/** What changes from step to step. */
export interface StepNumbers {
  /** Counted from 1. */
  readonly step: number
  readonly learningRate: number
  /** What gradients are to be multiplied by. */
  readonly scale: number
}

export interface ParameterTerms {
  readonly name: string
  readonly value: Term
  readonly gradient: Term
  readonly moments: Moments<Term>
}

export interface UpdateRule {
  readonly maxGradientNorm: number
  /** Shapes of what is kept of a parameter of this shape; zeros at first. */
  shapeMoments(shape: readonly number[]): Moments<readonly number[]>
  /** What a program is told of a step. */
  listNumbers(numbers: StepNumbers): readonly number[]
  /** @param numbers scalars, as listed */
  emit(module: ModuleBuilder, parameter: ParameterTerms, numbers: readonly Term[]): Pick<ParameterTerms, "value" | "moments">
}

/** @throws EngineError `engine.bad-options` */
export function makeUpdateRule(options: OptimizerOptions = {}): UpdateRule {
  return options.kind === "adafactor" ? makeAdafactor(options) : makeAdamW(options)
}

const isMatrix = (_name: string, shape: readonly number[]) => shape.length >= 2

function makeAdamW(options: AdamWOptions): UpdateRule {
  checkAdamWOptions(options)
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, decays = isMatrix } = options
  const { maxGradientNorm = Number.POSITIVE_INFINITY } = options
  return {
    maxGradientNorm,
    shapeMoments: (shape) => ({ firstMoments: shape, secondMoments: shape }),
    listNumbers: ({ step, learningRate, scale }) => [
      learningRate / (1 - beta1 ** step),
      1 / Math.sqrt(1 - beta2 ** step),
      1 - learningRate * weightDecay,
      scale,
    ],
    emit(module, { name, value, gradient, moments }, [stepSize, correction, keep, scale]) {
      const { add, sub, mul, div } = arithmetic(module)
      const number = (constant: number) => module.fill(constant)
      const g = mul(gradient, scale)
      const first = add(mul(moments.firstMoments!, number(beta1)), mul(g, number(1 - beta1)))
      const second = add(mul(moments.secondMoments!, number(beta2)), mul(mul(g, g), number(1 - beta2)))
      const root = add(mul(module.unary("sqrt", second), correction), number(epsilon))
      const kept = decays(name, value.shape) ? mul(value, keep) : value
      return { value: sub(kept, div(mul(first, stepSize), root)), moments: { firstMoments: first, secondMoments: second } }
    },
  }
}

function makeAdafactor(options: AdafactorOptions): UpdateRule {
  const chosen = fillAdafactorOptions(options)
  checkAdafactorOptions({ ...chosen, maxGradientNorm: options.maxGradientNorm })
  const { gradientEpsilon, parameterEpsilon, clipThreshold, decayRate, weightDecay, scaleParameter, relativeStep, warmupInit } = chosen
  const { decays = isMatrix } = chosen
  return {
    maxGradientNorm: options.maxGradientNorm ?? Number.POSITIVE_INFINITY,
    shapeMoments: (shape) =>
      shape.length < 2
        ? { secondMoments: shape }
        : { rowMoments: shape.slice(0, -1), columnMoments: [...shape.slice(0, -2), shape[shape.length - 1]] },
    listNumbers: ({ step, learningRate, scale }) => {
      const rate = relativeStep ? Math.min(warmupInit ? 1e-6 * step : 1e-2, 1 / Math.sqrt(step)) : learningRate
      const remember = 1 - step ** decayRate
      return [rate, remember, 1 - remember, scale]
    },
    emit(module, { name, value, gradient, moments }, [baseRate, remember, rest, scale]) {
      const { add, sub, mul, div } = arithmetic(module)
      const number = (constant: number) => module.fill(constant)
      const { shape } = value
      const g = mul(gradient, scale)
      const floor = module.binary("maximum", rootMeanSquare(module, value), number(parameterEpsilon))
      const rate = scaleParameter ? mul(baseRate, floor) : baseRate
      const squares = mul(g, g)
      const mix = (moment: Term, fresh: Term) => add(mul(moment, remember), mul(add(fresh, number(gradientEpsilon)), rest))
      const [next, update] = shape.length < 2 ? takeVector(module, moments, squares, g, mix) : takeMatrix(module, moments, squares, g, mix)
      const clip = module.binary("maximum", div(rootMeanSquare(module, update), number(clipThreshold)), number(1))
      const loss = weightDecay > 0 && decays(name, shape) ? mul(value, mul(rate, number(weightDecay))) : undefined
      const kept = loss ? sub(value, loss) : value
      return { value: sub(kept, mul(update, div(rate, clip))), moments: next }
    },
  }
}

type Mix = (moment: Term, fresh: Term) => Term

function takeVector(module: ModuleBuilder, moments: Moments<Term>, squares: Term, g: Term, mix: Mix): [Moments<Term>, Term] {
  const secondMoments = mix(moments.secondMoments!, squares)
  return [{ secondMoments }, module.binary("multiply", g, module.unary("rsqrt", secondMoments))]
}

/** The second moments of a matrix are those of its rows times those of its columns, relative to the rows' mean. */
function takeMatrix(module: ModuleBuilder, moments: Moments<Term>, squares: Term, g: Term, mix: Mix): [Moments<Term>, Term] {
  const rank = squares.shape.length
  const meanOver = (x: Term, axis: number) => module.binary("divide", module.reduce("add", x, [axis]), module.fill(x.shape[axis]))
  const rowMoments = mix(moments.rowMoments!, meanOver(squares, rank - 1))
  const columnMoments = mix(moments.columnMoments!, meanOver(squares, rank - 2))
  const lead = Array.from({ length: rank - 2 }, (_, axis) => axis)
  const spread = (x: Term, axes: readonly number[], shape: readonly number[]) => module.broadcastAlong(x, axes, shape)
  const mean = spread(meanOver(rowMoments, rank - 2), lead, rowMoments.shape)
  const rows = module.unary("rsqrt", module.binary("divide", rowMoments, mean))
  const columns = module.unary("rsqrt", columnMoments)
  const scaled = module.binary("multiply", g, spread(rows, [...lead, rank - 2], g.shape))
  return [{ rowMoments, columnMoments }, module.binary("multiply", scaled, spread(columns, [...lead, rank - 1], g.shape))]
}

function rootMeanSquare(module: ModuleBuilder, x: Term): Term {
  const sum = sumOfSquares(module, x)
  return module.unary("sqrt", module.binary("divide", sum, module.fill(sizeOf(x.shape))))
}

/** A scalar. */
export function sumOfSquares(module: ModuleBuilder, x: Term): Term {
  const square = module.binary("multiply", x, x)
  return module.reduce(
    "add",
    square,
    x.shape.map((_, axis) => axis),
  )
}

/** The second operand is broadcast to the first. */
const arithmetic = (module: ModuleBuilder) => ({
  add: (a: Term, b: Term) => module.binary("add", a, b),
  sub: (a: Term, b: Term) => module.binary("subtract", a, b),
  mul: (a: Term, b: Term) => module.binary("multiply", a, b),
  div: (a: Term, b: Term) => module.binary("divide", a, b),
})
