// transformers' `config.json` of a BERT or of an encoder like it: read, checked, and written back with what it said.
import { InputError } from "../core/errors"
import { type BertDropout, type BertHead, type BertShape, countPlaces, mpnetBuckets } from "../networks/bert"
import type { BertNaming } from "../networks/bert-names"
import { activations, type ConfigurationJson, ConfigurationMembers } from "./configuration-members"

/** An encoder as its `config.json` describes it. */
export interface BertConfiguration {
  /** Everything that `config.json` said. */
  readonly json: ConfigurationJson
  readonly modelType: BertModelType
  readonly shape: BertShape
  /** What a classifier answers, by the number of its score; empty for other heads. */
  readonly labels: readonly string[]
  readonly dropout: BertDropout
  readonly initializerRange: number
}

/** Each with its weights' naming, their prefix under a head, and what transformers calls its classes. */
const kinds = {
  bert: { naming: "bert", prefix: "bert.", className: "Bert" },
  roberta: { naming: "roberta", prefix: "roberta.", className: "Roberta" },
  "xlm-roberta": { naming: "roberta", prefix: "roberta.", className: "XLMRoberta" },
  camembert: { naming: "roberta", prefix: "roberta.", className: "Camembert" },
  distilbert: { naming: "distilbert", prefix: "distilbert.", className: "DistilBert" },
  mpnet: { naming: "mpnet", prefix: "mpnet.", className: "MPNet" },
  electra: { naming: "electra", prefix: "electra.", className: "Electra" },
} as const satisfies Record<string, { naming: BertNaming; prefix: string; className: string }>

/** transformers' `model_type`s of the encoders here. */
export type BertModelType = keyof typeof kinds
export const bertModelTypes = Object.keys(kinds) as readonly BertModelType[]

const vocabularySizes: Readonly<Record<BertModelType, number>> = {
  bert: 30522,
  roberta: 50265,
  "xlm-roberta": 30522,
  camembert: 30522,
  distilbert: 30522,
  mpnet: 30527,
  electra: 30522,
}

/** transformers' defaults of sizes. */
const base = { modelSize: 768, feedForwardSize: 3072, numHeads: 12 }
const electraSmall = { modelSize: 256, feedForwardSize: 1024, numHeads: 4 }
/** `embedding_size` of an ELECTRA that names none. */
const electraEmbeddingSize = 128

/** DistilBERT's names of members, where they are not BERT's. */
const distilbertNames: Readonly<Record<string, string>> = {
  hidden_size: "dim",
  intermediate_size: "hidden_dim",
  num_hidden_layers: "n_layers",
  num_attention_heads: "n_heads",
  hidden_act: "activation",
  hidden_dropout_prob: "dropout",
  attention_probs_dropout_prob: "attention_dropout",
}

/**
 * Reads a parsed `config.json`; what it leaves out has transformers' default. A model with no head of those here gets a classifier's, as
 * transformers' `AutoModelForSequenceClassification` gives it.
 * @throws InputError `student.architecture` for another model, `student.config` for a member that cannot be
 */
export function readBertConfiguration(json: ConfigurationJson, path: string): BertConfiguration {
  const modelType = bertModelTypes.find((one) => one === json.model_type)
  if (!modelType)
    throw new InputError(
      "student.architecture",
      `${path} describes a model of type ${String(json.model_type)}, which is none of ${bertModelTypes.join(", ")}.`,
    )
  const members = new ConfigurationMembers(json, path)
  const { naming } = kinds[modelType]
  const nameOf = (name: string) => (naming === "distilbert" ? (distilbertNames[name] ?? name) : name)
  members.choice("position_embedding_type", "absolute", { absolute: true })
  if (members.flag("is_decoder", false)) members.refuse("is_decoder", "false: students of this kind read a whole text at once")
  const labels = isSpan(json) ? [] : readLabels(json, members)
  const hidden = members.share(nameOf("hidden_dropout_prob"), 0.1)
  return {
    json,
    modelType,
    shape: readShape(modelType, members, nameOf, isSpan(json) ? { kind: "span" } : { kind: "labels", numLabels: labels.length }),
    labels,
    dropout: {
      hidden,
      attention: members.share(nameOf("attention_probs_dropout_prob"), 0.1),
      head: readHeadDropout(naming, hidden, members),
    },
    initializerRange: members.number("initializer_range", 0.02),
  }
}

