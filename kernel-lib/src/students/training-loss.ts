// The loss that a training takes its gradients of: the network's own, with adapters taken along, labels smoothed, or a teacher's answers
// mixed in. The teacher runs in the same graph, on its own weights where they lie, so that its logits never leave the engine.
import type { Tensor } from "@tensorflow/tfjs-core"
import * as tf from "@tensorflow/tfjs-core"
import { InputError } from "../core/errors"
import {
  distillationLoss,
  type LossFunction,
  type NamedParameters,
  type NamedTensors,
  softmaxCrossEntropy,
  uniformCrossEntropy,
  withCriterion,
} from "../engine"
import type { Architecture, TrainingRow } from "./architecture"
import type { LowRankAdapters } from "./low-rank"

/** Another student whose answers are learnt beside the rows' own. */
export interface Distillation {
  readonly teacher: { readonly model: Architecture; readonly weights: NamedParameters }
  /** Share of the loss that compares with the teacher; the rest is the usual loss. */
  readonly weight: number
  /** What both logits are divided by before they are compared. */
  readonly temperature: number
}

export interface TrainingLossOptions {
  readonly dropout: number
  readonly labelSmoothing: number
  readonly adapters?: LowRankAdapters
  readonly distillation?: Distillation
}

/** A teacher's weights stand beside the student's under this prefix. */
const teacherPrefix = "teacher/"

export function teacherParameters({ teacher }: Distillation): NamedParameters {
  return Object.fromEntries(Object.entries(teacher.weights).map(([name, value]) => [`${teacherPrefix}${name}`, value]))
}

/** The loss of a batch. Evaluated (without `random`), it is the network's usual one, so that losses of all trainings compare. */
export function makeTrainingLoss(
  model: Architecture,
  { dropout, labelSmoothing, adapters, distillation }: TrainingLossOptions,
): LossFunction {
  const network = model.loss(dropout)
  const own: LossFunction = (inputs, parameters, random) => {
    adapters?.adapt(parameters, random)
    return network(inputs, parameters, random)
  }
  if (labelSmoothing === 0 && !distillation) return own
  return (inputs, parameters, random) => {
    if (!random) return own(inputs, parameters, random)
    const wanted = distillation ? teacherLogits(distillation, inputs, parameters) : []
    let asked = 0
    const criterion = (logits: Tensor, labels: Tensor) => {
      const usual = () =>
        mix(
          labelSmoothing,
          () => uniformCrossEntropy(logits, labels),
          () => softmaxCrossEntropy(logits, labels),
        )
      if (!distillation) return usual()
      const teacher = wanted[asked++]
      return mix(distillation.weight, () => distillationLoss(logits, teacher, labels, distillation.temperature), usual)
    }
    return withCriterion(criterion, () => own(inputs, parameters, random))
  }
}

/** All logits that the teacher's loss is taken of: one tensor, or two where a network has two losses. */
function teacherLogits({ teacher }: Distillation, inputs: NamedTensors, parameters: NamedTensors): Tensor[] {
  const weights = Object.fromEntries(Object.keys(teacher.weights).map((name) => [name, parameters[`${teacherPrefix}${name}`]]))
  const found: Tensor[] = []
  const collect = (logits: Tensor) => {
    found.push(logits)
    return tf.scalar(0)
  }
  withCriterion(collect, () => teacher.model.loss(0)(inputs, weights, undefined))
  return found
}

/** `share` of `one` and the rest of `other`; what counts for nothing is not computed. */
function mix(share: number, one: () => Tensor, other: () => Tensor): Tensor {
  if (share === 0) return other()
  return share === 1 ? one() : tf.add(tf.mul(one(), share), tf.mul(other(), 1 - share))
}

interface Member {
  readonly name: string
  readonly model: Architecture
  readonly tokenizer: { readonly fingerprint: string }
}

/**
 * Whether the teacher can read the student's batches and names the same tokens, or the same labels.
 * @throws InputError `train.other-vocabulary`, `train.other-kind`
 */
export function checkTeacher(student: Member, teacher: Member): void {
  const [own, other] = [student, teacher].map(({ model, tokenizer }) => ({
    size: model.vocabularySize,
    tokens: tokenizer.fingerprint,
    labels: JSON.stringify(model.describe().id2label ?? null),
    batch: describeBatch(model),
  }))
  if (own.size !== other.size || own.tokens !== other.tokens || own.labels !== other.labels) {
    const sizes = `${other.size.toLocaleString("en")} tokens, ${student.name} ${own.size.toLocaleString("en")}`
    const how = own.size !== other.size ? sizes : own.tokens !== other.tokens ? "other tokens" : "other labels"
    throw new InputError(
      "train.other-vocabulary",
      `distillFrom: ${teacher.name} has ${how}: choose a teacher with the student's vocabulary, or let it write the rows and train on those.`,
    )
  }
  if (own.batch === other.batch) return
  throw new InputError(
    "train.other-kind",
    `distillFrom: ${teacher.name} (${teacher.model.modelType}) does not read rows as ${student.name} (${student.model.modelType}) does: choose a teacher of the same kind.`,
  )
}

/** The feeds that a model makes of a row, shared by those that can be trained on one batch. */
function describeBatch(model: Architecture): string {
  const answer = { answer: [0, 1], window: [0, 1], contextAt: 0, input: {} }
  const row: TrainingRow = { ...answer, inputIds: [1, 1], labelIds: [0] } as TrainingRow
  return JSON.stringify(model.makeBatch([row], 1))
}
