// The engine's layer operations: what transformer networks use beside plain tfjs. Each has a backward of its own (tf.customGrad), is
// recorded as one operation when a network is traced, and is composed of tfjs operations on any other backend, with the same numbers.
import * as tf from "@tensorflow/tfjs-core"
import { applyCriterion } from "./criterion"
import { applyAdapter } from "./low-rank"
import { drawWords, dropThreshold, maskLayout, type RandomStream } from "./random-stream"
import { isTracing } from "./tracing-backend"

export { inScope } from "./scope"

/**
 * A fully connected layer over the last axis.
 * @param x [..., inputs]
 * @param weight [inputs, outputs]; as [outputs, inputs] with `transposeWeight`
 * @param bias [outputs]
 * @returns [..., outputs]
 */
export function linear(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor, { transposeWeight = false } = {}): tf.Tensor {
  const [rows, columns] = weight.shape as [number, number]
  const inputs = toRows(x)
  const own = tf.matMul(inputs, weight as tf.Tensor2D, false, transposeWeight)
  const adapted = applyAdapter(inputs, weight, dropout)
  const product = adapted ? tf.add(own, adapted) : own
  return tf.reshape(bias ? tf.add(product, bias) : product, [...x.shape.slice(0, -1), transposeWeight ? rows : columns])
}

/**
 * Rows of `table` by number. Their gradient is a sum over the rows that were read, never a whole table where an engine can help it.
 * @param table [rows, width]
 * @param ids int32 [...]
 * @returns [..., width]
 */
export function embed(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  return tf.reshape(tf.gather(table, tf.reshape(ids, [-1])), [...ids.shape, table.shape[1]!])
}

/**
 * Root mean square norm over the last axis (T5, Llama): x / sqrt(mean(x²) + epsilon) * gain.
 * @param x [..., width]
 * @param gain [width]
 */
export function rmsNorm(x: tf.Tensor, gain: tf.Tensor, epsilon = 1e-6): tf.Tensor {
  const normalize = customGradient((save, x, gain) => {
    const [y, inverse] = runFused("RmsNorm", { x, gain }, { epsilon }, () => {
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon))
      return [tf.mul(tf.mul(x, inverse), gain), inverse]
    })
    save([x, inverse, gain])
    const backward: Backward = (dy, [x, inverse, gain]) =>
      runFused("RmsNormGrad", { dy, x, inverse, gain }, {}, () => {
        const normalized = tf.mul(x, inverse)
        const weighted = tf.mul(dy, normalized)
        const projection = tf.mean(tf.mul(weighted, gain), -1, true)
        return [tf.mul(inverse, tf.sub(tf.mul(dy, gain), tf.mul(normalized, projection))), tf.sum(weighted, 0)]
      })
    return [y, backward]
  })
  return tf.reshape(normalize(toRows(x), gain), x.shape)
}

/**
 * Layer norm over the last axis (BERT, GPT-2): (x - mean) / sqrt(variance + epsilon) * gain + bias.
 * @param x [..., width]
 * @param gain [width]
 * @param bias [width]
 */
export function layerNorm(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor, epsilon = 1e-5): tf.Tensor {
  const normalize = customGradient((save, x, gain, bias) => {
    const [y, mean, inverse] = runFused("LayerNorm", { x, gain, bias }, { epsilon }, () => {
      const mean = tf.mean(x, -1, true)
      const centered = tf.sub(x, mean)
      const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centered), -1, true), epsilon))
      return [tf.add(tf.mul(tf.mul(centered, inverse), gain), bias), mean, inverse]
    })
    save([x, mean, inverse, gain])
    const backward: Backward = (dy, [x, mean, inverse, gain]) =>
      runFused("LayerNormGrad", { dy, x, mean, inverse, gain }, {}, () => {
        const normalized = tf.mul(tf.sub(x, mean), inverse)
        const weighted = tf.mul(dy, normalized)
        const scaled = tf.mul(dy, gain)
        const projection = tf.mean(tf.mul(weighted, gain), -1, true)
        const centered = tf.sub(scaled, tf.mean(scaled, -1, true))
        return [tf.mul(inverse, tf.sub(centered, tf.mul(normalized, projection))), tf.sum(weighted, 0), tf.sum(dy, 0)]
      })
    return [y, backward]
  })
  return tf.reshape(normalize(toRows(x), gain, bias), x.shape)
}

