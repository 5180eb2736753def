// Adafactor (Shazeer and Stern, 2018, arXiv 1804.04235) as transformers computes it without a first moment: the second moments of a matrix
// are those of its rows times those of its columns, so that it needs hardly more memory than the parameters and their gradients. Of a
// parameter with more than two axes, each matrix of the last two has moments of its own.
import { EngineError } from "../../core/errors"
import type { NamedParameters } from "../session"
import { adafactorModule } from "./adafactor.wasm"
import { adamwModule } from "./adamw.wasm"
import { Optimizer, type Update } from "./optimizer"
import type { AdafactorOptions } from "./optimizer-options"
import { type ParameterPlace, viewFloats } from "./parameter-memory"

interface AdafactorFunctions {
  sumSquares(g: number, rows: number, columns: number, rowSums: number, columnSums: number): void
  sumScaledSquares(g: number, rows: number, columns: number, rowFactors: number, columnFactors: number): number
  applyScaled(
    ...numbers: [
      p: number,
      g: number,
      rows: number,
      columns: number,
      rowFactors: number,
      columnFactors: number,
      keep: number,
      scale: number,
    ]
  ): void
}

/** A matrix of a parameter: byte offsets of its values and gradient, and what is kept of it. */
interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly values: number
  readonly gradient: number
  readonly rowMoments: Float32Array
  readonly columnMoments: Float32Array
  /** Sums of squares, and then the factors of the update. */
  readonly rowFactors: Float32Array
  readonly columnFactors: Float32Array
}

const defaults = {
  gradientEpsilon: 1e-30,
  parameterEpsilon: 1e-3,
  clipThreshold: 1,
  decayRate: -0.8,
  weightDecay: 0,
  scaleParameter: true,
  relativeStep: true,
  warmupInit: false,
}

type FilledOptions = Required<Omit<AdafactorOptions, "kind" | "maxGradientNorm" | "decays">> & Pick<AdafactorOptions, "decays">

/** With the default of what is not said. */
export function fillAdafactorOptions(options: AdafactorOptions): FilledOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...defaults, ...given } as FilledOptions
}

/** Rows whose squares are summed in single precision before they are added up in double. */
const rowsAChunk = 128

export class Adafactor extends Optimizer {
  private readonly functions = this.link<AdafactorFunctions>(adafactorModule)
  private readonly norms = this.link<{ sumOfSquares(from: number, end: number): number }>(adamwModule)
  private readonly options: FilledOptions

  constructor(parameters: NamedParameters, frozen: readonly string[], options: AdafactorOptions, threads?: number) {
    const chosen = fillAdafactorOptions(options)
    checkAdafactorOptions({ ...chosen, maxGradientNorm: options.maxGradientNorm })
    super(parameters, frozen, sizeState, options.maxGradientNorm, threads)
    this.options = chosen
  }

  protected async updateParameters(places: readonly ParameterPlace[], update: Update): Promise<void> {
    for (const place of places) this.updateParameter(place, update)
  }

  private updateParameter(place: ParameterPlace, { step, learningRate, scale }: Update): void {
    const { decayRate, weightDecay, decays = (_name, shape) => shape.length >= 2 } = this.options
    const rate = this.rateOf(place, step, learningRate)
    const keep = decays(place.name, place.shape) ? 1 - weightDecay * rate : 1
    const remember = 1 - step ** decayRate
    if (isFactored(place.shape)) this.updateMatrices(place, { remember, rate, keep, scale })
    else this.updateVector(place, { remember, rate, keep, scale })
  }

  protected stateOf(place: ParameterPlace): Partial<Record<"secondMoments" | "rowMoments" | "columnMoments", Float32Array>> {
    const [first, second] = sizeState(place.shape, place.size).map((size, index) => viewFloats(place.memory, place.state[index], size))
    return isFactored(place.shape) ? { rowMoments: first, columnMoments: second } : { secondMoments: first }
  }

  private rateOf(place: ParameterPlace, step: number, learningRate: number): number {
    const { relativeStep, warmupInit, scaleParameter, parameterEpsilon } = this.options
    const rate = relativeStep ? Math.min(warmupInit ? 1e-6 * step : 1e-2, 1 / Math.sqrt(step)) : learningRate
    return scaleParameter ? rate * Math.max(parameterEpsilon, this.rootMeanSquare(place)) : rate
  }

  /** The root of the mean square of a parameter's values. */
  private rootMeanSquare(place: ParameterPlace): number {
    return Math.sqrt(this.norms(place).sumOfSquares(place.values, place.end) / place.size)
  }

  private updateMatrices(place: ParameterPlace, { remember, rate, keep, scale }: Step): void {
    const functions = this.functions(place)
    const matrices = matricesOf(place)
    let sum = 0
    for (const matrix of matrices) {
      const { rows, columns, gradient, rowFactors, columnFactors } = matrix
      this.sumSquares(functions, matrix)
      this.takeMoments(matrix, remember, scale)
      sum += functions.sumScaledSquares(gradient, rows, columns, rowFactors.byteOffset, columnFactors.byteOffset)
    }
    const clipped = scale / this.clip(scale * Math.sqrt(sum / place.size))
    for (const { rows, columns, values, gradient, rowFactors, columnFactors } of matrices) {
      const factors = [rowFactors.byteOffset, columnFactors.byteOffset] as const
      functions.applyScaled(values, gradient, rows, columns, ...factors, keep, rate * clipped)
    }
  }

