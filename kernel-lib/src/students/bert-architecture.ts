// BERT and the encoders like it as students: what they learn and answer is a label of the whole text, or a span of it.
import { InputError } from "../core/errors"
import type { LossFunction, NamedParameters, NamedValues } from "../engine"
import { type BertShape, bertLabelLoss, bertSpanLoss, countPlaces } from "../networks/bert"
import { listBertWeights } from "../networks/bert-weights"
import { drawInitialWeight } from "../networks/initial-weights"
import type {
  Answering,
  AnsweringParts,
  Architecture,
  Family,
  FitOptions,
  LoadedWeights,
  NormalStream,
  RowLimits,
  TrainingRow,
  WeightSpec,
} from "./architecture"
import { type BertConfiguration, bertModelTypes, readBertConfiguration, writeBertConfiguration } from "./bert-configuration"
import { fitHead } from "./bert-head"
import { readEncoderWithHead } from "./bert-weight-files"
import { TextClassification } from "./classify-texts"
import { makeEncoderBatch } from "./encoder-batch"
import { SpanExtraction } from "./extract-spans"
import { bucketLength } from "./length-buckets"
import type { NamedTensor } from "./safetensors"
import { cutTokens } from "./sequence-ends"
import { locateAnswer, type SpanTokens, tokenizeSpanInput, windowAround } from "./span-text"
import type { TextRange, Tokenizer } from "./tokenizer"
import type { WeightFiles } from "./weight-files"

export const bertFamily: Family = {
  modelTypes: bertModelTypes,
  foreignHeads: ["ForTokenClassification", "ForMultipleChoice"],
  read: (json, path) => new BertArchitecture(readBertConfiguration(json, path)),
}

/** A label that the loss leaves out. */
const ignored = -100

/** A row of a model that answers with spans: it is made anew from its parts when it is cut. */
interface SpanRow extends TrainingRow {
  readonly input: SpanTokens
  /** In the context's tokens. */
  readonly answer: TextRange
  /** The first token of the context in `inputIds`, and the part of the context that is there. */
  readonly contextAt: number
  readonly window: TextRange
}

export class BertArchitecture implements Architecture {
  constructor(readonly configuration: BertConfiguration) {}

  get modelType(): string {
    return this.configuration.modelType
  }
  get shape(): BertShape {
    return this.configuration.shape
  }
  get vocabularySize(): number {
    return this.shape.vocabularySize
  }
  get dropoutRate(): number {
    return this.configuration.dropout.hidden
  }
  get weights(): readonly WeightSpec[] {
    return listBertWeights(this.shape)
  }
  get choosesPlaces(): boolean {
    return this.shape.head.kind === "span"
  }
  get identity(): unknown {
    const { modelType, shape, labels, dropout } = this.configuration
    return [modelType, shape, labels, dropout]
  }

  drawWeight({ name }: WeightSpec, stream: NormalStream): Float32Array {
    const spec = listBertWeights(this.shape, this.configuration.initializerRange).find((one) => one.name === name)!
    return drawInitialWeight(spec, stream)
  }

  async readWeights(files: WeightFiles, stream: (name: string) => NormalStream): Promise<LoadedWeights> {
    return { architecture: this, weights: await readEncoderWithHead(files, this.shape, this.configuration.initializerRange, stream) }
  }

  describe(): Record<string, unknown> {
    return writeBertConfiguration(this.configuration)
  }

  describeGeneration(): undefined {
    return undefined
  }

  listFileWeights(weights: NamedParameters): NamedTensor[] {
    return Object.entries(weights).map(([name, { shape, data }]) => ({ name, shape, data }))
  }

  fit(options: FitOptions): LoadedWeights {
    const { configuration, weights } = fitHead(this.configuration, options)
    return { architecture: new BertArchitecture(configuration), weights }
  }

  /** Why a row cannot be learnt; undefined when it can. */
  refuseRow(tokenizer: Tokenizer, text: string, output: string): string | undefined {
    const { labels, shape } = this.configuration
    if (shape.head.kind === "labels") return labels.includes(output) ? undefined : "its output is none of the labels"
    return locateAnswer(this.readSpan(tokenizer, text), output) ? undefined : "its output does not stand in its context"
  }

  encodeInput(tokenizer: Tokenizer, text: string): number[] {
    if (this.shape.head.kind === "labels") return tokenizer.encode(text)
    const { before, tokens, after } = this.readSpan(tokenizer, text)
    return [...before, ...tokens.ids, ...after]
  }