/**
 * Gaussian error linear unit: `tanh` is the approximation that transformers calls `gelu_new`, `erf` the exact form that it calls `gelu`.
 * @param x [...]
 */
export function gelu(x: tf.Tensor, form: "tanh" | "erf" = "tanh"): tf.Tensor {
  return form === "tanh" ? geluTanh(x) : geluErf(x)
}

/** sqrt(2 / pi), and the cubic term's share, of the tanh form. */
export const geluTanhConstants = { scale: Math.sqrt(2 / Math.PI), cubic: 0.044715 } as const

/** 0.5 (1 + tanh(u)) is sigmoid(2u): y = x sigmoid(x slope), slope = 2 scale (1 + cubic x²). */
const geluTanh = customGradient((save, x) => {
  const { scale, cubic } = geluTanhConstants
  const [y, gate, slope] = runFused("GeluTanh", { x }, {}, () => {
    const slope = tf.add(tf.mul(tf.square(x), 2 * scale * cubic), 2 * scale)
    const gate = tf.sigmoid(tf.mul(x, slope))
    return [tf.mul(x, gate), gate, slope]
  })
  save([y, gate, slope])
  const backward: Backward = (dy, [y, gate, slope]) =>
    runFused("GeluTanhGrad", { dy, y, gate, slope }, {}, () => {
      const inner = tf.sub(tf.mul(slope, 3), 4 * scale)
      return [tf.mul(dy, tf.add(gate, tf.mul(tf.sub(y, tf.mul(y, gate)), inner)))]
    })
  return [y, backward]
})

const geluErf = customGradient((save, x) => {
  const [y, gate] = runFused("GeluErf", { x }, {}, () => {
    const gate = tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5)
    return [tf.mul(x, gate), gate]
  })
  save([x, gate])
  const backward: Backward = (dy, [x, gate]) =>
    runFused("GeluErfGrad", { dy, x, gate }, {}, () => {
      const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return [tf.mul(dy, tf.add(gate, tf.mul(x, density)))]
    })
  return [y, backward]
})

/** max(x, 0), element by element. */
export const relu: (x: tf.Tensor) => tf.Tensor = customGradient((save, x) => {
  const y = tf.relu(x)
  save([y])
  const backward: Backward = (dy, [y]) => runFused("ReluGrad", { dy, y }, {}, () => [tf.mul(dy, tf.step(y))])
  return [y, backward]
})

/** x sigmoid(x), element by element (Llama's SwiGLU). */
export const silu: (x: tf.Tensor) => tf.Tensor = customGradient((save, x) => {
  const gate = tf.sigmoid(x)
  const y = tf.mul(x, gate)
  save([y, gate])
  const backward: Backward = (dy, [y, gate]) => [tf.mul(dy, tf.add(gate, tf.sub(y, tf.mul(y, gate))))]
  return [y, backward]
})

/**
 * Mean cross-entropy between softmax(logits) and labels, over the labels that are not `ignoreIndex`; 0 when all are. A training may put
 * another criterion in its place (`withCriterion`).
 * @param logits [..., classes]
 * @param labels int32 [...], each in [0, classes) or `ignoreIndex`
 * @returns a scalar
 */
export function softmaxCrossEntropy(logits: tf.Tensor, labels: tf.Tensor, { ignoreIndex = -100 } = {}): tf.Tensor {
  const other = applyCriterion(logits, labels)
  if (other) return other
  const classes = logits.shape[logits.rank - 1]
  const flatLabels = tf.reshape(labels, [-1])
  const weights = tf.cast(tf.notEqual(flatLabels, tf.scalar(ignoreIndex, "int32")), "float32")
  const shares = tf.div(weights, tf.maximum(tf.sum(weights), 1))
  const known = tf.maximum(flatLabels, tf.scalar(0, "int32"))
  const crossEntropy = customGradient((save, logits) => {
    const [losses, difference] = runFused("SoftmaxCrossEntropy", { logits, labels: known }, {}, () => {
      const probabilities = tf.softmax(logits)
      const hot = tf.cast(tf.oneHot(known as tf.Tensor1D, classes), "float32")
      const chosen = tf.sum(tf.mul(probabilities, hot), -1)
      return [tf.neg(tf.log(tf.maximum(chosen, smallestProbability))), tf.sub(probabilities, hot)]
    })
    save([difference, shares])
    const backward: Backward = (dy, [difference, shares]) => [tf.mul(difference, tf.reshape(tf.mul(shares, dy), [-1, 1]))]
    return [tf.sum(tf.mul(losses, shares)), backward]
  })
  return crossEntropy(toRows(logits))
}