function readShape(modelType: BertModelType, members: ConfigurationMembers, nameOf: (name: string) => string, head: BertHead): BertShape {
  const { naming, prefix } = kinds[modelType]
  const vocabularySize = members.count("vocab_size", vocabularySizes[modelType])
  const countsFromPadding = naming === "roberta" || naming === "mpnet"
  // MPNet's code has its padding id fixed.
  const [padId] = naming === "mpnet" ? [1] : members.ids("pad_token_id", vocabularySize, [countsFromPadding ? 1 : 0])
  const sizes = naming === "electra" ? electraSmall : base
  const modelSize = members.count(nameOf("hidden_size"), sizes.modelSize)
  const numHeads = members.count(nameOf("num_attention_heads"), sizes.numHeads)
  const embeddingSize = naming === "electra" ? members.count("embedding_size", electraEmbeddingSize) : modelSize
  if (modelSize % numHeads > 0) members.refuse(nameOf("num_attention_heads"), `a divisor of the model's size, ${modelSize}`)
  const shape: BertShape = {
    naming,
    prefix,
    vocabularySize,
    modelSize,
    ...(embeddingSize === modelSize ? {} : { embeddingSize }),
    feedForwardSize: members.count(nameOf("intermediate_size"), sizes.feedForwardSize),
    numHeads,
    numLayers: members.count(nameOf("num_hidden_layers"), naming === "distilbert" ? 6 : 12),
    numPositions: members.count("max_position_embeddings", 512),
    countsFromPadding,
    padId: padId ?? members.refuse("pad_token_id", "an id of the vocabulary"),
    numTokenTypes: naming === "distilbert" || naming === "mpnet" ? 0 : members.count("type_vocab_size", 2),
    relativeBuckets: naming === "mpnet" ? members.count("relative_attention_num_buckets", mpnetBuckets.relativeBuckets) : 0,
    // DistilBERT's code has its norms' epsilon fixed.
    normEpsilon: naming === "distilbert" ? 1e-12 : members.number("layer_norm_eps", 1e-12),
    activation: members.choice(nameOf("hidden_act"), "gelu", activations),
    head,
  }
  if (shape.relativeBuckets > 0 && shape.relativeBuckets < mpnetBuckets.relativeBuckets)
    members.refuse("relative_attention_num_buckets", `${mpnetBuckets.relativeBuckets} or more`)
  return countPlaces(shape) > 2 ? shape : members.refuse("max_position_embeddings", "enough for a text of three tokens")
}

function isSpan({ architectures }: ConfigurationJson): boolean {
  return Array.isArray(architectures) && /ForQuestionAnswering$/.test(String(architectures[0]))
}

/** `id2label` from 0 on; without it transformers' LABEL_0, LABEL_1 ... */
function readLabels(json: ConfigurationJson, members: ConfigurationMembers): string[] {
  if (json.problem_type === "regression" || json.problem_type === "multi_label_classification")
    members.refuse("problem_type", "single_label_classification: students of this kind answer one label of several")
  const given = json.id2label as Readonly<Record<string, unknown>> | null | undefined
  const count = given ? Object.keys(given).length : members.count("num_labels", 2)
  if (count < 2) members.refuse(given ? "id2label" : "num_labels", "two labels or more: students of this kind answer no numbers")
  return Array.from({ length: count }, (_, at) => {
    const label = given ? given[at] : `LABEL_${at}`
    return typeof label === "string" ? label : members.refuse("id2label", `a text for each number from 0 to ${count - 1}`)
  })
}

function readHeadDropout(naming: BertNaming, hidden: number, members: ConfigurationMembers): number {
  if (naming === "distilbert") return members.share("seq_classif_dropout", 0.2)
  return naming === "mpnet" ? hidden : members.share("classifier_dropout", hidden)
}

/** The same encoder with another head. Other labels than before leave no trace of the old ones. */
export function changeHead(
  configuration: BertConfiguration,
  head: { readonly kind: "span" } | { readonly kind: "labels"; readonly labels: readonly string[] },
): BertConfiguration {
  const { id2label, label2id, num_labels, problem_type, ...json } = configuration.json
  const labels = head.kind === "labels" ? head.labels : []
  const shapeHead: BertHead = head.kind === "labels" ? { kind: "labels", numLabels: labels.length } : head
  return { ...configuration, json, labels, shape: { ...configuration.shape, head: shapeHead } }
}

/** `config.json` for an encoder with its head, as every version of transformers reads it. */
export function writeBertConfiguration({ json, modelType, shape, labels }: BertConfiguration): Record<string, unknown> {
  const { num_labels, ...rest } = json
  const className = kinds[modelType].className
  const described = {
    ...rest,
    dtype: "float32",
    model_type: modelType,
    pad_token_id: shape.padId,
    vocab_size: shape.vocabularySize,
  }
  if (shape.head.kind === "span") return { ...described, architectures: [`${className}ForQuestionAnswering`] }
  return {
    ...described,
    architectures: [`${className}ForSequenceClassification`],
    id2label: Object.fromEntries(labels.map((label, at) => [String(at), label])),
    label2id: Object.fromEntries(labels.map((label, at) => [label, at])),
    problem_type: "single_label_classification",
  }
}