  /** @throws InputError `train.unknown-label`, `train.no-answer` */
  encodeRow(tokenizer: Tokenizer, text: string, output: string): TrainingRow {
    const { labels, shape } = this.configuration
    if (shape.head.kind === "labels") {
      if (labels.includes(output)) return { inputIds: tokenizer.encode(text), labelIds: [labels.indexOf(output)] }
      const listed = labels.length > 8 ? `${labels.slice(0, 8).join(", ")} ...` : labels.join(", ")
      throw new InputError("train.unknown-label", `"${output}" is none of the model's labels (${listed}): fit the model to the rows first.`)
    }
    const input = this.readSpan(tokenizer, text)
    const answer = locateAnswer(input, output)
    if (answer) return makeSpanRow(input, answer, countPlaces(shape))
    throw new InputError("train.no-answer", `The output "${output}" does not stand in the row's context: leave the row out.`)
  }

  private readSpan(tokenizer: Tokenizer, text: string): SpanTokens {
    return tokenizeSpanInput(tokenizer, text, countPlaces(this.shape))
  }

  /** Of a question's context several parts are read when it is too long, so that it is not cut to the network's positions here. */
  cutInput(ids: readonly number[], limit = Number.POSITIVE_INFINITY): number[] {
    return cutTokens(ids, this.shape.head.kind === "span" ? limit : Math.min(limit, countPlaces(this.shape)))
  }

  cutRow(row: TrainingRow, { maxInputTokens = Number.POSITIVE_INFINITY }: RowLimits): TrainingRow {
    const limit = Math.min(maxInputTokens, countPlaces(this.shape))
    return isSpanRow(row) ? makeSpanRow(row.input, row.answer, limit) : { ...row, inputIds: cutTokens(row.inputIds, limit) }
  }

  paddedLengths({ inputIds }: TrainingRow): readonly number[] {
    return [inputIds.length]
  }

  /** The feeds of the encoder, and labels int32 [B], or starts and ends int32 [B]. */
  makeBatch(rows: readonly TrainingRow[], batchSize: number, lengths?: readonly number[]): NamedValues {
    const longest = Math.max(...rows.map(({ inputIds }) => inputIds.length))
    const length = Math.max(longest, Math.min(lengths?.[0] ?? bucketLength(longest), countPlaces(this.shape)))
    const texts = rows.map((row) => ({ ids: row.inputIds, secondPart: isSpanRow(row) ? row.input.secondPart : undefined }))
    const column = (pick: (row: TrainingRow) => number) => {
      const data = new Int32Array(batchSize).fill(ignored)
      data.set(rows.map(pick))
      return { shape: [batchSize], data }
    }
    const feeds = makeEncoderBatch(this.shape, texts, batchSize, length)
    if (this.shape.head.kind === "labels") return { ...feeds, labels: column(({ labelIds }) => labelIds[0]) }
    return { ...feeds, starts: column((row) => placeOf(row, 0)), ends: column((row) => placeOf(row, 1)) }
  }

  /** A rate other than the model's own holds everywhere. */
  loss(dropout: number): LossFunction {
    const { configuration, shape } = this
    const rates = dropout === this.dropoutRate ? configuration.dropout : { hidden: dropout, attention: dropout, head: dropout }
    const loss = shape.head.kind === "labels" ? bertLabelLoss : bertSpanLoss
    return (inputs, parameters, random) => loss(shape, inputs, parameters, rates, random)
  }

  decays(name: string, shape: readonly number[]): boolean {
    return shape.length > 1 && !name.includes("bias")
  }

  openAnswering(parts: AnsweringParts): Answering {
    const { labels, shape } = this.configuration
    return shape.head.kind === "labels" ? new TextClassification(shape, labels, parts) : new SpanExtraction(shape, parts)
  }
}

function makeSpanRow(input: SpanTokens, answer: TextRange, limit: number): SpanRow {
  const { before, tokens, after } = input
  const window = windowAround(tokens.ids.length, Math.max(1, limit - before.length - after.length), answer)
  return {
    inputIds: [...before, ...tokens.ids.slice(...window), ...after],
    labelIds: tokens.ids.slice(...answer),
    input,
    answer,
    contextAt: before.length,
    window,
  }
}

function isSpanRow(row: TrainingRow): row is SpanRow {
  return "answer" in row
}

/** The answer's first (0) or last (1) token in `inputIds`; a last one that was cut off does not count. */
function placeOf(row: TrainingRow, side: 0 | 1): number {
  const { answer, window, contextAt } = row as SpanRow
  const token = side === 0 ? answer[0] : answer[1] - 1
  return token < window[1] ? contextAt + token - window[0] : ignored
}