/** Keeps a logarithm finite; float32's smallest normal number is 1.18e-38. */
export const smallestProbability = 1.2e-38

/**
 * Sets `rate` of the elements to 0 and scales the others by 1 / (1 - rate). Without `random`, as in evaluation, x itself.
 * @param x [...]
 */
export function dropout(x: tf.Tensor, rate: number, random: RandomStream | undefined): tf.Tensor {
  if (!random || rate === 0) return x
  const width = x.shape[x.rank - 1] ?? 1
  const shape = [x.size / width, width]
  const { rows, columns } = maskLayout(shape)
  const words = drawRandomWords(random, rows + columns)
  const [mask] = runFused("DropoutMask", { words }, { shape, rate }, () => {
    const values = words.dataSync<"int32">()
    const threshold = dropThreshold(rate)
    const kept = Float32Array.from({ length: rows * columns }, (_, index) => {
      const row = values[Math.floor(index / columns)] | 1
      return Math.fround(Math.imul(row, values[rows + (index % columns)])) > threshold ? 1 : 0
    })
    return [tf.tensor(kept, shape, "float32")]
  })
  return tf.mul(tf.mul(x, 1 / (1 - rate)), tf.reshape(mask, x.shape))
}

/** int32 [count]: the next words of `random`, as `drawWords` gives them. */
function drawRandomWords(random: RandomStream, count: number): tf.Tensor {
  const offset = random.take(count)
  const { key } = random
  const [words] = runFused("RandomWords", { key }, { offset, count }, () => [
    tf.tensor1d(drawWords(key.dataSync<"int32">() as Int32Array, offset, count), "int32"),
  ])
  return words
}

/**
 * `target` with `rows` written at `slots`. As a graph's output in the memory of the input `target` it writes in place, at the cost of the
 * rows alone: keys and values of earlier steps stay where they are. Whoever reads the cache must read the result, never `target`.
 * @param target [a, b, c, width], a key or value cache
 * @param slots int32 [count, 3], the place in [a, b, c] of each row
 * @param rows [..., width], `count` rows in all
 */
export function scatterRows(target: tf.Tensor, slots: tf.Tensor, rows: tf.Tensor): tf.Tensor {
  return tf.tensorScatterUpdate(target, slots, toRows(rows))
}

/**
 * Rows in another order: row i of the result is row `from[i]` of x. Each row of x is wanted at most once, so that the gradient is a gather
 * too, where summing rows up would be the general way.
 * @param x [rows, width]
 * @param from int32 [places]
 * @param back int32 [rows], the place where each row of x went
 * @param isMoved float32 [rows, 1], 0 for a row of x that went nowhere, whatever `back` says
 * @returns [places, width]
 */
export function moveRows(x: tf.Tensor, from: tf.Tensor, back: tf.Tensor, isMoved: tf.Tensor): tf.Tensor {
  const move = customGradient((save, x) => {
    save([back, isMoved])
    const backward: Backward = (dy, [back, isMoved]) => [tf.mul(tf.gather(dy, back), isMoved)]
    return [tf.gather(x, from), backward]
  })
  return move(x)
}

function toRows(x: tf.Tensor): tf.Tensor2D {
  return x.rank === 2 ? (x as tf.Tensor2D) : tf.reshape(x, [-1, x.shape[x.rank - 1]])
}

type Backward = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[]
type Forward = (save: (tensors: tf.Tensor[]) => void, ...inputs: tf.Tensor[]) => [value: tf.Tensor, backward: Backward]

/** `tf.customGrad` with a type that says what goes in and out. */
function customGradient(forward: Forward): (...inputs: tf.Tensor[]) => tf.Tensor {
  return tf.customGrad((...parts) => {
    const save = parts[parts.length - 1] as (tensors: tf.Tensor[]) => void
    const [value, gradFunc] = forward(save, ...(parts.slice(0, -1) as tf.Tensor[]))
    return { value, gradFunc }
  })
}

type FusedAttributes = Record<string, number | number[]>

/** Records one operation `name` under a trace; composes it of tfjs operations everywhere else. */
function runFused(name: string, inputs: tf.NamedTensorMap, attributes: FusedAttributes, compose: () => tf.Tensor[]): tf.Tensor[] {
  if (!isTracing()) return compose()
  const results = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, inputs, attributes)
  return Array.isArray(results) ? results : [results]
}