  /** Squares of the gradient, summed by row and by column, into the matrix's factors. */
  private sumSquares(functions: AdafactorFunctions, { rows, columns, gradient, rowFactors, columnFactors }: Matrix): void {
    const sums = new Float64Array(columns)
    for (let row = 0; row < rows; row += rowsAChunk) {
      columnFactors.fill(0)
      const count = Math.min(rowsAChunk, rows - row)
      functions.sumSquares(gradient + row * columns * 4, count, columns, rowFactors.byteOffset + row * 4, columnFactors.byteOffset)
      for (let column = 0; column < columns; column++) sums[column] += columnFactors[column]
    }
    columnFactors.set(sums)
  }

  /** Sums of squares become moments, and moments the factors of the update: one over their roots, the rows' relative to their mean. */
  private takeMoments(
    { rows, columns, rowMoments, columnMoments, rowFactors, columnFactors }: Matrix,
    remember: number,
    scale: number,
  ): void {
    const { gradientEpsilon } = this.options
    const mix = (moments: Float32Array, sums: Float32Array, count: number) => {
      let total = 0
      for (let i = 0; i < moments.length; i++) {
        moments[i] = remember * moments[i] + (1 - remember) * ((sums[i] * scale * scale) / count + gradientEpsilon)
        total += moments[i]
      }
      return total / moments.length
    }
    const mean = mix(rowMoments, rowFactors, columns)
    mix(columnMoments, columnFactors, rows)
    for (let i = 0; i < rows; i++) rowFactors[i] = 1 / Math.sqrt(rowMoments[i] / mean)
    for (let i = 0; i < columns; i++) columnFactors[i] = 1 / Math.sqrt(columnMoments[i])
  }

  private updateVector(place: ParameterPlace, { remember, rate, keep, scale }: Step): void {
    const [values, gradient, moments] = [place.values, place.gradient, place.state[0]].map((at) => viewFloats(place.memory, at, place.size))
    let sum = 0
    for (let i = 0; i < place.size; i++) {
      const g = gradient[i] * scale
      moments[i] = remember * moments[i] + (1 - remember) * (g * g + this.options.gradientEpsilon)
      sum += (g * g) / moments[i]
    }
    const factor = (rate * scale) / this.clip(Math.sqrt(sum / place.size))
    for (let i = 0; i < place.size; i++) values[i] = values[i] * keep - (gradient[i] * factor) / Math.sqrt(moments[i])
  }

  /** What an update of this root mean square is divided by. */
  private clip(rootMeanSquare: number): number {
    return Math.max(1, rootMeanSquare / this.options.clipThreshold)
  }
}

interface Step {
  /** Share of the moments that is kept. */
  readonly remember: number
  readonly rate: number
  /** Share of the values that is kept. */
  readonly keep: number
  readonly scale: number
}

function isFactored(shape: readonly number[]): boolean {
  return shape.length >= 2
}

/** Rows and columns, twice: for the moments and for the factors. Of a vector, its moments. */
function sizeState(shape: readonly number[], size: number): readonly number[] {
  if (!isFactored(shape)) return [size]
  const [rows, columns] = [size / shape[shape.length - 1], size / shape[shape.length - 2]]
  return [rows, columns, rows, columns]
}

function matricesOf({ memory, shape, size, values, gradient, state }: ParameterPlace): Matrix[] {
  const [rows, columns] = shape.slice(-2)
  return Array.from({ length: size / (rows * columns) }, (_, index) => {
    const part = (at: number, length: number) => viewFloats(memory, state[at] + index * length * 4, length)
    const offset = index * rows * columns * 4
    const moments = { rowMoments: part(0, rows), columnMoments: part(1, columns) }
    return {
      rows,
      columns,
      values: values + offset,
      gradient: gradient + offset,
      ...moments,
      rowFactors: part(2, rows),
      columnFactors: part(3, columns),
    }
  })
}

/** @throws EngineError `engine.bad-options` */
export function checkAdafactorOptions(options: Omit<AdafactorOptions, "kind">): void {
  const { gradientEpsilon = 0, parameterEpsilon = 0, clipThreshold = 0, decayRate = 0, weightDecay = 0, maxGradientNorm = 1 } = options
  if (gradientEpsilon > 0 && parameterEpsilon >= 0 && clipThreshold > 0 && decayRate < 0 && weightDecay >= 0 && maxGradientNorm > 0) return
  throw new EngineError(
    "engine.bad-options",
    "Adafactor needs gradientEpsilon, clipThreshold and maxGradientNorm above 0, parameterEpsilon and weightDecay of 0 or more, and a decayRate below 0.",
  )
}
