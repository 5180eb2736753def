// Rotary position embeddings (Su et al. 2021, arXiv 2104.09864) as transformers computes them, with its ways to stretch them over longer
// texts: linear, dynamic (NTK), llama3, yarn. A head's number i turns together with number i + K/2, by an angle that grows with the place.
import * as tf from "@tensorflow/tfjs-core"

/** How fast each pair of numbers turns, in transformers' words: its `rope_parameters`. */
export type RotaryShape = { readonly theta: number } & (
  | { readonly kind: "default" }
  | { readonly kind: "linear"; readonly factor: number }
  /** Up to `maxPositions` as `default`; longer texts are not answered. */
  | { readonly kind: "dynamic"; readonly factor: number }
  | {
      readonly kind: "llama3"
      readonly factor: number
      readonly lowFrequencyFactor: number
      readonly highFrequencyFactor: number
      readonly originalPositions: number
    }
  | {
      readonly kind: "yarn"
      readonly factor: number
      readonly originalPositions: number
      /** What cosines and sines are multiplied with. */
      readonly attentionFactor: number
      readonly betaFast: number
      readonly betaSlow: number
      readonly isTruncated: boolean
    }
)

/** Cosines and sines of tokens' angles, for heads [B,H,N,K]; the first half of each sine is negated. */
export interface Turns {
  /** [B or 1,1,N,K] */
  readonly cosine: tf.Tensor
  /** [B or 1,1,N,K] */
  readonly sine: tf.Tensor
}

/** Radians that each of the K/2 pairs turns from one place to the next. */
export function rotaryFrequencies(rotary: RotaryShape, headSize: number): Float32Array {
  const plain = Float32Array.from({ length: headSize / 2 }, (_, i) => 1 / rotary.theta ** ((2 * i) / headSize))
  switch (rotary.kind) {
    case "default":
    case "dynamic":
      return plain
    case "linear":
      return plain.map((frequency) => frequency / rotary.factor)
    case "llama3":
      return plain.map((frequency) => {
        const { factor, lowFrequencyFactor, highFrequencyFactor, originalPositions } = rotary
        // How often the pair goes round in the texts that the model was first trained on.
        const rounds = (originalPositions * frequency) / (2 * Math.PI)
        if (rounds > highFrequencyFactor) return frequency
        if (rounds < lowFrequencyFactor) return frequency / factor
        const share = (rounds - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor)
        return ((1 - share) * frequency) / factor + share * frequency
      })
    case "yarn": {
      const [low, high] = yarnRange(rotary, headSize)
      return plain.map((frequency, i) => {
        const share = Math.min(1, Math.max(0, (i - low) / (high - low)))
        return (frequency / rotary.factor) * share + frequency * (1 - share)
      })
    }
  }
}

/** Between which pairs yarn goes over from turning as before to turning `factor` times more slowly. */
function yarnRange(rotary: RotaryShape & { readonly kind: "yarn" }, headSize: number): [low: number, high: number] {
  const { theta, originalPositions, betaFast, betaSlow, isTruncated } = rotary
  const pairOf = (rounds: number) => (headSize * Math.log(originalPositions / (rounds * 2 * Math.PI))) / (2 * Math.log(theta))
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)]
  const low = Math.max(isTruncated ? Math.floor(first) : first, 0)
  const high = Math.min(isTruncated ? Math.ceil(last) : last, headSize - 1)
  return [low, high === low ? high + 0.001 : high]
}

function attentionFactorOf(rotary: RotaryShape): number {
  return rotary.kind === "yarn" ? rotary.attentionFactor : 1
}

/** The turns of the places 0, 1, 2 ... of every row: constants, [1,1,N,K]. */
export function turnsOfLength(rotary: RotaryShape, headSize: number, length: number): Turns {
  const frequencies = rotaryFrequencies(rotary, headSize)
  const half = headSize / 2
  const scale = attentionFactorOf(rotary)
  const cosine = new Float32Array(length * headSize)
  const sine = new Float32Array(length * headSize)
  for (let i = 0; i < cosine.length; i++) {
    const isSecondHalf = i % headSize >= half
    const angle = Math.fround(Math.floor(i / headSize) * frequencies[i % half])
    cosine[i] = Math.cos(angle) * scale
    sine[i] = Math.sin(angle) * (isSecondHalf ? scale : -scale)
  }
  const shape: [number, number, number, number] = [1, 1, length, headSize]
  return { cosine: tf.tensor4d(cosine, shape), sine: tf.tensor4d(sine, shape) }
}

/** The turns of places that change from run to run. positions int32 [B,N] -> [B,1,N,K] */
export function turnsOfPositions(rotary: RotaryShape, headSize: number, positions: tf.Tensor): Turns {
  const [rows, length] = positions.shape as [number, number]
  const scale = attentionFactorOf(rotary)
  const frequencies = tf.tensor2d(rotaryFrequencies(rotary, headSize), [1, headSize / 2])
  const angles = tf.mul(tf.reshape(tf.cast(positions, "float32"), [rows * length, 1]), frequencies)
  const [cosine, sine] = [tf.mul(tf.cos(angles), scale), tf.mul(tf.sin(angles), scale)]
  const shape = [rows, 1, length, headSize]
  return { cosine: tf.reshape(tf.concat([cosine, cosine], 1), shape), sine: tf.reshape(tf.concat([tf.neg(sine), sine], 1), shape) }
}

/** Turns the heads x [B,H,N,K]. Its gradient is turned back. */
export function turn(x: tf.Tensor, { cosine, sine }: Turns): tf.Tensor {
  return tf.customGrad((x, save) => {
    ;(save as tf.GradSaveFunc)([cosine, sine])
    const gradFunc = (dy: tf.Tensor, [cosine, sine]: tf.Tensor[]) => tf.sub(tf.mul(dy, cosine), tf.mul(swapHalves(dy), sine))
    return { value: tf.add(tf.mul(x as tf.Tensor, cosine), tf.mul(swapHalves(x as tf.Tensor), sine)), gradFunc }
  })(x)
}

/** x [..., K]: the halves of the last axis change places. (Reading both by number is faster than splitting and joining.) */
function swapHalves(x: tf.Tensor): tf.Tensor {
  const halves = tf.reshape(x, [-1, 2, x.shape[x.rank - 1]! / 2])
  return tf.reshape(tf.gather(halves, tf.tensor1d([1, 0], "int32"), 1), x.shape)
}
