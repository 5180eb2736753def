// A tiny encoder-decoder with attention, padding, tied embeddings and dropout: everything that training needs, small enough for eager; and
// trainings of it.
import * as tf from "@tensorflow/tfjs-core"
import { Random } from "../../src/core/random"
import {
  dropout,
  type Engine,
  embed,
  inScope,
  type LossFunction,
  linear,
  type NamedParameters,
  type NamedValues,
  relu,
  rmsNorm,
  softmaxCrossEntropy,
  type TrainingDefinition,
  type TrainingSession,
} from "../../src/engine"
import { sizeOf } from "../../src/engine/recording"

const [width, heads, inner, vocabulary] = [16, 2, 24, 20]

export function makeParameters(seed = 1): NamedParameters {
  const random = new Random(seed)
  const parameters: Record<string, { shape: number[]; data: Float32Array }> = {}
  const matrix = (name: string, ...shape: number[]) => {
    parameters[name] = { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.normal() / Math.sqrt(shape[0])) }
  }
  const gain = (name: string) => {
    parameters[name] = { shape: [width], data: new Float32Array(width).fill(1) }
  }
  matrix("shared", vocabulary, width)
  matrix("positions", 8, heads)
  for (const block of ["encoder.self", "decoder.self", "decoder.cross"]) {
    for (const part of ["q", "k", "v", "o"]) matrix(`${block}.${part}`, width, width)
    gain(`${block}.gain`)
  }
  for (const side of ["encoder", "decoder"]) {
    matrix(`${side}.up`, width, inner)
    matrix(`${side}.down`, inner, width)
    matrix(`${side}.bias`, width)
    gain(`${side}.gain`)
    gain(`${side}.last`)
  }
  return parameters
}

export const makeLoss =
  (rate: number): LossFunction =>
  ({ ids, decoderIds, labels }, weights, random) => {
    const drop = (x: tf.Tensor) => dropout(x, rate, random)
    const feed = (x: tf.Tensor, side: string) =>
      inScope(`${side}.feed`, () => {
        const hidden = relu(linear(rmsNorm(x, weights[`${side}.gain`]), weights[`${side}.up`]))
        return tf.add(x, drop(linear(drop(hidden), weights[`${side}.down`], weights[`${side}.bias`])))
      })
    const attend = (x: tf.Tensor, memory: tf.Tensor | undefined, block: string, bias: tf.Tensor) =>
      inScope(block, () => {
        const normalized = rmsNorm(x, weights[`${block}.gain`])
        const split = (y: tf.Tensor, part: string) => splitHeads(linear(y, weights[`${block}.${part}`]))
        const [query, key, value] = [split(normalized, "q"), split(memory ?? normalized, "k"), split(memory ?? normalized, "v")]
        const scores = tf.add(tf.mul(tf.matMul(query, key, false, true), 0.5), bias)
        return tf.add(x, drop(linear(joinHeads(tf.matMul(drop(tf.softmax(scores)), value)), weights[`${block}.o`])))
      })
    const [batch, length] = ids.shape
    const padding = tf.reshape(tf.mul(tf.cast(tf.equal(ids, tf.scalar(0, "int32")), "float32"), -1e9), [batch, 1, 1, length!])
    const encoderBias = tf.add(relativePositions(weights.positions, length!), padding)
    let x = drop(embed(weights.shared, ids))
    x = feed(attend(x, undefined, "encoder.self", encoderBias), "encoder")
    const memory = rmsNorm(x, weights["encoder.last"])

    const target = decoderIds.shape[1]!
    const causal = tf.tensor2d(
      Float32Array.from({ length: target ** 2 }, (_, at) => (at % target > Math.floor(at / target) ? -1e9 : 0)),
      [target, target],
    )
    let y = drop(embed(weights.shared, decoderIds))
    y = attend(y, undefined, "decoder.self", tf.add(relativePositions(weights.positions, target), causal))
    y = feed(attend(y, memory, "decoder.cross", padding), "decoder")
    const logits = linear(tf.mul(rmsNorm(y, weights["decoder.last"]), 1 / Math.sqrt(width)), weights.shared, undefined, {
      transposeWeight: true,
    })
    return softmaxCrossEntropy(logits, labels)
  }

export function makeBatch(seed: number, { rows = 3, length = 7, target = 5 } = {}): NamedValues {
  const random = new Random(`batch ${seed}`)
  const draw = (count: number, padding: number) =>
    Int32Array.from({ length: count }, () => (random.next() < 0.2 ? padding : 1 + random.integer(vocabulary - 1)))
  return {
    ids: { shape: [rows, length], data: draw(rows * length, 0) },
    decoderIds: { shape: [rows, target], data: draw(rows * target, 1) },
    labels: { shape: [rows, target], data: draw(rows * target, -100) },
  }
}

/** A session that trains it, without dropout unless a `rate` is given. */
export function startTraining(
  engine: Engine,
  { rate = 0, ...options }: { rate?: number } & Partial<TrainingDefinition> = {},
): TrainingSession {
  return engine.createTrainingSession({ name: "translator", parameters: makeParameters(), loss: makeLoss(rate), ...options })
}

/** The losses of `steps` steps on as many batches, each numbered `firstBatch` and up. */
export async function train(session: TrainingSession, steps: number, firstBatch = 0): Promise<number[]> {
  const losses: number[] = []
  for (let step = 0; step < steps; step++) losses.push((await session.step(makeBatch(firstBatch + step), { learningRate: 0.01 })).loss)
  return losses
}

/** [1, heads, length, length] from a table of distances [distances, heads]. */
function relativePositions(table: tf.Tensor, length: number): tf.Tensor {
  const distances = Int32Array.from({ length: length ** 2 }, (_, at) => Math.min(7, Math.abs((at % length) - Math.floor(at / length))))
  return tf.reshape(tf.transpose(tf.gather(table, tf.tensor1d(distances, "int32")), [1, 0]), [1, heads, length, length])
}

/** [rows, length, width] -> [rows, heads, length, width / heads] */
function splitHeads(x: tf.Tensor): tf.Tensor {
  return tf.transpose(tf.reshape(x, [x.shape[0], x.shape[1]!, heads, width / heads]), [0, 2, 1, 3])
}

function joinHeads(x: tf.Tensor): tf.Tensor {
  return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [x.shape[0], x.shape[2]!, width])
}
