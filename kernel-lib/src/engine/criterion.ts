// What a loss makes of logits and labels. Networks say softmaxCrossEntropy; a training may put another criterion in its place for all of
// them, without a word in their files.
import * as tf from "@tensorflow/tfjs-core"

/**
 * A loss of its own in place of cross-entropy.
 * @param logits [..., classes]
 * @param labels int32 [...], -100 where there is nothing to learn
 * @returns a scalar
 */
export type Criterion = (logits: tf.Tensor, labels: tf.Tensor) => tf.Tensor

let current: Criterion | undefined

/** Runs `body`, in which each `softmaxCrossEntropy` is `criterion`; within the criterion itself it is the usual one again. */
export function withCriterion<Result>(criterion: Criterion | undefined, body: () => Result): Result {
  const before = current
  current = criterion
  try {
    return body()
  } finally {
    current = before
  }
}

/** The loss by the criterion that is in place; undefined where none is. */
export function applyCriterion(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor | undefined {
  const criterion = current
  return criterion && withCriterion(undefined, () => criterion(logits, labels))
}

/** Keeps logarithms and quotients finite. */
const tiny = 1.2e-38

/**
 * The Kullback-Leibler divergence of softmax(logits / T) from softmax(teacher / T), times T² so that its gradients keep their size (Hinton et
 * al. 2015, arXiv 1503.02531): the mean over the labels that are not -100. Only `logits` get gradients.
 * @param logits [..., classes]
 * @param teacher as logits
 * @param labels int32 [...]
 * @returns a scalar
 */
export function distillationLoss(logits: tf.Tensor, teacher: tf.Tensor, labels: tf.Tensor, temperature: number): tf.Tensor {
  return meanOverLabels(logits, labels, (rows) => {
    const softened = tf.softmax(tf.mul(rows, 1 / temperature))
    const wanted = tf.softmax(tf.mul(toRows(teacher), 1 / temperature))
    const ratio = tf.maximum(tf.div(wanted, tf.maximum(softened, tiny)), tiny)
    const losses = tf.mul(tf.sum(tf.mul(wanted, tf.log(ratio)), -1), temperature ** 2)
    return [losses, tf.mul(tf.sub(softened, wanted), temperature)]
  })
}

/**
 * Cross-entropy with the same weight for every class, which label smoothing mixes in: the mean over the labels that are not -100.
 * @param logits [..., classes]
 * @param labels int32 [...]
 * @returns a scalar
 */
export function uniformCrossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  return meanOverLabels(logits, labels, (rows) => {
    const highest = tf.max(rows, -1, true)
    const sum = tf.sum(tf.exp(tf.sub(rows, highest)), -1, true)
    const losses = tf.sub(tf.add(tf.log(sum), highest), tf.mean(rows, -1, true))
    return [tf.reshape(losses, [-1]), tf.sub(tf.softmax(rows), 1 / rows.shape[1])]
  })
}

/** The mean of each row's loss; `derive` gives the losses [rows] and their gradients [rows, classes]. */
function meanOverLabels(
  logits: tf.Tensor,
  labels: tf.Tensor,
  derive: (rows: tf.Tensor2D) => [losses: tf.Tensor, gradients: tf.Tensor],
): tf.Tensor {
  const weights = tf.cast(tf.notEqual(tf.reshape(labels, [-1]), tf.scalar(-100, "int32")), "float32")
  const shares = tf.div(weights, tf.maximum(tf.sum(weights), 1))
  const mean = tf.customGrad((...parts) => {
    const [rows, save] = parts as unknown as [tf.Tensor2D, (tensors: tf.Tensor[]) => void]
    const [losses, gradients] = derive(rows)
    save([gradients, shares])
    return {
      value: tf.sum(tf.mul(losses, shares)),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0], tf.reshape(tf.mul(saved[1], dy), [-1, 1])),
    }
  })
  return mean(toRows(logits))
}

function toRows(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [-1, x.shape[x.rank - 1]])
}
